//! Shards on disk: what was acknowledged is there, once, and readable at once.
//!
//! - [`Storage`] is an open data folder. It is locked while open; a newer format is refused.
//! - [`StoreState`] is a named store inside a project: its columns, its TTL, its shards by hash range.
//! - An append ([`Storage::append`], [`Storage::append_samples`]) returns when its rows are in the log, fsynced, and visible to every snapshot taken later.
//! - A [`Snapshot`] is a moment of a store: recent batches in memory and [`Segment`]s in the object store. It stays readable as long as it lives.
//!
//! The metrics face ([`Series`], [`LabelMatcher`]) stands on the same log and segments. This crate speaks arrow and parquet; it knows no query engine, no
//! protocol, and no HTTP.

mod background;
mod catalog;
mod cold;
mod conform;
mod directory;
mod disk;
mod error;
mod folder;
mod groups;
mod hash;
mod ids;
mod keys;
mod layout;
pub mod limits;
mod log;
mod metrics;
mod order;
mod pressure;
mod project;
mod reading;
mod reshard;
mod schema;
mod segment;
mod sequence;
mod shard;
mod shard_set;
mod snapshot;
mod spec;
mod state;
mod storage;
mod tail;
mod telemetry;
mod time;
mod view;

pub use catalog::{Document, DocumentKind};
pub use error::{Bottleneck, ChunkError, Fault, SegmentError, StoreError};
pub use groups::{CheckpointRecord, GroupKey, GroupKind, GroupRecord};
pub use hash::{HashRange, Route, SplitAt};
pub use ids::{Offset, ProjectName, SeriesId, ShardId, ShardNumber, StoreId, StoreName};
pub use keys::{AccessKey, Grant, KeyChange, KeyId, KeyPair, Right, Scope, Secret};
pub use metrics::{
    Label, LabelMatcher, Labels, METRIC_NAME, MatchValue, STALE_NAN_BITS, SampleRange, Samples, Series, is_stale,
    stale_nan,
};
pub use pressure::Pressure;
pub use project::ProjectInfo;
pub use reading::{ColdBlock, ShardBatch, ShardRead};
pub use schema::{
    Column, ColumnType, OFFSET, OVERFLOW, RECEIVED, ROW, StoreSchema, TIME, is_hidden, overflow_field, utc_nanoseconds,
};
pub use segment::Segment;
pub use sequence::Sequence;
pub use shard_set::{ShardInfo, ShardStatus};
pub use snapshot::Snapshot;
pub use spec::{StoreKind, StoreSettings, StoreSpec};
pub use state::{StoreSize, StoreState};
pub use storage::{Storage, StorageConfig};
pub use tail::ShardTail;
pub use telemetry::{Metric, MetricKind};
pub use time::{Clock, TimeRange, UnixNanos};
pub use view::{View, ViewMember};
