//! Evaluation of a plan over loaded series: pure, synchronous, series by series over all steps at once.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use culprit_store::{Samples, is_stale};

use super::PromqlError;
use super::column::{Column, Output, Sample};
use super::grid::Grid;
use super::native::NativeHistogram;
use super::notes::{Notes, Place};
use super::plan::{Node, ResetHints, Selector};
use super::source::{HistogramPoint, RecordedSeries};
use super::syntax::Edges;
use super::window::detected;

/// The times that the query was asked for, whatever the grid of a subquery is. `step_ms` is 0 for an instant.
#[derive(Debug, Clone, Copy)]
pub(super) struct QueryBounds {
    pub(super) start_ms: i64,
    pub(super) end_ms: i64,
    pub(super) step_ms: i64,
}

/// Raised when nobody waits for the result any more.
#[derive(Debug, Clone, Default)]
pub(super) struct Stop(Arc<AtomicBool>);

impl Stop {
    pub(super) fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn check(&self) -> Result<(), PromqlError> {
        if self.0.load(Ordering::Relaxed) { Err(PromqlError::Canceled) } else { Ok(()) }
    }
}

/// What is taken from a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    Sample,
    /// Its time, in seconds.
    Time,
    /// Its start timestamp, in seconds; nothing when the series has none.
    Start,
}

pub(super) struct Evaluator<'a> {
    pub(super) bounds: QueryBounds,
    pub(super) lookback_ms: i64,
    pub(super) samples_max: usize,
    /// One entry per fetch of the plan.
    pub(super) loaded: &'a [Vec<RecordedSeries>],
    pub(super) notes: Notes,
    /// Of the call that is being evaluated.
    pub(super) places: Vec<Place>,
    pub(super) stop: Stop,
}

impl<'a> Evaluator<'a> {
    pub(super) fn eval(&mut self, node: &Node, grid: &Grid) -> Result<Output, PromqlError> {
        self.check_stop()?;
        let literal = matches!(node, Node::Number(_) | Node::Text(_));
        if grid.steps > 1 && !literal && node.is_steady() {
            return Ok(self.eval_each(node, &grid.first())?.broadcast(grid.steps));
        }
        self.eval_each(node, grid)
    }

    fn eval_each(&mut self, node: &Node, grid: &Grid) -> Result<Output, PromqlError> {
        match node {
            Node::Number(number) => Ok(Output::Scalar(vec![*number; grid.steps])),
            Node::Text(text) => Ok(Output::Text(text.clone())),
            Node::Instant(selector) if selector.edges == Edges::Smoothed => {
                self.smoothed(selector, grid).map(Output::Vector)
            }
            Node::Instant(selector) => Ok(Output::Vector(self.instant(selector, grid, Reading::Sample)?)),
            Node::Window(_) => Err(PromqlError::execution("a range vector stands where an instant vector is expected")),
            Node::Call(function, args) => {
                let outer = std::mem::replace(&mut self.places, args.places.clone());
                let output = function.call(self, &args.nodes, grid);
                self.places = outer;
                output
            }
            Node::Aggregate(aggregation) => aggregation.eval(self, grid).map(Output::Vector),
            Node::Binary(binary) => binary.eval(self, grid),
            Node::Info(info) => info.eval(self, grid).map(Output::Vector),
            Node::Negate(inner) => self.eval(inner, grid).map(negate),
        }
    }

    /// What is said next is about this argument of the call.
    pub(super) fn about_argument(&mut self, at: usize) {
        self.notes.at(self.places.get(at).copied().unwrap_or_default());
    }

    pub(super) fn vector(&mut self, node: &Node, grid: &Grid) -> Result<Vec<Column>, PromqlError> {
        match self.eval(node, grid)? {
            Output::Vector(columns) => Ok(columns),
            _ => Err(PromqlError::execution("expected an instant vector as argument")),
        }
    }

    pub(super) fn scalar(&mut self, node: &Node, grid: &Grid) -> Result<Vec<f64>, PromqlError> {
        match self.eval(node, grid)? {
            Output::Scalar(values) => Ok(values),
            _ => Err(PromqlError::execution("expected a scalar as argument")),
        }
    }

    pub(super) fn series(&self, selector: &Selector) -> &'a [RecordedSeries] {
        &self.loaded[selector.fetch]
    }

    /// What `read` says of each series' last sample in the look-back window, unless that is a stale marker.
    pub(super) fn instant(
        &mut self,
        selector: &Selector,
        grid: &Grid,
        read: Reading,
    ) -> Result<Vec<Column>, PromqlError> {
        let all = self.series(selector);
        self.check_points(all.len(), grid)?;
        let mut columns = Vec::with_capacity(all.len());
        for series in all {
            self.check_stop()?;
            let mut column = Column::empty(series.labels.clone(), false, grid.steps);
            if series.histograms.is_empty() && read != Reading::Start {
                self.read_numbers(&series.samples, selector, grid, read, &mut column.values);
                if column.has_values() {
                    columns.push(column);
                }
                continue;
            }
            let mut latest = Latest::new(series, selector.hints);
            for (step, time) in grid.times().enumerate() {
                let reference = selector.anchor.reference(time);
                let oldest = reference.saturating_sub(self.lookback_ms);
                if let Some(found) = latest.at(reference).filter(|found| found.time_ms > oldest) {
                    match read {
                        Reading::Sample => column.put(step, found.sample),
                        Reading::Time => column.values[step] = found.time_ms as f64 / 1000.0,
                        Reading::Start => {
                            if let Some(start_ms) = found.start_ms {
                                column.values[step] = start_ms as f64 / 1000.0;
                            }
                        }
                    }
                }
            }
            if column.has_values() {
                columns.push(column);
            }
        }
        Ok(columns)
    }

    /// The loop that plain dashboards spend their time in: numbers alone.
    fn read_numbers(&self, samples: &Samples, selector: &Selector, grid: &Grid, read: Reading, into: &mut [f64]) {
        let mut next = 0;
        for (step, time) in grid.times().enumerate() {
            let reference = selector.anchor.reference(time);
            while samples.timestamps_ms.get(next).is_some_and(|sample_time| *sample_time <= reference) {
                next += 1;
            }
            let Some(last) = next.checked_sub(1) else { continue };
            let (at_ms, value) = (samples.timestamps_ms[last], samples.values[last]);
            if at_ms > reference.saturating_sub(self.lookback_ms) && !is_stale(value) {
                into[step] = if read == Reading::Time { at_ms as f64 / 1000.0 } else { value };
            }
        }
    }

    pub(super) fn check_stop(&self) -> Result<(), PromqlError> {
        self.stop.check()
    }

    /// Refuses a result of `series` columns before it is allocated.
    pub(super) fn check_points(&self, series: usize, grid: &Grid) -> Result<(), PromqlError> {
        if series.saturating_mul(grid.steps) > self.samples_max {
            return Err(PromqlError::TooManySamples { limit: self.samples_max });
        }
        Ok(())
    }
}

/// Walks a series forward in time.
struct Latest<'a> {
    series: &'a RecordedSeries,
    histograms: Cow<'a, [HistogramPoint]>,
    /// The first number, and the first histogram, after the time asked for last.
    next: [usize; 2],
}

struct Found {
    time_ms: i64,
    start_ms: Option<i64>,
    sample: Sample,
}

impl<'a> Latest<'a> {
    fn new(series: &'a RecordedSeries, hints: ResetHints) -> Self {
        let histograms = match hints {
            ResetHints::Stored => Cow::from(&series.histograms),
            ResetHints::Detected => Cow::from(detected(&series.histograms)),
        };
        Self { series, histograms, next: [0, 0] }
    }

    /// The last sample at or before a time that never falls; none if that is a stale marker.
    fn at(&mut self, time_ms: i64) -> Option<Found> {
        let (times, values) = (&self.series.samples.timestamps_ms, &self.series.samples.values);
        let [float, histogram] = &mut self.next;
        while times.get(*float).is_some_and(|time| *time <= time_ms) {
            *float += 1;
        }
        while self.histograms.get(*histogram).is_some_and(|point| point.0 <= time_ms) {
            *histogram += 1;
        }
        let starts = |known: &[i64], at: usize| (!known.is_empty()).then(|| known.get(at).copied().unwrap_or(0));
        let float = float.checked_sub(1);
        let histogram = histogram.checked_sub(1).map(|at| (at, &self.histograms[at]));
        match (float, histogram) {
            (Some(at), later) if later.is_none_or(|(_, point)| point.0 < times[at]) => {
                let start_ms = starts(&self.series.starts, at);
                let found = Found { time_ms: times[at], start_ms, sample: Sample::Float(values[at]) };
                (!is_stale(values[at])).then_some(found)
            }
            (_, Some((at, point))) => {
                let start_ms = starts(&self.series.histogram_starts, at);
                Some(Found { time_ms: point.0, start_ms, sample: Sample::Histogram(point.1.clone()) })
            }
            (_, None) => None,
        }
    }
}

fn negate(output: Output) -> Output {
    match output {
        Output::Scalar(values) => Output::Scalar(values.into_iter().map(|value| -value).collect()),
        Output::Vector(mut columns) => {
            for column in &mut columns {
                let histograms = std::mem::take(&mut column.histograms);
                column.map(|value| -value);
                column.histograms = histograms.into_iter().map(|it| it.map(negative)).collect();
                column.drop_name = true;
            }
            Output::Vector(columns)
        }
        text @ Output::Text(_) => text,
    }
}

fn negative(histogram: Arc<NativeHistogram>) -> Arc<NativeHistogram> {
    let mut negated = NativeHistogram::clone(&histogram);
    negated.multiply(-1.0);
    Arc::new(negated)
}
