//! What the `load` commands of a script add up to, as a storage would give it back.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use culprit_store::{Labels, METRIC_NAME, Samples, is_stale};

use super::super::SeriesSource;
use super::super::native::{NativeHistogram, ResetHint};
use super::super::source::RecordedSeries;
use super::histogram::from_classic;
use super::series::{Described, Point};

#[derive(Default)]
pub(super) struct Loaded(HashMap<Labels, BTreeMap<i64, Stored>>);

#[derive(Debug, Clone)]
struct Stored {
    value: StoredValue,
    start_ms: i64,
}

#[derive(Debug, Clone)]
enum StoredValue {
    Float(f64),
    Histogram(NativeHistogram),
}

impl Loaded {
    pub(super) fn add(&mut self, step_ms: i64, described: Vec<Described>) {
        for Described { labels, points, starts } in described {
            let samples = self.0.entry(labels).or_default();
            for (at, point) in points.into_iter().enumerate() {
                let value = match point {
                    Point::Missing => continue,
                    Point::Float(value) => StoredValue::Float(value),
                    Point::Histogram(written) => StoredValue::Histogram(written.histogram),
                };
                let time_ms = at as i64 * step_ms;
                let start_ms = starts.get(at).copied().flatten().map_or(0, |offset_ms| time_ms + offset_ms);
                samples.insert(time_ms, Stored { value, start_ms });
            }
        }
    }

    /// Beside the classic histograms among the described series, native ones with the same buckets.
    pub(super) fn add_with_custom_buckets(&mut self, step_ms: i64, described: Vec<Described>) {
        let mut histograms: HashMap<Labels, BTreeMap<i64, Classic>> = HashMap::new();
        for Described { labels, points, .. } in &described {
            let name = labels.metric_name().unwrap_or("");
            let Some((base, part)) = split_suffix(name) else { continue };
            let bound = match part {
                Suffix::Bucket => match labels.get("le").map(str::parse::<f64>) {
                    Some(Ok(bound)) if !bound.is_nan() => bound,
                    _ => continue,
                },
                Suffix::Count | Suffix::Sum => f64::NAN,
            };
            let by_time = histograms.entry(labels.with("le", "").with(METRIC_NAME, base)).or_default();
            for (at, point) in points.iter().enumerate() {
                let Point::Float(value) = point else { continue };
                let classic = by_time.entry(at as i64 * step_ms).or_default();
                match part {
                    Suffix::Bucket => classic.buckets.push((bound, *value)),
                    Suffix::Count => classic.count = Some(*value),
                    Suffix::Sum => classic.sum = *value,
                }
            }
        }
        for (labels, by_time) in histograms {
            let samples = self.0.entry(labels).or_default();
            for (time_ms, classic) in by_time.into_iter().filter(|(_, classic)| !is_stale(classic.sum)) {
                let histogram = from_classic(classic.buckets, classic.count, classic.sum);
                samples.insert(time_ms, Stored { value: StoredValue::Histogram(histogram), start_ms: 0 });
            }
        }
        self.add(step_ms, described);
    }

    pub(super) fn source(&self) -> SeriesSource {
        SeriesSource::Recorded(Arc::new(self.0.iter().map(|(labels, samples)| recorded(labels, samples)).collect()))
    }
}

#[derive(Debug, Default)]
struct Classic {
    buckets: Vec<(f64, f64)>,
    count: Option<f64>,
    sum: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Suffix {
    Bucket,
    Count,
    Sum,
}

fn split_suffix(name: &str) -> Option<(&str, Suffix)> {
    let suffixes = [("_bucket", Suffix::Bucket), ("_count", Suffix::Count), ("_sum", Suffix::Sum)];
    suffixes.into_iter().find_map(|(suffix, kind)| Some((name.strip_suffix(suffix)?, kind)))
}

fn recorded(labels: &Labels, samples: &BTreeMap<i64, Stored>) -> RecordedSeries {
    let mut series = RecordedSeries { labels: labels.clone(), ..RecordedSeries::default() };
    let started = samples.values().any(|stored| stored.start_ms != 0);
    let mut previous: Option<&NativeHistogram> = None;
    let (mut timestamps_ms, mut values) = (Vec::new(), Vec::new());
    for (time_ms, stored) in samples {
        match &stored.value {
            StoredValue::Float(value) => {
                timestamps_ms.push(*time_ms);
                values.push(*value);
                series.starts.push(stored.start_ms);
                // A stale marker goes to the histograms, and tells them nothing about resets.
                if !is_stale(*value) {
                    previous = None;
                }
            }
            StoredValue::Histogram(histogram) => {
                let hint = stored_hint(histogram, previous);
                let histogram_back = NativeHistogram { hint, ..histogram.clone() };
                series.histograms.push((*time_ms, Arc::new(histogram_back)));
                series.histogram_starts.push(stored.start_ms);
                previous = Some(histogram);
            }
        }
    }
    if !started {
        series.starts.clear();
        series.histogram_starts.clear();
    }
    series.samples = Samples { timestamps_ms, values };
    series
}

/// Prometheus begins a new chunk of samples at a reset or a change of layout. Inside a chunk there is none, and its first
/// sample says nothing.
fn stored_hint(histogram: &NativeHistogram, previous: Option<&NativeHistogram>) -> ResetHint {
    if histogram.hint == ResetHint::Gauge {
        return ResetHint::Gauge;
    }
    let in_chunk = previous.is_some_and(|previous| {
        previous.hint != ResetHint::Gauge
            && previous.schema == histogram.schema
            && previous.bounds == histogram.bounds
            && previous.zero_threshold == histogram.zero_threshold
            && !histogram.is_reset_after(previous)
    });
    if in_chunk { ResetHint::NotReset } else { ResetHint::Unknown }
}
