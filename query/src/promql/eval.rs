//! Evaluation of a plan over loaded series: pure, synchronous, series by series over all steps at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use culprit_store::{Series, is_stale};

use super::PromqlError;
use super::column::{Column, Output};
use super::grid::Grid;
use super::notes::Notes;
use super::plan::{Node, Selector};
use super::syntax::Edges;

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

pub(super) struct Evaluator<'a> {
    pub(super) bounds: QueryBounds,
    pub(super) lookback_ms: i64,
    pub(super) samples_max: usize,
    /// One entry per fetch of the plan.
    pub(super) loaded: &'a [Vec<Series>],
    pub(super) notes: Notes,
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
            Node::Instant(selector) => {
                Ok(Output::Vector(self.instant(selector, grid, |samples, at| samples.values[at])?))
            }
            Node::Window(_) => Err(PromqlError::execution("a range vector stands where an instant vector is expected")),
            Node::Call(function, args) => function.call(self, args, grid),
            Node::Aggregate(aggregation) => aggregation.eval(self, grid).map(Output::Vector),
            Node::Binary(binary) => binary.eval(self, grid),
            Node::Info(info) => info.eval(self, grid).map(Output::Vector),
            Node::Negate(inner) => self.eval(inner, grid).map(negate),
        }
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

    pub(super) fn series(&self, selector: &Selector) -> &'a [Series] {
        &self.loaded[selector.fetch]
    }

    /// What `read` takes from each series' last sample of the look-back window, unless that is a stale marker.
    pub(super) fn instant(
        &mut self,
        selector: &Selector,
        grid: &Grid,
        read: impl Fn(&culprit_store::Samples, usize) -> f64,
    ) -> Result<Vec<Column>, PromqlError> {
        let all = self.series(selector);
        self.check_points(all.len(), grid)?;
        let mut columns = Vec::with_capacity(all.len());
        for series in all {
            self.check_stop()?;
            let samples = &series.samples;
            let mut column = Column::empty(series.labels.clone(), false, grid.steps);
            let mut next = 0;
            for (step, time) in grid.times().enumerate() {
                let reference = selector.anchor.reference(time);
                while samples.timestamps_ms.get(next).is_some_and(|sample_time| *sample_time <= reference) {
                    next += 1;
                }
                let Some(last) = next.checked_sub(1) else { continue };
                let fresh = samples.timestamps_ms[last] > reference.saturating_sub(self.lookback_ms);
                if fresh && !is_stale(samples.values[last]) {
                    column.values[step] = read(samples, last);
                }
            }
            if column.has_values() {
                columns.push(column);
            }
        }
        Ok(columns)
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

fn negate(output: Output) -> Output {
    match output {
        Output::Scalar(values) => Output::Scalar(values.into_iter().map(|value| -value).collect()),
        Output::Vector(mut columns) => {
            for column in &mut columns {
                column.map(|value| -value);
                column.drop_name = true;
            }
            Output::Vector(columns)
        }
        text @ Output::Text(_) => text,
    }
}
