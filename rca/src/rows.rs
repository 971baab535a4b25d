//! The rows of both slices, as columns of codes: pushed batch by batch. The batches themselves are not kept, so a row costs
//! one or two bytes per column.

use arrow::array::{BooleanArray, RecordBatch};
use arrow::datatypes::{Field, Schema};

use crate::RcaError;
use crate::cells::{Cells, Shape};
use crate::column::{BatchRows, Column};
use crate::dimensions::LeftOut;
use crate::input::Input;
use crate::names;

#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) columns: Vec<Column>,
    /// Place of each column in the batches.
    places: Vec<usize>,
    /// Columns of types that are not searched.
    pub(crate) unsupported: Vec<LeftOut>,
    pub(crate) len_a: usize,
    pub(crate) len_b: usize,
    batches: usize,
}

impl Rows {
    /// Fields with their places in the batches. `unit` names the column that ties rows together; it is nearly unique and
    /// gets no dictionary.
    pub(crate) fn new<'f>(fields: impl Iterator<Item = (usize, &'f Field)>, unit: Option<&str>) -> Self {
        let mut rows =
            Self { columns: Vec::new(), places: Vec::new(), unsupported: Vec::new(), len_a: 0, len_b: 0, batches: 0 };
        for (place, field) in fields {
            let shape = Shape::of(field.data_type());
            let why = match shape {
                Shape::Time => "a point in time".to_owned(),
                Shape::Unsupported => format!("values of type {} are not searched", field.data_type()),
                _ => {
                    let mut column = Column::new(field.name(), shape);
                    if unit == Some(field.name().as_str()) {
                        column.widen();
                    }
                    rows.columns.push(column);
                    rows.places.push(place);
                    continue;
                }
            };
            if !names::is_hidden(field.name()) {
                rows.unsupported.push(LeftOut { dimension: field.name().clone(), why });
            }
        }
        rows
    }

    pub(crate) fn of(input: &Input, unit: Option<&str>) -> Result<Self, RcaError> {
        let schema = input.batches.first().map_or_else(Schema::empty, |batch| batch.schema().as_ref().clone());
        let fields = schema.fields().iter().map(AsRef::as_ref).enumerate();
        let mut rows = Self::new(fields, unit);
        for (batch, slice) in input.batches.iter().zip(&input.slice) {
            rows.push(batch, slice)?;
        }
        Ok(rows)
    }

    /// Per row of the batch, `slice` is true in A, false in B, null in neither.
    pub(crate) fn push(&mut self, batch: &RecordBatch, slice: &BooleanArray) -> Result<(), RcaError> {
        if batch.num_rows() != slice.len() {
            return Err(RcaError::SliceLength { batch: self.batches, rows: batch.num_rows(), flags: slice.len() });
        }
        let (mut a, mut b) = (Vec::new(), Vec::with_capacity(slice.len()));
        for (row, flag) in (0u32..).zip(slice.iter()) {
            match flag {
                Some(true) => a.push(row),
                Some(false) => b.push(row),
                None => {}
            }
        }
        let rows = BatchRows { a, b };
        for (column, place) in self.columns.iter_mut().zip(&self.places) {
            let unreadable = |source| RcaError::Column { column: column.name.clone(), source };
            if let Some(cells) = Cells::of(batch.column(*place)).map_err(unreadable)? {
                column.push(&cells, &rows);
            }
        }
        self.len_a += rows.a.len();
        self.len_b += rows.b.len();
        self.batches += 1;
        Ok(())
    }

    /// Room that the codes take.
    pub(crate) fn bytes(&self) -> usize {
        self.columns.iter().map(|column| column.a.bytes() + column.b.bytes()).sum()
    }

    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    pub(crate) fn check(&self) -> Result<(), RcaError> {
        match (self.len_a, self.len_b) {
            (0, rows) => Err(RcaError::NoAnomalousRows { rows: rows as u64 }),
            (rows, 0) => Err(RcaError::NoNormalRows { rows: rows as u64 }),
            _ => Ok(()),
        }
    }
}
