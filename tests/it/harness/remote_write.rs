//! A remote write request as Prometheus sends it. The messages stand here again, so that a mistake in ours is found.

use std::collections::BTreeMap;

use prost::Message;

/// One sample of one series.
pub(crate) struct Point<'a> {
    pub(crate) labels: Vec<(&'a str, String)>,
    pub(crate) millis: i64,
    pub(crate) value: f64,
}

#[derive(Clone, PartialEq, Message)]
struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    timeseries: Vec<TimeSeries>,
}

#[derive(Clone, PartialEq, Message)]
struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<Sample>,
}

#[derive(Clone, PartialEq, Message)]
struct Label {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
struct Sample {
    #[prost(double, tag = "1")]
    value: f64,
    #[prost(int64, tag = "2")]
    timestamp: i64,
}

/// Protobuf in a snappy block.
pub(crate) fn remote_write_body(points: &[Point<'_>]) -> Vec<u8> {
    let mut series: BTreeMap<Vec<(&str, &str)>, Vec<Sample>> = BTreeMap::new();
    for point in points {
        let mut labels: Vec<_> = point.labels.iter().map(|(name, value)| (*name, value.as_str())).collect();
        labels.sort_unstable();
        series.entry(labels).or_default().push(Sample { value: point.value, timestamp: point.millis });
    }
    let label = |(name, value): (&str, &str)| Label { name: name.to_owned(), value: value.to_owned() };
    let timeseries = series
        .into_iter()
        .map(|(labels, samples)| TimeSeries { labels: labels.into_iter().map(label).collect(), samples })
        .collect();
    let plain = WriteRequest { timeseries }.encode_to_vec();
    snap::raw::Encoder::new().compress_vec(&plain).unwrap()
}
