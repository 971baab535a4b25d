//! What a decoder fills: row by row, bad ones aside, into one batch.

use arrow::array::RecordBatch;
use culprit_store::{ColumnType, StoreSchema, UnixNanos};

use crate::batch::BatchBuilder;
use crate::limits::ROW_BYTES_MAX;
use crate::rejection::{Rejections, RowError};
use crate::row::{Row, TimeRule};

/// A body, decoded. `batch` is absent when no row was accepted.
#[derive(Debug)]
pub struct Decoded {
    pub batch: Option<RecordBatch>,
    pub accepted: u64,
    pub rejections: Rejections,
}

/// What decoding depends on beside the bytes.
#[derive(Debug, Clone)]
pub struct DecodeOptions {
    /// The arrival, given to rows without a time.
    pub now: UnixNanos,
    /// The field that is the time, when the request names one.
    pub time_field: Option<String>,
}

pub(crate) struct Rows<'a> {
    row: Row<'a>,
    builder: BatchBuilder,
    rejections: Rejections,
    time: TimeRule,
    now: UnixNanos,
}

impl<'a> Rows<'a> {
    pub(crate) fn new(schema: &StoreSchema, options: DecodeOptions) -> Self {
        Self {
            row: Row::default(),
            builder: BatchBuilder::new(schema),
            rejections: Rejections::default(),
            time: TimeRule { field: options.time_field },
            now: options.now,
        }
    }

    pub(crate) fn declare(&mut self, columns: &[(&str, ColumnType)]) {
        for (name, column_type) in columns {
            self.builder.declare(name, *column_type);
        }
    }

    /// One row per line, blank lines aside. Lines end with LF or CR LF.
    pub(crate) fn read_lines(
        &mut self,
        text: &'a str,
        read: impl Fn(&'a str, &mut Row<'a>) -> Result<(), RowError> + Copy,
    ) {
        for (line, text) in (1..).zip(text.split('\n')) {
            let text = text.strip_suffix('\r').unwrap_or(text);
            if !text.trim_ascii().is_empty() {
                self.read(line, text, read);
            }
        }
    }

    /// The row that `text` holds; it begins at `line` of the body.
    pub(crate) fn read(
        &mut self,
        line: u64,
        text: &'a str,
        read: impl FnOnce(&'a str, &mut Row<'a>) -> Result<(), RowError>,
    ) {
        match self.try_read(text, read) {
            Ok(()) => {}
            Err(error) => {
                let lines_into_row = if let RowError::Json { line, .. } = &error { *line as u64 - 1 } else { 0 };
                self.reject(line + lines_into_row, &error);
            }
        }
    }

    fn try_read(
        &mut self,
        text: &'a str,
        read: impl FnOnce(&'a str, &mut Row<'a>) -> Result<(), RowError>,
    ) -> Result<(), RowError> {
        if text.len() > ROW_BYTES_MAX {
            return Err(RowError::RowTooLong { bytes: text.len() });
        }
        self.row.fields.clear();
        read(text, &mut self.row)?;
        let chosen = self.time.choose(&self.row)?;
        if !self.builder.has_room_for(&self.row) {
            return Err(RowError::BatchFull);
        }
        let time = chosen.map_or(self.now, |(_, time)| time);
        self.builder.push(&self.row, time, chosen.map(|(position, _)| position));
        Ok(())
    }

    pub(crate) fn reject(&mut self, line: u64, error: &RowError) {
        self.rejections.add(line, error);
    }

    pub(crate) fn finish(self) -> Decoded {
        let accepted = self.builder.rows() as u64;
        let batch = self.builder.finish().expect("every column was padded to the same number of rows");
        Decoded { batch, accepted, rejections: self.rejections }
    }
}
