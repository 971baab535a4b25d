//! Why a whole request was refused. A bad row is never one of these: it is counted in the report.

use culprit_store::{Fault, StoreError};

use crate::loggroup::LogGroupError;
use crate::quota::Refusal;

#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    #[error("unknown format {format:?}; known are ndjson, json, combined, logfmt and line")]
    UnknownFormat { format: String },
    #[error("hash key {key:?} is not 32 hexadecimal digits")]
    BadHashKey { key: String },
    #[error("a body encoded as {encoding:?} cannot be read; known are {known}")]
    UnknownEncoding { encoding: String, known: &'static str },
    #[error("the body is not valid {encoding}: {source}")]
    Corrupt { encoding: &'static str, source: std::io::Error },
    #[error("the body is no Prometheus remote write 1.0 request: {source}")]
    NotRemoteWrite { source: prost::DecodeError },
    #[error(
        "the body has more than {limit} bytes after decompression; send it in parts or raise ingest.body_bytes_max"
    )]
    TooLarge { limit: usize },
    #[error("the body has {bytes} bytes after decompression, more than the {limit} of one request; send it in parts")]
    RawTooLarge { bytes: usize, limit: usize },
    #[error("the body has {actual} bytes or more after decompression, but {declared} are declared")]
    RawSize { declared: usize, actual: usize },
    #[error("a body in lz4 needs its size before compression beside it")]
    NoRawSize,
    #[error(transparent)]
    LogGroup(#[from] LogGroupError),
    #[error("project {project} has no store {store:?} and ingest.auto_create is off; create it first")]
    UnknownStore { project: String, store: String },
    #[error("store {project}/{store} holds {actual}, this request brings {wanted}; send it to another store")]
    WrongKind { project: String, store: String, actual: &'static str, wanted: &'static str },
    #[error("decoding was cut off by a shutdown or a defect; nothing was stored")]
    Interrupted { source: tokio::task::JoinError },
    #[error(transparent)]
    Quota(#[from] Refusal),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl IngestError {
    pub fn fault(&self) -> Fault {
        match self {
            Self::UnknownFormat { .. }
            | Self::BadHashKey { .. }
            | Self::UnknownEncoding { .. }
            | Self::Corrupt { .. }
            | Self::NotRemoteWrite { .. }
            | Self::TooLarge { .. }
            | Self::RawTooLarge { .. }
            | Self::RawSize { .. }
            | Self::NoRawSize
            | Self::LogGroup(_)
            | Self::WrongKind { .. } => Fault::Caller,
            Self::UnknownStore { .. } => Fault::Missing,
            Self::Quota(Refusal::Count { .. }) => Fault::Caller,
            Self::Quota(_) => Fault::Later,
            Self::Interrupted { .. } => Fault::Server,
            Self::Store(error) => error.fault(),
        }
    }

    /// What is wrong with the body, for protocols that have a code for each; None when it is something else.
    pub fn body_fault(&self) -> Option<BodyFault> {
        match self {
            Self::TooLarge { .. } | Self::RawTooLarge { .. } => Some(BodyFault::TooLarge),
            Self::RawSize { .. } => Some(BodyFault::RawSize),
            Self::NoRawSize => Some(BodyFault::NoRawSize),
            Self::Corrupt { .. } => Some(BodyFault::Compression),
            Self::LogGroup(error) if error.is_about_size() => Some(BodyFault::TooLarge),
            Self::LogGroup(_) | Self::NotRemoteWrite { .. } => Some(BodyFault::Content),
            _ => None,
        }
    }
}

/// In the order in which a body is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyFault {
    TooLarge,
    /// The size before compression is missing.
    NoRawSize,
    /// It does not decompress.
    Compression,
    /// It decompresses to another size than declared.
    RawSize,
    /// What came out is no message of its protocol.
    Content,
}
