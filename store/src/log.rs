//! The log: one per node, for all shards. Writers hand in entries, one thread gathers them into groups, and nobody is told "written" before fsync.
//!
//! What a file looks like is in `docs/format/log.md`; [`group`] and [`body`] know the bytes, [`writer`] the order of things, [`files`] what may be
//! deleted, [`replay`] what a crash leaves.

mod body;
mod files;
mod group;
mod replay;
mod writer;

use crate::{Offset, Sequence, ShardId, UnixNanos};

pub(crate) use body::Body;
pub(crate) use files::{FileContents, LogFiles};
pub(crate) use replay::{Replay, Replayed};
pub(crate) use writer::{Append, Log, LogContext, Numbered};

/// A record batch at its place in its shard, as the log keeps it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) shard: ShardId,
    pub(crate) offset: Offset,
    pub(crate) received: UnixNanos,
    pub(crate) sequence: Option<Sequence>,
    pub(crate) body: Body,
}
