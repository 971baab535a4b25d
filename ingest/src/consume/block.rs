//! A block: some batches of a shard in a row, encoded and compressed once, sent to any number of readers.

use arrow::error::ArrowError;
use bytes::Bytes;
use culprit_store::{Offset, ShardBatch, UnixNanos};

use super::{ConsumeError, rows};
use crate::limits::ENCODE_INLINE_BYTES_MAX;
use crate::{Codec, loggroup};

/// What the readers of a block want to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Form {
    /// A LogGroupList, each batch one LogGroup.
    LogGroups(Codec),
    /// JSON objects, one a line, each with its shard (as the source calls it) and its cursor.
    Rows { shard: u32 },
}

#[derive(Debug)]
pub(super) struct Block {
    pub(super) next: Offset,
    /// Batches in it.
    pub(super) groups: usize,
    pub(super) raw_bytes: usize,
    pub(super) body: Bytes,
    pub(super) cut: UnixNanos,
    /// Nothing that comes later would have found room in it.
    pub(super) is_full: bool,
}

/// How much a block may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    pub(super) groups_max: usize,
    pub(super) bytes_max: usize,
}

/// Raw bytes, and as they are sent.
type Encoded = (usize, Bytes);

/// Small ones here, so that a reader who waits for the tail waits for no other thread.
pub(super) async fn encode(batches: Vec<ShardBatch>, form: Form) -> Result<Encoded, ConsumeError> {
    let bytes: usize = batches.iter().map(|batch| batch.bytes).sum();
    if bytes <= ENCODE_INLINE_BYTES_MAX {
        return encode_now(&batches, form).map_err(|source| ConsumeError::Json { source });
    }
    let encoding = tokio::task::spawn_blocking(move || encode_now(&batches, form));
    let encoded = encoding.await.map_err(|source| ConsumeError::Interrupted { source })?;
    encoded.map_err(|source| ConsumeError::Json { source })
}

fn encode_now(batches: &[ShardBatch], form: Form) -> Result<Encoded, ArrowError> {
    let mut raw = Vec::new();
    let codec = match form {
        Form::LogGroups(codec) => {
            for batch in batches {
                loggroup::encode_entry(&batch.batch, &mut raw);
            }
            codec
        }
        Form::Rows { shard } => {
            for batch in batches {
                rows::append_ndjson(batch, shard, &mut raw)?;
            }
            Codec::None
        }
    };
    let raw_bytes = raw.len();
    let body = if codec == Codec::None { raw } else { codec.compress(&raw) };
    Ok((raw_bytes, body.into()))
}
