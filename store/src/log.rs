//! The log: one per node, for all shards. Writers hand in entries, one thread gathers them into groups, and nobody is told "written" before fsync.
//!
//! What a file looks like is in `docs/format/log.md`; [`group`] knows the bytes, [`writer`] the order of things, [`replay`] what a crash leaves.

mod group;
mod replay;
mod writer;

use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use arrow::record_batch::RecordBatch;

use crate::{Offset, ShardId, StoreError, UnixNanos};

pub(crate) use replay::replay;
pub(crate) use writer::{Log, LogContext, sync_folder};

/// A record batch at its place in its shard, as the log keeps it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) shard: ShardId,
    pub(crate) offset: Offset,
    pub(crate) received: UnixNanos,
    pub(crate) body: Vec<u8>,
}

/// Bodies are Arrow IPC streams of one batch, zstd at its fastest: logs shrink five times and fsync has less to wait for.
pub(crate) fn encode_body(batch: &RecordBatch) -> Result<Vec<u8>, StoreError> {
    let mut ipc = Vec::with_capacity(batch.get_array_memory_size() / 2);
    let mut writer = StreamWriter::try_new(&mut ipc, &batch.schema())?;
    writer.write(batch)?;
    writer.finish()?;
    drop(writer);
    zstd::bulk::compress(&ipc, 1).map_err(StoreError::io("compress rows for", "the log"))
}

/// The inverse; an error means bytes that passed their checksum and still are no batch.
pub(crate) fn decode_body(body: &[u8]) -> Result<RecordBatch, StoreError> {
    let ipc = zstd::stream::decode_all(body).map_err(StoreError::io("decompress rows of", "the log"))?;
    let mut reader = StreamReader::try_new(ipc.as_slice(), None)?;
    match reader.next() {
        Some(batch) => Ok(batch?),
        None => Err(arrow::error::ArrowError::IpcError("a log entry without a batch".to_owned()).into()),
    }
}
