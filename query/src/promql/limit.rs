//! limitk and limit_ratio: some of the series of each group, whatever their values.

use super::PromqlError;
use super::aggregate::{Aggregation, groups};
use super::column::Column;
use super::eval::Evaluator;
use super::grid::Grid;
use super::number::display;
use super::topk::size;

/// At each step the first k samples of a group, by label order.
pub(super) fn limitk(
    aggregation: &Aggregation,
    evaluator: &mut Evaluator<'_>,
    grid: &Grid,
) -> Result<Vec<Column>, PromqlError> {
    let sizes: Vec<usize> =
        aggregation.scalar_param(evaluator, grid)?.into_iter().map(size).collect::<Result<_, _>>()?;
    let mut columns = aggregation.columns(evaluator, grid)?;
    for group in groups(&columns, &aggregation.grouping) {
        evaluator.check_stop()?;
        for (step, size) in sizes.iter().enumerate() {
            let there = group.members.iter().filter(|member| columns[**member].is_present(step));
            let surplus: Vec<usize> = there.skip(*size).copied().collect();
            surplus.into_iter().for_each(|member| columns[member].clear(step));
        }
    }
    columns.retain(Column::has_values);
    Ok(columns)
}

/// At each step the share of the series that a ratio r names: those whose labels hash to less than r of the hash's range, or,
/// with r below zero, the others, so that r and r - 1 part the series in two.
pub(super) fn limit_ratio(
    aggregation: &Aggregation,
    evaluator: &mut Evaluator<'_>,
    grid: &Grid,
) -> Result<Vec<Column>, PromqlError> {
    let mut ratios = aggregation.scalar_param(evaluator, grid)?;
    for ratio in &mut ratios {
        if ratio.is_nan() {
            return Err(PromqlError::execution("Ratio value is NaN"));
        }
        let capped = ratio.clamp(-1.0, 1.0);
        if capped != *ratio {
            evaluator.notes.warn(format_args!(
                "ratio value should be between -1 and 1, got {}, capping to {capped}",
                display(*ratio)
            ));
        }
        *ratio = capped;
    }
    let mut columns = aggregation.columns(evaluator, grid)?;
    for column in &mut columns {
        let place = column.labels.series_id().0 as f64 / u64::MAX as f64;
        for (step, ratio) in ratios.iter().enumerate() {
            let kept = if *ratio >= 0.0 { place < *ratio } else { place >= 1.0 + *ratio };
            if !kept {
                column.clear(step);
            }
        }
    }
    columns.retain(Column::has_values);
    Ok(columns)
}
