//! Runs a rule's expression: PromQL, SQL or a search, all to the same shape, labels with a number.

mod inspection;
mod rows;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use culprit_query::promql::{Engine, InstantSample, SeriesSource, Value};
use culprit_query::{QueryError, SqlEngine, search};
use culprit_store::{
    LabelMatcher, Labels, METRIC_NAME, ProjectName, SampleRange, Series, Storage, StoreName, TimeRange, UnixNanos,
};

use crate::alert::ALERT_NAME;
use crate::error::EvalError;
use crate::hooks::Inspect;
use crate::limits::SQL_ROWS_MAX;
use crate::rules::Expression;

/// One element of a rule's result.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    pub labels: Labels,
    pub value: f64,
    /// What an inspection says of it, for people.
    pub note: Option<String>,
}

/// Where PromQL finds its series.
#[derive(Clone)]
pub enum MetricSource {
    /// The metricstore of that name in the project that the rule names.
    Store { storage: Storage, store: StoreName },
    /// Series of one's own: rule tests.
    Memory(Arc<Mutex<Vec<Series>>>),
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Evaluator {
    promql: Arc<Engine>,
    metrics: MetricSource,
    sql: Option<SqlEngine>,
    inspect: Option<Inspect>,
}

/// Refuses a search text that cannot be understood, when its rule is loaded.
pub(crate) fn check_search(text: &str) -> Result<(), QueryError> {
    search::to_predicate(text).map(|_| ())
}

impl Evaluator {
    /// Without a SQL engine, `sql:` and `search:` rules fail; rule tests on series alone have none.
    pub fn new(promql: Engine, metrics: MetricSource, sql: Option<SqlEngine>) -> Self {
        Self { promql: Arc::new(promql), metrics, sql, inspect: None }
    }

    /// Without it, rules with `inspect:` fail.
    pub fn with_inspect(self, inspect: Inspect) -> Self {
        Self { inspect: Some(inspect), ..self }
    }

    pub async fn evaluate(&self, expression: &Expression, at: UnixNanos) -> Result<Vec<Measured>, EvalError> {
        match expression {
            Expression::Promql { project, query } => self.promql(project, query, at).await,
            Expression::Sql { project, query, window } => {
                let batches = self.rows(project, query, last(at, *window)).await?;
                rows::measured(&batches)
            }
            Expression::Search { project, store, text, window, threshold } => {
                let predicate = search::to_predicate(text)?;
                let query = format!("SELECT count(*) AS value FROM \"{store}\" WHERE {predicate}");
                let batches = self.rows(project, &query, last(at, *window)).await?;
                let mut counts = rows::measured(&batches)?;
                counts.retain(|count| threshold.holds(count.value));
                Ok(counts)
            }
            Expression::Inspect { of, inspection } => self.inspect(of, inspection, at).await,
        }
    }

    pub(crate) async fn promql(
        &self,
        project: &ProjectName,
        query: &str,
        at: UnixNanos,
    ) -> Result<Vec<Measured>, EvalError> {
        let source = self.metrics.series(project);
        match self.promql.instant(&source, query, at.as_millis()).await?.value {
            Value::Scalar(value) => Ok(vec![Measured { labels: Labels::default(), value, note: None }]),
            Value::Vector(samples) => {
                let measured =
                    |sample: InstantSample| Measured { labels: sample.labels, value: sample.value, note: None };
                Ok(samples.into_iter().map(measured).collect())
            }
            Value::String(_) => Err(EvalError::NotAVector { kind: "string" }),
            Value::Matrix(_) => Err(EvalError::NotAVector { kind: "range vector" }),
        }
    }

    pub(crate) async fn rows(
        &self,
        project: &ProjectName,
        query: &str,
        range: TimeRange,
    ) -> Result<Vec<arrow::array::RecordBatch>, EvalError> {
        self.rows_to(project, query, range, SQL_ROWS_MAX).await
    }

    async fn rows_to(
        &self,
        project: &ProjectName,
        query: &str,
        range: TimeRange,
        rows_max: usize,
    ) -> Result<Vec<arrow::array::RecordBatch>, EvalError> {
        let engine = self.sql.as_ref().ok_or(EvalError::NoSql)?;
        Ok(engine.stream(project, query, range).await?.collect(rows_max).await?)
    }

    /// Raw samples with their staleness markers: what the `for` state is restored from.
    pub(crate) async fn select(
        &self,
        project: &ProjectName,
        metric: &str,
        alert: &str,
        range: SampleRange,
    ) -> Result<Vec<Series>, EvalError> {
        let matchers = [LabelMatcher::equal(METRIC_NAME, metric), LabelMatcher::equal(ALERT_NAME, alert)];
        Ok(self.metrics.series(project).select(&matchers, range).await?)
    }
}

impl MetricSource {
    /// A project without metrics has no series; that is not an error of the rule.
    fn series(&self, project: &ProjectName) -> SeriesSource {
        match self {
            Self::Store { storage, store } => match storage.store(project, store) {
                Some(store) => SeriesSource::Store { storage: storage.clone(), store },
                None => SeriesSource::Memory(Arc::new(Vec::new())),
            },
            Self::Memory(series) => {
                SeriesSource::Memory(Arc::new(series.lock().unwrap_or_else(PoisonError::into_inner).clone()))
            }
        }
    }
}

fn last(at: UnixNanos, window: Duration) -> TimeRange {
    TimeRange::new(before(at, window), at)
}

/// `at - window`, saturating at the beginning of time.
pub(crate) fn before(at: UnixNanos, window: Duration) -> UnixNanos {
    UnixNanos(at.0.saturating_sub(i64::try_from(window.as_nanos()).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests;
