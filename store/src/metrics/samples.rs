//! Samples as rows: writing them, and gathering them again from recent batches and segments.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, AsArray, BooleanArray, Float64Array, TimestampNanosecondArray, UInt64Array};
use arrow::datatypes::{DataType, Field, Float64Type, Schema, SchemaRef, TimestampNanosecondType, UInt64Type};
use arrow::record_batch::RecordBatch;
use futures::TryStreamExt;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowPredicateFn, ArrowReaderOptions, RowFilter};
use parquet::arrow::async_reader::{self, ParquetRecordBatchStreamBuilder};
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::statistics::Statistics;

use super::{Labels, SampleRange, Samples, Series};
use crate::schema::{TIME, hidden_fields, utc_nanoseconds};
use crate::segment::Segment;
use crate::{
    LabelMatcher, Route, Sequence, SeriesId, Storage, StoreError, StoreKind, StoreState, TimeRange, UnixNanos,
};

pub(crate) const SERIES: &str = "series";
pub(crate) const VALUE: &str = "value";

/// Of a batch of samples on its way in.
static ROWS: LazyLock<SchemaRef> = LazyLock::new(|| Arc::new(Schema::new(row_fields())));

/// Of a metricstore's snapshots and segments.
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
        let mut times = Vec::new();
        let mut of = Vec::new();
        let mut values = Vec::new();
        let mut keys = Vec::new();
        for (id, series) in ids.iter().zip(&series) {
            let count = series.samples.timestamps_ms.len();
            times.extend(series.samples.timestamps_ms.iter().map(|ms| UnixNanos::from_millis(*ms).0));
            values.extend_from_slice(&series.samples.values);
            of.extend(std::iter::repeat_n(id.0, count));
            keys.extend(std::iter::repeat_n(shard_key(*id), count));
        }
        let count = times.len() as u64;
        if count == 0 {
            return Ok(0);
        }
        let columns: [Arc<dyn Array>; 3] = [
            Arc::new(TimestampNanosecondArray::from(times).with_timezone("UTC")),
            Arc::new(UInt64Array::from(of)),
            Arc::new(Float64Array::from(values)),
        ];
        let batch = RecordBatch::try_new(ROWS.clone(), columns.into())?;
        self.append_rows(store, vec![batch], &Route::PerRow(keys.into()), sequence).await?;
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

    /// Series that all matchers accept, with their samples of the range, stale markers included; ordered by labels. Where one time came twice, the last received wins.
    pub async fn select_series(
        &self,
        store: &StoreState,
        matchers: &[LabelMatcher],
        range: SampleRange,
    ) -> Result<Vec<Series>, StoreError> {
        store.check_kind(StoreKind::Metrics)?;
        let wanted = Arc::new(store.series.select(matchers));
        let mut gathered = Gathered { range, samples: HashMap::new() };
        if !wanted.is_empty() {
            let snapshot = self.snapshot(store, time_range(range))?;
            for segment in &snapshot.segments {
                self.gather_segment(segment, &wanted, &mut gathered).await?;
            }
            for batch in &snapshot.recent {
                gathered.add(batch, |id| wanted.contains_key(&id));
            }
        }
        let mut series = gathered.into_series(&wanted);
        series.sort_by(|a, b| a.labels.cmp(&b.labels));
        Ok(series)
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
            let mut labels: Vec<Labels> = store.series.select(matchers).into_values().collect();
            labels.sort();
            return Ok(labels);
        }
        Ok(self.select_series(store, matchers, range).await?.into_iter().map(|series| series.labels).collect())
    }

    #[expect(deprecated, reason = "what shall replace the reader is still open: arrow-rs issue 10308")]
    async fn gather_segment(
        &self,
        segment: &Segment,
        wanted: &Arc<HashMap<SeriesId, Labels>>,
        gathered: &mut Gathered,
    ) -> Result<(), StoreError> {
        let reader =
            async_reader::ParquetObjectReader::new(self.inner.segments.objects().clone(), segment.path.clone())
                .with_file_size(segment.bytes);
        let builder = ParquetRecordBatchStreamBuilder::new_with_options(reader, ArrowReaderOptions::new())
            .await
            .map_err(StoreError::segment(&segment.path))?;
        let span = (wanted.keys().min().map_or(0, |id| id.0), wanted.keys().max().map_or(0, |id| id.0));
        let metadata = builder.metadata().clone();
        let groups: Vec<usize> =
            (0..metadata.num_row_groups()).filter(|at| may_hold(metadata.row_group(*at), span)).collect();
        let columns = ProjectionMask::columns(builder.parquet_schema(), [TIME, SERIES, VALUE]);
        let only_series = ProjectionMask::columns(builder.parquet_schema(), [SERIES]);
        let accepted = wanted.clone();
        let filter = ArrowPredicateFn::new(only_series, move |batch| {
            let ids = batch.column(0).as_primitive::<UInt64Type>();
            Ok(BooleanArray::from_unary(ids, |id| accepted.contains_key(&SeriesId(id))))
        });
        let mut rows = builder
            .with_row_groups(groups)
            .with_projection(columns)
            .with_row_filter(RowFilter::new(vec![Box::new(filter)]))
            .build()
            .map_err(StoreError::segment(&segment.path))?;
        while let Some(batch) = rows.try_next().await.map_err(StoreError::segment(&segment.path))? {
            gathered.add(&batch, |_| true);
        }
        Ok(())
    }
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

/// Whether the row group's statistics allow one of the ids; without statistics anything may be there.
fn may_hold(group: &RowGroupMetaData, (min, max): (u64, u64)) -> bool {
    let statistics = group.columns().iter().find(|c| c.column_path().string() == SERIES).and_then(|c| c.statistics());
    let Some(Statistics::Int64(ids)) = statistics else { return true };
    match (ids.min_opt(), ids.max_opt()) {
        (Some(low), Some(high)) => low.cast_unsigned() <= max && high.cast_unsigned() >= min,
        _ => true,
    }
}

struct Gathered {
    range: SampleRange,
    samples: HashMap<SeriesId, Vec<(i64, f64)>>,
}

impl Gathered {
    fn add(&mut self, batch: &RecordBatch, wanted: impl Fn(SeriesId) -> bool) {
        let column = |name| batch.column_by_name(name).expect("the schema of samples is ours");
        let times = column(TIME).as_primitive::<TimestampNanosecondType>().values();
        let ids = column(SERIES).as_primitive::<UInt64Type>().values();
        let values = column(VALUE).as_primitive::<Float64Type>().values();
        for ((time, id), value) in times.iter().zip(ids).zip(values) {
            let at = UnixNanos(*time).as_millis();
            if self.range.contains(at) && wanted(SeriesId(*id)) {
                self.samples.entry(SeriesId(*id)).or_default().push((at, *value));
            }
        }
    }

    fn into_series(self, wanted: &HashMap<SeriesId, Labels>) -> Vec<Series> {
        self.samples
            .into_iter()
            .map(|(id, samples)| Series { labels: wanted[&id].clone(), samples: in_order(samples) })
            .collect()
    }
}

/// Ascending and unique in time; of equal times the one that came last, which a stable sort leaves last.
fn in_order(mut samples: Vec<(i64, f64)>) -> Samples {
    samples.sort_by_key(|(at, _)| *at);
    let mut ordered = Samples::default();
    for (at, value) in samples {
        if ordered.timestamps_ms.last() == Some(&at) {
            ordered.timestamps_ms.pop();
            ordered.values.pop();
        }
        ordered.timestamps_ms.push(at);
        ordered.values.push(value);
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_one_time_the_last_received_stays() {
        let samples = in_order(vec![(2, 1.0), (1, 5.0), (2, 3.0), (1, 6.0)]);
        assert_eq!(samples, Samples { timestamps_ms: vec![1, 2], values: vec![6.0, 3.0] });
    }
}
