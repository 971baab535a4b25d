//! Rows added up: every combination of values that occurs, with how often it does in A and in B.
//!
//! The tallies of disjoint parts of the data, of segments or of machines, merge into that of the whole, in any order, and
//! travel as JSON. The report depends on the merged counts alone, so it is the same to the byte whoever counted what.
//! Equal rows are one combination with two weights, which is what makes a tally small enough to send; a column that
//! measures, or ties rows together, costs a combination for nearly every row, and belongs into it only when it is asked
//! about. The search sees a combination as often as it occurs: its statistics are those of rows.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, DictionaryArray, Float64Array, Int32Array, Int64Array, RecordBatch, RecordBatchOptions,
    StringArray, UInt64Array,
};
use arrow::datatypes::{Field, Schema};
use serde::{Deserialize, Serialize};

use crate::cells::{Cells, Shape};
use crate::dimensions::LeftOut;
use crate::input::{Baseline, Input, Options};
use crate::key::{Key, RowHash};
use crate::limits::WEIGHTED_ROWS_MAX;
use crate::report::Report;
use crate::rows::Rows;
use crate::workers::Stop;
use crate::{RcaError, explain};

/// What a part of the data adds up to.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Tally {
    columns: Vec<Tallied>,
    /// Columns of types that are not searched.
    unsearched: Vec<LeftOut>,
    combinations: Vec<Combination>,
}

/// A column with its values, which the codes of the combinations index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Tallied {
    name: String,
    shape: Shape,
    values: Vec<Cell>,
}

/// What a cell holds. The order is that in which the search sees the values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Cell {
    Null,
    Bool(bool),
    Int(i64),
    /// Its bits: JSON has neither infinities nor NaN.
    Float(u64),
    Text(String),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Combination {
    /// One per column.
    codes: Vec<u32>,
    a: u64,
    b: u64,
}

impl Tally {
    /// Of the rows of the input that are in a slice.
    pub fn of(input: &Input) -> Result<Self, RcaError> {
        let mut tally = Self::default();
        for (index, (batch, slice)) in input.batches.iter().zip(&input.slice).enumerate() {
            if batch.num_rows() != slice.len() {
                let (rows, flags) = (batch.num_rows(), slice.len());
                return Err(RcaError::SliceLength { batch: index, rows, flags });
            }
            tally.merge(Self::of_batch(batch, slice)?)?;
        }
        Ok(tally)
    }

    fn of_batch(batch: &RecordBatch, slice: &BooleanArray) -> Result<Self, RcaError> {
        let schema = batch.schema();
        let fields = schema.fields().iter().map(AsRef::as_ref).enumerate();
        let mut tally = Self { unsearched: Rows::new(fields, None).unsupported, ..Self::default() };
        let in_slice = (0u32..).zip(slice.iter()).filter_map(|(row, flag)| Some((row, flag?)));
        let (rows, in_a): (Vec<u32>, Vec<bool>) = in_slice.unzip();
        let mut codes: Vec<Vec<u32>> = vec![Vec::with_capacity(batch.num_columns()); rows.len()];
        for (field, array) in schema.fields().iter().zip(batch.columns()) {
            let unreadable = |source| RcaError::Column { column: field.name().clone(), source };
            let Some(cells) = Cells::of(array).map_err(unreadable)? else {
                continue;
            };
            let (mut values, mut known) = (Vec::new(), HashMap::<Key<'_>, u32, RowHash>::default());
            let lookup = |key| {
                *known.entry(key).or_insert_with(|| {
                    values.push(Cell::of(key));
                    values.len() as u32 - 1
                })
            };
            let mut of_rows = codes.iter_mut();
            cells.encode(&rows, lookup, |code| of_rows.next().expect("one code per row").push(code));
            tally.columns.push(Tallied { name: field.name().clone(), shape: Shape::of(field.data_type()), values });
        }
        let one = |(codes, in_a): (Vec<u32>, bool)| Combination { codes, a: u64::from(in_a), b: u64::from(!in_a) };
        tally.add(codes.into_iter().zip(in_a).map(one));
        Ok(tally)
    }

    /// Adds what another part of the data counted; its columns must be the same.
    pub fn merge(&mut self, other: Self) -> Result<(), RcaError> {
        if self.columns.is_empty() {
            *self = other;
            return Ok(());
        }
        let names = |of: &Self| of.columns.iter().map(|column| (column.name.clone(), column.shape)).collect::<Vec<_>>();
        if names(self) != names(&other) {
            let list = |of: &Self| of.columns.iter().map(|column| &column.name[..]).collect::<Vec<_>>().join(", ");
            return Err(RcaError::UnlikeTallies { one: list(self), other: list(&other) });
        }
        let columns = self.columns.iter_mut().zip(other.columns);
        let codes: Vec<Vec<u32>> = columns.map(|(own, other)| own.adopt(other.values)).collect();
        let translated = other.combinations.into_iter().map(|mut combination| {
            combination.codes.iter_mut().zip(&codes).for_each(|(code, own)| *code = own[*code as usize]);
            combination
        });
        self.add(translated);
        Ok(())
    }

    fn add(&mut self, combinations: impl Iterator<Item = Combination>) {
        let own = std::mem::take(&mut self.combinations);
        let mut places: HashMap<Vec<u32>, usize> = HashMap::with_capacity(own.len());
        for Combination { codes, a, b } in own.into_iter().chain(combinations) {
            let place = *places.entry(codes).or_insert_with_key(|codes| {
                self.combinations.push(Combination { codes: codes.clone(), a: 0, b: 0 });
                self.combinations.len() - 1
            });
            let counted = &mut self.combinations[place];
            (counted.a, counted.b) = (counted.a + a, counted.b + b);
        }
    }

    /// Different combinations of values; what a tally costs.
    pub fn len(&self) -> usize {
        self.combinations.len()
    }

    pub fn is_empty(&self) -> bool {
        self.combinations.is_empty()
    }

    /// The rows in an order that their values alone decide.
    fn input(&self, predicate_columns: &[String], baseline: Baseline) -> Result<Input, RcaError> {
        let rows: u64 = self.combinations.iter().map(|of| of.a.saturating_add(of.b)).fold(0, u64::saturating_add);
        if rows > WEIGHTED_ROWS_MAX as u64 {
            return Err(RcaError::TooManyRows { rows, max: WEIGHTED_ROWS_MAX as u64 });
        }
        let ranks: Vec<Vec<u32>> = self.columns.iter().map(Tallied::ranks).collect();
        let ranked =
            |of: &Combination| of.codes.iter().zip(&ranks).map(|(code, ranks)| ranks[*code as usize]).collect();
        let mut combinations: Vec<(Vec<u32>, &Combination)> =
            self.combinations.iter().map(|of| (ranked(of), of)).collect();
        combinations.sort_unstable_by(|x, y| x.0.cmp(&y.0));
        let times = |weight: fn(&Combination) -> u64| {
            let mut rows: Vec<&Combination> = Vec::new();
            combinations.iter().for_each(|(_, of)| rows.extend(std::iter::repeat_n(*of, weight(of) as usize)));
            rows
        };
        let (in_a, in_b) = (times(|of| of.a), times(|of| of.b));
        let slice = BooleanArray::from_iter((0..in_a.len() + in_b.len()).map(|row| Some(row < in_a.len())));
        let all = [in_a, in_b].concat();
        let columns: Vec<ArrayRef> = self
            .columns
            .iter()
            .enumerate()
            .map(|(at, column)| column.array(all.iter().map(|of| of.codes[at])))
            .collect();
        let fields = self.columns.iter().zip(&columns);
        let fields = fields.map(|(column, array)| Field::new(&column.name, array.data_type().clone(), true));
        let with_rows = RecordBatchOptions::new().with_row_count(Some(all.len()));
        let batch =
            RecordBatch::try_new_with_options(Arc::new(Schema::new(fields.collect::<Vec<_>>())), columns, &with_rows)
                .map_err(|source| RcaError::Column { column: "a tally".to_owned(), source })?;
        let predicate_columns = predicate_columns.to_vec();
        Ok(Input { batches: vec![batch], slice: vec![slice], predicate_columns, baseline })
    }
}

/// Explains slice A against slice B by what was counted of them, as [`explain`] does by their rows.
pub fn explain_tally(
    tally: &Tally,
    predicate_columns: &[String],
    baseline: Baseline,
    options: &Options,
    noun: &str,
    stop: Stop<'_>,
) -> Result<Report, RcaError> {
    let mut report = explain(&tally.input(predicate_columns, baseline)?, options, noun, stop)?;
    if options.dimensions.is_none() {
        report.left_out.splice(0..0, tally.unsearched.iter().cloned());
    }
    Ok(report)
}

impl Tallied {
    /// The own codes of another part's values.
    fn adopt(&mut self, others: Vec<Cell>) -> Vec<u32> {
        let mut known: HashMap<Cell, u32> = self.values.iter().cloned().zip(0..).collect();
        let own = |value: Cell| {
            *known.entry(value).or_insert_with_key(|value| {
                self.values.push(value.clone());
                self.values.len() as u32 - 1
            })
        };
        others.into_iter().map(own).collect()
    }

    /// Per code the place of its value among the sorted.
    fn ranks(&self) -> Vec<u32> {
        let mut codes: Vec<usize> = (0..self.values.len()).collect();
        codes.sort_unstable_by(|x, y| self.values[*x].cmp(&self.values[*y]));
        let mut ranks = vec![0; codes.len()];
        codes.into_iter().zip(0..).for_each(|(code, rank)| ranks[code] = rank);
        ranks
    }

    fn array(&self, codes: impl Iterator<Item = u32>) -> ArrayRef {
        let cells = codes.map(|code| &self.values[code as usize]);
        let int = |cell: &Cell| if let Cell::Int(value) = cell { Some(*value) } else { None };
        match self.shape {
            Shape::Int => Arc::new(cells.map(int).collect::<Int64Array>()),
            Shape::Unsigned => Arc::new(cells.map(|cell| int(cell).map(i64::cast_unsigned)).collect::<UInt64Array>()),
            Shape::Float => {
                let float = |cell: &Cell| if let Cell::Float(bits) = cell { Some(f64::from_bits(*bits)) } else { None };
                Arc::new(cells.map(float).collect::<Float64Array>())
            }
            Shape::Bool => {
                let flag = |cell: &Cell| if let Cell::Bool(value) = cell { Some(*value) } else { None };
                Arc::new(cells.map(flag).collect::<BooleanArray>())
            }
            Shape::Text | Shape::Time | Shape::Unsupported => {
                let text = |cell: &'_ Cell| if let Cell::Text(text) = cell { Some(text.clone()) } else { None };
                let texts: StringArray = self.values.iter().map(text).collect();
                let mut known: HashMap<&Cell, i32> = self.values.iter().zip(0..).collect();
                known.remove(&Cell::Null);
                let keys: Int32Array = cells.map(|cell| known.get(cell).copied()).collect();
                Arc::new(DictionaryArray::new(keys, Arc::new(texts)))
            }
        }
    }
}

impl Cell {
    fn of(key: Key<'_>) -> Self {
        match key {
            Key::Null => Cell::Null,
            Key::Bool(value) => Cell::Bool(value),
            Key::Int(value) => Cell::Int(value),
            Key::Float(bits) => Cell::Float(bits),
            Key::Text(text) => Cell::Text(text.to_owned()),
        }
    }
}
