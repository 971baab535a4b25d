//! Prometheus' durations: `5m`, `1h30m`, `250ms`, `1d`, and `0`.

use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a duration: {text:?} (write for example \"30s\", \"5m\" or \"1h30m\")")]
pub struct DurationError {
    text: String,
}

/// Largest unit first: each may come once, in this order.
const UNITS: [(&str, u64); 7] = [
    ("y", 31_536_000_000),
    ("w", 604_800_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let error = || DurationError { text: text.to_owned() };
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut rest = text;
    let mut units = UNITS.iter();
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(error)?;
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let (_, factor) = units.find(|(name, _)| *name == unit).ok_or_else(error)?;
        let number: u64 = number.parse().map_err(|_| error())?;
        total = number.checked_mul(*factor).and_then(|ms| total.checked_add(ms)).ok_or_else(error)?;
        rest = after;
    }
    // Prometheus keeps durations in i64 nanoseconds.
    if text.is_empty() || total > i64::MAX as u64 / 1_000_000 {
        return Err(error());
    }
    Ok(Duration::from_millis(total))
}

/// The shortest such text; `0s` for nothing.
pub fn format_duration(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if rest == 0 {
        return "0s".to_owned();
    }
    let mut out = String::new();
    for (name, factor) in UNITS {
        // Years and weeks only when they come out even: `90d` reads better than `12w6d`.
        let even_only = matches!(name, "y" | "w");
        if rest >= factor && (!even_only || rest.is_multiple_of(factor)) {
            out.push_str(&format!("{}{name}", rest / factor));
            rest %= factor;
        }
    }
    out
}

/// Serde for durations that are written so; `#[serde(with = "crate::duration::text")]`.
pub(crate) mod text {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::format_duration(*duration))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        super::parse_duration(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parsed_and_printed() {
        for (text, ms) in [
            ("0", 0),
            ("0s", 0),
            ("0m", 0),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("1d2h", 93_600_000),
            ("1m250ms", 60_250),
        ] {
            assert_eq!(parse_duration(text).unwrap(), Duration::from_millis(ms), "{text}");
        }
        for bad in ["", "5", "m", "1.5m", "5m1h", "1m1m", "-1m", "5 m", "99999999999999y"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
        for (ms, text) in
            [(0, "0s"), (5_400_000, "1h30m"), (604_800_000, "1w"), (7_776_000_000, "90d"), (60_250, "1m250ms")]
        {
            assert_eq!(format_duration(Duration::from_millis(ms)), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_printed_is_read_back(ms in 0..4_000_000_000_000u64) {
            let duration = Duration::from_millis(ms);
            proptest::prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }
    }
}
