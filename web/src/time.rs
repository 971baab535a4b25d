//! Times of requests: RFC 3339 text, or numbers since the epoch.

use chrono::DateTime;
use culprit_store::{TimeRange, UnixNanos};
use serde::Deserialize;

use crate::error::ApiError;

#[derive(Debug, thiserror::Error)]
#[error("{text:?} is not a time; write RFC 3339, such as 2026-01-31T12:00:00Z, or a number since the epoch")]
pub(crate) struct TimeError {
    text: String,
}

/// `from` and `to` of our own routes: a text, or a number of s, ms, µs or ns by its magnitude.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Moment {
    Number(serde_json::Number),
    Text(String),
}

pub(crate) fn range(from: Option<&Moment>, to: Option<&Moment>) -> Result<TimeRange, ApiError> {
    let read = |name, moment: Option<&Moment>| {
        moment.map(Moment::nanos).transpose().map_err(|source| ApiError::Time { name, source })
    };
    Ok(TimeRange { from: read("from", from)?, to: read("to", to)? })
}

impl Moment {
    fn nanos(&self) -> Result<UnixNanos, TimeError> {
        let text = match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.trim().to_owned(),
        };
        rfc3339(&text).or_else(|| epoch(&text)).map(UnixNanos).ok_or(TimeError { text })
    }
}

/// Whole seconds, UTC.
pub(crate) fn written(at: UnixNanos) -> String {
    DateTime::from_timestamp_nanos(at.0).to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

fn rfc3339(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text).ok()?.timestamp_nanos_opt()
}

/// The same magnitudes as those of rows: below 1e11 seconds, below 1e14 ms, below 1e17 µs, else ns.
fn epoch(text: &str) -> Option<i64> {
    if let Ok(whole) = text.parse::<i64>() {
        return whole.checked_mul(nanos_per_unit(whole.unsigned_abs()));
    }
    let number: f64 = text.parse().ok().filter(|number: &f64| number.abs() < 9.2e18)?;
    // Apart, because a double has no room for a second of today in nanoseconds.
    let (whole, fraction) = (number.trunc() as i64, number.fract());
    let unit = nanos_per_unit(whole.unsigned_abs());
    whole.checked_mul(unit)?.checked_add((fraction * unit as f64).round() as i64)
}

fn nanos_per_unit(magnitude: u64) -> i64 {
    match magnitude {
        0..100_000_000_000 => 1_000_000_000,
        100_000_000_000..100_000_000_000_000 => 1_000_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000,
        _ => 1,
    }
}

/// What Prometheus' clients send for "the beginning" and "the end" of time, as Go prints them.
const PROMETHEUS_MIN: &str = "-292273086-05-16T16:47:06Z";
const PROMETHEUS_MAX: &str = "292277025-08-18T07:12:54.999999999Z";

/// Unix seconds with a fraction, or RFC 3339, to milliseconds: how Prometheus' API reads times.
pub(crate) fn prometheus_millis(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse::<f64>() {
        return millis(seconds);
    }
    match text {
        PROMETHEUS_MIN => Some(i64::MIN / 1_000_000),
        PROMETHEUS_MAX => Some(i64::MAX / 1_000_000),
        _ => DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp_millis()),
    }
}

/// Seconds with a fraction, or `5m`: how Prometheus' API reads durations.
pub(crate) fn prometheus_duration_millis(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse::<f64>() {
        return millis(seconds);
    }
    let duration = culprit_alerting::parse_duration(text).ok()?;
    i64::try_from(duration.as_millis()).ok()
}

fn millis(seconds: f64) -> Option<i64> {
    let millis = (seconds * 1_000.0).round();
    (millis.abs() < 9.2e18).then_some(millis as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The oracle is `date -u -d … +%s`.
    #[test]
    fn moments_of_all_kinds() {
        for (json, nanos) in [
            ("\"2015-05-17T10:05:03Z\"", Some(1_431_857_103_000_000_000)),
            ("\" 2015-05-17T12:05:03.5+02:00 \"", Some(1_431_857_103_500_000_000)),
            ("1431857103", Some(1_431_857_103_000_000_000)),
            ("1431857103.25", Some(1_431_857_103_250_000_000)),
            ("1431857103123", Some(1_431_857_103_123_000_000)),
            ("\"1431857103123456\"", Some(1_431_857_103_123_456_000)),
            ("1431857103123456789", Some(1_431_857_103_123_456_789)),
            ("-1", Some(-1_000_000_000)),
            ("99999999999", None),
            ("1e300", None),
            ("\"soon\"", None),
            ("\"NaN\"", None),
            ("\"\"", None),
        ] {
            let moment: Moment = serde_json::from_str(json).unwrap();
            assert_eq!(moment.nanos().ok().map(|time| time.0), nanos, "{json}");
        }
    }

    #[test]
    fn times_and_durations_of_prometheus() {
        for (text, millis) in [
            ("1431857103", Some(1_431_857_103_000)),
            ("1431857103.781", Some(1_431_857_103_781)),
            ("-1.5", Some(-1_500)),
            ("1e9", Some(1_000_000_000_000)),
            ("2015-05-17T10:05:03.781+01:00", Some(1_431_853_503_781)),
            (PROMETHEUS_MAX, Some(9_223_372_036_854)),
            ("NaN", None),
            ("Inf", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(prometheus_millis(text), millis, "{text}");
        }
        for (text, millis) in [("15", Some(15_000)), ("0.25", Some(250)), ("1h30m", Some(5_400_000)), ("5 m", None)] {
            assert_eq!(prometheus_duration_millis(text), millis, "{text}");
        }
    }
}
