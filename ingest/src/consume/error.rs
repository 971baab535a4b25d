//! Why a reader was refused.

use culprit_store::{Fault, Offset, StoreError};

use crate::quota::Refusal;

#[derive(Debug, thiserror::Error)]
pub enum ConsumeError {
    #[error("cursor {cursor:?} is none of this server's: a cursor is base64 of a decimal number")]
    BadCursor { cursor: String },
    #[error("cursor {cursor} is beyond the end of shard {shard}, which is {end}")]
    BeyondEnd { shard: u32, cursor: Offset, end: Offset },
    #[error("project {project} has no store and no view {name:?}")]
    NoSource { project: String, name: String },
    #[error("shard {shard} of {source_name} does not exist")]
    NoShard { shard: u32, source_name: String },
    #[error("{thing} name {name:?} is not valid: {why}")]
    BadName { thing: &'static str, name: String, why: &'static str },
    #[error("{what} {given} is out of range: {limit}")]
    OutOfRange { what: &'static str, given: u64, limit: &'static str },
    #[error("{source_name} has no consumer group {group:?}")]
    NoGroup { source_name: String, group: String },
    #[error("{source_name} has a consumer group {group:?} already")]
    GroupExists { source_name: String, group: String },
    #[error("shard {shard} is held by consumer {holder:?} of the group, not by {consumer:?}")]
    NotHolder { shard: u32, holder: String, consumer: String },
    #[error("group {group:?} has {limit} consumers already, more are not taken")]
    TooManyConsumers { group: String, limit: usize },
    #[error("offset {offset} of shard {shard} was not delivered to this group; only what was pulled is acknowledged")]
    NotDelivered { shard: u32, offset: Offset },
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("encoding was cut off by a shutdown or a defect")]
    Interrupted { source: tokio::task::JoinError },
    #[error("rows cannot be written as JSON: {source}")]
    Json { source: arrow::error::ArrowError },
}

impl ConsumeError {
    pub fn fault(&self) -> Fault {
        match self {
            Self::BadCursor { .. }
            | Self::BeyondEnd { .. }
            | Self::BadName { .. }
            | Self::OutOfRange { .. }
            | Self::GroupExists { .. }
            | Self::NotHolder { .. }
            | Self::TooManyConsumers { .. }
            | Self::NotDelivered { .. } => Fault::Caller,
            Self::NoSource { .. } | Self::NoShard { .. } | Self::NoGroup { .. } => Fault::Missing,
            Self::Refused(refusal) if refusal.is_ours() => Fault::Later,
            Self::Refused(_) => Fault::Caller,
            Self::Store(error) => error.fault(),
            Self::Interrupted { .. } | Self::Json { .. } => Fault::Server,
        }
    }
}
