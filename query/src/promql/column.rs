//! The engine's values: one series over all steps of a grid, and what an expression evaluates to.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use culprit_store::{Labels, METRIC_NAME, is_stale, stale_nan};

use super::PromqlError;

/// Labels that describe a sample rather than name its source; arithmetic makes them wrong, so it drops them with the name.
const METADATA: [&str; 3] = [METRIC_NAME, "__type__", "__unit__"];

/// One series over the steps of a grid. A step without a sample holds the stale marker, which no computed value equals: results
/// never carry it, and every operation looks at `present` values alone.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) labels: Labels,
    /// The name goes when the query is done, not earlier: `label_replace` and `by (__name__)` may still want it.
    pub(super) drop_name: bool,
    pub(super) values: Vec<f64>,
}

impl Column {
    pub(super) fn empty(labels: Labels, drop_name: bool, steps: usize) -> Self {
        Self { labels, drop_name, values: absent(steps) }
    }

    pub(super) fn get(&self, step: usize) -> Option<f64> {
        present(self.values[step])
    }

    pub(super) fn is_present(&self, step: usize) -> bool {
        self.get(step).is_some()
    }

    pub(super) fn clear(&mut self, step: usize) {
        self.values[step] = stale_nan();
    }

    /// Copies the sample that `other` has at this step.
    pub(super) fn take(&mut self, step: usize, other: &Self) {
        self.values[step] = other.values[step];
    }

    pub(super) fn has_values(&self) -> bool {
        self.values.iter().any(|value| !is_stale(*value))
    }

    /// Applies `change` where there is a sample.
    pub(super) fn map(&mut self, change: impl Fn(f64) -> f64) {
        for value in self.values.iter_mut().filter(|value| !is_stale(**value)) {
            *value = change(*value);
        }
    }
}

pub(super) fn absent(steps: usize) -> Vec<f64> {
    vec![stale_nan(); steps]
}

pub(super) fn present(value: f64) -> Option<f64> {
    (!is_stale(value)).then_some(value)
}

/// What an expression of the types scalar, instant vector and string evaluates to.
#[derive(Debug, Clone)]
pub(super) enum Output {
    /// One value per step.
    Scalar(Vec<f64>),
    Vector(Vec<Column>),
    Text(String),
}

impl Output {
    /// The single step of a value that does not depend on time, on every step.
    pub(super) fn broadcast(self, steps: usize) -> Self {
        let spread = |values: Vec<f64>| vec![values[0]; steps];
        match self {
            Self::Scalar(values) => Self::Scalar(spread(values)),
            Self::Vector(columns) => Self::Vector(
                columns.into_iter().map(|column| Column { values: spread(column.values), ..column }).collect(),
            ),
            Self::Text(text) => Self::Text(text),
        }
    }
}

pub(super) fn without_metadata(labels: &Labels) -> Labels {
    labels.filter(|label| !METADATA.contains(&&*label.name))
}

/// Joins series of equal labels that have no step in common; two samples at one time are an error.
pub(super) fn join_same(columns: Vec<Column>) -> Result<Vec<Column>, PromqlError> {
    let mut joined: Vec<Column> = Vec::with_capacity(columns.len());
    let mut index: HashMap<Labels, usize> = HashMap::with_capacity(columns.len());
    for column in columns {
        match index.entry(column.labels.clone()) {
            Entry::Vacant(entry) => {
                entry.insert(joined.len());
                joined.push(column);
            }
            Entry::Occupied(entry) => lay_over(&mut joined[*entry.get()], &column)?,
        }
    }
    Ok(joined)
}

fn lay_over(under: &mut Column, over: &Column) -> Result<(), PromqlError> {
    under.drop_name |= over.drop_name;
    for (below, above) in under.values.iter_mut().zip(&over.values) {
        match (is_stale(*below), is_stale(*above)) {
            (false, false) => return Err(PromqlError::same_labels()),
            (true, false) => *below = *above,
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(values: &[f64]) -> Column {
        Column { labels: Labels::default(), drop_name: false, values: values.to_vec() }
    }

    #[test]
    fn equal_series_join_when_they_take_turns() {
        let gap = stale_nan();
        let joined = join_same(vec![column(&[1.0, gap, gap]), column(&[gap, gap, 3.0])]).unwrap();
        assert_eq!(joined.len(), 1);
        assert_eq!((joined[0].get(0), joined[0].get(1), joined[0].get(2)), (Some(1.0), None, Some(3.0)));
        let clash = join_same(vec![column(&[1.0]), column(&[1.0])]).unwrap_err();
        assert_eq!(clash.to_string(), "vector cannot contain metrics with the same labelset");
    }

    #[test]
    fn the_name_goes_with_type_and_unit() {
        let labels = Labels::new([("__name__", "up"), ("__type__", "gauge"), ("__unit__", "s"), ("job", "a")]).unwrap();
        assert_eq!(without_metadata(&labels).to_string(), r#"{job="a"}"#);
    }
}
