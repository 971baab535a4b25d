//! Logs into text columns, row by row, without a map or a hash on the usual way.
//!
//! | of the message | column |
//! |---|---|
//! | `Time`, `Time_ns` | `_time`; nanoseconds beyond a second carry over |
//! | a content's key | its name; the value is text |
//! | `Topic`, `Source` | `__topic__`, `__source__`, the same on each row; none when empty |
//! | a tag | `__tag__:` and its key, the same on each row |
//! | `Category`, `MachineUUID` | none: the first repeats the store's name, the second serves senders alone |
//!
//! The map `_overflow` takes what has no place in a column, so that nothing is lost: the second value of a key in one
//! log, values that do not fit a column of numbers (which a store gets from JSON), contents that bear the name of a tag
//! of their group, names too long for a column, and what is beyond the columns that a store may have. Names of ours get
//! the prefix `field`, as everywhere. Bytes of a value that are no UTF-8 become U+FFFD and are counted; a key must be
//! UTF-8.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, NullBufferBuilder, RecordBatch, StringArray,
    TimestampNanosecondArray,
};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{Field, Schema};
use culprit_store::limits::STORE_COLUMNS_MAX;
use culprit_store::{ColumnType, StoreSchema, TIME, overflow_field, utc_nanoseconds};

use super::{Decoded, LogGroupError};
use crate::batch::{exact_float, outside_name};
use crate::limits::{
    BATCH_CELLS_MAX, FIELD_NAME_BYTES_MAX, LOGGROUP_HEADER_BYTES_MAX, LOGGROUP_LOGS_MAX, LOGGROUP_OVERFLOW_MAX,
};
use crate::overflow::Overflow;
use crate::rejection::shown;

pub const TOPIC: &str = "__topic__";
pub const SOURCE: &str = "__source__";
/// In front of a tag's key.
pub const TAG_PREFIX: &str = "__tag__:";

/// What a group says once about all of its logs, and how many there are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Header<'a> {
    pub(crate) logs: usize,
    pub(crate) topic: &'a [u8],
    pub(crate) source: &'a [u8],
    pub(crate) tags: Vec<(&'a [u8], &'a [u8])>,
}

/// [`GroupBuilder::content`] any number of times, then [`GroupBuilder::end_log`]; so often as the header says.
pub(crate) struct GroupBuilder<'a> {
    schema: &'a StoreSchema,
    logs: usize,
    times: Vec<i64>,
    columns: Vec<TextColumn>,
    by_name: HashMap<Box<[u8]>, usize>,
    /// Columns that the store does not have yet.
    new_columns: usize,
    /// Where the next content probably belongs: logs mostly repeat the order of their keys, and after a key comes the
    /// one that came after it last time. Comparing a name is cheaper than hashing it.
    expected: usize,
    first: usize,
    /// The column before; none at the beginning of a log.
    previous: Option<usize>,
    /// Tags whose key came before: each log gets them.
    repeated_tags: Vec<(String, String)>,
    overflow: Overflow,
    repaired: u64,
}

impl<'a> GroupBuilder<'a> {
    pub(crate) fn new(schema: &'a StoreSchema, header: &Header<'_>) -> Result<Self, LogGroupError> {
        if header.logs > LOGGROUP_LOGS_MAX {
            return Err(LogGroupError::TooMany { what: "logs", limit: LOGGROUP_LOGS_MAX });
        }
        let mut builder = Self {
            schema,
            logs: header.logs,
            times: Vec::with_capacity(header.logs),
            columns: Vec::new(),
            by_name: HashMap::new(),
            new_columns: 0,
            expected: 0,
            first: 0,
            previous: None,
            repeated_tags: Vec::new(),
            overflow: Overflow::default(),
            repaired: 0,
        };
        builder.write_header(header)?;
        builder.first = builder.columns.len();
        builder.expected = builder.first;
        Ok(builder)
    }

    fn write_header(&mut self, header: &Header<'_>) -> Result<(), LogGroupError> {
        let texts = [(TOPIC, header.topic), (SOURCE, header.source)].into_iter().filter(|(_, value)| !value.is_empty());
        let mut columns: Vec<(String, &[u8])> = texts.map(|(name, value)| (name.to_owned(), value)).collect();
        for (key, value) in &header.tags {
            columns.push((format!("{TAG_PREFIX}{}", key_text(key)?), value));
        }
        let bytes =
            columns.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>().saturating_mul(self.logs);
        if bytes > LOGGROUP_HEADER_BYTES_MAX {
            return Err(LogGroupError::HeaderTooLarge { bytes, limit: LOGGROUP_HEADER_BYTES_MAX });
        }
        for (name, value) in columns {
            match self.find(name.as_bytes())? {
                Some(at) if self.columns[at].is_empty() => {
                    self.columns[at].kind = ColumnType::Utf8;
                    self.columns[at].fill(value, self.logs);
                }
                _ => {
                    let value = self.text(value).into_owned();
                    self.repeated_tags.push((name, value));
                }
            }
        }
        check_overflow(self.repeated_tags.len().saturating_mul(self.logs))
    }

    #[inline]
    pub(crate) fn content(&mut self, key: &[u8], value: &[u8]) -> Result<(), LogGroupError> {
        let at = match self.columns.get(self.expected) {
            Some(column) if *column.name == *key => self.expected,
            _ => match self.find(key)? {
                Some(at) => at,
                None => return self.spill(key, value),
            },
        };
        if at != self.expected {
            match self.previous {
                Some(previous) => self.columns[previous].next = at,
                None => self.first = at,
            }
        }
        let column = &mut self.columns[at];
        self.previous = Some(at);
        self.expected = column.next;
        if column.append(self.times.len(), value) { Ok(()) } else { self.spill(key, value) }
    }

    pub(crate) fn end_log(&mut self, seconds: u32, nanos: u32) {
        for (name, value) in &self.repeated_tags {
            self.overflow.append(name, value);
        }
        // 2^32 seconds and as many nanoseconds are far inside of 64 bits.
        self.times.push(i64::from(seconds) * 1_000_000_000 + i64::from(nanos));
        self.overflow.end_row();
        self.expected = self.first;
        self.previous = None;
    }

    /// The column of this key, a new one if there is room; None sends the value to the overflow.
    fn find(&mut self, key: &[u8]) -> Result<Option<usize>, LogGroupError> {
        let name = outside_name(key_text(key)?);
        if let Some(at) = self.by_name.get(name.as_bytes()) {
            return Ok(Some(*at));
        }
        let known = self.schema.get(&name);
        let is_new = known.is_none();
        let is_full = self.schema.columns().len() + self.new_columns >= STORE_COLUMNS_MAX;
        if name.len() > FIELD_NAME_BYTES_MAX || (is_new && is_full) {
            return Ok(None);
        }
        let at = self.columns.len();
        if self.logs.saturating_mul(at + 1) > BATCH_CELLS_MAX {
            return Err(LogGroupError::TooMany { what: "cells, which are logs times keys,", limit: BATCH_CELLS_MAX });
        }
        self.new_columns += usize::from(is_new);
        self.columns.push(TextColumn::new(name.as_bytes(), known.unwrap_or(ColumnType::Utf8), at + 1));
        self.by_name.insert(name.as_bytes().into(), at);
        Ok(Some(at))
    }

    #[cold]
    fn spill(&mut self, key: &[u8], value: &[u8]) -> Result<(), LogGroupError> {
        check_overflow(self.overflow.len())?;
        let value = self.text(value);
        self.overflow.append(&outside_name(key_text(key)?), &value);
        Ok(())
    }

    fn text<'v>(&mut self, value: &'v [u8]) -> Cow<'v, str> {
        let text = String::from_utf8_lossy(value);
        self.repaired += u64::from(matches!(text, Cow::Owned(_)));
        text
    }

    pub(crate) fn finish(mut self) -> Decoded {
        let rows = self.times.len();
        if rows == 0 {
            return Decoded { batch: None, rows: 0, repaired: 0 };
        }
        let times = TimestampNanosecondArray::from(std::mem::take(&mut self.times)).with_timezone("UTC");
        let mut fields = vec![Field::new(TIME, utc_nanoseconds(), false)];
        let mut arrays: Vec<ArrayRef> = vec![Arc::new(times)];
        for column in std::mem::take(&mut self.columns) {
            let name = String::from_utf8(column.name.to_vec()).expect("made of a text");
            let kind = column.kind;
            let texts = column.finish(rows, &mut self.repaired);
            fields.push(Field::new(name, kind.arrow(), true));
            arrays.push(typed(texts, kind));
        }
        if let Some(overflow) = self.overflow.finish().expect("an entry is a key and a value") {
            fields.push(overflow_field());
            arrays.push(Arc::new(overflow));
        }
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).expect("all columns have all rows");
        Decoded { batch: Some(batch), rows, repaired: self.repaired }
    }
}

/// Whether a text goes into a column of numbers or truths, which the store has because rows came as JSON before: when
/// the value stays what it is and, but for an integer among floats, is printed as it was written.
fn fits(text: &[u8], kind: ColumnType) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    let is_integer = || text.parse().ok().filter(|int: &i64| int.to_string() == text);
    match kind {
        ColumnType::Utf8 => true,
        ColumnType::Bool => matches!(text, "true" | "false"),
        ColumnType::Int64 => is_integer().is_some(),
        ColumnType::Float64 => match is_integer() {
            Some(int) => exact_float(int).is_some(),
            None => text.parse().is_ok_and(|float: f64| float.is_finite() && format!("{float:?}") == text),
        },
    }
}

/// Of texts that all fit.
fn typed(texts: StringArray, kind: ColumnType) -> ArrayRef {
    match kind {
        ColumnType::Utf8 => Arc::new(texts),
        ColumnType::Bool => Arc::new(texts.iter().map(|text| text.map(|t| t == "true")).collect::<BooleanArray>()),
        ColumnType::Int64 => Arc::new(texts.iter().map(|text| text?.parse().ok()).collect::<Int64Array>()),
        ColumnType::Float64 => Arc::new(texts.iter().map(|text| text?.parse().ok()).collect::<Float64Array>()),
    }
}

fn check_overflow(entries: usize) -> Result<(), LogGroupError> {
    if entries < LOGGROUP_OVERFLOW_MAX {
        return Ok(());
    }
    Err(LogGroupError::TooMany { what: "keys without a column", limit: LOGGROUP_OVERFLOW_MAX })
}

fn key_text(key: &[u8]) -> Result<&str, LogGroupError> {
    std::str::from_utf8(key).map_err(|_| LogGroupError::KeyNotText { key: shown(&String::from_utf8_lossy(key)) })
}

/// May be shorter than the rows so far: nulls are filled in when the next value comes.
struct TextColumn {
    name: Box<[u8]>,
    /// What the store makes of it.
    kind: ColumnType,
    /// The column whose key came after this one's last time.
    next: usize,
    /// Where each value ends; a group is far below 2 GB, so that they fit.
    ends: Vec<i32>,
    values: Vec<u8>,
    nulls: NullBufferBuilder,
}

impl TextColumn {
    fn new(name: &[u8], kind: ColumnType, next: usize) -> Self {
        Self { name: name.into(), kind, next, ends: vec![0], values: Vec::new(), nulls: NullBufferBuilder::new(0) }
    }

    fn is_empty(&self) -> bool {
        self.rows() == 0
    }

    fn rows(&self) -> usize {
        self.ends.len() - 1
    }

    fn end(&self) -> i32 {
        i32::try_from(self.values.len()).expect("a group and its header are bounded far below 2 GB")
    }

    /// False when the row has a value already, or this one does not fit.
    #[inline]
    fn append(&mut self, row: usize, value: &[u8]) -> bool {
        if self.kind != ColumnType::Utf8 && !fits(value, self.kind) {
            return false;
        }
        match row.checked_sub(self.rows()) {
            Some(0) => {}
            Some(missing) => self.skip(missing),
            None => return false,
        }
        self.values.extend_from_slice(value);
        self.ends.push(self.end());
        self.nulls.append_non_null();
        true
    }

    fn skip(&mut self, missing: usize) {
        let end = self.end();
        self.ends.extend(std::iter::repeat_n(end, missing));
        self.nulls.append_n_nulls(missing);
    }

    fn fill(&mut self, value: &[u8], rows: usize) {
        self.values = value.repeat(rows);
        self.ends.extend((1..=rows).map(|row| (row * value.len()) as i32));
        self.nulls.append_n_non_nulls(rows);
    }

    fn finish(mut self, rows: usize, repaired: &mut u64) -> StringArray {
        self.skip(rows - self.rows());
        let Self { ends, mut values, nulls, .. } = self;
        values.shrink_to_fit();
        let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
        let (values, nulls) = (Buffer::from_vec(values), nulls.build());
        match StringArray::try_new(offsets.clone(), values.clone(), nulls.clone()) {
            Ok(array) => array,
            Err(_not_utf8) => {
                let lossy = offsets.windows(2).enumerate().map(|(row, ends)| {
                    let text = String::from_utf8_lossy(&values[ends[0] as usize..ends[1] as usize]);
                    *repaired += u64::from(matches!(text, Cow::Owned(_)));
                    nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)).then_some(text)
                });
                lossy.collect()
            }
        }
    }
}
