//! The sort functions. They order the result of an instant query; a range query is ordered by labels whatever it asks.

use std::cmp::Ordering;

use super::PromqlError;
use super::column::{Column, Output};
use super::eval::Evaluator;
use super::grid::Grid;
use super::labels::text;
use super::plan::Node;

pub(super) fn ascending(evaluator: &mut Evaluator<'_>, args: &[Node], grid: &Grid) -> Result<Output, PromqlError> {
    sorted(evaluator, args, grid, SortKey::Value, |a, b| by_value(a, b, f64::partial_cmp))
}

pub(super) fn descending(evaluator: &mut Evaluator<'_>, args: &[Node], grid: &Grid) -> Result<Output, PromqlError> {
    sorted(evaluator, args, grid, SortKey::Value, |a, b| by_value(a, b, |a, b| b.partial_cmp(a)))
}

pub(super) fn by_label(evaluator: &mut Evaluator<'_>, args: &[Node], grid: &Grid) -> Result<Output, PromqlError> {
    let names: Vec<&str> = (1..args.len()).map(|at| text(args, at)).collect::<Result<_, _>>()?;
    sorted(evaluator, args, grid, SortKey::Labels, |a, b| by_labels(a, b, &names))
}

pub(super) fn by_label_descending(
    evaluator: &mut Evaluator<'_>,
    args: &[Node],
    grid: &Grid,
) -> Result<Output, PromqlError> {
    let names: Vec<&str> = (1..args.len()).map(|at| text(args, at)).collect::<Result<_, _>>()?;
    sorted(evaluator, args, grid, SortKey::Labels, |a, b| by_labels(b, a, &names))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SortKey {
    Value,
    Labels,
}

fn sorted(
    evaluator: &mut Evaluator<'_>,
    args: &[Node],
    grid: &Grid,
    kind: SortKey,
    order: impl Fn(&Column, &Column) -> Ordering,
) -> Result<Output, PromqlError> {
    let mut columns = evaluator.vector(&args[0], grid)?;
    if kind == SortKey::Value {
        // Histograms have no order.
        columns.iter_mut().for_each(|column| column.histograms.clear());
        columns.retain(Column::has_values);
    }
    if grid.steps == 1 {
        columns.sort_by(order);
    }
    Ok(Output::Vector(columns))
}

/// NaN comes last in both directions.
fn by_value(a: &Column, b: &Column, numbers: fn(&f64, &f64) -> Option<Ordering>) -> Ordering {
    let (a, b) = (a.values[0], b.values[0]);
    numbers(&a, &b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

fn by_labels(a: &Column, b: &Column, names: &[&str]) -> Ordering {
    let compare = |name: &&str| natural(a.labels.get(name).unwrap_or(""), b.labels.get(name).unwrap_or(""));
    names.iter().map(compare).find(|order| order.is_ne()).unwrap_or_else(|| a.labels.cmp(&b.labels))
}

/// Runs of digits compare as numbers, so that "pod-9" comes before "pod-10".
fn natural(mut a: &str, mut b: &str) -> Ordering {
    while !a.is_empty() && !b.is_empty() {
        let (a_run, a_rest) = first_run(a);
        let (b_run, b_rest) = first_run(b);
        let order = match (a_run.parse::<u64>(), b_run.parse::<u64>()) {
            (Ok(x), Ok(y)) => x.cmp(&y),
            _ => a_run.cmp(b_run),
        };
        if order.is_ne() {
            return order;
        }
        (a, b) = (a_rest, b_rest);
    }
    a.len().cmp(&b.len())
}

fn first_run(text: &str) -> (&str, &str) {
    let digits = text.starts_with(|c: char| c.is_ascii_digit());
    text.split_at(text.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_texts_compare_as_numbers() {
        let sorted = ["", "4m5", "4m5a", "4m600", "4m1000", "9", "10", "a2b", "a10", "b"];
        for pair in sorted.windows(2).filter(|pair| pair[0] != "4m1000") {
            assert_eq!(natural(pair[0], pair[1]), Ordering::Less, "{pair:?}");
        }
        assert_eq!(natural("x01", "x1"), Ordering::Equal);
    }
}
