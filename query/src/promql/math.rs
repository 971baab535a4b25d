//! Arithmetic on single samples that needs more than `f64`'s own methods: sgn, round, clamp.

use super::PromqlError;
use super::column::{Output, absent};
use super::eval::Evaluator;
use super::grid::Grid;
use super::plan::Node;

/// NaN and zero, of either sign, stay what they are.
pub(super) fn sgn(value: f64) -> f64 {
    if value < 0.0 {
        -1.0
    } else if value > 0.0 {
        1.0
    } else {
        value
    }
}

/// To the nearest multiple, halves up. The inverse is multiplied: it is exact for 0.1 where 0.1 itself is not.
pub(super) fn round(evaluator: &mut Evaluator<'_>, args: &[Node], grid: &Grid) -> Result<Output, PromqlError> {
    let nearest = match args.get(1) {
        Some(node) => evaluator.scalar(node, grid)?,
        None => vec![1.0; grid.steps],
    };
    by_step(evaluator, &args[0], grid, |value, step| {
        let inverse = 1.0 / nearest[step];
        Some((value * inverse + 0.5).floor() / inverse)
    })
}

/// Nothing where the lower bound is above the upper.
pub(super) fn clamp(evaluator: &mut Evaluator<'_>, args: &[Node], grid: &Grid) -> Result<Output, PromqlError> {
    let low = evaluator.scalar(&args[1], grid)?;
    let high = evaluator.scalar(&args[2], grid)?;
    by_step(evaluator, &args[0], grid, |value, step| {
        let (low, high) = (low[step], high[step]);
        if low > high { None } else { Some(max(low, min(high, value))) }
    })
}

pub(super) fn clamp_max(evaluator: &mut Evaluator<'_>, args: &[Node], grid: &Grid) -> Result<Output, PromqlError> {
    let high = evaluator.scalar(&args[1], grid)?;
    by_step(evaluator, &args[0], grid, |value, step| Some(min(high[step], value)))
}

pub(super) fn clamp_min(evaluator: &mut Evaluator<'_>, args: &[Node], grid: &Grid) -> Result<Output, PromqlError> {
    let low = evaluator.scalar(&args[1], grid)?;
    by_step(evaluator, &args[0], grid, |value, step| Some(max(low[step], value)))
}

/// Unlike `f64::max`, NaN if either is.
pub(super) fn max(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }
}

/// Unlike `f64::min`, NaN if either is.
pub(super) fn min(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.min(b) }
}

fn by_step(
    evaluator: &mut Evaluator<'_>,
    vector: &Node,
    grid: &Grid,
    change: impl Fn(f64, usize) -> Option<f64>,
) -> Result<Output, PromqlError> {
    let mut columns = evaluator.vector(vector, grid)?;
    for column in &mut columns {
        let mut changed = absent(grid.steps);
        for (step, slot) in changed.iter_mut().enumerate() {
            if let Some(value) = column.get(step).and_then(|value| change(value, step)) {
                *slot = value;
            }
        }
        column.values = changed;
        column.histograms.clear();
        column.drop_name = true;
    }
    columns.retain(|column| column.has_values());
    Ok(Output::Vector(columns))
}
