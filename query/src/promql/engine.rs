//! The engine's face: a query at one time, or over a range of times.

use std::sync::Arc;
use std::time::Duration;

use culprit_store::{Labels, Samples};

use super::column::{Column, Output, join_same, without_metadata};
use super::eval::{Evaluator, QueryBounds, Stop};
use super::grid::Grid;
use super::limits::{LOOKBACK, POINTS_MAX, QUERY_TIMEOUT, SAMPLES_MAX, SUBQUERY_STEP};
use super::native::Histogram;
use super::notes::Notes;
use super::plan::{Node, Plan, WindowSource};
use super::planner::{PlannerConfig, plan};
use super::source::RecordedSeries;
use super::syntax::{Expr, ValueType};
use super::{PromqlError, SeriesSource, parse};

/// The settings of evaluation; cheap to make, holds no state.
#[derive(Debug, Clone)]
pub struct Engine {
    /// How long a sample stands for its series when no newer one comes.
    pub lookback: Duration,
    /// The step of subqueries that name none.
    pub subquery_step: Duration,
    /// Samples that a query may load, and points that each of its operators may produce.
    pub samples_max: usize,
    pub timeout: Duration,
}

impl Default for Engine {
    fn default() -> Self {
        Self { lookback: LOOKBACK, subquery_step: SUBQUERY_STEP, samples_max: SAMPLES_MAX, timeout: QUERY_TIMEOUT }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Evaluated {
    pub value: Value,
    /// Prometheus' warnings and infos, each beginning with "PromQL warning: " or "PromQL info: ".
    pub warnings: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Scalar(f64),
    String(String),
    /// In the order that the query asked for, such as `sort`, or none in particular.
    Vector(Vec<InstantSample>),
    /// Sorted by labels. From a range query, or from an instant query that selects a range.
    Matrix(Vec<MatrixSeries>),
}

/// A series of a result.
#[derive(Debug, Clone, PartialEq)]
pub struct MatrixSeries {
    pub labels: Labels,
    pub samples: Samples,
    /// Native histograms, by time; there is no number at the same time.
    pub histograms: Vec<(i64, Arc<Histogram<f64>>)>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct InstantSample {
    pub labels: Labels,
    pub timestamp_ms: i64,
    /// NaN beside a histogram.
    pub value: f64,
    pub histogram: Option<Arc<Histogram<f64>>>,
}

/// Times beyond this, 285,000 years from the epoch, would overflow once offsets and ranges are added.
const TIME_MS_MAX: i64 = 1 << 53;

impl Engine {
    pub async fn instant(&self, source: &SeriesSource, query: &str, at_ms: i64) -> Result<Evaluated, PromqlError> {
        self.instant_of(source, query, parse(query)?, at_ms).await
    }

    pub(super) async fn instant_of(
        &self,
        source: &SeriesSource,
        query: &str,
        expr: Expr,
        at_ms: i64,
    ) -> Result<Evaluated, PromqlError> {
        let bounds = QueryBounds { start_ms: at_ms, end_ms: at_ms, step_ms: 0 };
        self.evaluate(source, query, expr, Grid::instant(at_ms), bounds, Shape::Instant).await
    }

    /// From `start_ms` in steps of `step_ms` as long as `end_ms` is not passed.
    pub async fn range(
        &self,
        source: &SeriesSource,
        query: &str,
        start_ms: i64,
        end_ms: i64,
        step_ms: i64,
    ) -> Result<Evaluated, PromqlError> {
        if step_ms <= 0 {
            return Err(PromqlError::BadRange(
                "zero or negative query resolution step widths are not accepted. Try a positive integer",
            ));
        }
        if end_ms < start_ms {
            return Err(PromqlError::BadRange("end timestamp must not be before start time"));
        }
        if end_ms.saturating_sub(start_ms) / step_ms > POINTS_MAX {
            return Err(PromqlError::TooManyPoints);
        }
        let expr = parse(query)?;
        if let Some(kind) = type_without_range(&expr) {
            let why = format!("invalid expression type \"{kind}\" for range query, must be Scalar or instant Vector");
            return Err(PromqlError::Parse { query: query.to_owned(), why });
        }
        let bounds = QueryBounds { start_ms, end_ms, step_ms };
        self.evaluate(source, query, expr, Grid::range(start_ms, end_ms, step_ms), bounds, Shape::Range).await
    }

    async fn evaluate(
        &self,
        source: &SeriesSource,
        query: &str,
        expr: Expr,
        grid: Grid,
        bounds: QueryBounds,
        shape: Shape,
    ) -> Result<Evaluated, PromqlError> {
        if bounds.start_ms.unsigned_abs().max(bounds.end_ms.unsigned_abs()) > TIME_MS_MAX as u64 {
            return Err(PromqlError::BadRange("the time is too far from the epoch"));
        }
        let config = PlannerConfig {
            query,
            bounds,
            lookback_ms: self.lookback.as_millis() as i64,
            subquery_step_ms: self.subquery_step.as_millis() as i64,
            samples_max: self.samples_max,
        };
        let plan = plan(&expr, &grid, config)?;
        let stop = StopOnDrop(Stop::default());
        let run = async {
            let loaded = self.load(source, &plan).await?;
            let (stop, lookback_ms, samples_max) = (stop.0.clone(), self.lookback.as_millis() as i64, self.samples_max);
            let work = tokio::task::spawn_blocking(move || {
                let notes = Notes::default();
                let evaluator =
                    Evaluator { bounds, lookback_ms, samples_max, loaded: &loaded, notes, places: Vec::new(), stop };
                finish(evaluator, &plan.root, &grid, shape)
            });
            match work.await {
                Ok(result) => result,
                Err(failed) => match failed.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(_) => Err(PromqlError::Canceled),
                },
            }
        };
        tokio::time::timeout(self.timeout, run)
            .await
            .unwrap_or(Err(PromqlError::Timeout { seconds: self.timeout.as_secs() }))
    }

    async fn load(&self, source: &SeriesSource, plan: &Plan) -> Result<Vec<Vec<RecordedSeries>>, PromqlError> {
        let mut loaded = Vec::with_capacity(plan.fetches.len());
        let mut samples = 0;
        for fetch in &plan.fetches {
            let series = source.load(&fetch.matchers, fetch.range).await?;
            let sizes = series.iter().map(|series| series.samples.values.len() + series.histograms.len());
            samples += sizes.sum::<usize>();
            if samples > self.samples_max {
                return Err(PromqlError::TooManySamples { limit: self.samples_max });
            }
            loaded.push(series);
        }
        Ok(loaded)
    }
}

/// Evaluation runs on a thread of its own that nobody can interrupt; it looks here whether anybody still waits.
struct StopOnDrop(Stop);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.raise();
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Instant,
    Range,
}

fn type_without_range(expr: &Expr) -> Option<ValueType> {
    Some(expr.value_type()).filter(|kind| matches!(kind, ValueType::Matrix | ValueType::Text))
}

fn finish(mut evaluator: Evaluator<'_>, root: &Node, grid: &Grid, shape: Shape) -> Result<Evaluated, PromqlError> {
    let value = match root {
        Node::Window(source) => window_matrix(&mut evaluator, source, grid)?,
        node => match (evaluator.eval(node, grid)?, shape) {
            (Output::Text(text), _) => Value::String(text),
            (Output::Scalar(values), Shape::Instant) => Value::Scalar(values[0]),
            (Output::Scalar(values), Shape::Range) => matrix(vec![Column::new(Labels::default(), false, values)], grid),
            (Output::Vector(columns), Shape::Instant) => vector(drop_names(columns)?, grid),
            (Output::Vector(columns), Shape::Range) => matrix(drop_names(columns)?, grid),
        },
    };
    Ok(Evaluated { value, warnings: evaluator.notes.into_texts() })
}

/// The end of delayed name removal; series that become equal must not meet.
fn drop_names(columns: Vec<Column>) -> Result<Vec<Column>, PromqlError> {
    let dropped = columns.into_iter().map(|column| match column.drop_name {
        true => Column { labels: without_metadata(&column.labels), ..column },
        false => column,
    });
    join_same(dropped.collect())
}

fn vector(columns: Vec<Column>, grid: &Grid) -> Value {
    let timestamp_ms = grid.start_ms;
    let sample = |column: Column| {
        let histogram = column.histogram(0).cloned();
        let value = if histogram.is_some() { f64::NAN } else { column.get(0)? };
        Some(InstantSample { value, histogram, labels: column.labels, timestamp_ms })
    };
    Value::Vector(columns.into_iter().filter_map(sample).collect())
}

fn matrix(columns: Vec<Column>, grid: &Grid) -> Value {
    let series = columns.into_iter().map(|column| {
        let there = grid.times().enumerate().filter_map(|(step, time)| Some((time, column.get(step)?)));
        let (timestamps_ms, values) = there.unzip();
        let histograms = column.histograms.iter().zip(grid.times());
        let histograms = histograms.filter_map(|(histogram, time)| Some((time, histogram.clone()?))).collect();
        MatrixSeries { samples: Samples { timestamps_ms, values }, histograms, labels: column.labels }
    });
    Value::Matrix(sorted(series.collect()))
}

/// An instant query for a range: the raw samples of the window.
fn window_matrix(evaluator: &mut Evaluator<'_>, source: &WindowSource, grid: &Grid) -> Result<Value, PromqlError> {
    let mut all = Vec::new();
    for series in evaluator.windows(source, grid)? {
        let labels = if series.drop_name { without_metadata(&series.labels) } else { series.labels.clone() };
        series.visit(source, grid, evaluator.lookback_ms, |_, window| {
            let samples = Samples { timestamps_ms: window.timestamps.to_vec(), values: window.values.to_vec() };
            all.push(MatrixSeries { labels: labels.clone(), samples, histograms: window.histograms.to_vec() });
            Ok::<(), PromqlError>(())
        })?;
    }
    let all = sorted(all);
    match all.windows(2).any(|pair| pair[0].labels == pair[1].labels) {
        true => Err(PromqlError::same_labels()),
        false => Ok(Value::Matrix(all)),
    }
}

fn sorted(mut series: Vec<MatrixSeries>) -> Vec<MatrixSeries> {
    series.retain(|series| !series.samples.values.is_empty() || !series.histograms.is_empty());
    series.sort_by(|a, b| a.labels.cmp(&b.labels));
    series
}
