//! Columns that only restate the predicate: those that are a function of the predicate's columns.
//!
//! `status_class` says nothing about `status >= 500` that the predicate did not say. The danger is to take a perfect
//! culprit for such a column, so a function must be evident: rows with equal predicate values have equal values, over many
//! repetitions. One reading stays open, a column of two values that splits exactly as the predicate does: it may be `level`
//! or the version that broke everything, and there the name decides.

use std::collections::{HashMap, HashSet};
use std::hash::Hasher;

use crate::cells::Shape;
use crate::column::Column;
use crate::key::{RowHash, RowHasher};
use crate::limits::FUNCTION_SAMPLE_ROWS;
use crate::names;

/// Why the predicate's own restatements are left out.
const FUNCTION: &str = "a function of the predicate's columns";
const OUTCOME: &str = "it says how the row ended, as the predicate does";

/// The predicate's columns.
#[derive(Debug)]
pub(crate) struct Predicate {
    /// One per entry of [`FUNCTION_SAMPLE_ROWS`].
    samples: Vec<Sample>,
}

#[derive(Debug)]
struct Sample {
    limit: usize,
    /// Digest of the predicate's values per sampled row of A, then of B; empty when it names no column.
    values: Vec<u64>,
    /// The values themselves when the predicate has one column and it is numeric.
    numbers: Option<Vec<f64>>,
}

impl Predicate {
    pub(crate) fn of(columns: &[&Column]) -> Self {
        let sample = |limit: usize| {
            let mut values = Vec::new();
            for column in columns {
                let own = payloads(column, limit).0;
                values.resize(own.len(), 0);
                for (value, payload) in values.iter_mut().zip(own) {
                    let mut hasher = RowHasher::default();
                    hasher.write_u64(*value);
                    hasher.write_u64(payload);
                    *value = hasher.finish();
                }
            }
            let numbers = match columns {
                [only] if is_numeric(only) => Some(numbers(only, limit)),
                _ => None,
            };
            Sample { limit, values, numbers }
        };
        Self { samples: FUNCTION_SAMPLE_ROWS.map(sample).into() }
    }

    /// Why the column explains nothing that the predicate does not say already; None when it may.
    pub(crate) fn why_function(&self, column: &Column) -> Option<String> {
        let mut why = None;
        for sample in &self.samples {
            why = Some(sample.why_function(column)?);
        }
        why
    }
}

impl Sample {
    fn why_function(&self, column: &Column) -> Option<String> {
        if let Some(of) = &self.numbers
            && is_numeric(column)
            && is_linear(of, &numbers(column, self.limit))
        {
            return Some(FUNCTION.to_owned());
        }
        let (values, sampled_a) = payloads(column, self.limit);
        let split = Split::of(&values[..sampled_a], &values[sampled_a..]);
        if split == Split::Constant {
            return None;
        }
        if split != Split::Mixed && names::is_outcome(&column.name) {
            return Some(OUTCOME.to_owned());
        }
        (split != Split::OneAgainstOne && is_function(&self.values, &values)).then(|| FUNCTION.to_owned())
    }
}

fn is_numeric(column: &Column) -> bool {
    matches!(column.shape, Shape::Int | Shape::Unsigned | Shape::Float)
}

/// How a column's values lie in the two slices.
#[derive(Debug, PartialEq, Eq)]
enum Split {
    Constant,
    /// One value is all of A, another all of B.
    OneAgainstOne,
    /// Every value lies in one slice alone.
    Apart,
    Mixed,
}

impl Split {
    fn of(a: &[u64], b: &[u64]) -> Self {
        let in_a: HashSet<u64, RowHash> = a.iter().copied().collect();
        let mut in_b: HashSet<u64, RowHash> = HashSet::default();
        let mut shared = false;
        for value in b {
            shared |= in_a.contains(value);
            in_b.insert(*value);
            if shared && in_b.len() > 1 {
                return Split::Mixed;
            }
        }
        match (in_a.len(), in_b.len(), shared) {
            (1, 1, true) => Split::Constant,
            (1, 1, false) => Split::OneAgainstOne,
            (_, _, false) => Split::Apart,
            _ => Split::Mixed,
        }
    }
}

/// True when equal predicate values always come with equal values, and most rows have a predicate value that repeats: a
/// predicate on a nearly unique column would else make everything its function.
fn is_function(predicate: &[u64], values: &[u64]) -> bool {
    let mut image: HashMap<u64, (u64, usize), RowHash> = HashMap::default();
    for (of, value) in predicate.iter().zip(values) {
        let (known, rows) = image.entry(*of).or_insert((*value, 0));
        if known != value {
            return false;
        }
        *rows += 1;
    }
    let repeated: usize = image.values().map(|(_, rows)| *rows).filter(|rows| *rows > 1).sum();
    image.len() > 2 && repeated * 2 > values.len()
}

fn payloads(column: &Column, limit: usize) -> (Vec<u64>, usize) {
    let mut payloads: Vec<u64> = column.sample(&column.a, limit).collect();
    let in_a = payloads.len();
    payloads.extend(column.sample(&column.b, limit));
    (payloads, in_a)
}

fn numbers(column: &Column, limit: usize) -> Vec<f64> {
    payloads(column, limit).0.into_iter().map(|payload| column.number(payload).unwrap_or(f64::NAN)).collect()
}

/// A latency in seconds beside one in milliseconds: correlation of one but for rounding.
fn is_linear(x: &[f64], y: &[f64]) -> bool {
    let pairs: Vec<(f64, f64)> =
        x.iter().copied().zip(y.iter().copied()).filter(|(x, y)| x.is_finite() && y.is_finite()).collect();
    if pairs.len() < 20 || pairs.len() * 2 < x.len() {
        return false;
    }
    let n = pairs.len() as f64;
    let (mean_x, mean_y) = (pairs.iter().map(|p| p.0).sum::<f64>() / n, pairs.iter().map(|p| p.1).sum::<f64>() / n);
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (x, y) in pairs {
        xx += (x - mean_x).powi(2);
        yy += (y - mean_y).powi(2);
        xy += (x - mean_x) * (y - mean_y);
    }
    xx > 0.0 && yy > 0.0 && xy * xy > 0.999_98 * xx * yy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_repeats_itself() {
        let status = [200, 200, 404, 404, 500, 500, 200, 404];
        let class = [2, 2, 4, 4, 5, 5, 2, 4];
        assert!(is_function(&status, &class));
        let region = [2, 2, 4, 4, 5, 5, 2, 5];
        assert!(!is_function(&status, &region), "one contradiction is enough");
        let unique: Vec<u64> = (0..100).collect();
        assert!(!is_function(&unique, &vec![1; 100]), "unique values make nothing a function");
    }

    #[test]
    fn splits_are_told_apart() {
        for (a, b, split) in [
            (&[1, 1][..], &[1, 1, 1][..], Split::Constant),
            (&[1, 1], &[2, 2], Split::OneAgainstOne),
            (&[1, 3], &[2, 2], Split::Apart),
            (&[1, 1], &[2, 4], Split::Apart),
            (&[1, 2], &[2, 2], Split::Mixed),
            (&[1, 1], &[1, 2], Split::Mixed),
        ] {
            assert_eq!(Split::of(a, b), split, "{a:?} {b:?}");
        }
    }

    #[test]
    fn the_same_duration_in_another_unit_is_linear() {
        let ms: Vec<f64> = (0..100).map(|i| f64::from(i * i % 97)).collect();
        let other: Vec<f64> = (0..100).map(|i| f64::from(i * 7 % 31)).collect();
        assert!(is_linear(&ms, &ms.iter().map(|ms| ms / 1000.0).collect::<Vec<_>>()));
        assert!(!is_linear(&ms, &other));
    }
}
