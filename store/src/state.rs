//! A store as the running server holds it: its identity, its columns, its shards.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use arrow::datatypes::SchemaRef;

use crate::hash::Route;
use crate::limits::{STORE_SHARDS_DEFAULT, STORE_SHARDS_MAX, STORE_TTL_DEFAULT};
use crate::metrics::{SeriesIndex, sample_schema};
use crate::schema::StoreSchema;
use crate::shard::Shard;
use crate::{ProjectName, StoreError, StoreId, StoreName};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreKind {
    Logs,
    Metrics,
}

impl StoreKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Logs => "logs",
            Self::Metrics => "metrics",
        }
    }

    /// As in the words of the design: logstore, metricstore.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Logs => "logstore",
            Self::Metrics => "metricstore",
        }
    }

    pub fn parse(name: &str) -> Result<Self, StoreError> {
        match name {
            "logs" => Ok(Self::Logs),
            "metrics" => Ok(Self::Metrics),
            other => Err(StoreError::OutOfRange {
                what: "store kind",
                given: format!("{other:?}"),
                limit: "logs or metrics",
            }),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSpec {
    pub kind: StoreKind,
    pub shards: u16,
    /// Rows are dropped this long after their receipt; none keeps them for ever.
    pub ttl: Option<Duration>,
}

impl StoreSpec {
    pub fn new(kind: StoreKind) -> Self {
        Self { kind, shards: STORE_SHARDS_DEFAULT, ttl: Some(STORE_TTL_DEFAULT) }
    }

    pub(crate) fn check(&self) -> Result<(), StoreError> {
        if (1..=STORE_SHARDS_MAX).contains(&self.shards) {
            return Ok(());
        }
        let given = self.shards.to_string();
        Err(StoreError::OutOfRange { what: "shard count", given, limit: "1 to 256 shards a store" })
    }

    pub(crate) fn ttl_ns(&self) -> Option<i64> {
        self.ttl.map(ttl_ns)
    }
}

pub(crate) fn ttl_ns(ttl: Duration) -> i64 {
    i64::try_from(ttl.as_nanos()).unwrap_or(i64::MAX)
}

#[derive(Debug)]
pub struct StoreState {
    id: StoreId,
    project: ProjectName,
    name: StoreName,
    kind: StoreKind,
    ttl: RwLock<Option<Duration>>,
    schema: RwLock<Arc<StoreSchema>>,
    /// Held while columns are added, so that each gets one position and one type.
    pub(crate) schema_change: tokio::sync::Mutex<()>,
    pub(crate) shards: Vec<Arc<Shard>>,
    next_shard: AtomicUsize,
    /// Empty for logs.
    pub(crate) series: SeriesIndex,
}

pub(crate) struct StoreIdentity {
    pub(crate) id: StoreId,
    pub(crate) project: ProjectName,
    pub(crate) name: StoreName,
    pub(crate) kind: StoreKind,
    pub(crate) ttl_ns: Option<i64>,
}

impl StoreState {
    pub(crate) fn new(
        identity: StoreIdentity,
        schema: StoreSchema,
        shards: Vec<Arc<Shard>>,
        series: SeriesIndex,
    ) -> Self {
        let StoreIdentity { id, project, name, kind, ttl_ns } = identity;
        let ttl = ttl_ns.map(|ns| Duration::from_nanos(ns.unsigned_abs()));
        Self {
            id,
            project,
            name,
            kind,
            ttl: RwLock::new(ttl),
            schema: RwLock::new(Arc::new(schema)),
            schema_change: tokio::sync::Mutex::new(()),
            shards,
            next_shard: AtomicUsize::new(0),
            series,
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

    pub fn shard_count(&self) -> usize {
        self.shards.len()
    }

    pub fn ttl(&self) -> Option<Duration> {
        *self.ttl.read().expect("no holder of this lock panics")
    }

    pub(crate) fn set_ttl(&self, ttl: Option<Duration>) {
        *self.ttl.write().expect("no holder of this lock panics") = ttl;
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
        self.shards.iter().map(|shard| shard.size()).fold(StoreSize::default(), |sum, size| StoreSize {
            rows: sum.rows + size.rows,
            segment_bytes: sum.segment_bytes + size.segment_bytes,
            recent_bytes: sum.recent_bytes + size.recent_bytes,
            segments: sum.segments + size.segments,
        })
    }

    pub fn series_count(&self) -> usize {
        self.series.len()
    }

    pub(crate) fn owner(&self, key: u128) -> usize {
        self.shards
            .iter()
            .position(|shard| shard.range.contains(key))
            .expect("the ranges of a store's shards tile the key space")
    }

    /// The shard of each row, or one for all.
    pub(crate) fn place(&self, route: &Route) -> Placement {
        match route {
            Route::Any => Placement::All(self.next_shard.fetch_add(1, Relaxed) % self.shards.len()),
            Route::Key(key) => Placement::All(self.owner(*key)),
            Route::PerRow(keys) => Placement::PerRow(keys.iter().map(|key| self.owner(*key)).collect()),
        }
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
    All(usize),
    PerRow(Vec<usize>),
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoreSize {
    pub rows: u64,
    pub segment_bytes: u64,
    pub recent_bytes: u64,
    pub segments: u64,
}
