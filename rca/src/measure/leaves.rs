//! The leaf table: every combination of dimension values that occurs, with what the measure adds up to there.

use std::collections::HashMap;

use super::numbering::Numbered;
use crate::cells::{Cells, Key, RowHash, Shape};
use crate::dimensions::{LeftOut, declared_unfit};
use crate::input::{Input, Options};
use crate::items::Value;
use crate::limits::{FLOAT_CATEGORIES_MAX, INTEGER_CATEGORIES_MAX, LEAF_DIMENSIONS_MAX};
use crate::{RcaError, names};

/// What the rows of one slice add up to. Parts of one leaf from different segments add up field by field.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Part {
    pub(crate) rows: u64,
    /// What the search compares: the measure, or the number of rows in its tail.
    pub(crate) value: f64,
    /// What `value` is relative to: a denominator, or rows.
    pub(crate) weight: f64,
    /// The measure itself, for the report.
    pub(crate) sum: f64,
}

impl Part {
    fn add(&mut self, other: &Part) {
        self.rows += other.rows;
        self.value += other.value;
        self.weight += other.weight;
        self.sum += other.sum;
    }
}

/// Both slices of a leaf, or of many.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Parts {
    pub(crate) a: Part,
    pub(crate) b: Part,
}

impl Parts {
    pub(crate) fn add(&mut self, other: &Parts) {
        self.a.add(&other.a);
        self.b.add(&other.b);
    }
}

/// A dimension with its values, which the codes of the leaves index.
#[derive(Debug)]
pub(crate) struct LeafDimension {
    pub(crate) name: String,
    pub(crate) values: Vec<Value>,
    pub(crate) codes: Vec<u32>,
}

#[derive(Debug, Default)]
pub(crate) struct Leaves {
    pub(crate) dimensions: Vec<LeafDimension>,
    pub(crate) parts: Vec<Parts>,
    pub(crate) left_out: Vec<LeftOut>,
}

impl Leaves {
    pub(crate) fn len(&self) -> usize {
        self.parts.len()
    }

    /// Everything together.
    pub(crate) fn total(&self) -> Parts {
        self.sum(0..self.len())
    }

    pub(crate) fn sum(&self, leaves: impl IntoIterator<Item = usize>) -> Parts {
        let mut total = Parts::default();
        leaves.into_iter().for_each(|leaf| total.add(&self.parts[leaf]));
        total
    }

    /// Adds up rows by the values of the dimensions worth searching. `rows` are the rows of each batch that count and
    /// `parts` what they bring, in the same order.
    pub(crate) fn of(
        input: &Input,
        options: &Options,
        not_searched: &[String],
        rows: &[Vec<u32>],
        parts: &[Parts],
    ) -> Result<Self, RcaError> {
        let mut leaves = Self::default();
        let Some(first) = input.batches.first() else {
            return Ok(leaves);
        };
        for (index, field) in first.schema_ref().fields().iter().enumerate() {
            let name = field.name();
            let asked_for = options.dimensions.as_ref().map(|dimensions| dimensions.contains(name));
            let is_one = not_searched.contains(name) || options.unit.as_ref() == Some(name);
            if asked_for == Some(false) || is_one || (asked_for.is_none() && names::is_hidden(name)) {
                continue;
            }
            let column = Coding { input, index, shape: Shape::of(field.data_type()), rows, all: parts.len() };
            let coded = match column.why_not(name, asked_for.is_some()) {
                Some(why) => Err(why),
                None => column.code(name, asked_for.is_some())?,
            };
            match coded {
                Ok(_) if leaves.dimensions.len() == LEAF_DIMENSIONS_MAX => leaves.leave_out(
                    name,
                    format!(
                        "a measure is searched by its first {LEAF_DIMENSIONS_MAX} dimensions; name those that matter"
                    ),
                ),
                Ok(dimension) => leaves.dimensions.push(dimension),
                Err(why) => leaves.leave_out(name, why),
            }
        }
        leaves.group(parts);
        Ok(leaves)
    }

    fn leave_out(&mut self, dimension: &str, why: String) {
        self.left_out.push(LeftOut { dimension: dimension.to_owned(), why });
    }

    /// Makes one leaf of the rows with the same codes: one dimension after the other refines the numbering.
    fn group(&mut self, parts: &[Parts]) {
        let mut leaves = Numbered::of(parts.iter().map(|_| 0), 1);
        for dimension in &self.dimensions {
            let values = dimension.values.len();
            let keys = leaves.numbers.iter().zip(&dimension.codes);
            let keys = keys.map(|(leaf, code)| *leaf as usize * values + *code as usize);
            leaves = Numbered::of(keys, leaves.firsts.len() * values);
        }
        self.parts = vec![Parts::default(); leaves.firsts.len()];
        for (leaf, parts) in leaves.numbers.iter().zip(parts) {
            self.parts[*leaf as usize].add(parts);
        }
        for dimension in &mut self.dimensions {
            dimension.codes = leaves.firsts.iter().map(|row| dimension.codes[*row as usize]).collect();
        }
    }
}

/// One column on its way to codes.
struct Coding<'a> {
    input: &'a Input,
    index: usize,
    shape: Shape,
    rows: &'a [Vec<u32>],
    all: usize,
}

impl Coding<'_> {
    fn why_not(&self, name: &str, asked_for: bool) -> Option<String> {
        if self.input.predicate_columns.iter().any(|column| column == name) {
            return Some("the predicate names it".to_owned());
        }
        let unfit = declared_unfit(name, self.shape).filter(|_| !asked_for || self.shape != Shape::Text);
        let is_unit = !asked_for && names::is_unit(name);
        unfit.or(is_unit.then_some("the unit whose rows are not independent")).map(str::to_owned)
    }

    /// Distinct values beyond which the column measures or identifies rather than divides.
    fn values_max(&self, name: &str) -> usize {
        match self.shape {
            Shape::Int if !names::is_identifier(name) => INTEGER_CATEGORIES_MAX,
            Shape::Float => FLOAT_CATEGORIES_MAX,
            _ => (self.all / 2).max(INTEGER_CATEGORIES_MAX),
        }
    }

    /// The dimension, or why the column is none.
    fn code(&self, name: &str, asked_for: bool) -> Result<Result<LeafDimension, String>, RcaError> {
        let mut dimension = LeafDimension { name: name.to_owned(), values: Vec::new(), codes: Vec::new() };
        let mut code_of: HashMap<Key, u32, RowHash> = HashMap::default();
        let values_max = if asked_for { usize::MAX } else { self.values_max(name) };
        let arrays: Vec<_> = self.input.batches.iter().map(|batch| batch.column(self.index)).collect();
        let unreadable = |source| RcaError::Column { column: name.to_owned(), source };
        let mut times = !asked_for && names::is_time(name);
        for (array, rows) in arrays.into_iter().zip(self.rows) {
            let Some(cells) = Cells::of(array).map_err(unreadable)? else {
                return Ok(Err("values of its type are not searched".to_owned()));
            };
            let lookup = |key| {
                let next = code_of.len() as u32;
                *code_of.entry(key).or_insert_with(|| {
                    times &= key == Key::Null || names::looks_like_time(&key);
                    dimension.values.push(Value::of(key));
                    next
                })
            };
            cells.encode(rows, lookup, |code| dimension.codes.push(code));
            if dimension.values.len() > values_max {
                return Ok(Err(format!("more than {values_max} values: it measures or identifies")));
            }
        }
        Ok(match dimension.values.len() {
            0 | 1 => Err("constant".to_owned()),
            _ if times => Err("a point in time".to_owned()),
            _ => Ok(dimension),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};

    use super::*;
    use crate::Baseline;

    fn batch(hosts: &[Option<&str>], codes: &[i64]) -> RecordBatch {
        let load: Vec<f64> = (0..codes.len()).map(|row| row as f64 * 1.5).collect();
        RecordBatch::try_from_iter([
            ("host", Arc::new(StringArray::from_iter(hosts.iter().copied())) as ArrayRef),
            ("status", Arc::new(Int64Array::from(codes.to_vec()))),
            ("load", Arc::new(Float64Array::from(load))),
            ("zone", Arc::new(StringArray::from_iter_values(codes.iter().map(|_| "z")))),
        ])
        .unwrap()
    }

    #[test]
    fn rows_of_one_leaf_add_up_through_all_batches_and_null_is_a_value() {
        let batches =
            vec![batch(&[Some("h1"), None, Some("h1")], &[200, 200, 500]), batch(&[None, Some("h1")], &[200, 200])];
        let slice = batches.iter().map(|batch| BooleanArray::from(vec![true; batch.num_rows()])).collect();
        let input = Input { batches, slice, predicate_columns: vec![], baseline: Baseline::Other };
        let part = |value: f64| Parts { a: Part { rows: 1, value, ..Part::default() }, ..Parts::default() };
        let parts = [1.0, 2.0, 4.0, 8.0, 16.0].map(part);
        let dimensions = Some(vec!["host".to_owned(), "status".to_owned(), "zone".to_owned()]);
        let options = Options { dimensions, ..Options::default() };
        let rows = [vec![0, 1, 2], vec![0, 1]];
        let leaves = Leaves::of(&input, &options, &["load".to_owned()], &rows, &parts).unwrap();
        let mut sums: Vec<(String, String, u64, f64)> = (0..leaves.len())
            .map(|leaf| {
                let value = |at: usize| {
                    let dimension: &LeafDimension = &leaves.dimensions[at];
                    dimension.values[dimension.codes[leaf] as usize].to_string()
                };
                (value(0), value(1), leaves.parts[leaf].a.rows, leaves.parts[leaf].a.value)
            })
            .collect();
        sums.sort_by(|x, y| x.3.total_cmp(&y.3));
        let expected = [("h1", "500", 1, 4.0), ("NULL", "200", 2, 10.0), ("h1", "200", 2, 17.0)];
        assert_eq!(sums, expected.map(|(host, status, rows, sum)| (host.to_owned(), status.to_owned(), rows, sum)));
        assert_eq!(leaves.left_out, [LeftOut { dimension: "zone".into(), why: "constant".into() }]);
    }
}
