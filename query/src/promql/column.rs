//! The engine's values: one series over all steps of a grid, and what an expression evaluates to.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use culprit_store::{Labels, METRIC_NAME, is_stale, stale_nan};

use super::PromqlError;
use super::native::NativeHistogram;

/// Labels that describe a sample rather than name its source; arithmetic makes them wrong, so it drops them with the name.
const METADATA: [&str; 3] = [METRIC_NAME, "__type__", "__unit__"];

/// One series over the steps of a grid. A step without a number holds the stale marker, which no computed value equals: results
/// never carry it, and every operation on numbers looks at `present` values alone. Histograms stand beside, so that what
/// knows numbers only does not see them.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) labels: Labels,
    /// The name goes when the query is done, not earlier: `label_replace` and `by (__name__)` may still want it.
    pub(super) drop_name: bool,
    pub(super) values: Vec<f64>,
    /// One per step, or none at all when no step has a histogram.
    pub(super) histograms: Vec<Option<Arc<NativeHistogram>>>,
}

/// What a series has at one time.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Sample {
    Float(f64),
    Histogram(Arc<NativeHistogram>),
}

impl From<NativeHistogram> for Sample {
    fn from(histogram: NativeHistogram) -> Self {
        Self::Histogram(Arc::new(histogram))
    }
}

impl Column {
    pub(super) fn new(labels: Labels, drop_name: bool, values: Vec<f64>) -> Self {
        Self { labels, drop_name, values, histograms: Vec::new() }
    }

    pub(super) fn empty(labels: Labels, drop_name: bool, steps: usize) -> Self {
        Self::new(labels, drop_name, absent(steps))
    }

    /// The number at this step.
    pub(super) fn get(&self, step: usize) -> Option<f64> {
        present(self.values[step])
    }

    pub(super) fn histogram(&self, step: usize) -> Option<&Arc<NativeHistogram>> {
        self.histograms.get(step)?.as_ref()
    }

    pub(super) fn sample(&self, step: usize) -> Option<Sample> {
        self.get(step).map(Sample::Float).or_else(|| self.histogram(step).cloned().map(Sample::Histogram))
    }

    pub(super) fn is_present(&self, step: usize) -> bool {
        self.get(step).is_some() || self.histogram(step).is_some()
    }

    /// Takes a step that is still empty.
    pub(super) fn put(&mut self, step: usize, sample: Sample) {
        match sample {
            Sample::Float(value) => self.values[step] = value,
            Sample::Histogram(histogram) => {
                if self.histograms.is_empty() {
                    self.histograms.resize(self.values.len(), None);
                }
                self.histograms[step] = Some(histogram);
            }
        }
    }

    pub(super) fn clear(&mut self, step: usize) {
        self.values[step] = stale_nan();
        if let Some(histogram) = self.histograms.get_mut(step) {
            *histogram = None;
        }
    }

    /// Copies the sample that `other` has at this step.
    pub(super) fn take(&mut self, step: usize, other: &Self) {
        if let Some(sample) = other.sample(step) {
            self.put(step, sample);
        }
    }

    /// True when some step has a sample.
    pub(super) fn has_values(&self) -> bool {
        self.values.iter().any(|value| !is_stale(*value)) || self.histograms.iter().any(Option::is_some)
    }

    /// Applies `change` where there is a number; what else there is goes.
    pub(super) fn map(&mut self, change: impl Fn(f64) -> f64) {
        for value in self.values.iter_mut().filter(|value| !is_stale(**value)) {
            *value = change(*value);
        }
        self.histograms.clear();
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
        let spread_column = |column: Column| {
            let histograms = column.histograms.first().map_or(Vec::new(), |first| vec![first.clone(); steps]);
            Column { values: spread(column.values), histograms, ..column }
        };
        match self {
            Self::Scalar(values) => Self::Scalar(spread(values)),
            Self::Vector(columns) => Self::Vector(columns.into_iter().map(spread_column).collect()),
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
            Entry::Occupied(entry) => lay_over(&mut joined[*entry.get()], column)?,
        }
    }
    Ok(joined)
}

fn lay_over(under: &mut Column, over: Column) -> Result<(), PromqlError> {
    under.drop_name |= over.drop_name;
    for step in 0..over.values.len() {
        if !over.is_present(step) {
            continue;
        }
        if under.is_present(step) {
            return Err(PromqlError::same_labels());
        }
        under.take(step, &over);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(values: &[f64]) -> Column {
        Column::new(Labels::default(), false, values.to_vec())
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

    #[test]
    fn histograms_stand_beside_numbers() {
        let mut mixed = column(&[1.0, stale_nan(), stale_nan()]);
        mixed.put(1, NativeHistogram::default().into());
        assert_eq!((mixed.get(1), mixed.is_present(1), mixed.is_present(2)), (None, true, false));
        mixed.map(|value| value + 1.0);
        assert_eq!((mixed.get(0), mixed.is_present(1)), (Some(2.0), false));
    }
}
