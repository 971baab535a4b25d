//! From columns to items: which columns can explain anything, by which of their values, and why the others cannot.
//!
//! A column is left out for what it *is* (unique per row, constant, a time, free text, the predicate's own or a function
//! of it), never because it separates A from B: the column that does so perfectly may be the culprit.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::bitmap::Bitmap;
use crate::cells::{Key, RowHash, Shape};
use crate::column::Column;
use crate::functional::{self, Predicate};
use crate::input::{Input, Options, Slices};
use crate::items::{Item, Value};
use crate::significance::Choices;
use crate::workers::{Stop, share_out};
use crate::{RcaError, names, ranges};

/// A column that was not searched, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    pub dimension: String,
    pub why: String,
}

/// The searched dimensions and their items.
#[derive(Debug)]
pub(crate) struct Dimensions {
    pub(crate) names: Vec<String>,
    pub(crate) choices: Vec<Choices>,
    pub(crate) items: Vec<Item>,
    pub(crate) left_out: Vec<LeftOut>,
}

/// What became of a column.
enum Outcome {
    Searched { items: Vec<Item>, choices: Choices },
    LeftOut(String),
}

/// What decides over columns.
pub(crate) struct Encoding<'a> {
    pub(crate) input: &'a Input,
    pub(crate) options: &'a Options,
    pub(crate) slices: &'a Slices,
    /// The column that says which rows belong together; it is no dimension.
    pub(crate) unit: Option<&'a str>,
    /// Rows of A that a value must have.
    pub(crate) min_rows: u64,
}

impl Encoding<'_> {
    /// The dimensions, and a note when the budget ended before all columns were read.
    pub(crate) fn run(&self, stop: Stop<'_>) -> Result<(Dimensions, Vec<String>), RcaError> {
        let candidates = self.candidate_columns();
        let predicate = Predicate::sample(self.input, self.slices)?;
        let encoded = share_out(candidates.len(), |at| self.encode_column(&predicate, candidates[at]), stop);
        let mut all = Dimensions { names: Vec::new(), choices: Vec::new(), items: Vec::new(), left_out: Vec::new() };
        let mut unread = 0;
        for (index, outcome) in candidates.iter().zip(encoded) {
            let name = self.input.batches[0].schema_ref().field(*index).name().clone();
            let outcome = outcome.transpose()?.unwrap_or_else(|| {
                unread += 1;
                Outcome::LeftOut("the time budget ended before it was read".to_owned())
            });
            match outcome {
                Outcome::Searched { items, choices } => {
                    let dimension = all.names.len() as u32;
                    all.items.extend(items.into_iter().map(|item| Item { dimension, ..item }));
                    all.names.push(name);
                    all.choices.push(choices);
                }
                Outcome::LeftOut(why) => all.left_out.push(LeftOut { dimension: name, why }),
            }
        }
        let of = candidates.len();
        let cut = (unread > 0).then(|| format!("the time budget ended before {unread} of {of} columns were read"));
        Ok((all, cut.into_iter().collect()))
    }

    /// Indexes of the columns to look at: those named, or all.
    fn candidate_columns(&self) -> Vec<usize> {
        let Some(batch) = self.input.batches.first() else {
            return Vec::new();
        };
        let schema = batch.schema_ref();
        match &self.options.dimensions {
            Some(wanted) => wanted.iter().filter_map(|name| schema.index_of(name).ok()).collect(),
            None => (0..schema.fields().len()).filter(|index| !names::is_hidden(schema.field(*index).name())).collect(),
        }
    }

    fn encode_column(&self, predicate: &Predicate, index: usize) -> Result<Outcome, RcaError> {
        let field = self.input.batches[0].schema_ref().field(index);
        let shape = Shape::of(field.data_type());
        let asked_for = self.options.dimensions.is_some();
        if let Some(why) = self.unfit(field.name(), shape) {
            return Ok(Outcome::LeftOut(why.to_owned()));
        }
        let Some(column) = Column::open(self.input, self.slices, index, shape)? else {
            return Ok(Outcome::LeftOut(format!("values of type {} are not searched", field.data_type())));
        };
        if !asked_for && column.is_time() {
            return Ok(Outcome::LeftOut("a point in time".to_owned()));
        }
        if !asked_for && let Some(why) = functional::why_function(predicate, &column) {
            return Ok(Outcome::LeftOut(why));
        }
        Ok(items_of(&column, self.min_rows))
    }

    fn unfit(&self, name: &str, shape: Shape) -> Option<&'static str> {
        let asked_for = self.options.dimensions.is_some();
        if self.input.predicate_columns.iter().any(|column| column == name) {
            return Some("the predicate names it");
        }
        if self.unit == Some(name) && !asked_for {
            return Some("the unit whose rows are not independent");
        }
        declared_unfit(name, shape).filter(|_| !asked_for || !matches!(shape, Shape::Text))
    }
}

/// Why a column explains nothing whatever its values are.
pub(crate) fn declared_unfit(name: &str, shape: Shape) -> Option<&'static str> {
    match shape {
        Shape::Time => Some("a point in time"),
        Shape::Unsupported => Some("values of its type are not searched"),
        Shape::Text if names::is_free_text(name) => Some("free text"),
        _ => None,
    }
}

/// Code of a value that does not reach the minimum support.
const RARE: u32 = u32::MAX;

/// A column's values in A: the dictionary, how often each occurs, and the code of each row.
struct Learnt<'a> {
    code_of: HashMap<Key<'a>, u32, RowHash>,
    counts: Vec<u64>,
    codes: Vec<u32>,
}

impl<'a> Learnt<'a> {
    fn from_a(column: &Column<'a>) -> Self {
        let mut learnt =
            Self { code_of: HashMap::default(), counts: Vec::new(), codes: Vec::with_capacity(column.slices.a.len) };
        let Self { code_of, counts, codes } = &mut learnt;
        for (cells, rows) in column.cells.iter().zip(&column.slices.a.rows) {
            let lookup = |key| {
                let next = code_of.len() as u32;
                *code_of.entry(key).or_insert(next)
            };
            cells.encode(rows, lookup, |code| codes.push(code));
        }
        counts.resize(code_of.len(), 0);
        codes.iter().for_each(|code| counts[*code as usize] += 1);
        learnt
    }

    /// Values there would be with more rows: those seen once and twice tell how many were not seen (Chao 1984).
    fn values_estimate(&self) -> f64 {
        let seen = |times: u64| self.counts.iter().filter(|count| **count == times).count() as f64;
        let (once, twice) = (seen(1), seen(2));
        self.counts.len() as f64 + once * (once - 1.0).max(0.0) / (2.0 * (twice + 1.0))
    }
}

fn items_of(column: &Column<'_>, min_rows: u64) -> Outcome {
    if column.is_measure() {
        return match ranges::items(column, min_rows) {
            Some((items, choices)) => Outcome::Searched { items, choices },
            None => Outcome::LeftOut("constant".to_owned()),
        };
    }
    let learnt = Learnt::from_a(column);
    let rows_a = column.slices.a.len;
    let frequent = learnt.counts.iter().filter(|count| **count >= min_rows).count();
    if frequent == 0 {
        let distinct = learnt.counts.len();
        return Outcome::LeftOut(if distinct * 2 > rows_a {
            format!("nearly unique: {distinct} values in {rows_a} anomalous rows")
        } else {
            format!("no value is in {min_rows} of the {rows_a} anomalous rows")
        });
    }
    let items = category_items(column, &learnt, min_rows);
    if let [only] = &items[..]
        && only.count_a == rows_a as u64
        && only.count_b == column.slices.b.len as u64
    {
        return Outcome::LeftOut("constant".to_owned());
    }
    Outcome::Searched { items, choices: Choices { values: learnt.values_estimate(), ranges: 0.0 } }
}

/// Items of the values that reach the minimum in A, with their rows in A and B. Of B nothing else is remembered, so a
/// column of ten million values costs no more than one of ten.
fn category_items<'a>(column: &Column<'a>, learnt: &Learnt<'a>, min_rows: u64) -> Vec<Item> {
    let Slices { a, b } = column.slices;
    let mut place = vec![RARE; learnt.counts.len()];
    let frequent = (0..learnt.counts.len()).filter(|code| learnt.counts[*code] >= min_rows);
    let kept = frequent.zip(0..).map(|(code, at)| place[code] = at).count();
    let mut rows_a = vec![Bitmap::zeros(a.len); kept];
    let mut rows_b = vec![Bitmap::zeros(b.len); kept];
    for (row, code) in learnt.codes.iter().enumerate() {
        if let Some(bitmap) = rows_a.get_mut(place[*code as usize] as usize) {
            bitmap.set(row);
        }
    }
    let mut row = 0;
    for (cells, rows) in column.cells.iter().zip(&b.rows) {
        let lookup = |key| learnt.code_of.get(&key).map_or(RARE, |code| place[*code as usize]);
        cells.encode(rows, lookup, |at| {
            if let Some(bitmap) = rows_b.get_mut(at as usize) {
                bitmap.set(row);
            }
            row += 1;
        });
    }
    let mut values: Vec<Option<Value>> = vec![None; rows_a.len()];
    for (key, code) in &learnt.code_of {
        if let Some(value) = values.get_mut(place[*code as usize] as usize) {
            *value = Some(Value::of(*key));
        }
    }
    values
        .into_iter()
        .zip(rows_a.into_iter().zip(rows_b))
        .filter_map(|(value, (a, b))| Some(Item::new(value?, a, b)))
        .collect()
}
