//! The map `_overflow` under construction: what found no place in a column, under its own name and as text.

use std::sync::Arc;

use arrow::array::{ArrayBuilder, MapArray, StringBuilder, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use culprit_store::overflow_field;

#[derive(Debug)]
pub(crate) struct Overflow {
    keys: StringBuilder,
    values: StringBuilder,
    entries: i32,
    /// Where each row's entries begin, and where the last one ends.
    offsets: Vec<i32>,
}

impl Default for Overflow {
    fn default() -> Self {
        let empty = || StringBuilder::with_capacity(0, 0);
        Self { keys: empty(), values: empty(), entries: 0, offsets: vec![0] }
    }
}

impl Overflow {
    pub(crate) fn append(&mut self, name: &str, text: &str) {
        self.keys.append_value(name);
        self.values.append_value(text);
        self.entries += 1;
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn end_row(&mut self) {
        self.offsets.push(self.entries);
    }

    /// None when there was nothing.
    pub(crate) fn finish(mut self) -> Result<Option<MapArray>, ArrowError> {
        if self.entries == 0 {
            return Ok(None);
        }
        let field = overflow_field();
        let DataType::Map(entries, sorted) = field.data_type() else { unreachable!("the overflow field is a map") };
        let DataType::Struct(members) = entries.data_type() else { unreachable!("a map's entries are a struct") };
        let nulls: NullBuffer = self.offsets.windows(2).map(|ends| ends[0] < ends[1]).collect::<Vec<bool>>().into();
        let pairs = StructArray::try_new(
            members.clone(),
            vec![Arc::new(self.keys.finish()), Arc::new(self.values.finish())],
            None,
        )?;
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.offsets));
        MapArray::try_new(entries.clone(), offsets, pairs, Some(nulls), *sorted).map(Some)
    }
}
