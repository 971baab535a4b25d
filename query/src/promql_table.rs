//! `promql('query', from, to, step [, 'metricstore'])`: PromQL's answer as rows `_time, metric, value, labels`.

use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::{Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use culprit_store::{Labels, Samples, Series, StoreName, TimeRange, UnixNanos};

use crate::QueryError;
use crate::arguments::Arguments;
use crate::extensions::{Asker, TableFunction};
use crate::metrics_table::{fields, rows};
use crate::promql::{Engine, MatrixSeries, PromqlError, SeriesSource, Value};

const USAGE: &str = "promql('query', from, to, step [, 'metricstore'])";
/// What unprefixed routes mean too.
const METRICSTORE: &str = "metrics";

pub(crate) struct PromqlTable;

struct Call<'a> {
    query: &'a str,
    start_ms: i64,
    end_ms: i64,
    step_ms: i64,
    metricstore: StoreName,
}

impl<'a> Call<'a> {
    fn of(arguments: &'a Arguments) -> Result<Self, QueryError> {
        arguments.at_most(5, USAGE)?;
        let time = |at, what| {
            let time = arguments.optional_time(at, what)?;
            time.map(UnixNanos::as_millis).ok_or_else(|| arguments.wrong(at, format!("{what}, is missing: {USAGE}")))
        };
        Ok(Self {
            query: arguments.text(0, "the query")?,
            start_ms: time(1, "the first time")?,
            end_ms: time(2, "the last time")?,
            step_ms: step(arguments)?.as_millis() as i64,
            metricstore: StoreName::parse(arguments.optional_text(4, "the metricstore")?.unwrap_or(METRICSTORE))?,
        })
    }
}

/// Seconds, or a duration as PromQL writes it.
fn step(arguments: &Arguments) -> Result<Duration, QueryError> {
    const AT: usize = 3;
    let wrong = |why: &str| arguments.wrong(AT, format!("the step, {why}"));
    if let Ok(Some(seconds)) = arguments.optional_number(AT, "the step") {
        return Duration::try_from_secs_f64(seconds).map_err(|error| wrong(&error.to_string()));
    }
    promql_parser::util::parse_duration(arguments.text(AT, "the step")?).map_err(|why| wrong(&why))
}

#[async_trait]
impl TableFunction for PromqlTable {
    fn name(&self) -> &'static str {
        "promql"
    }

    fn first_argument_is_source(&self) -> bool {
        false
    }

    fn schema(&self, arguments: &Arguments) -> Result<SchemaRef, QueryError> {
        Call::of(arguments)?;
        Ok(columns())
    }

    async fn rows(&self, asker: &Asker, arguments: &Arguments) -> Result<Vec<RecordBatch>, QueryError> {
        let Asker::Stores { engine, project, range } = asker else {
            return Err(QueryError::Invalid("promql() asks a server's metricstore; files have none".to_owned()));
        };
        let call = Call::of(arguments)?;
        let store = engine.storage.expect_store(project, &call.metricstore)?;
        let source = SeriesSource::Store { storage: engine.storage.clone(), store };
        let answer = Engine::default().range(&source, call.query, call.start_ms, call.end_ms, call.step_ms).await;
        let series = match answer.map_err(of_promql)?.value {
            Value::Matrix(series) => series,
            // Range queries answer with series alone, also for a scalar.
            Value::Scalar(_) | Value::String(_) | Value::Vector(_) => Vec::new(),
        };
        let series: Vec<Series> = series.into_iter().map(|series| within(series, *range)).collect();
        let batch = rows(&series, &[], columns()).map_err(QueryError::plan)?;
        Ok(vec![batch])
    }
}

fn columns() -> SchemaRef {
    Arc::new(Schema::new(fields(&[])))
}

/// Rows outside of the query's time range do not exist for it.
fn within(series: MatrixSeries, range: TimeRange) -> Series {
    let labels: Labels = series.labels;
    let points = series.samples.timestamps_ms.into_iter().zip(series.samples.values);
    let inside = points.filter(|(at, _)| {
        let at = UnixNanos::from_millis(*at);
        range.overlaps(at, at)
    });
    let (timestamps_ms, values) = inside.unzip();
    Series { labels, samples: Samples { timestamps_ms, values } }
}

fn of_promql(error: PromqlError) -> QueryError {
    match error {
        PromqlError::Store(store) => QueryError::Store(store),
        PromqlError::Timeout { seconds } => QueryError::Timeout { seconds },
        other => QueryError::Invalid(other.to_string()),
    }
}
