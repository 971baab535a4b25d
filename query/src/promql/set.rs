//! and, or, unless: sets of samples, compared at each step by their labels alone.

use std::collections::HashMap;

use culprit_store::Labels;

use super::PromqlError;
use super::aggregate::Grouping;
use super::binary::SetOperator;
use super::column::{Column, join_same};

pub(super) fn combine(
    operator: SetOperator,
    by: &Grouping,
    mut left: Vec<Column>,
    mut right: Vec<Column>,
) -> Result<Vec<Column>, PromqlError> {
    match operator {
        SetOperator::And => {
            retain(&mut left, by, &presence(&right, by), Keep::Present);
            Ok(left)
        }
        SetOperator::Unless => {
            retain(&mut left, by, &presence(&right, by), Keep::Missing);
            Ok(left)
        }
        SetOperator::Or => {
            retain(&mut right, by, &presence(&left, by), Keep::Missing);
            left.append(&mut right);
            join_same(left)
        }
    }
}

/// Per match group, the steps at which it has a sample.
fn presence(columns: &[Column], by: &Grouping) -> HashMap<Labels, Vec<bool>> {
    let mut presence: HashMap<Labels, Vec<bool>> = HashMap::new();
    for column in columns {
        let steps = presence.entry(by.key(&column.labels)).or_insert_with(|| vec![false; column.values.len()]);
        for (at, step) in steps.iter_mut().enumerate() {
            *step |= column.is_present(at);
        }
    }
    presence
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keep {
    Present,
    Missing,
}

/// Keeps the samples whose group is present, or missing, on the other side at their step.
fn retain(columns: &mut Vec<Column>, by: &Grouping, presence: &HashMap<Labels, Vec<bool>>, keep: Keep) {
    columns.retain_mut(|column| {
        match presence.get(&by.key(&column.labels)) {
            None if keep == Keep::Present => return false,
            None => {}
            Some(steps) => {
                for (step, present) in steps.iter().enumerate() {
                    if *present != (keep == Keep::Present) {
                        column.clear(step);
                    }
                }
            }
        }
        column.has_values()
    });
}
