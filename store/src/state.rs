//! A store as the running server holds it: its identity, its columns, its shards.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use arrow::datatypes::SchemaRef;

use crate::catalog::StoreRow;
use crate::hash::Route;
use crate::metrics::{SeriesIndex, sample_schema};
use crate::schema::StoreSchema;
use crate::sequence::{LastNumber, Sequences};
use crate::shard::Shard;
use crate::shard_set::{ShardInfo, ShardSet};
use crate::spec::{StoreKind, StoreSettings};
use crate::tail::ShardTail;
use crate::{Labels, ProjectName, SeriesId, ShardNumber, StoreError, StoreId, StoreName, UnixNanos};

#[derive(Debug)]
pub struct StoreState {
    id: StoreId,
    project: ProjectName,
    name: StoreName,
    kind: StoreKind,
    created: UnixNanos,
    updated: AtomicI64,
    settings: RwLock<Arc<StoreSettings>>,
    schema: RwLock<Arc<StoreSchema>>,
    /// Held while columns are added, so that each gets one position and one type.
    pub(crate) schema_change: tokio::sync::Mutex<()>,
    shards: RwLock<Arc<ShardSet>>,
    /// Shared from the choice of a shard until the rows are in the log; alone while shards are replaced.
    pub(crate) placing: Arc<tokio::sync::RwLock<()>>,
    /// Whose turn it is.
    turn: AtomicUsize,
    index: RwLock<Option<Arc<str>>>,
    /// Empty for logs.
    pub(crate) series: SeriesIndex,
    pub(crate) sequences: Arc<Sequences>,
}

/// What the catalog has of a store, beside its row and its shards; nothing of a new one.
#[derive(Debug, Default)]
pub(crate) struct Held {
    pub(crate) schema: StoreSchema,
    pub(crate) series: SeriesIndex,
    pub(crate) sequences: HashMap<u128, LastNumber>,
}

impl StoreState {
    pub(crate) fn new(row: StoreRow, shards: ShardSet, held: Held) -> Self {
        let Held { schema, series, sequences } = held;
        Self {
            id: row.id,
            project: row.project,
            name: row.name,
            kind: row.kind,
            created: row.created,
            updated: AtomicI64::new(row.updated.0),
            settings: RwLock::new(Arc::new(row.settings)),
            schema: RwLock::new(Arc::new(schema)),
            schema_change: tokio::sync::Mutex::new(()),
            shards: RwLock::new(Arc::new(shards)),
            placing: Arc::default(),
            turn: AtomicUsize::new(0),
            index: RwLock::new(None),
            series,
            sequences: Arc::new(Sequences::new(row.id, sequences)),
        }
    }

    pub fn id(&self) -> StoreId {
        self.id
    }

    pub fn project(&self) -> &ProjectName {
        &self.project
    }

    pub fn name(&self) -> &StoreName {
        &self.name
    }

    pub fn kind(&self) -> StoreKind {
        self.kind
    }

    pub fn created(&self) -> UnixNanos {
        self.created
    }

    /// When its settings changed last.
    pub fn updated(&self) -> UnixNanos {
        UnixNanos(self.updated.load(Relaxed))
    }

    pub fn settings(&self) -> Arc<StoreSettings> {
        self.settings.read().expect("no holder of this lock panics").clone()
    }

    pub fn ttl(&self) -> Option<Duration> {
        self.settings().ttl
    }

    pub(crate) fn set_settings(&self, settings: StoreSettings, now: UnixNanos) {
        *self.settings.write().expect("no holder of this lock panics") = Arc::new(settings);
        self.updated.store(now.0, Relaxed);
    }

    pub(crate) fn index(&self) -> Option<Arc<str>> {
        self.index.read().expect("no holder of this lock panics").clone()
    }

    pub(crate) fn set_index(&self, index: Option<Arc<str>>) {
        *self.index.write().expect("no holder of this lock panics") = index;
    }

    pub(crate) fn shard_set(&self) -> Arc<ShardSet> {
        self.shards.read().expect("no holder of this lock panics").clone()
    }

    pub(crate) fn set_shards(&self, shards: ShardSet) {
        *self.shards.write().expect("no holder of this lock panics") = Arc::new(shards);
    }

    /// How many are read-write.
    pub fn shard_count(&self) -> usize {
        self.shard_set().writable().len()
    }

    /// By number, read-only ones included.
    pub fn shards(&self) -> Vec<ShardInfo> {
        self.shard_set().all().iter().map(|shard| shard.info()).collect()
    }

    pub fn shard(&self, number: ShardNumber) -> Option<ShardInfo> {
        self.shard_set().get(number).map(|shard| shard.info())
    }

    /// The read-write ones, in the order of their ranges.
    pub fn writable_shards(&self) -> Arc<[ShardNumber]> {
        self.shard_set().numbers().clone()
    }

    /// The read-write shard that has the key.
    pub fn owner(&self, key: u128) -> ShardNumber {
        let set = self.shard_set();
        set.writable()[set.owner(key)].number
    }

    pub fn tail(&self, number: ShardNumber) -> Option<ShardTail> {
        self.shard_set().get(number).map(|shard| shard.tail().clone())
    }

    /// The columns as they are now; more may come with the next append.
    pub fn schema(&self) -> Arc<StoreSchema> {
        self.schema.read().expect("no holder of this lock panics").clone()
    }

    pub(crate) fn set_schema(&self, schema: StoreSchema) {
        *self.schema.write().expect("no holder of this lock panics") = Arc::new(schema);
    }

    /// What snapshots and segments look like.
    pub fn table_schema(&self) -> SchemaRef {
        match self.kind {
            StoreKind::Logs => self.schema().table(),
            StoreKind::Metrics => sample_schema(),
        }
    }

    /// Rows and bytes in segments and in memory.
    pub fn size(&self) -> StoreSize {
        self.shard_set().all().iter().map(|shard| shard.size()).fold(StoreSize::default(), |sum, size| StoreSize {
            rows: sum.rows + size.rows,
            segment_bytes: sum.segment_bytes + size.segment_bytes,
            recent_bytes: sum.recent_bytes + size.recent_bytes,
            segments: sum.segments + size.segments,
        })
    }

    pub fn series_count(&self) -> usize {
        self.series.len()
    }

    /// Of a metricstore; nothing for an id that it has not given.
    pub fn series_labels(&self, id: SeriesId) -> Option<Labels> {
        self.series.labels(id)
    }

    /// The shard of each row, or one for all. The caller holds `placing`.
    pub(crate) fn place(&self, route: &Route, rows: usize) -> Result<Placement, StoreError> {
        let set = self.shard_set();
        let at = match route {
            Route::Any => self.turn.fetch_add(1, Relaxed) % set.writable().len(),
            Route::Key(key) => set.owner(*key),
            Route::PerRow(keys) if keys.len() == rows => {
                let owners = keys.iter().map(|key| set.owner(*key)).collect();
                return Ok(Placement::PerRow(set, owners));
            }
            Route::PerRow(keys) => {
                let why = format!("{rows} rows and {} hash keys", keys.len());
                return Err(StoreError::BadBatch { store: self.name.to_string(), why });
            }
            Route::Shard(number) => {
                let shard = set.get(*number).ok_or_else(|| self.unknown_shard(*number))?;
                let is_open = !shard.is_closed();
                return is_open.then(|| Placement::All(shard.clone())).ok_or_else(|| self.shard_read_only(*number));
            }
        };
        Ok(Placement::All(set.writable()[at].clone()))
    }

    pub(crate) fn unknown_shard(&self, shard: ShardNumber) -> StoreError {
        StoreError::UnknownShard { project: self.project.to_string(), store: self.name.to_string(), shard }
    }

    pub(crate) fn shard_read_only(&self, shard: ShardNumber) -> StoreError {
        StoreError::ShardReadOnly { project: self.project.to_string(), store: self.name.to_string(), shard }
    }

    pub(crate) fn check_kind(&self, wanted: StoreKind) -> Result<(), StoreError> {
        if self.kind == wanted {
            return Ok(());
        }
        Err(StoreError::WrongKind {
            project: self.project.to_string(),
            store: self.name.to_string(),
            actual: self.kind.noun(),
            wanted: wanted.noun(),
        })
    }
}

pub(crate) enum Placement {
    All(Arc<Shard>),
    /// Places among the read-write shards of the set.
    PerRow(Arc<ShardSet>, Vec<usize>),
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoreSize {
    pub rows: u64,
    pub segment_bytes: u64,
    pub recent_bytes: u64,
    pub segments: u64,
}
