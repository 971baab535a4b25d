//! One LogGroup message into a batch. Twice over the message: once along its outermost fields, for the header, which
//! stands behind the logs, and for the number of logs; then through the logs.
//!
//! As every protobuf reader does, this one passes over fields that it does not know and takes the last of a field that
//! comes twice. A log without Time is refused, for there is nothing to put in its place that its sender meant. A content
//! without key or value has an empty one.

use arrow::array::RecordBatch;
use culprit_store::StoreSchema;

use super::wire::{Reader, Value};
use super::{GroupBuilder, Header, LogGroupError};
use crate::limits::{LOGGROUP_RAW_BYTES_MAX, LOGGROUP_TAGS_MAX};

const LOG: u32 = 1;
const TOPIC: u32 = 3;
const SOURCE: u32 = 4;
const TAG: u32 = 6;
const TIME: u32 = 1;
const CONTENT: u32 = 2;
const TIME_NS: u32 = 4;
const KEY: u32 = 1;
const VALUE: u32 = 2;

/// `batch` is absent when the group has no logs. `repaired` counts values with bytes that are no UTF-8.
#[derive(Debug)]
pub struct Decoded {
    pub batch: Option<RecordBatch>,
    pub rows: usize,
    pub repaired: u64,
}

/// `schema` decides which keys still get a column of their own when a store has many.
pub fn decode(body: &[u8], schema: &StoreSchema) -> Result<Decoded, LogGroupError> {
    if body.len() > LOGGROUP_RAW_BYTES_MAX {
        return Err(LogGroupError::TooLarge { bytes: body.len(), limit: LOGGROUP_RAW_BYTES_MAX });
    }
    let group = Reader::new(body);
    let mut builder = GroupBuilder::new(schema, &read_header(group)?)?;
    let mut fields = group;
    let mut position = 0;
    while let Some(field) = fields.field()? {
        if let (LOG, Value::Bytes(log)) = field {
            read_log(log, position, &mut builder)?;
            position += 1;
        }
    }
    Ok(builder.finish())
}

fn read_header(mut group: Reader<'_>) -> Result<Header<'_>, LogGroupError> {
    let mut header = Header::default();
    while let Some(field) = group.field()? {
        match field {
            (LOG, Value::Bytes(_)) => header.logs += 1,
            (TOPIC, Value::Bytes(topic)) => header.topic = topic.bytes(),
            (SOURCE, Value::Bytes(source)) => header.source = source.bytes(),
            (TAG, Value::Bytes(tag)) => {
                if header.tags.len() == LOGGROUP_TAGS_MAX {
                    return Err(LogGroupError::TooMany { what: "tags", limit: LOGGROUP_TAGS_MAX });
                }
                header.tags.push(read_pair(tag)?);
            }
            _ => {}
        }
    }
    Ok(header)
}

#[inline]
fn read_log(mut log: Reader<'_>, position: usize, builder: &mut GroupBuilder<'_>) -> Result<(), LogGroupError> {
    let mut seconds = None;
    let mut nanos = 0;
    while let Some(field) = log.field()? {
        match field {
            (CONTENT, Value::Bytes(content)) => {
                let (key, value) = read_pair(content)?;
                builder.content(key, value)?;
            }
            // A number of more bits than its field has is cut, as protobuf does it.
            (TIME, Value::Varint(time)) => seconds = Some(time as u32),
            (TIME_NS, Value::Fixed32(part)) => nanos = part,
            // Some senders declare it as a plain number.
            (TIME_NS, Value::Varint(part)) => nanos = part as u32,
            _ => {}
        }
    }
    let seconds = seconds.ok_or(LogGroupError::NoTime { log: position })?;
    builder.end_log(seconds, nanos);
    Ok(())
}

#[inline]
fn read_pair(pair: Reader<'_>) -> Result<(&[u8], &[u8]), LogGroupError> {
    match pair.plain_pair() {
        Some(plain) => Ok(plain),
        None => read_any_pair(pair),
    }
}

fn read_any_pair(mut pair: Reader<'_>) -> Result<(&[u8], &[u8]), LogGroupError> {
    let (mut key, mut value) = (&[][..], &[][..]);
    while let Some(field) = pair.field()? {
        match field {
            (KEY, Value::Bytes(bytes)) => key = bytes.bytes(),
            (VALUE, Value::Bytes(bytes)) => value = bytes.bytes(),
            _ => {}
        }
    }
    Ok((key, value))
}
