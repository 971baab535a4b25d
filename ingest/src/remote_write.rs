//! Prometheus remote write 1.0: a protobuf `WriteRequest` in a snappy block.
//!
//! Values keep their bits, so stale markers stay what they are. Native histograms are refused series by series, metadata
//! and exemplars are passed over; a bad series never loses the others.

use std::sync::Arc;

use culprit_store::{Labels, METRIC_NAME, Samples, Series, StoreError};
use prost::Message;

use crate::IngestError;
use crate::compression::{decompress, decompress_snappy};
use crate::limits::{LABEL_NAME_BYTES_MAX, LABEL_VALUE_BYTES_MAX, SERIES_LABELS_MAX};
use crate::rejection::{Rejections, RowError, shown};

/// The messages of prometheus/prompb, as far as they are read here.
#[derive(Clone, PartialEq, Message)]
pub struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    pub timeseries: Vec<TimeSeries>,
}

#[derive(Clone, PartialEq, Message)]
pub struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    pub labels: Vec<LabelPair>,
    #[prost(message, repeated, tag = "2")]
    pub samples: Vec<Sample>,
    /// Only counted.
    #[prost(bytes = "bytes", repeated, tag = "4")]
    pub histograms: Vec<bytes::Bytes>,
}

#[derive(Clone, PartialEq, Message)]
pub struct LabelPair {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "2")]
    pub value: String,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub struct Sample {
    #[prost(double, tag = "1")]
    pub value: f64,
    /// Milliseconds since the epoch.
    #[prost(int64, tag = "2")]
    pub timestamp: i64,
}

/// `accepted` counts samples; a reason's line is the position of its series.
#[derive(Debug)]
pub struct DecodedSeries {
    pub series: Vec<Series>,
    pub accepted: u64,
    pub rejections: Rejections,
}

/// The message out of its wrapping. Senders always use snappy and often do not say so; gzip and zstd are taken when named.
pub fn unwrap(body: bytes::Bytes, encoding: Option<&str>, limit: usize) -> Result<bytes::Bytes, IngestError> {
    let named = encoding.map(str::trim).unwrap_or("");
    if named.is_empty() || named.eq_ignore_ascii_case("snappy") {
        Ok(decompress_snappy(&body, limit)?.into())
    } else {
        decompress(body, encoding, limit)
    }
}

pub fn decode(plain: &[u8]) -> Result<DecodedSeries, IngestError> {
    let request = WriteRequest::decode(plain).map_err(|source| IngestError::NotRemoteWrite { source })?;
    Ok(read(request))
}

fn read(request: WriteRequest) -> DecodedSeries {
    let mut decoded = DecodedSeries {
        series: Vec::with_capacity(request.timeseries.len()),
        accepted: 0,
        rejections: Rejections::default(),
    };
    for (position, series) in (1..).zip(request.timeseries) {
        read_series(position, series, &mut decoded);
    }
    decoded
}

fn read_series(position: u64, series: TimeSeries, decoded: &mut DecodedSeries) {
    let metric = metric_name(&series.labels);
    if !series.histograms.is_empty() {
        let error = RowError::NativeHistogram { metric: metric.clone() };
        decoded.rejections.add_many(position, &error, series.histograms.len() as u64);
    }
    if series.samples.is_empty() {
        return;
    }
    match read_labels(series.labels, &metric) {
        Ok(labels) => {
            let samples = read_samples(position, &series.samples, &metric, &mut decoded.rejections);
            decoded.accepted += samples.values.len() as u64;
            decoded.series.push(Series { labels, samples });
        }
        Err(error) => decoded.rejections.add_many(position, &error, series.samples.len() as u64),
    }
}

fn metric_name(labels: &[LabelPair]) -> String {
    labels.iter().find(|label| label.name == METRIC_NAME).map_or_else(String::new, |label| shown(&label.value))
}

pub(crate) fn read_labels(labels: Vec<LabelPair>, metric: &str) -> Result<Labels, RowError> {
    let metric = || metric.to_owned();
    if labels.len() > SERIES_LABELS_MAX {
        return Err(RowError::TooManyLabels { metric: metric(), labels: labels.len() });
    }
    if let Some(long) =
        labels.iter().find(|l| l.name.len() > LABEL_NAME_BYTES_MAX || l.value.len() > LABEL_VALUE_BYTES_MAX)
    {
        return Err(RowError::LabelTooLong { metric: metric(), name: shown(&long.name) });
    }
    if labels.iter().any(|label| label.name.is_empty()) {
        return Err(RowError::EmptyLabelName { metric: metric() });
    }
    let pairs = labels.into_iter().map(|label| (Arc::<str>::from(label.name), Arc::<str>::from(label.value)));
    let labels = Labels::new(pairs).map_err(|error| match error {
        StoreError::DuplicateLabel { name } => RowError::DuplicateLabel { metric: metric(), name },
        other => unreachable!("labels refuse nothing but duplicates: {other}"),
    })?;
    if labels.metric_name().is_none() { Err(RowError::NoMetricName) } else { Ok(labels) }
}

/// SQL sees a sample's time in nanoseconds, whose range is the smaller one.
const TIMESTAMP_MS_MAX: i64 = i64::MAX / 1_000_000;

fn read_samples(position: u64, samples: &[Sample], metric: &str, rejections: &mut Rejections) -> Samples {
    let mut columns =
        Samples { timestamps_ms: Vec::with_capacity(samples.len()), values: Vec::with_capacity(samples.len()) };
    for sample in samples {
        if (-TIMESTAMP_MS_MAX..=TIMESTAMP_MS_MAX).contains(&sample.timestamp) {
            columns.timestamps_ms.push(sample.timestamp);
            columns.values.push(sample.value);
        } else {
            let error = RowError::SampleTime { metric: metric.to_owned(), timestamp_ms: sample.timestamp };
            rejections.add(position, &error);
        }
    }
    columns
}

#[cfg(test)]
mod tests;
