//! Times and durations inside templates: Go's printed forms and the common part of its reference layouts.

use chrono::{DateTime, Utc};

fn utc(nanos: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_nanos(nanos)
}

/// `2015-06-23 13:19:44.128 +0000 UTC`: the fraction without trailing zeros, absent when zero.
pub(super) fn print_time(nanos: i64) -> String {
    let time = utc(nanos);
    let fraction = format!("{:09}", time.timestamp_subsec_nanos());
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{}{point}{fraction} +0000 UTC", time.format("%Y-%m-%d %H:%M:%S"))
}

/// Go prints `1h0m0s`, `1.5s`, `20ms`, `0s`.
pub(super) fn print_duration(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let total = nanos.unsigned_abs();
    if total == 0 {
        return "0s".to_owned();
    }
    for (unit, name) in [(1_000u64, "ns"), (1_000_000, "µs"), (1_000_000_000, "ms")] {
        if total < unit {
            return format!("{sign}{}{name}", total as f64 / (unit / 1_000) as f64);
        }
    }
    let (hours, minutes) = (total / 3_600_000_000_000, total / 60_000_000_000 % 60);
    let seconds = (total % 60_000_000_000) as f64 / 1e9;
    match (hours, minutes) {
        (0, 0) => format!("{sign}{seconds}s"),
        (0, _) => format!("{sign}{minutes}m{seconds}s"),
        _ => format!("{sign}{hours}h{minutes}m{seconds}s"),
    }
}

/// Seconds since the epoch to nanoseconds with the millisecond resolution that Prometheus' times have.
pub(super) fn from_seconds(seconds: f64) -> Result<i64, String> {
    let nanos = seconds * 1e9;
    if nanos >= i64::MAX as f64 || nanos < i64::MIN as f64 {
        let shown = super::float::format_g(seconds, None);
        return Err(format!("{shown} cannot be represented as a nanoseconds timestamp since it overflows int64"));
    }
    Ok((nanos as i64).div_euclid(1_000_000) * 1_000_000)
}

/// Longest names first: `January` must not be read as `Jan` and `uary`.
const LAYOUT: [(&str, &str); 21] = [
    ("January", "%B"),
    ("Monday", "%A"),
    ("Z07:00", "Z"),
    ("-07:00", "+00:00"),
    ("-0700", "+0000"),
    ("2006", "%Y"),
    ("Jan", "%b"),
    ("Mon", "%a"),
    ("MST", "UTC"),
    ("002", "%j"),
    ("01", "%m"),
    ("02", "%d"),
    ("03", "%I"),
    ("04", "%M"),
    ("05", "%S"),
    ("06", "%y"),
    ("15", "%H"),
    ("PM", "%p"),
    ("_2", "%e"),
    ("2", "%-d"),
    ("1", "%-m"),
];

/// Go's `Time.Format` for a time in UTC.
pub(super) fn format_layout(nanos: i64, layout: &str) -> String {
    let time = utc(nanos);
    let mut out = String::new();
    let mut rest = layout;
    while let Some(first) = rest.chars().next() {
        match LAYOUT.iter().find(|(name, _)| rest.starts_with(name)) {
            Some((name, strftime)) => {
                out.push_str(&time.format(strftime).to_string());
                rest = &rest[name.len()..];
            }
            None => {
                out.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_as_go_prints() {
        for (nanos, text) in [
            (0, "0s"),
            (1_500_000_000, "1.5s"),
            (20_000_000, "20ms"),
            (3_600_000_000_000, "1h0m0s"),
            (-90_000_000_000, "-1m30s"),
            (1_500, "1.5µs"),
        ] {
            assert_eq!(print_duration(nanos), text);
        }
        assert_eq!(print_time(1_435_065_584_128_000_000), "2015-06-23 13:19:44.128 +0000 UTC");
        let layout = "Mon Jan _2 15:04:05 MST 2006";
        assert_eq!(format_layout(1_435_065_584_128_000_000, layout), "Tue Jun 23 13:19:44 UTC 2015");
        assert_eq!(format_layout(0, "2006-01-02T15:04:05Z07:00"), "1970-01-01T00:00:00Z");
    }
}
