//! histogram_count, histogram_sum and the other functions of one native histogram; numbers are no histograms and go.

use super::PromqlError;
use super::column::{Column, Output, absent};
use super::eval::Evaluator;
use super::grid::Grid;
use super::native::NativeHistogram;
use super::plan::Node;

pub(super) fn count(evaluator: &mut Evaluator<'_>, args: &[Node], grid: &Grid) -> Result<Output, PromqlError> {
    of_each(evaluator, args, grid, |histogram| histogram.count)
}

pub(super) fn sum(evaluator: &mut Evaluator<'_>, args: &[Node], grid: &Grid) -> Result<Output, PromqlError> {
    of_each(evaluator, args, grid, |histogram| histogram.sum)
}

pub(super) fn avg(evaluator: &mut Evaluator<'_>, args: &[Node], grid: &Grid) -> Result<Output, PromqlError> {
    of_each(evaluator, args, grid, |histogram| histogram.sum / histogram.count)
}

pub(super) fn stdvar(evaluator: &mut Evaluator<'_>, args: &[Node], grid: &Grid) -> Result<Output, PromqlError> {
    of_each(evaluator, args, grid, NativeHistogram::variance)
}

pub(super) fn stddev(evaluator: &mut Evaluator<'_>, args: &[Node], grid: &Grid) -> Result<Output, PromqlError> {
    of_each(evaluator, args, grid, |histogram| histogram.variance().sqrt())
}

fn of_each(
    evaluator: &mut Evaluator<'_>,
    args: &[Node],
    grid: &Grid,
    part: fn(&NativeHistogram) -> f64,
) -> Result<Output, PromqlError> {
    let mut columns = evaluator.vector(&args[0], grid)?;
    for column in &mut columns {
        let mut values = absent(grid.steps);
        for (step, slot) in values.iter_mut().enumerate() {
            if let Some(histogram) = column.histogram(step) {
                *slot = part(histogram);
            }
        }
        *column = Column::new(column.labels.clone(), true, values);
    }
    columns.retain(Column::has_values);
    Ok(Output::Vector(columns))
}
