//! A batch as one LogGroup message, in the shape in which SLS clients read logs.
//!
//! The columns `__topic__`, `__source__` and `__tag__:…` become the header when they have one value on all rows, else
//! contents. Contents come in the order of the columns, nulls are left out, numbers and booleans are written as SQL
//! prints them, and the entries of `_overflow` follow under their own names. `Time` has 32 bits of seconds: what is
//! before 1970 or after 2106 is written as its nearest end.
//!
//! All lengths are known before the first byte is written, column by column, so that the message is written in one go.

use std::sync::Arc;

use arrow::array::{Array, AsArray, MapArray, RecordBatch, StringArray, TimestampNanosecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimestampNanosecondType};
use culprit_store::{OVERFLOW, TIME, is_hidden};

use super::batch::{SOURCE, TAG_PREFIX, TOPIC};
use super::wire::{put_varint, varint_len};

/// Field number and wire type, as they stand in front of a field.
const LOGS: u8 = 0x0a;
const GROUP_TOPIC: u8 = 0x1a;
const GROUP_SOURCE: u8 = 0x22;
const GROUP_TAG: u8 = 0x32;
const LOG_TIME: u8 = 0x08;
const LOG_CONTENT: u8 = 0x12;
const LOG_TIME_NS: u8 = 0x25;
const KEY: u8 = 0x0a;
const VALUE: u8 = 0x12;
const GROUPS: u8 = 0x0a;

/// Appends the message.
pub fn encode(batch: &RecordBatch, out: &mut Vec<u8>) {
    let group = Group::of(batch);
    out.reserve(group.length);
    group.write(out);
}

/// Appends the message as an entry of a LogGroupList: such entries, one after the other, are a list.
pub fn encode_entry(batch: &RecordBatch, out: &mut Vec<u8>) {
    let group = Group::of(batch);
    out.reserve(group.length + 1 + varint_len(group.length));
    out.push(GROUPS);
    put_varint(out, group.length);
    group.write(out);
}

/// A batch sorted into the parts of a message, with their lengths.
struct Group {
    times: Vec<(u32, u32)>,
    contents: Vec<Content>,
    overflow: Option<MapArray>,
    header: Vec<u8>,
    log_lengths: Vec<usize>,
    length: usize,
}

impl Group {
    fn of(batch: &RecordBatch) -> Self {
        let mut group = Self {
            times: Vec::new(),
            contents: Vec::new(),
            overflow: None,
            header: Vec::new(),
            log_lengths: Vec::new(),
            length: 0,
        };
        for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
            match field.name().as_str() {
                TIME => group.times = wire_times(column.as_primitive::<TimestampNanosecondType>()),
                OVERFLOW => group.overflow = Some(column.as_map().clone()),
                name if is_hidden(name) => {}
                name => group.add_column(name, texts(column)),
            }
        }
        group.measure();
        group
    }

    fn add_column(&mut self, name: &str, texts: StringArray) {
        match (header_field(name), constant(&texts)) {
            (Some((GROUP_TAG, key)), Some(value)) => put_tag(&mut self.header, key, value),
            (Some((field, _)), Some(value)) if !value.is_empty() => put_text(&mut self.header, field, value),
            _ => self.contents.push(Content::new(name, texts)),
        }
    }

    fn measure(&mut self) {
        self.log_lengths = self.times.iter().map(|time| time_length(*time)).collect();
        for content in &self.contents {
            content.measure(&mut self.log_lengths);
        }
        if let Some(overflow) = &self.overflow {
            for (row, length) in self.log_lengths.iter_mut().enumerate() {
                *length +=
                    entries(overflow, row).map(|(key, value)| field_length(pair_length(key, value))).sum::<usize>();
            }
        }
        let logs: usize = self.log_lengths.iter().map(|length| field_length(*length)).sum();
        self.length = logs + self.header.len();
    }

    fn write(&self, out: &mut Vec<u8>) {
        for (row, (time, length)) in self.times.iter().zip(&self.log_lengths).enumerate() {
            out.push(LOGS);
            put_varint(out, *length);
            put_time(out, *time);
            for content in &self.contents {
                content.write(row, out);
            }
            for (key, value) in self.overflow.iter().flat_map(|overflow| entries(overflow, row)) {
                out.push(LOG_CONTENT);
                put_varint(out, pair_length(key, value));
                put_text(out, KEY, key);
                put_text(out, VALUE, value);
            }
        }
        out.extend_from_slice(&self.header);
    }
}

/// A column of contents. What stands in front of each value is the same on each row.
struct Content {
    /// The field of the key, then the tag of the value's field.
    before_value: Vec<u8>,
    texts: StringArray,
}

impl Content {
    fn new(name: &str, texts: StringArray) -> Self {
        let mut before_value = Vec::with_capacity(name.len() + 8);
        put_text(&mut before_value, KEY, name);
        before_value.push(VALUE);
        Self { before_value, texts }
    }

    #[inline]
    fn pair_length(&self, value_length: usize) -> usize {
        self.before_value.len() + varint_len(value_length) + value_length
    }

    fn measure(&self, log_lengths: &mut [usize]) {
        let ends = self.texts.value_offsets().windows(2);
        for (row, (ends, length)) in ends.zip(log_lengths).enumerate() {
            if self.texts.is_valid(row) {
                *length += field_length(self.pair_length((ends[1] - ends[0]) as usize));
            }
        }
    }

    #[inline]
    fn write(&self, row: usize, out: &mut Vec<u8>) {
        if self.texts.is_null(row) {
            return;
        }
        let value = self.texts.value(row).as_bytes();
        out.push(LOG_CONTENT);
        put_varint(out, self.pair_length(value.len()));
        out.extend_from_slice(&self.before_value);
        put_varint(out, value.len());
        out.extend_from_slice(value);
    }
}

/// Which field of the group a column of this name may become, and a tag's key.
fn header_field(name: &str) -> Option<(u8, &str)> {
    match name {
        TOPIC => Some((GROUP_TOPIC, "")),
        SOURCE => Some((GROUP_SOURCE, "")),
        name => name.strip_prefix(TAG_PREFIX).map(|key| (GROUP_TAG, key)),
    }
}

/// The one value that all rows have. Texts of equal length are equal when their bytes are those of one text repeated.
fn constant(texts: &StringArray) -> Option<&str> {
    if texts.is_empty() || texts.null_count() > 0 {
        return None;
    }
    let offsets = texts.value_offsets();
    let first = texts.value(0);
    let is_even = offsets.windows(2).all(|ends| (ends[1] - ends[0]) as usize == first.len());
    let bytes = &texts.value_data()[offsets[0] as usize..offsets[texts.len()] as usize];
    (is_even && bytes[first.len()..] == bytes[..bytes.len() - first.len()]).then_some(first)
}

fn texts(column: &Arc<dyn Array>) -> StringArray {
    let texts = cast(column, &DataType::Utf8).expect("every type of a store's columns has a text");
    texts.as_string::<i32>().clone()
}

fn entries(overflow: &MapArray, row: usize) -> impl Iterator<Item = (&str, &str)> {
    let (keys, values) = (overflow.keys().as_string::<i32>(), overflow.values().as_string::<i32>());
    let ends = &overflow.value_offsets()[row..=row + 1];
    let range = if overflow.is_valid(row) { ends[0] as usize..ends[1] as usize } else { 0..0 };
    range.filter(|at| values.is_valid(*at)).map(|at| (keys.value(at), values.value(at)))
}

const NANOS: i64 = 1_000_000_000;

/// Seconds and the nanoseconds beyond them.
fn wire_times(times: &TimestampNanosecondArray) -> Vec<(u32, u32)> {
    let wire = |time: &i64| match u32::try_from(time.div_euclid(NANOS)) {
        Ok(seconds) => (seconds, time.rem_euclid(NANOS) as u32),
        Err(_) if *time < 0 => (0, 0),
        Err(_) => (u32::MAX, 0),
    };
    times.values().iter().map(wire).collect()
}

fn time_length((seconds, nanos): (u32, u32)) -> usize {
    1 + varint_len(seconds as usize) + if nanos == 0 { 0 } else { 5 }
}

fn put_time(out: &mut Vec<u8>, (seconds, nanos): (u32, u32)) {
    out.push(LOG_TIME);
    put_varint(out, seconds as usize);
    if nanos != 0 {
        out.push(LOG_TIME_NS);
        out.extend_from_slice(&nanos.to_le_bytes());
    }
}

/// A field of bytes with its tag and length.
#[inline]
fn field_length(length: usize) -> usize {
    1 + varint_len(length) + length
}

fn pair_length(key: &str, value: &str) -> usize {
    field_length(key.len()) + field_length(value.len())
}

fn put_text(out: &mut Vec<u8>, field: u8, text: &str) {
    out.push(field);
    put_varint(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn put_tag(out: &mut Vec<u8>, key: &str, value: &str) {
    out.push(GROUP_TAG);
    put_varint(out, pair_length(key, value));
    put_text(out, KEY, key);
    put_text(out, VALUE, value);
}
