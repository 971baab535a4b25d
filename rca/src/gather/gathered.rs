//! What is kept of the rows while they are read: codes for the search over dimensions, messages apart. Only a measure keeps
//! the batches, since its method depends on all of them.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;

use super::plan::{Plan, SLICE};
use crate::dimensions::LeftOut;
use crate::limits::PROSE_SAMPLE_ROWS;
use crate::measure::Measure;
use crate::patterns::{Messages, is_prose};
use crate::rows::Rows;
use crate::{RcaError, names};

pub(super) struct Gathered {
    pub(super) kept: Kept,
    pub(super) messages: Vec<Messages>,
    /// Columns that stay what they are, whatever their values look like; none when all do.
    fixed: Option<Vec<String>>,
    pub(super) rows: usize,
    message_bytes: usize,
    pub(super) cut: Option<String>,
}

pub(super) enum Kept {
    /// None before the first batch.
    Codes(Option<Rows>),
    Batches(Batches, Measure),
}

#[derive(Default)]
pub(super) struct Batches {
    pub(super) batches: Vec<RecordBatch>,
    pub(super) slice: Vec<BooleanArray>,
    bytes: usize,
}

impl Gathered {
    pub(super) fn new(plan: &Plan, measure: Option<&Measure>) -> Self {
        Self {
            kept: measure.map_or(Kept::Codes(None), |measure| Kept::Batches(Batches::default(), measure.clone())),
            messages: plan.messages.iter().map(|column| Messages::new(column)).collect(),
            fixed: plan.explores.then(|| plan.predicate_columns.clone()),
            rows: 0,
            message_bytes: 0,
            cut: None,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let kept = match &self.kept {
            Kept::Codes(rows) => rows.as_ref().map_or(0, Rows::bytes),
            Kept::Batches(batches, _) => batches.bytes,
        };
        kept + self.message_bytes
    }

    pub(super) fn left_out(&self) -> impl Iterator<Item = LeftOut> + '_ {
        let why = "free text";
        self.messages
            .iter()
            .map(move |messages| LeftOut { dimension: messages.column().to_owned(), why: why.to_owned() })
    }

    /// `unit` names the column whose equal rows are not independent.
    pub(super) fn push(&mut self, batch: &RecordBatch, unit: Option<&str>) -> Result<(), RcaError> {
        let slice = batch.column_by_name(SLICE).expect("the plan's reading has it").as_boolean();
        let mut dimensions = Vec::with_capacity(batch.num_columns());
        for (place, (field, array)) in batch.schema_ref().fields().iter().zip(batch.columns()).enumerate() {
            if field.name() == SLICE {
                continue;
            }
            if is_text(array) && self.holds_messages(field.name(), array)? {
                self.push_messages(field.name(), array, slice)?;
            } else {
                dimensions.push(place);
            }
        }
        match &mut self.kept {
            Kept::Codes(rows) => {
                let new = || Rows::new(dimensions.iter().map(|place| (*place, batch.schema_ref().field(*place))), unit);
                rows.get_or_insert_with(new).push(batch, slice)?;
            }
            Kept::Batches(batches, _) => batches.push(batch, &dimensions, slice)?,
        }
        self.rows += batch.num_rows();
        Ok(())
    }

    fn push_messages(&mut self, name: &str, array: &ArrayRef, slice: &BooleanArray) -> Result<(), RcaError> {
        let texts = cast(array, &DataType::Utf8).map_err(|source| unreadable(name, source))?;
        self.message_bytes += texts.get_array_memory_size();
        let messages = self.messages.iter_mut().filter(|messages| messages.column() == name);
        messages.for_each(|messages| messages.push(texts.as_string().clone(), slice.clone()));
        Ok(())
    }

    /// Columns of messages are declared or, by the first rows, found.
    fn holds_messages(&mut self, name: &str, array: &ArrayRef) -> Result<bool, RcaError> {
        if self.messages.iter().any(|messages| messages.column() == name) {
            return Ok(true);
        }
        let is_free = self.fixed.as_ref().is_some_and(|fixed| !fixed.iter().any(|column| column == name));
        if self.rows > 0 || !is_free || names::is_unit(name) {
            return Ok(false);
        }
        let sample = array.slice(0, array.len().min(PROSE_SAMPLE_ROWS));
        let sample = cast(&sample, &DataType::Utf8).map_err(|source| unreadable(name, source))?;
        let found = is_prose(sample.as_string());
        self.messages.extend(found.then(|| Messages::new(name)));
        Ok(found)
    }
}

impl Batches {
    /// Keeps strings as dictionaries: a batch repeats few values, and each is then looked up once.
    fn push(&mut self, batch: &RecordBatch, places: &[usize], slice: &BooleanArray) -> Result<(), RcaError> {
        let (mut fields, mut arrays) = (Vec::new(), Vec::new());
        for place in places {
            let (name, array) = (batch.schema_ref().field(*place).name(), batch.column(*place));
            let coded = DataType::Dictionary(DataType::Int32.into(), DataType::Utf8.into());
            let array = match array.data_type() {
                DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                    cast(array, &coded).map_err(|source| unreadable(name, source))?
                }
                _ => array.clone(),
            };
            fields.push(Field::new(name, array.data_type().clone(), true));
            arrays.push(array);
        }
        let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let batch = RecordBatch::try_new_with_options(Schema::new(fields).into(), arrays, &rows)
            .map_err(|source| unreadable(SLICE, source))?;
        self.bytes += batch.get_array_memory_size();
        self.slice.push(slice.clone());
        self.batches.push(batch);
        Ok(())
    }
}

fn is_text(array: &ArrayRef) -> bool {
    let of = match array.data_type() {
        DataType::Dictionary(_, values) => values.as_ref(),
        other => other,
    };
    matches!(of, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn unreadable(column: &str, source: ArrowError) -> RcaError {
    RcaError::Column { column: column.to_owned(), source }
}
