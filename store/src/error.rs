//! What can go wrong in the store, by what the caller can do about it.

use std::path::PathBuf;
use std::sync::Arc;

use crate::ShardNumber;

/// Cheap to clone: one failed group commit answers many waiting writers.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    #[error("{thing} name {name:?} is not valid: {why}")]
    BadName { thing: &'static str, name: String, why: &'static str },
    #[error("label {name:?} comes twice in one series")]
    DuplicateLabel { name: String },
    #[error("regular expression {pattern:?} is not valid: {source}")]
    BadRegex { pattern: String, source: Box<regex::Error> },
    #[error("project {project} has no store {store:?}; it has: {known}")]
    UnknownStore { project: String, store: String, known: String },
    #[error("there is no project {project:?}")]
    UnknownProject { project: String },
    #[error("store {project}/{store} has no shard {shard}")]
    UnknownShard { project: String, store: String, shard: ShardNumber },
    #[error(
        "shard {shard} of store {project}/{store} is read-only: it was split or merged, and its keys belong to its children"
    )]
    ShardReadOnly { project: String, store: String, shard: ShardNumber },
    #[error("shard {shard} cannot be split, merged or deleted so: {why}")]
    BadSplit { shard: ShardNumber, why: &'static str },
    #[error("store {store} would have {wanted} read-write shards, more than the {limit} that {knob} allows")]
    TooManyShards { store: String, wanted: usize, limit: u16, knob: &'static str },
    #[error("a {what} named {name} exists already")]
    Exists { what: &'static str, name: String },
    #[error("project {project} always exists; its stores can be deleted one by one")]
    Protected { project: String },
    #[error("store {project}/{store} is a {actual}, not a {wanted}")]
    WrongKind { project: String, store: String, actual: &'static str, wanted: &'static str },
    #[error("a batch of {bytes} bytes is larger than the {limit} bytes that one append may carry; send it in parts")]
    BatchTooLarge { bytes: usize, limit: usize },
    #[error("a batch for store {store} is malformed: {why}")]
    BadBatch { store: String, why: String },
    #[error("{what} {given} is out of range: {limit}")]
    OutOfRange { what: &'static str, given: String, limit: &'static str },

    #[error("there is an access key {id:?} already; delete it first, or choose another id")]
    KeyExists { id: String },
    #[error("there is no access key {id:?}")]
    UnknownKey { id: String },
    #[error(
        "access key {id:?} is the last that administers all projects; without it nobody could make another, so make that one first"
    )]
    LastAdministrator { id: String },
    #[error(
        "the first access key closes the server to everybody without one, so {id:?} has to administer all projects (project *, right admin)"
    )]
    FirstKey { id: String },

    #[error("the server is busy: {held} {what}, more than {limit} are not held; try again later")]
    Busy { what: Bottleneck, held: u64, limit: u64 },
    #[error(
        "the disk is full{}; nothing acknowledged is lost, and writes pass again once there is space",
        reason(source)
    )]
    DiskFull { source: Option<Arc<std::io::Error>> },
    #[error(
        "write {number} of key {key:032x} is stored already: its last one is {last}; count on, or take another key"
    )]
    StaleSequence { key: u128, number: i64, last: i64 },
    #[error("the store is shutting down")]
    Closed,

    #[error("the data folder {path} is in use by another culprit; stop that one or give another --data")]
    Locked { path: PathBuf },
    #[error("cannot write to the data folder {path}: {source}; give its owner the right to, or give another --data")]
    Unwritable { path: PathBuf, source: Arc<std::io::Error> },
    #[error(
        "the data folder {path} has format {found}, written by {by}; this version reads up to {supported}: use a newer culprit"
    )]
    NewerFormat { path: PathBuf, found: u32, by: String, supported: u32 },
    #[error("the key file {path} cannot be used: {why}")]
    KeyFile { path: PathBuf, why: String },
    #[error("the secret of access key {id:?} cannot be unsealed; the key file is not the one that it was sealed with")]
    SealBroken { id: String },
    #[error("the operating system gives no random numbers: {source}")]
    Randomness { source: getrandom::Error },
    #[error("cannot {action} {path}: {source}")]
    Io { action: &'static str, path: PathBuf, source: Arc<std::io::Error> },
    #[error("the log refuses writes since a failed {action} ({source}); restart the server once the disk is well")]
    LogFailed { action: &'static str, source: Arc<std::io::Error> },
    #[error("the catalog failed to {action}: {source}")]
    Catalog { action: &'static str, source: Arc<sqlx::Error> },
    #[error("the catalog holds {what} {value:?}, which this version does not understand")]
    CatalogValue { what: &'static str, value: String },
    #[error("segment {path} failed: {source}")]
    Segment { path: String, source: Arc<SegmentError> },
    #[error("arrow refused a batch: {0}")]
    Arrow(Arc<arrow::error::ArrowError>),
}

#[derive(Debug, thiserror::Error)]
pub enum SegmentError {
    #[error(transparent)]
    Parquet(#[from] parquet::errors::ParquetError),
    #[error(transparent)]
    ObjectStore(#[from] object_store::Error),
    #[error(transparent)]
    Arrow(#[from] arrow::error::ArrowError),
    #[error("its samples are damaged: {0}")]
    Chunk(#[from] ChunkError),
}

/// What is wrong with the bytes of samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    #[error("a chunk ends too early")]
    Short,
    #[error("a chunk goes on behind its samples")]
    Long,
    #[error("a chunk begins with what no chunk begins with")]
    Header,
    #[error("an integer has more than 64 bits")]
    Varint,
    #[error("a chunk claims more samples than one may have")]
    Count,
    #[error("it does not say when its batches were received")]
    Receipts,
}

/// What appends wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bottleneck {
    RecentBytes,
    QueueBytes,
    QueueMillis,
}

impl std::fmt::Display for Bottleneck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::RecentBytes => "bytes of recent rows wait to become segments",
            Self::QueueBytes => "bytes wait for the log",
            Self::QueueMillis => "milliseconds of syncs stand before a new write",
        })
    }
}

fn reason(source: &Option<Arc<std::io::Error>>) -> String {
    source.as_ref().map_or_else(String::new, |source| format!(" ({source})"))
}

/// Whose move it is: the edge turns this into a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The request is wrong; sending it again will not help.
    Caller,
    /// What the request names does not exist.
    Missing,
    /// Nothing is wrong with the request; later it will pass.
    Later,
    /// Ours: an operator has to look.
    Server,
}

impl StoreError {
    pub fn fault(&self) -> Fault {
        match self {
            Self::BadName { .. }
            | Self::DuplicateLabel { .. }
            | Self::BadRegex { .. }
            | Self::WrongKind { .. }
            | Self::BatchTooLarge { .. }
            | Self::BadBatch { .. }
            | Self::KeyExists { .. }
            | Self::LastAdministrator { .. }
            | Self::FirstKey { .. }
            | Self::OutOfRange { .. }
            | Self::ShardReadOnly { .. }
            | Self::BadSplit { .. }
            | Self::StaleSequence { .. }
            | Self::TooManyShards { .. }
            | Self::Exists { .. }
            | Self::Protected { .. } => Fault::Caller,
            Self::UnknownStore { .. }
            | Self::UnknownProject { .. }
            | Self::UnknownShard { .. }
            | Self::UnknownKey { .. } => Fault::Missing,
            Self::Busy { .. } | Self::DiskFull { .. } | Self::Closed => Fault::Later,
            Self::Locked { .. }
            | Self::Unwritable { .. }
            | Self::NewerFormat { .. }
            | Self::KeyFile { .. }
            | Self::SealBroken { .. }
            | Self::Randomness { .. }
            | Self::Io { .. }
            | Self::LogFailed { .. }
            | Self::Catalog { .. }
            | Self::CatalogValue { .. }
            | Self::Segment { .. }
            | Self::Arrow(_) => Fault::Server,
        }
    }

    /// A write to the log that was taken back.
    pub(crate) fn log_write(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        use std::io::ErrorKind::{QuotaExceeded, StorageFull};
        let source = Arc::new(source);
        match source.kind() {
            StorageFull | QuotaExceeded => Self::DiskFull { source: Some(source) },
            _ => Self::Io { action: "write the log file", path: path.into(), source },
        }
    }

    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source: Arc::new(source) }
    }

    pub(crate) fn catalog(action: &'static str) -> impl Fn(sqlx::Error) -> Self {
        move |source| Self::Catalog { action, source: Arc::new(source) }
    }

    pub(crate) fn segment<E: Into<SegmentError>>(path: impl ToString) -> impl FnOnce(E) -> Self {
        let path = path.to_string();
        move |source| Self::Segment { path, source: Arc::new(source.into()) }
    }
}

impl From<arrow::error::ArrowError> for StoreError {
    fn from(source: arrow::error::ArrowError) -> Self {
        Self::Arrow(Arc::new(source))
    }
}
