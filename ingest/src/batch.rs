//! Rows into columns. A column has the type that the store has for it, else that of the first value that arrives.
//!
//! What does not fit goes to the map `_overflow` under the field's own name, as text: nothing is lost. An integer fits
//! a float column, and an integral float an integer column, when the value stays exact; every scalar fits a text
//! column. Absent and null are the same. Fields that come from outside under a name of ours get the prefix `field`
//! (`_offset` becomes `field_offset`, the empty name `field`); a name that comes twice in a row keeps its first value
//! in the column, later ones go to the map.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayBuilder, ArrayRef, BooleanBuilder, Float64Builder, Int64Builder, RecordBatch, StringBuilder,
    TimestampNanosecondArray,
};
use arrow::datatypes::{Field, Schema};
use arrow::error::ArrowError;
use culprit_store::limits::STORE_COLUMNS_MAX;
use culprit_store::{
    ColumnType, OFFSET, OVERFLOW, RECEIVED, ROW, StoreSchema, TIME, UnixNanos, overflow_field, utc_nanoseconds,
};

use crate::limits::BATCH_CELLS_MAX;
use crate::overflow::Overflow;
use crate::row::{Row, Scalar};

pub(crate) struct BatchBuilder {
    times: Vec<i64>,
    columns: Vec<Column>,
    by_name: HashMap<String, usize>,
    /// The column that the field at this position of the last row went to: rows mostly repeat their shape, and
    /// comparing a name is cheaper than hashing it.
    hints: Vec<usize>,
    /// Columns that hold a value.
    filled: usize,
    overflow: Overflow,
}

impl BatchBuilder {
    pub(crate) fn new(schema: &StoreSchema) -> Self {
        let columns: Vec<Column> =
            schema.columns().iter().map(|c| Column::new(c.name.clone(), c.column_type)).collect();
        let by_name = columns.iter().enumerate().map(|(at, column)| (column.name.clone(), at)).collect();
        Self { times: Vec::new(), columns, by_name, hints: Vec::new(), filled: 0, overflow: Overflow::default() }
    }

    /// A column that the format promises: it is there even when no row has a value.
    pub(crate) fn declare(&mut self, name: &str, column_type: ColumnType) {
        let at = match self.by_name.get(name) {
            Some(at) => *at,
            None if self.columns.len() >= STORE_COLUMNS_MAX => return,
            None => self.add_column(name, column_type),
        };
        self.columns[at].declared = true;
    }

    fn add_column(&mut self, name: &str, column_type: ColumnType) -> usize {
        self.columns.push(Column::new(name.to_owned(), column_type));
        self.by_name.insert(name.to_owned(), self.columns.len() - 1);
        self.columns.len() - 1
    }

    pub(crate) fn rows(&self) -> usize {
        self.times.len()
    }

    /// Counts each field as if it made a new column.
    pub(crate) fn has_room_for(&self, row: &Row<'_>) -> bool {
        (self.times.len() + 1).saturating_mul(self.filled + row.fields.len()) <= BATCH_CELLS_MAX
    }

    /// The field at position `skipped` has become the time.
    pub(crate) fn push(&mut self, row: &Row<'_>, time: UnixNanos, skipped: Option<usize>) {
        for (position, (name, value)) in row.fields.iter().enumerate() {
            if Some(position) != skipped {
                self.put(position, &outside_name(name), value);
            }
        }
        self.times.push(time.0);
        self.overflow.end_row();
    }

    fn put(&mut self, position: usize, name: &str, value: &Scalar<'_>) {
        let rows = self.times.len();
        let Some(at) = self.column(position, name, value) else {
            return self.overflow.append(name, &value.text());
        };
        let was_empty = self.columns[at].values.len() == 0;
        if self.columns[at].append(rows, value) {
            self.filled += usize::from(was_empty);
        } else {
            self.overflow.append(name, &value.text());
        }
    }

    /// `None` when the store has no room for another column.
    fn column(&mut self, position: usize, name: &str, value: &Scalar<'_>) -> Option<usize> {
        if let Some(hint) = self.hints.get(position)
            && self.columns[*hint].name == name
        {
            return Some(*hint);
        }
        let at = match self.by_name.get(name) {
            Some(at) => *at,
            None if self.columns.len() >= STORE_COLUMNS_MAX => return None,
            None => self.add_column(name, type_of(value)),
        };
        if position >= self.hints.len() {
            self.hints.resize(position + 1, at);
        }
        self.hints[position] = at;
        Some(at)
    }

    /// `_time` first, then the columns that are declared or hold a value, then `_overflow` if there is any. `None` without rows.
    pub(crate) fn finish(self) -> Result<Option<RecordBatch>, ArrowError> {
        if self.times.is_empty() {
            return Ok(None);
        }
        let rows = self.times.len();
        let mut fields = vec![Field::new(TIME, utc_nanoseconds(), false)];
        let mut arrays: Vec<ArrayRef> = vec![Arc::new(TimestampNanosecondArray::from(self.times).with_timezone("UTC"))];
        for column in self.columns.into_iter().filter(|column| column.declared || column.values.len() != 0) {
            let (name, array) = column.finish(rows);
            fields.push(Field::new(name, array.data_type().clone(), true));
            arrays.push(array);
        }
        if let Some(overflow) = self.overflow.finish()? {
            fields.push(overflow_field());
            arrays.push(Arc::new(overflow));
        }
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map(Some)
    }
}

/// A row's own `_time` that was not chosen is a field like any other, and needs another name too.
pub(crate) fn outside_name(name: &str) -> Cow<'_, str> {
    match name {
        "" | TIME | RECEIVED | OFFSET | ROW | OVERFLOW => Cow::Owned(format!("field{name}")),
        ours => Cow::Borrowed(ours),
    }
}

fn type_of(value: &Scalar<'_>) -> ColumnType {
    match value {
        Scalar::Bool(_) => ColumnType::Bool,
        Scalar::Int(_) => ColumnType::Int64,
        Scalar::Float { .. } => ColumnType::Float64,
        Scalar::Text(_) => ColumnType::Utf8,
    }
}

struct Column {
    name: String,
    declared: bool,
    values: Values,
}

impl Column {
    /// Reserves nothing: most columns of a wide store get no value in a given batch.
    fn new(name: String, column_type: ColumnType) -> Self {
        let values = match column_type {
            ColumnType::Int64 => Values::Int64(Int64Builder::with_capacity(0)),
            ColumnType::Float64 => Values::Float64(Float64Builder::with_capacity(0)),
            ColumnType::Bool => Values::Bool(BooleanBuilder::with_capacity(0)),
            ColumnType::Utf8 => Values::Utf8(StringBuilder::with_capacity(0, 0)),
        };
        Self { name, declared: false, values }
    }

    /// False when the value does not fit, or the row has one already.
    fn append(&mut self, rows: usize, value: &Scalar<'_>) -> bool {
        let Some(missing) = rows.checked_sub(self.values.len()) else { return false };
        match (&mut self.values, value) {
            (Values::Int64(builder), Scalar::Int(value)) => {
                builder.append_nulls(missing);
                builder.append_value(*value);
            }
            (Values::Int64(builder), Scalar::Float { value, .. }) => {
                let Some(int) = exact_int(*value) else { return false };
                builder.append_nulls(missing);
                builder.append_value(int);
            }
            (Values::Float64(builder), Scalar::Float { value, .. }) => {
                builder.append_nulls(missing);
                builder.append_value(*value);
            }
            (Values::Float64(builder), Scalar::Int(value)) => {
                let Some(float) = exact_float(*value) else { return false };
                builder.append_nulls(missing);
                builder.append_value(float);
            }
            (Values::Bool(builder), Scalar::Bool(value)) => {
                builder.append_nulls(missing);
                builder.append_value(*value);
            }
            (Values::Utf8(builder), value) => {
                builder.append_nulls(missing);
                builder.append_value(value.text());
            }
            _ => return false,
        }
        true
    }

    fn finish(self, rows: usize) -> (String, ArrayRef) {
        let missing = rows - self.values.len();
        let array: ArrayRef = match self.values {
            Values::Int64(mut builder) => {
                builder.append_nulls(missing);
                Arc::new(builder.finish())
            }
            Values::Float64(mut builder) => {
                builder.append_nulls(missing);
                Arc::new(builder.finish())
            }
            Values::Bool(mut builder) => {
                builder.append_nulls(missing);
                Arc::new(builder.finish())
            }
            Values::Utf8(mut builder) => {
                builder.append_nulls(missing);
                Arc::new(builder.finish())
            }
        };
        (self.name, array)
    }
}

/// May be shorter than the rows so far: nulls are filled in when the next value comes.
enum Values {
    Int64(Int64Builder),
    Float64(Float64Builder),
    Bool(BooleanBuilder),
    Utf8(StringBuilder),
}

impl Values {
    fn len(&self) -> usize {
        match self {
            Self::Int64(builder) => builder.len(),
            Self::Float64(builder) => builder.len(),
            Self::Bool(builder) => builder.len(),
            Self::Utf8(builder) => builder.len(),
        }
    }
}

/// Up to 2^53 every integer has a double of its own.
const EXACT_MAX: i64 = 1 << 53;

#[expect(clippy::cast_precision_loss, reason = "the bound is checked first")]
pub(crate) fn exact_float(value: i64) -> Option<f64> {
    (-EXACT_MAX..=EXACT_MAX).contains(&value).then_some(value as f64)
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "the bound is checked first")]
fn exact_int(value: f64) -> Option<i64> {
    (value.fract() == 0.0 && value.abs() <= EXACT_MAX as f64).then_some(value as i64)
}

#[cfg(test)]
mod tests;
