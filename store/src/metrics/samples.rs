//! Samples on their way: rows of `_time`, `series`, `value` into the log, and series of samples out of recent batches and segments.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, AsArray, Float64Array, TimestampNanosecondArray, UInt64Array};
use arrow::datatypes::{DataType, Field, Float64Type, Schema, SchemaRef, TimestampNanosecondType, UInt64Type};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use tokio_util::task::AbortOnDropHandle;

use super::gathered::Gathered;
use super::{Labels, SampleRange, Series, segment};
use crate::schema::{TIME, hidden_fields, utc_nanoseconds};
use crate::segment::SegmentStore;
use crate::shard::ShardView;
use crate::{
    LabelMatcher, Route, Sequence, SeriesId, Storage, StoreError, StoreKind, StoreState, TimeRange, UnixNanos,
};

pub(super) const SERIES: &str = "series";
pub(super) const VALUE: &str = "value";

/// Of a batch of samples on its way in.
static ROWS: LazyLock<SchemaRef> = LazyLock::new(|| Arc::new(Schema::new(row_fields())));

/// Of a metricstore's snapshots, and of its segments up to format 2.
pub(crate) fn sample_schema() -> SchemaRef {
    let mut fields = row_fields();
    fields.extend(hidden_fields());
    Arc::new(Schema::new(fields))
}

fn row_fields() -> Vec<Field> {
    vec![
        Field::new(TIME, utc_nanoseconds(), false),
        Field::new(SERIES, DataType::UInt64, false),
        Field::new(VALUE, DataType::Float64, false),
    ]
}

impl Storage {
    /// Writes samples of any order; returns how many. A series' labels are durable before its first sample is.
    pub async fn append_samples(&self, store: &StoreState, series: Vec<Series>) -> Result<u64, StoreError> {
        self.append_numbered_samples(store, series, None).await
    }

    /// With a sequence they are stored once, as by [`Storage::append_all`].
    pub async fn append_numbered_samples(
        &self,
        store: &StoreState,
        series: Vec<Series>,
        sequence: Option<Sequence>,
    ) -> Result<u64, StoreError> {
        store.check_kind(StoreKind::Metrics)?;
        let ids = self.identify(store, &series).await?;
        let mut rows = SampleRows::default();
        let mut keys = Vec::new();
        for (id, series) in ids.iter().zip(&series) {
            let samples = &series.samples;
            rows.times.extend(samples.timestamps_ms.iter().map(|ms| UnixNanos::from_millis(*ms).0));
            rows.values.extend_from_slice(&samples.values);
            rows.series.extend(std::iter::repeat_n(id.0, samples.values.len()));
            keys.extend(std::iter::repeat_n(shard_key(*id), samples.values.len()));
        }
        if rows.is_empty() {
            return Ok(0);
        }
        let count = rows.times.len() as u64;
        self.append_rows(store, vec![rows.finish()?], &Route::PerRow(keys.into()), sequence).await?;
        Ok(count)
    }

    async fn identify(&self, store: &StoreState, series: &[Series]) -> Result<Vec<SeriesId>, StoreError> {
        let (ids, new) = plan(store, series);
        if new.is_empty() {
            return Ok(ids);
        }
        let _one_at_a_time = store.schema_change.lock().await;
        let (ids, new) = plan(store, series);
        self.inner.catalog.add_series(store.id(), &new).await?;
        store.series.add(new);
        Ok(ids)
    }

    /// Series that all matchers accept, with their samples of the range, stale markers included; ordered by labels. Where one time came twice, the value
    /// that was received first stands.
    pub async fn select_series(
        &self,
        store: &StoreState,
        matchers: &[LabelMatcher],
        range: SampleRange,
    ) -> Result<Vec<Series>, StoreError> {
        store.check_kind(StoreKind::Metrics)?;
        let mut wanted: Vec<(SeriesId, Labels)> = store.series.select(matchers);
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        wanted.sort_unstable_by_key(|(id, _)| *id);
        let gathered = self.gather(store, wanted.iter().map(|(id, _)| *id).collect(), range).await?;
        let series = wanted.into_iter().zip(gathered.finish()).map(|((_, labels), samples)| Series { labels, samples });
        let mut series: Vec<Series> = series.filter(|series| !series.samples.values.is_empty()).collect();
        series.sort_unstable_by(|a, b| a.labels.cmp(&b.labels));
        Ok(series)
    }

    /// Each shard is read by a task of its own: nearly always a series has all its samples in one of them.
    async fn gather(
        &self,
        store: &StoreState,
        ids: Arc<[SeriesId]>,
        range: SampleRange,
    ) -> Result<Gathered, StoreError> {
        let set = store.shard_set();
        let tasks: Vec<_> = set
            .all()
            .iter()
            .map(|shard| {
                let (view, found) = (shard.view(time_range(range)), Gathered::new(ids.clone(), range));
                AbortOnDropHandle::new(tokio::spawn(gather_shard(self.inner.segments.clone(), view, found)))
            })
            .collect();
        let mut all = Gathered::new(ids.clone(), range);
        // Parents stand before their children, so a series' samples are met in the order of receipt.
        for task in tasks {
            match task.await {
                Ok(part) => all.join(part?),
                Err(failed) => match failed.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(_) => return Err(StoreError::Closed),
                },
            }
        }
        Ok(all)
    }

    /// Labels of the series that have a sample in the range.
    pub async fn series_labels(
        &self,
        store: &StoreState,
        matchers: &[LabelMatcher],
        range: SampleRange,
    ) -> Result<Vec<Labels>, StoreError> {
        if range == SampleRange::ALL {
            store.check_kind(StoreKind::Metrics)?;
            let selected = store.series.select(matchers).into_iter();
            let mut labels: Vec<Labels> = selected.map(|(_, labels)| labels).collect();
            labels.sort();
            return Ok(labels);
        }
        Ok(self.select_series(store, matchers, range).await?.into_iter().map(|series| series.labels).collect())
    }
}

/// What is recent was received after what stands in segments.
async fn gather_shard(segments: SegmentStore, view: ShardView, mut gathered: Gathered) -> Result<Gathered, StoreError> {
    for found in &view.segments {
        segment::gather(&segments, found, &mut gathered).await.map_err(StoreError::segment(&found.path))?;
    }
    for recent in &view.recent {
        gathered.add_rows(&recent.batch);
    }
    Ok(gathered)
}

/// Ids of all series, and those of them that are new.
fn plan(store: &StoreState, series: &[Series]) -> (Vec<SeriesId>, Vec<(SeriesId, Labels)>) {
    let mut planned = HashMap::new();
    let mut ids = Vec::with_capacity(series.len());
    for series in series {
        let (id, known) = store.series.identify(&series.labels, &planned);
        if !known {
            planned.insert(id, series.labels.clone());
        }
        ids.push(id);
    }
    (ids, planned.into_iter().collect())
}

/// The id's 64 bits are a hash already; they fill the upper half of the key space's 128.
fn shard_key(id: SeriesId) -> u128 {
    u128::from(id.0) << 64
}

fn time_range(range: SampleRange) -> TimeRange {
    let from = UnixNanos::from_millis(range.start_ms);
    let to = UnixNanos::from_millis(range.end_ms.saturating_add(1));
    TimeRange { from: Some(from), to: (range.end_ms != i64::MAX).then_some(to) }
}

/// The columns of a batch of samples.
pub(super) struct SampleColumns<'a> {
    /// Nanoseconds.
    pub(super) times: &'a [i64],
    series: &'a [u64],
    pub(super) values: &'a [f64],
}

impl<'a> SampleColumns<'a> {
    pub(super) fn of(batch: &'a RecordBatch) -> Self {
        let column = |name| batch.column_by_name(name).expect("the schema of samples is ours");
        Self {
            times: column(TIME).as_primitive::<TimestampNanosecondType>().values(),
            series: column(SERIES).as_primitive::<UInt64Type>().values(),
            values: column(VALUE).as_primitive::<Float64Type>().values(),
        }
    }

    /// Neighbouring rows of one series; a series may have many such runs.
    pub(super) fn runs(&self) -> impl Iterator<Item = (u64, Range<usize>)> {
        let mut start = 0;
        self.series.chunk_by(|a, b| a == b).map(move |run| {
            let rows = start..start + run.len();
            start = rows.end;
            (run[0], rows)
        })
    }
}

/// Samples that become a batch.
#[derive(Debug, Default)]
pub(super) struct SampleRows {
    times: Vec<i64>,
    series: Vec<u64>,
    values: Vec<f64>,
}

impl SampleRows {
    pub(super) fn push(&mut self, series: u64, time_ms: i64, value: f64) {
        self.times.push(UnixNanos::from_millis(time_ms).0);
        self.series.push(series);
        self.values.push(value);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    pub(super) fn finish(self) -> Result<RecordBatch, ArrowError> {
        let columns: [Arc<dyn Array>; 3] = [
            Arc::new(TimestampNanosecondArray::from(self.times).with_timezone("UTC")),
            Arc::new(UInt64Array::from(self.series)),
            Arc::new(Float64Array::from(self.values)),
        ];
        RecordBatch::try_new(ROWS.clone(), columns.into())
    }
}
