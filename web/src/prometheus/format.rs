//! Results in Prometheus' JSON, written straight into bytes: a range query may have a million points.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use culprit_query::promql::{Evaluated, InstantSample, MatrixSeries, Value};
use culprit_store::Labels;
use serde_json::json;

/// A number as Prometheus writes it: Go's shortest text, with an exponent below 1e-6 and from 1e21.
pub(crate) fn float(value: f64) -> String {
    let magnitude = value.abs();
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
    } else if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        with_exponent(value)
    } else {
        value.to_string()
    }
}

/// Go writes the exponent's sign and at least two of its digits.
fn with_exponent(value: f64) -> String {
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
    format!("{digits}e{sign}{exponent:0>2}")
}

/// `{"status":"success","data":…}` around any value.
pub(super) fn success(data: &impl serde::Serialize, warnings: &[String]) -> Response {
    let mut body = json!({ "status": "success", "data": data });
    if !warnings.is_empty() {
        body["warnings"] = warnings.into();
    }
    axum::Json(body).into_response()
}

/// The result of a query, cut to `limit` series where there is one.
pub(super) fn result(mut evaluated: Evaluated, at_ms: i64, limit: Option<usize>) -> Response {
    if let Some(limit) = limit
        && cut(&mut evaluated.value, limit)
    {
        evaluated.warnings.push(TRUNCATED.to_owned());
    }
    let mut out = b"{\"status\":\"success\",\"data\":".to_vec();
    data(&mut out, &evaluated.value, at_ms);
    let (infos, warnings): (Vec<_>, Vec<_>) =
        evaluated.warnings.into_iter().partition(|note| note.starts_with("PromQL info:"));
    for (name, notes) in [("warnings", warnings), ("infos", infos)] {
        if !notes.is_empty() {
            let notes: serde_json::Value = notes.into();
            out.extend_from_slice(format!(",\"{name}\":{notes}").as_bytes());
        }
    }
    out.push(b'}');
    ([(header::CONTENT_TYPE, "application/json")], out).into_response()
}

pub(super) const TRUNCATED: &str = "results truncated due to limit";

fn cut(value: &mut Value, limit: usize) -> bool {
    match value {
        Value::Vector(samples) if samples.len() > limit => samples.truncate(limit),
        Value::Matrix(series) if series.len() > limit => series.truncate(limit),
        _ => return false,
    }
    true
}

fn data(out: &mut Vec<u8>, value: &Value, at_ms: i64) {
    let kind = match value {
        Value::Scalar(_) => "scalar",
        Value::String(_) => "string",
        Value::Vector(_) => "vector",
        Value::Matrix(_) => "matrix",
    };
    out.extend_from_slice(format!("{{\"resultType\":\"{kind}\",\"result\":").as_bytes());
    match value {
        Value::Scalar(number) => point(out, at_ms, *number),
        Value::String(text) => {
            out.push(b'[');
            time(out, at_ms);
            out.extend_from_slice(format!(",{}]", quoted(text)).as_bytes());
        }
        Value::Vector(samples) => list(out, samples, sample),
        Value::Matrix(all) => list(out, all, series),
    }
    out.push(b'}');
}

fn list<T>(out: &mut Vec<u8>, items: &[T], write: impl Fn(&mut Vec<u8>, &T)) {
    out.push(b'[');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}

fn sample(out: &mut Vec<u8>, sample: &InstantSample) {
    metric(out, &sample.labels);
    out.extend_from_slice(b",\"value\":");
    point(out, sample.timestamp_ms, sample.value);
    out.push(b'}');
}

fn series(out: &mut Vec<u8>, series: &MatrixSeries) {
    metric(out, &series.labels);
    out.extend_from_slice(b",\"values\":[");
    let points = series.samples.timestamps_ms.iter().zip(&series.samples.values);
    for (step, (at_ms, value)) in points.enumerate() {
        if step > 0 {
            out.push(b',');
        }
        point(out, *at_ms, *value);
    }
    out.extend_from_slice(b"]}");
}

/// Leaves the object open.
fn metric(out: &mut Vec<u8>, labels: &Labels) {
    out.extend_from_slice(b"{\"metric\":");
    out.extend_from_slice(label_set(labels).to_string().as_bytes());
}

pub(super) fn label_set(labels: &Labels) -> serde_json::Value {
    labels.iter().map(|label| (label.name.to_string(), serde_json::Value::from(&*label.value))).collect()
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn point(out: &mut Vec<u8>, at_ms: i64, value: f64) {
    out.push(b'[');
    time(out, at_ms);
    out.extend_from_slice(b",\"");
    out.extend_from_slice(float(value).as_bytes());
    out.extend_from_slice(b"\"]");
}

/// Seconds, with three digits behind the point or none.
fn time(out: &mut Vec<u8>, at_ms: i64) {
    let sign = if at_ms < 0 { "-" } else { "" };
    let (seconds, millis) = (at_ms.unsigned_abs() / 1_000, at_ms.unsigned_abs() % 1_000);
    let text = if millis == 0 { format!("{sign}{seconds}") } else { format!("{sign}{seconds}.{millis:03}") };
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The oracle is Go: `strconv.FormatFloat(f, 'f' or 'e', -1, 64)` as Prometheus' jsonutil.MarshalFloat calls it.
    #[test]
    fn numbers_as_go_prints_them() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-1.5, "-1.5"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e6, "1000000"),
            (123_456_789_012_345_680.0, "123456789012345680"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (-1.5e300, "-1.5e+300"),
            (1e-6, "0.000001"),
            (9.99e-7, "9.99e-07"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
            (f64::NAN, "NaN"),
            (-f64::NAN, "NaN"),
        ] {
            assert_eq!(float(value), text, "{value:e}");
        }
    }

    #[test]
    fn times_are_seconds() {
        for (at_ms, text) in [(0, "0"), (1_435_781_451_781, "1435781451.781"), (1_005, "1.005"), (-1_500, "-1.500")] {
            let mut out = Vec::new();
            time(&mut out, at_ms);
            assert_eq!(out, text.as_bytes());
        }
    }
}
