//! Where the series of a query come from.

use std::sync::Arc;

use culprit_store::{LabelMatcher, Labels, SampleRange, Samples, Series, Storage, StoreState};

use super::PromqlError;
use super::native::NativeHistogram;

#[derive(Clone)]
pub enum SeriesSource {
    Store {
        storage: Storage,
        store: Arc<StoreState>,
    },
    /// Series that somebody holds already: rule tests. Each with unique labels and ascending times.
    Memory(Arc<Vec<Series>>),
    /// The same with all that a series can have: scripts.
    Recorded(Arc<Vec<RecordedSeries>>),
}

/// A series with numbers, native histograms, or both in turns, each list ascending in time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RecordedSeries {
    pub(super) labels: Labels,
    pub(super) samples: Samples,
    /// When the counters of `samples` began, in milliseconds, 0 when that is unknown; empty when it is for all.
    pub(super) starts: Vec<i64>,
    pub(super) histograms: Vec<HistogramPoint>,
    pub(super) histogram_starts: Vec<i64>,
}

pub(super) type HistogramPoint = (i64, Arc<NativeHistogram>);

impl From<Series> for RecordedSeries {
    fn from(series: Series) -> Self {
        Self { labels: series.labels, samples: series.samples, ..Self::default() }
    }
}

impl RecordedSeries {
    fn is_empty(&self) -> bool {
        self.samples.values.is_empty() && self.histograms.is_empty()
    }
}

impl SeriesSource {
    /// The numbers of the series, sorted by labels, stale markers included; a series without any in the range is left out.
    pub async fn select(&self, matchers: &[LabelMatcher], range: SampleRange) -> Result<Vec<Series>, PromqlError> {
        let recorded = self.load(matchers, range).await?;
        let numbers = recorded.into_iter().filter(|series| !series.samples.values.is_empty());
        Ok(numbers.map(|series| Series { labels: series.labels, samples: series.samples }).collect())
    }

    /// The same with histograms and start timestamps.
    pub(super) async fn load(
        &self,
        matchers: &[LabelMatcher],
        range: SampleRange,
    ) -> Result<Vec<RecordedSeries>, PromqlError> {
        let wanted = |labels: &Labels| matchers.iter().all(|matcher| matcher.matches(labels));
        let mut selected: Vec<RecordedSeries> = match self {
            Self::Store { storage, store } => {
                let series = storage.select_series(store, matchers, range).await?;
                return Ok(series.into_iter().map(RecordedSeries::from).collect());
            }
            Self::Memory(series) => series
                .iter()
                .filter(|series| wanted(&series.labels))
                .map(|series| Series { labels: series.labels.clone(), samples: cut(&series.samples, range) }.into())
                .collect(),
            Self::Recorded(series) => series
                .iter()
                .filter(|series| wanted(&series.labels))
                .map(|series| cut_recorded(series, range))
                .collect(),
        };
        selected.retain(|series| !series.is_empty());
        selected.sort_by(|a, b| a.labels.cmp(&b.labels));
        Ok(selected)
    }
}

fn inside<T>(items: &[T], time: impl Fn(&T) -> i64, range: SampleRange) -> std::ops::Range<usize> {
    let start = items.partition_point(|item| time(item) < range.start_ms);
    start..items.partition_point(|item| time(item) <= range.end_ms).max(start)
}

fn cut(samples: &Samples, range: SampleRange) -> Samples {
    let inside = inside(&samples.timestamps_ms, |time| *time, range);
    Samples { timestamps_ms: samples.timestamps_ms[inside.clone()].to_vec(), values: samples.values[inside].to_vec() }
}

fn cut_recorded(series: &RecordedSeries, range: SampleRange) -> RecordedSeries {
    let floats = inside(&series.samples.timestamps_ms, |time| *time, range);
    let histograms = inside(&series.histograms, |point| point.0, range);
    RecordedSeries {
        labels: series.labels.clone(),
        samples: cut(&series.samples, range),
        starts: series.starts.get(floats).unwrap_or_default().to_vec(),
        histogram_starts: series.histogram_starts.get(histograms.clone()).unwrap_or_default().to_vec(),
        histograms: series.histograms[histograms].to_vec(),
    }
}
