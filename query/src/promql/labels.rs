//! label_replace and label_join: new labels from old ones.

use culprit_store::{Labels, METRIC_NAME};
use regex::Regex;

use super::PromqlError;
use super::column::{Output, join_same};
use super::eval::Evaluator;
use super::grid::Grid;
use super::plan::Node;

pub(super) fn label_replace(evaluator: &mut Evaluator<'_>, args: &[Node], grid: &Grid) -> Result<Output, PromqlError> {
    let [target, replacement, source, pattern] = [1, 2, 3, 4].map(|at| text(args, at));
    let (target, replacement, source, pattern) = (target?, replacement?, source?, pattern?);
    let regex = Regex::new(&format!("^(?s:{pattern})$"))
        .map_err(|_| PromqlError::execution(format!("invalid regular expression in label_replace(): {pattern}")))?;
    if target.is_empty() {
        return Err(PromqlError::execution(format!("invalid destination label name in label_replace(): {target:?}")));
    }
    relabel(evaluator, &args[0], grid, target, |labels| {
        let captures = regex.captures(labels.get(source).unwrap_or(""))?;
        let mut value = String::new();
        captures.expand(replacement, &mut value);
        Some(value)
    })
}

pub(super) fn label_join(evaluator: &mut Evaluator<'_>, args: &[Node], grid: &Grid) -> Result<Output, PromqlError> {
    let (target, separator) = (text(args, 1)?, text(args, 2)?);
    let sources: Vec<&str> = (3..args.len()).map(|at| text(args, at)).collect::<Result<_, _>>()?;
    if target.is_empty() {
        return Err(PromqlError::execution(format!("invalid destination label name in label_join(): {target:?}")));
    }
    relabel(evaluator, &args[0], grid, target, |labels| {
        let values: Vec<&str> = sources.iter().map(|source| labels.get(source).unwrap_or("")).collect();
        Some(values.join(separator))
    })
}

pub(super) fn text(args: &[Node], at: usize) -> Result<&str, PromqlError> {
    match args.get(at) {
        Some(Node::Text(text)) => Ok(text),
        _ => Err(PromqlError::execution(format!("expected a string as argument {}", at + 1))),
    }
}

/// Sets `target` where `value` gives one. Whoever sets the name wants to keep it.
fn relabel(
    evaluator: &mut Evaluator<'_>,
    vector: &Node,
    grid: &Grid,
    target: &str,
    value: impl Fn(&Labels) -> Option<String>,
) -> Result<Output, PromqlError> {
    let mut columns = evaluator.vector(vector, grid)?;
    for column in &mut columns {
        if let Some(value) = value(&column.labels) {
            column.labels = column.labels.with(target, &value);
            column.drop_name &= target != METRIC_NAME;
        }
    }
    Ok(Output::Vector(join_same(columns)?))
}
