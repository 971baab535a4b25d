//! A metricstore as a table: `_time, metric, value, labels`, and the labels as columns of their own.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Builder, MapBuilder, StringBuilder, TimestampNanosecondBuilder};
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use culprit_store::{
    LabelMatcher, METRIC_NAME, SampleRange, Series, Storage, StoreError, StoreState, TIME, TimeRange, UnixNanos,
    utc_nanoseconds,
};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::ScalarValue;
use datafusion::datasource::TableType;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::error::Result;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;

use crate::limits::LABEL_COLUMNS_MAX;
use crate::tables::{all_inexact, debug_by_name, ours};
use crate::time_filter::time_range;

const METRIC: &str = "metric";
const VALUE: &str = "value";
const LABELS: &str = "labels";

pub(crate) struct MetricsTable {
    storage: Storage,
    store: Arc<StoreState>,
    /// Those that have a column, in its order.
    labels: Vec<String>,
    schema: SchemaRef,
}

debug_by_name!(MetricsTable);

impl MetricsTable {
    /// Reads which labels there are; the most frequent become columns.
    pub(crate) async fn open(storage: Storage, store: Arc<StoreState>) -> Result<Self, StoreError> {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for labels in storage.series_labels(&store, &[], SampleRange::ALL).await? {
            for label in labels.iter().filter(|label| !is_taken(&label.name)) {
                *counts.entry(label.name.to_string()).or_default() += 1;
            }
        }
        let mut by_count: Vec<(String, usize)> = counts.into_iter().collect();
        by_count.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        by_count.truncate(LABEL_COLUMNS_MAX);
        let mut labels: Vec<String> = by_count.into_iter().map(|(name, _)| name).collect();
        labels.sort();
        let schema = Arc::new(Schema::new(fields(&labels)));
        Ok(Self { storage, store, labels, schema })
    }
}

fn is_taken(label: &str) -> bool {
    matches!(label, METRIC_NAME | TIME | METRIC | VALUE | LABELS)
}

/// The columns that all metrics have, and one per label of `labels`.
pub(crate) fn fields(labels: &[String]) -> Vec<Field> {
    let entry =
        Fields::from(vec![Field::new("keys", DataType::Utf8, false), Field::new("values", DataType::Utf8, true)]);
    let entries = Field::new("entries", DataType::Struct(entry), false);
    let mut fields = vec![
        Field::new(TIME, utc_nanoseconds(), false),
        Field::new(METRIC, DataType::Utf8, true),
        Field::new(VALUE, DataType::Float64, false),
        Field::new(LABELS, DataType::Map(Arc::new(entries), false), false),
    ];
    fields.extend(labels.iter().map(|name| Field::new(name, DataType::Utf8, true)));
    fields
}

#[async_trait]
impl TableProvider for MetricsTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        all_inexact(filters)
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let matchers: Vec<LabelMatcher> = filters.iter().filter_map(|filter| self.matcher(filter)).collect();
        let series = self
            .storage
            .select_series(&self.store, &matchers, sample_range(time_range(filters)))
            .await
            .map_err(ours)?;
        let batches = vec![rows(&series, &self.labels, self.schema())?];
        Ok(MemorySourceConfig::try_new_exec(&[batches], self.schema(), projection.cloned())?)
    }
}

impl MetricsTable {
    /// `label = 'text'` chooses series before any sample is read.
    fn matcher(&self, filter: &Expr) -> Option<LabelMatcher> {
        let Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) = filter else { return None };
        let (Expr::Column(column), Expr::Literal(ScalarValue::Utf8(Some(value)), _)) = (left.as_ref(), right.as_ref())
        else {
            return None;
        };
        match column.name.as_str() {
            METRIC => Some(LabelMatcher::equal(METRIC_NAME, value)),
            name => self.labels.iter().any(|label| label == name).then(|| LabelMatcher::equal(name, value)),
        }
    }
}

/// A row per sample, with the columns of `fields(labels)`.
pub(crate) fn rows(series: &[Series], labels: &[String], schema: SchemaRef) -> Result<RecordBatch> {
    let mut time = TimestampNanosecondBuilder::new().with_timezone("UTC");
    let mut metric = StringBuilder::new();
    let mut value = Float64Builder::new();
    let mut map = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    let mut columns: Vec<StringBuilder> = labels.iter().map(|_| StringBuilder::new()).collect();
    for series in series {
        for (at, sample) in series.samples.timestamps_ms.iter().zip(&series.samples.values) {
            time.append_value(UnixNanos::from_millis(*at).0);
            metric.append_option(series.labels.metric_name());
            value.append_value(*sample);
            for label in series.labels.iter().filter(|label| &*label.name != METRIC_NAME) {
                map.keys().append_value(&label.name);
                map.values().append_value(&label.value);
            }
            map.append(true)?;
            for (name, column) in labels.iter().zip(&mut columns) {
                column.append_option(series.labels.get(name));
            }
        }
    }
    let mut arrays: Vec<ArrayRef> =
        vec![Arc::new(time.finish()), Arc::new(metric.finish()), Arc::new(value.finish()), Arc::new(map.finish())];
    arrays.extend(columns.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef));
    Ok(RecordBatch::try_new(schema, arrays)?)
}

fn sample_range(range: TimeRange) -> SampleRange {
    SampleRange {
        start_ms: range.from.map_or(i64::MIN, UnixNanos::as_millis),
        end_ms: range.to.map_or(i64::MAX, UnixNanos::as_millis),
    }
}
