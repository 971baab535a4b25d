//! Scalars, times, and the ways between scalars and vectors.

use culprit_store::Labels;

use super::PromqlError;
use super::column::{Column, Output};
use super::eval::{Evaluator, Reading};
use super::grid::Grid;
use super::math;
use super::plan::Node;

pub(super) fn time(_: &mut Evaluator<'_>, _: &[Node], grid: &Grid) -> Result<Output, PromqlError> {
    Ok(Output::Scalar(grid.times().map(seconds).collect()))
}

pub(super) fn pi(_: &mut Evaluator<'_>, _: &[Node], grid: &Grid) -> Result<Output, PromqlError> {
    Ok(constant(std::f64::consts::PI, grid))
}

pub(super) fn start(evaluator: &mut Evaluator<'_>, _: &[Node], grid: &Grid) -> Result<Output, PromqlError> {
    Ok(constant(seconds(evaluator.bounds.start_ms), grid))
}

pub(super) fn end(evaluator: &mut Evaluator<'_>, _: &[Node], grid: &Grid) -> Result<Output, PromqlError> {
    Ok(constant(seconds(evaluator.bounds.end_ms), grid))
}

pub(super) fn step(evaluator: &mut Evaluator<'_>, _: &[Node], grid: &Grid) -> Result<Output, PromqlError> {
    Ok(constant(seconds(evaluator.bounds.step_ms), grid))
}

pub(super) fn range(evaluator: &mut Evaluator<'_>, _: &[Node], grid: &Grid) -> Result<Output, PromqlError> {
    Ok(constant(seconds(evaluator.bounds.end_ms - evaluator.bounds.start_ms), grid))
}

pub(super) fn min_of(evaluator: &mut Evaluator<'_>, args: &[Node], grid: &Grid) -> Result<Output, PromqlError> {
    of_two(evaluator, args, grid, math::min)
}

pub(super) fn max_of(evaluator: &mut Evaluator<'_>, args: &[Node], grid: &Grid) -> Result<Output, PromqlError> {
    of_two(evaluator, args, grid, math::max)
}

/// NaN unless the vector holds exactly one sample.
pub(super) fn scalar(evaluator: &mut Evaluator<'_>, args: &[Node], grid: &Grid) -> Result<Output, PromqlError> {
    let columns = evaluator.vector(&args[0], grid)?;
    let single = |step| {
        let mut samples = columns.iter().filter_map(|column| column.get(step));
        match (samples.next(), samples.next()) {
            (Some(only), None) => only,
            _ => f64::NAN,
        }
    };
    Ok(Output::Scalar((0..grid.steps).map(single).collect()))
}

pub(super) fn vector(evaluator: &mut Evaluator<'_>, args: &[Node], grid: &Grid) -> Result<Output, PromqlError> {
    let values = evaluator.scalar(&args[0], grid)?;
    Ok(Output::Vector(vec![Column::new(Labels::default(), false, values)]))
}

/// Of a selector, the samples' own times; of anything computed, the times of evaluation.
pub(super) fn timestamp(evaluator: &mut Evaluator<'_>, args: &[Node], grid: &Grid) -> Result<Output, PromqlError> {
    let mut columns = match &args[0] {
        Node::Instant(selector) => evaluator.instant(selector, grid, Reading::Time)?,
        computed => {
            let mut columns = evaluator.vector(computed, grid)?;
            for column in &mut columns {
                for (step, time) in grid.times().enumerate() {
                    if column.is_present(step) {
                        column.values[step] = seconds(time);
                    }
                }
                column.histograms.clear();
            }
            columns
        }
    };
    columns.iter_mut().for_each(|column| column.drop_name = true);
    Ok(Output::Vector(columns))
}

/// When the counter of a sample began. Expressions have lost that.
pub(super) fn start_timestamp(
    evaluator: &mut Evaluator<'_>,
    args: &[Node],
    grid: &Grid,
) -> Result<Output, PromqlError> {
    let Node::Instant(selector) = &args[0] else { return Ok(Output::Vector(Vec::new())) };
    let mut columns = evaluator.instant(selector, grid, Reading::Start)?;
    columns.iter_mut().for_each(|column| column.drop_name = true);
    Ok(Output::Vector(columns))
}

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

fn constant(value: f64, grid: &Grid) -> Output {
    Output::Scalar(vec![value; grid.steps])
}

fn of_two(
    evaluator: &mut Evaluator<'_>,
    args: &[Node],
    grid: &Grid,
    choose: fn(f64, f64) -> f64,
) -> Result<Output, PromqlError> {
    let (a, b) = (evaluator.scalar(&args[0], grid)?, evaluator.scalar(&args[1], grid)?);
    Ok(Output::Scalar(a.into_iter().zip(b).map(|(a, b)| choose(a, b)).collect()))
}
