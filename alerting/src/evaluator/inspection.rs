//! Inspects a query's series: fetches each one's past and its latest window, and asks which of them jumped.
//!
//! Nothing is kept between two evaluations: what is compared is what is stored, so a restart forgets nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, Schema, TimeUnit, TimestampNanosecondType};
use culprit_query::promql::Value;
use culprit_store::{Labels, ProjectName, TimeRange, UnixNanos};

use super::{Evaluator, Measured, before, rows};
use crate::error::EvalError;
use crate::hooks::{Jump, WatchedSeries};
use crate::limits::INSPECTED_POINTS_MAX;
use crate::rules::{Expression, Inspection};
use crate::slice::rfc3339;

/// The points of one evaluation lie on whole steps since 1970, so that none is half full.
#[derive(Debug, Clone, Copy)]
struct Span {
    from: UnixNanos,
    window: UnixNanos,
    end: UnixNanos,
    step: i64,
}

impl Span {
    fn new(inspection: &Inspection, at: UnixNanos) -> Self {
        let step = nanos(inspection.step).max(1);
        let end = UnixNanos(at.0 - at.0.rem_euclid(step));
        Self { from: before(end, inspection.history), window: before(end, inspection.window), end, step }
    }
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// Series by their labels, as times and values.
type Watched = BTreeMap<Labels, BTreeMap<i64, f64>>;

impl Evaluator {
    /// The series that jumped, each with the mean of its values since; what was expected is said in the note.
    pub(super) async fn inspect(
        &self,
        of: &Expression,
        inspection: &Inspection,
        at: UnixNanos,
    ) -> Result<Vec<Measured>, EvalError> {
        let hook = self.inspect.as_ref().ok_or(EvalError::NoInspection)?;
        let span = Span::new(inspection, at);
        let watched = match of {
            Expression::Promql { project, query } => self.watched_promql(project, query, span).await?,
            Expression::Sql { project, query, .. } => {
                let batches =
                    self.rows_to(project, query, TimeRange::new(span.from, span.end), INSPECTED_POINTS_MAX).await?;
                watched_rows(&batches, span)?
            }
            Expression::Search { .. } | Expression::Inspect { .. } => return Err(EvalError::NoInspection),
        };
        let (labels, series): (Vec<Labels>, Vec<WatchedSeries>) = watched
            .into_iter()
            .map(|(labels, points)| {
                let (times, values) = points.into_iter().unzip();
                (labels, WatchedSeries { times, values })
            })
            .unzip();
        let jumps = hook(series, (span.window, span.end)).await.map_err(|source| EvalError::Inspect { source })?;
        Ok(jumps
            .into_iter()
            .filter_map(|jump| {
                let labels = labels.get(jump.index)?.clone();
                Some(Measured { labels, value: jump.actual, note: Some(note(&jump)) })
            })
            .collect())
    }

    /// A sample at a step stands for the step before it.
    async fn watched_promql(&self, project: &ProjectName, query: &str, span: Span) -> Result<Watched, EvalError> {
        let source = self.metrics.series(project);
        let step_ms = (span.step / 1_000_000).max(1);
        let (start, end) = (span.from.as_millis() + step_ms, span.end.as_millis());
        let Value::Matrix(series) = self.promql.range(&source, query, start, end, step_ms).await?.value else {
            return Ok(Watched::new());
        };
        let points = |samples: &culprit_store::Samples| -> BTreeMap<i64, f64> {
            let times = samples.timestamps_ms.iter().map(|time| UnixNanos::from_millis(*time - step_ms).0);
            times.zip(samples.values.iter().copied()).collect()
        };
        Ok(series.into_iter().map(|series| (series.labels.clone(), points(&series.samples))).collect())
    }
}

/// Rows into series: the timestamp column is the time, one column the value, the others are labels.
fn watched_rows(batches: &[RecordBatch], span: Span) -> Result<Watched, EvalError> {
    let mut watched = Watched::new();
    let Some(first) = batches.first() else { return Ok(watched) };
    let schema = first.schema();
    let time = time_column(&schema)?;
    let value = rows::value_column(&schema)?;
    for batch in batches {
        let times = rows::converted(batch, time, &DataType::Timestamp(TimeUnit::Nanosecond, None))?;
        let times = times.as_primitive::<TimestampNanosecondType>();
        let values = rows::converted(batch, value, &DataType::Float64)?;
        let values = values.as_primitive::<Float64Type>();
        for (row, labels) in rows::labels(batch, &[time, value])?.into_iter().enumerate() {
            if times.is_valid(row) && values.is_valid(row) {
                watched.entry(labels).or_default().insert(times.value(row), values.value(row));
            }
        }
    }
    let is_count = schema.field(value).data_type().is_integer();
    if is_count {
        fill(&mut watched, span);
    }
    Ok(watched)
}

/// Whole numbers count something, and what nobody counted is none: GROUP BY has no row for it.
fn fill(watched: &mut Watched, span: Span) {
    let steps: BTreeSet<i64> = watched.values().flat_map(|points| points.keys().copied()).collect();
    let Some(first) = steps.first().copied() else { return };
    let steps = (span.end.0 - first) / span.step;
    // A query of other steps than the rule's would be filled with nonsense.
    let is_regular = watched.values().flat_map(BTreeMap::keys).all(|time| (time - first) % span.step == 0);
    let fits = usize::try_from(steps).is_ok_and(|steps| steps.saturating_mul(watched.len()) <= INSPECTED_POINTS_MAX);
    if !is_regular || !fits {
        return;
    }
    for points in watched.values_mut() {
        for step in 0..steps {
            points.entry(first + step * span.step).or_insert(0.0);
        }
    }
}

fn time_column(schema: &Schema) -> Result<usize, EvalError> {
    let mut times =
        schema.fields().iter().enumerate().filter(|(_, field)| matches!(field.data_type(), DataType::Timestamp(..)));
    match (times.next(), times.next()) {
        (Some((at, _)), None) => Ok(at),
        _ => {
            let names: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
            Err(EvalError::NoTimeColumn { columns: names.join(", ") })
        }
    }
}

fn note(jump: &Jump) -> String {
    let Jump { onset, expected, actual, q_value, .. } = jump;
    format!(
        "{} on average since {}, where {} was expected; false discovery rate {:.0e}",
        short(*actual),
        rfc3339(*onset),
        short(*expected),
        q_value.max(1e-300)
    )
}

/// Four digits, or all of a whole number's.
fn short(value: f64) -> String {
    let digits = if value == 0.0 { 0 } else { 3 - value.abs().log10().floor() as i32 };
    format!("{value:.*}", usize::try_from(digits).unwrap_or(0).min(12))
}

#[cfg(test)]
mod tests;
