//! One column of one batch, read cell by cell without a copy of its strings.

use std::hash::{BuildHasherDefault, Hash, Hasher};

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, LargeStringArray, StringArray, StringViewArray,
};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use arrow::error::ArrowError;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// A cell's value, equal exactly where the cells are equal. NaN equals NaN, and zero has one sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key<'a> {
    Null,
    Text(&'a str),
    Int(i64),
    /// The bits of a float.
    Float(u64),
    Bool(bool),
}

impl Key<'_> {
    pub(crate) fn float(value: f64) -> Self {
        let canonical = if value.is_nan() { f64::NAN } else { value + 0.0 };
        Key::Float(canonical.to_bits())
    }

    /// A 64-bit digest, for tests over samples where one collision in billions does no harm.
    pub(crate) fn digest(&self) -> u64 {
        let mut hasher = RowHasher::default();
        self.hash(&mut hasher);
        hasher.finish()
    }
}

// One write per key instead of the derived three: this runs once per row and column.
impl Hash for Key<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match *self {
            Key::Null => state.write_u64(0x9E37),
            Key::Text(text) => state.write(text.as_bytes()),
            Key::Int(value) => state.write_u64(value.cast_unsigned()),
            Key::Float(bits) => state.write_u64(bits),
            Key::Bool(value) => state.write_u64(u64::from(value)),
        }
    }
}

/// XXH3 for text, a multiplication for numbers. Not for keys that an attacker chooses to collide: tables are bounded by
/// the rows of one request.
#[derive(Debug, Default)]
pub(crate) struct RowHasher(u64);

impl Hasher for RowHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64_with_seed(bytes, self.0);
    }

    fn write_u64(&mut self, value: u64) {
        let wide = u128::from(self.0 ^ value ^ 0xA076_1D64_78BD_642F) * 0xE703_7ED1_A0B4_28DB;
        self.0 = (wide >> 64) as u64 ^ wide as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

pub(crate) type RowHash = BuildHasherDefault<RowHasher>;

/// A typed view of an array. Integers and floats of all widths are read as i64 and f64.
#[derive(Debug)]
pub(crate) enum Cells<'a> {
    Text(&'a StringArray),
    LargeText(&'a LargeStringArray),
    ViewText(&'a StringViewArray),
    Int(Int64Array),
    Float(Float64Array),
    Bool(&'a BooleanArray),
    AllNull,
    Coded { codes: Vec<u32>, values: Box<Cells<'a>> },
}

/// In `Cells::Coded`, the code of a null key.
const NULL_CODE: u32 = u32::MAX;

/// What a column can be used for, by its type alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Text,
    Int,
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
            integer if integer.is_integer() => Shape::Int,
            decimal if decimal.is_floating() || decimal.is_decimal() => Shape::Float,
            time if time.is_temporal() => Shape::Time,
            _ => Shape::Unsupported,
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
            other => match Shape::of(other) {
                Shape::Int => integers(array)?,
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
            Cells::Coded { codes, values } if codes[row] != NULL_CODE => values.key(codes[row] as usize),
            _ => Key::Null,
        }
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
        let Cells::Coded { codes, values } = self else {
            rows.iter().for_each(|row| emit(lookup(self.key(*row as usize))));
            return;
        };
        let mut known: Vec<Option<u32>> = vec![None; values.len()];
        let mut null = None;
        for row in rows {
            let code = codes[*row as usize];
            let slot = known.get_mut(code as usize).unwrap_or(&mut null);
            let key = || if code == NULL_CODE { Key::Null } else { values.key(code as usize) };
            emit(*slot.get_or_insert_with(|| lookup(key())));
        }
    }

    fn len(&self) -> usize {
        match self {
            Cells::Text(array) => array.len(),
            Cells::LargeText(array) => array.len(),
            Cells::ViewText(array) => array.len(),
            Cells::Int(array) => array.len(),
            Cells::Float(array) => array.len(),
            Cells::Bool(array) => array.len(),
            Cells::AllNull => 0,
            Cells::Coded { codes, .. } => codes.len(),
        }
    }
}

fn coded(array: &ArrayRef) -> Result<Option<Cells<'_>>, ArrowError> {
    let dictionary = array.as_any_dictionary();
    if dictionary.values().is_empty() {
        return Ok(Some(Cells::AllNull));
    }
    let keys = dictionary.normalized_keys().into_iter().enumerate();
    let codes = keys.map(|(row, key)| if dictionary.keys().is_valid(row) { key as u32 } else { NULL_CODE }).collect();
    Ok(Cells::of(dictionary.values())?.map(|values| Cells::Coded { codes, values: Box::new(values) }))
}

/// An unsigned column with a value beyond i64 is read as floats: a wrong sign would be worse than a lost digit.
fn integers(array: &ArrayRef) -> Result<Cells<'static>, ArrowError> {
    let strict = CastOptions { safe: false, ..Default::default() };
    match cast_with_options(array, &DataType::Int64, &strict) {
        Ok(cast) => Ok(Cells::Int(cast.as_primitive::<Int64Type>().clone())),
        Err(_) => floats(array).map(Cells::Float),
    }
}

fn floats(array: &ArrayRef) -> Result<Float64Array, ArrowError> {
    let cast = cast_with_options(array, &DataType::Float64, &CastOptions::default())?;
    Ok(cast.as_primitive::<Float64Type>().clone())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{DictionaryArray, UInt64Array};
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
            let mut seen = Vec::new();
            let code = |key| match key {
                Key::Null => 0,
                Key::Text("eu") => 1,
                _ => 2,
            };
            cells.encode(&[0, 1, 2, 3], code, |code| seen.push(code));
            assert_eq!(seen, [1, 0, 2, 1], "{:?}", array.data_type());
            assert_eq!(cells.key(3), Key::Text("eu"));
        }
    }

    #[test]
    fn numbers_keep_their_sign_and_nan_equals_itself() {
        let wide: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX, 1]));
        assert_eq!(Cells::of(&wide).unwrap().unwrap().number(0), Some(u64::MAX as f64));
        assert_eq!(Key::float(-0.0), Key::float(0.0));
        assert_eq!(Key::float(f64::NAN), Key::float(-f64::NAN));
        let times: ArrayRef = Arc::new(arrow::array::TimestampNanosecondArray::from(vec![1]));
        assert!(Cells::of(&times).unwrap().is_none());
    }
}
