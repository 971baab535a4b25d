//! One column of one batch, read cell by cell without a copy of its strings.

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int32Array, Int64Array, LargeStringArray, StringArray,
    StringViewArray,
};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type, UInt64Type};
use arrow::error::ArrowError;
use serde::{Deserialize, Serialize};

use crate::column::payload;
use crate::items::Value;
pub(crate) use crate::key::{Key, RowHash};

/// A typed view of an array. Integers and floats of all widths are read as i64 and f64; u64 as i64 of the same bits.
#[derive(Debug)]
pub(crate) enum Cells<'a> {
    Text(&'a StringArray),
    LargeText(&'a LargeStringArray),
    ViewText(&'a StringViewArray),
    Int(Int64Array),
    Float(Float64Array),
    Bool(&'a BooleanArray),
    AllNull,
    /// `array` is what `values` reads.
    Coded {
        keys: Int32Array,
        array: &'a ArrayRef,
        values: Box<Cells<'a>>,
    },
}

/// What a column can be used for, by its type alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Shape {
    Text,
    Int,
    /// Of 64 bits.
    Unsigned,
    Float,
    Bool,
    Time,
    Unsupported,
}

impl Shape {
    pub(crate) fn of(data_type: &DataType) -> Self {
        match data_type {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => Shape::Text,
            DataType::Dictionary(_, values) => Self::of(values),
            DataType::Boolean => Shape::Bool,
            DataType::UInt64 => Shape::Unsigned,
            integer if integer.is_integer() => Shape::Int,
            decimal if decimal.is_floating() || decimal.is_decimal() => Shape::Float,
            time if time.is_temporal() => Shape::Time,
            _ => Shape::Unsupported,
        }
    }

    pub(crate) fn value(self, key: Key<'_>) -> Value {
        match key {
            Key::Int(bits) if self == Shape::Unsigned => Value::Text(bits.cast_unsigned().to_string()),
            key => Value::of(key),
        }
    }
}

impl<'a> Cells<'a> {
    /// None when the type is one that nothing is explained by (lists, maps, times).
    pub(crate) fn of(array: &'a ArrayRef) -> Result<Option<Self>, ArrowError> {
        Ok(Some(match array.data_type() {
            DataType::Utf8 => Cells::Text(array.as_string()),
            DataType::LargeUtf8 => Cells::LargeText(array.as_string()),
            DataType::Utf8View => Cells::ViewText(array.as_string_view()),
            DataType::Boolean => Cells::Bool(array.as_boolean()),
            DataType::Null => Cells::AllNull,
            DataType::Dictionary(..) => return coded(array),
            DataType::UInt64 => Cells::Int(array.as_primitive::<UInt64Type>().unary(u64::cast_signed)),
            other => match Shape::of(other) {
                Shape::Int => Cells::Int(strictly(array, &DataType::Int64)?.as_primitive::<Int64Type>().clone()),
                Shape::Float => Cells::Float(floats(array)?),
                _ => return Ok(None),
            },
        }))
    }

    pub(crate) fn key(&self, row: usize) -> Key<'a> {
        match self {
            Cells::Text(array) if array.is_valid(row) => Key::Text(array.value(row)),
            Cells::LargeText(array) if array.is_valid(row) => Key::Text(array.value(row)),
            Cells::ViewText(array) if array.is_valid(row) => Key::Text(array.value(row)),
            Cells::Int(array) if array.is_valid(row) => Key::Int(array.value(row)),
            Cells::Float(array) if array.is_valid(row) => Key::float(array.value(row)),
            Cells::Bool(array) if array.is_valid(row) => Key::Bool(array.value(row)),
            Cells::Coded { keys, values, .. } if keys.is_valid(row) => values.key(keys.value(row) as usize),
            _ => Key::Null,
        }
    }

    pub(crate) fn payload(&self, row: usize) -> u64 {
        payload(&self.key(row))
    }

    /// None for nulls and for what is not a number.
    pub(crate) fn number(&self, row: usize) -> Option<f64> {
        match self.key(row) {
            Key::Int(value) => Some(value as f64),
            Key::Float(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    /// Calls `emit` with the code that `lookup` gives to each row's key, in order. A dictionary is looked up once per
    /// value and batch, not once per row.
    pub(crate) fn encode(&self, rows: &[u32], mut lookup: impl FnMut(Key<'a>) -> u32, mut emit: impl FnMut(u32)) {
        let Cells::Coded { keys, values, .. } = self else {
            rows.iter().for_each(|row| emit(lookup(self.key(*row as usize))));
            return;
        };
        let mut known: Vec<Option<u32>> = vec![None; values.len()];
        let mut null = None;
        for row in rows {
            let at = keys.is_valid(*row as usize).then(|| keys.value(*row as usize) as usize);
            let slot = at.map_or(&mut null, |at| &mut known[at]);
            emit(*slot.get_or_insert_with(|| lookup(at.map_or(Key::Null, |at| values.key(at)))));
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Cells::Text(array) => array.len(),
            Cells::LargeText(array) => array.len(),
            Cells::ViewText(array) => array.len(),
            Cells::Int(array) => array.len(),
            Cells::Float(array) => array.len(),
            Cells::Bool(array) => array.len(),
            Cells::AllNull => 0,
            Cells::Coded { keys, .. } => keys.len(),
        }
    }
}

fn coded(array: &ArrayRef) -> Result<Option<Cells<'_>>, ArrowError> {
    let dictionary = array.as_any_dictionary();
    if dictionary.values().is_empty() {
        return Ok(Some(Cells::AllNull));
    }
    let keys = cast_with_options(dictionary.keys(), &DataType::Int32, &STRICT)?;
    let keys = keys.as_primitive::<Int32Type>().clone();
    let values = Cells::of(dictionary.values())?;
    Ok(values.map(|values| Cells::Coded { keys, array: dictionary.values(), values: Box::new(values) }))
}

const STRICT: CastOptions<'static> =
    CastOptions { safe: false, format_options: arrow::util::display::FormatOptions::new() };

fn strictly(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    cast_with_options(array, to, &STRICT)
}

fn floats(array: &ArrayRef) -> Result<Float64Array, ArrowError> {
    let cast = cast_with_options(array, &DataType::Float64, &CastOptions::default())?;
    Ok(cast.as_primitive::<Float64Type>().clone())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::DictionaryArray;
    use arrow::datatypes::Int8Type;

    use super::*;

    #[test]
    fn every_text_layout_reads_alike() {
        let texts = [Some("eu"), None, Some("us"), Some("eu")];
        let arrays: [ArrayRef; 4] = [
            Arc::new(StringArray::from_iter(texts)),
            Arc::new(LargeStringArray::from_iter(texts)),
            Arc::new(StringViewArray::from_iter(texts)),
            Arc::new(texts.into_iter().collect::<DictionaryArray<Int8Type>>()),
        ];
        for array in &arrays {
            let cells = Cells::of(array).unwrap().unwrap();
            let keys: Vec<Key> = (0..4).map(|row| cells.key(row)).collect();
            let expected = texts.map(|text| text.map_or(Key::Null, Key::Text));
            assert_eq!((keys, cells.len()), (expected.to_vec(), 4), "{:?}", array.data_type());
        }
    }

    #[test]
    fn times_are_no_cells() {
        let times: ArrayRef = Arc::new(arrow::array::TimestampNanosecondArray::from(vec![1]));
        assert!(Cells::of(&times).unwrap().is_none());
    }
}
