//! Where the series of a query come from.

use std::sync::Arc;

use culprit_store::{LabelMatcher, SampleRange, Samples, Series, Storage, StoreState};

use super::PromqlError;

#[derive(Clone)]
pub enum SeriesSource {
    Store {
        storage: Storage,
        store: Arc<StoreState>,
    },
    /// Series that somebody holds already: rule tests and scripts. Each with unique labels and ascending times.
    Memory(Arc<Vec<Series>>),
}

impl SeriesSource {
    /// Sorted by labels, stale markers included; a series without a sample in the range is left out.
    pub async fn select(&self, matchers: &[LabelMatcher], range: SampleRange) -> Result<Vec<Series>, PromqlError> {
        match self {
            Self::Store { storage, store } => Ok(storage.select_series(store, matchers, range).await?),
            Self::Memory(series) => {
                let matching = series.iter().filter(|series| matchers.iter().all(|it| it.matches(&series.labels)));
                let mut selected: Vec<Series> = matching.map(|series| cut(series, range)).collect();
                selected.retain(|series| !series.samples.values.is_empty());
                selected.sort_by(|a, b| a.labels.cmp(&b.labels));
                Ok(selected)
            }
        }
    }
}

fn cut(series: &Series, range: SampleRange) -> Series {
    let times = &series.samples.timestamps_ms;
    let start = times.partition_point(|time| *time < range.start_ms);
    let end = times.partition_point(|time| *time <= range.end_ms).max(start);
    let samples =
        Samples { timestamps_ms: times[start..end].to_vec(), values: series.samples.values[start..end].to_vec() };
    Series { labels: series.labels.clone(), samples }
}
