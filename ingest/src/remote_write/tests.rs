//! Messages as senders build them, and bytes written by hand after the protobuf specification.

use bytes::Bytes;
use culprit_store::{STALE_NAN_BITS, is_stale};

use super::*;

fn series(labels: &[(&str, &str)], samples: &[(i64, f64)]) -> TimeSeries {
    TimeSeries {
        labels: labels.iter().map(|(name, value)| LabelPair { name: (*name).into(), value: (*value).into() }).collect(),
        samples: samples.iter().map(|(timestamp, value)| Sample { value: *value, timestamp: *timestamp }).collect(),
        histograms: Vec::new(),
    }
}

fn body(timeseries: Vec<TimeSeries>) -> Bytes {
    snap::raw::Encoder::new().compress_vec(&WriteRequest { timeseries }.encode_to_vec()).unwrap().into()
}

fn read_body(body: Bytes, encoding: Option<&str>, limit: usize) -> Result<DecodedSeries, IngestError> {
    decode(&unwrap(body, encoding, limit)?)
}

#[test]
fn values_keep_their_bits() {
    let values = [1.5, f64::NEG_INFINITY, f64::from_bits(STALE_NAN_BITS), f64::NAN, 5e-324];
    let samples: Vec<(i64, f64)> = (1000..).zip(values).collect();
    let decoded =
        read_body(body(vec![series(&[("job", "a"), (METRIC_NAME, "up")], &samples)]), Some("snappy"), 1 << 20);
    let decoded = decoded.unwrap();
    assert_eq!((decoded.accepted, decoded.rejections.total()), (5, 0));
    let [only] = decoded.series.as_slice() else { panic!("{:?}", decoded.series) };
    assert_eq!(only.labels.to_string(), r#"up{job="a"}"#);
    assert_eq!(only.samples.timestamps_ms, [1000, 1001, 1002, 1003, 1004]);
    assert!(only.samples.values.iter().map(|v| v.to_bits()).eq(values.map(f64::to_bits)));
    assert!(is_stale(only.samples.values[2]));
}

/// `up 1 @ 1` and metadata (field 3) and an exemplar (field 3 of the series), which are passed over.
#[test]
fn bytes_by_hand() {
    let label = b"\x0a\x0e\x0a\x08__name__\x12\x02up";
    let sample = b"\x12\x0b\x09\0\0\0\0\0\0\xf0\x3f\x10\x01";
    let exemplar = b"\x1a\x02\x10\x05";
    let series = [&label[..], sample, exemplar].concat();
    let request = [&[0x0a, u8::try_from(series.len()).unwrap()], &series[..], b"\x1a\x02\x08\x01"].concat();
    let body = snap::raw::Encoder::new().compress_vec(&request).unwrap();
    let decoded = read_body(body.into(), None, 1 << 20).unwrap();
    assert_eq!(decoded.series[0].labels.to_string(), "up");
    assert_eq!(decoded.series[0].samples, Samples { timestamps_ms: vec![1], values: vec![1.0] });
}

#[test]
fn a_bad_series_never_loses_the_others() {
    let long = "v".repeat(LABEL_VALUE_BYTES_MAX + 1);
    let many: Vec<(String, String)> = (0..200).map(|i| (format!("l{i}"), "v".to_owned())).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, value)| (&**name, &**value)).collect();
    let mut histogram = series(&[(METRIC_NAME, "native")], &[]);
    histogram.histograms = vec![Bytes::new(), Bytes::new()];
    let decoded = read_body(
        body(vec![
            series(&[("job", "a")], &[(1, 1.0), (2, 1.0)]),
            series(&[(METRIC_NAME, "m"), ("a", "1"), ("a", "2")], &[(1, 1.0)]),
            series(&[(METRIC_NAME, "m"), ("", "1")], &[(1, 1.0)]),
            series(&[(METRIC_NAME, "m"), ("long", &long)], &[(1, 1.0)]),
            series(&many, &[(1, 1.0)]),
            histogram,
            series(&[(METRIC_NAME, "m")], &[(i64::MAX, 1.0), (7, 2.0)]),
            series(&[(METRIC_NAME, "no_samples")], &[]),
        ]),
        None,
        1 << 20,
    )
    .unwrap();
    assert_eq!((decoded.accepted, decoded.rejections.total()), (1, 9));
    assert_eq!(decoded.series.len(), 1);
    assert_eq!(decoded.series[0].samples.timestamps_ms, [7]);
    let reasons = &decoded.rejections.reasons;
    for (position, part) in [
        (1, "without a metric name"),
        (2, "label \"a\" comes twice"),
        (3, "label without a name"),
        (4, "label \"long\" is longer"),
        (5, "200 labels, more than the 128"),
        (6, "series native: native histograms"),
        (7, "outside the years"),
    ] {
        assert!(reasons.iter().any(|r| r.line == position && r.why.contains(part)), "{part}: {reasons:?}");
    }
}

#[test]
fn what_is_no_request_is_refused() {
    let block = |plain: &[u8]| Bytes::from(snap::raw::Encoder::new().compress_vec(plain).unwrap());
    for (body, encoding, expected) in [
        (Bytes::from_static(b"not snappy at all"), None, "snappy"),
        (block(b"not protobuf"), Some("snappy"), "no Prometheus remote write"),
        (block(b"\x0a\x06\x0a\x04\x0a\x02\xff\xff"), None, "no Prometheus remote write"),
        (block(&[0; 2000]), None, "more than 1000 bytes"),
        (block(b""), Some("br"), "cannot be read"),
    ] {
        let error = read_body(body, encoding, 1000).unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
    assert_eq!(read_body(block(b""), None, 1000).unwrap().accepted, 0);
}
