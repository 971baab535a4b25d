//! The open data folder: the stores of all projects, the log under them, and the tasks beside them.

mod open;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use arrow::array::UInt32Array;
use arrow::compute::take_record_batch;
use arrow::record_batch::RecordBatch;
use object_store::ObjectStore;
use object_store::path::Path as ObjectPath;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::background::{bury, flush_shard};
use crate::catalog::{Catalog, Document, DocumentKind};
use crate::conform::{conform, new_columns};
use crate::folder::FolderLock;
use crate::hash::Route;
use crate::limits::{APPEND_BYTES_MAX, FLUSH_AGE, NAMES_SHOWN_MAX, RECENT_BYTES_MAX};
use crate::log::Log;
use crate::metrics::SeriesIndex;
use crate::schema::StoreSchema;
use crate::segment::SegmentStore;
use crate::shard::Shard;
use crate::state::{Placement, StoreIdentity, ttl_ns};
use crate::telemetry::{Counters, Metric};
use crate::{Clock, ProjectName, Snapshot, StoreError, StoreKind, StoreName, StoreSpec, StoreState, TimeRange};

#[derive(Debug, Clone)]
pub struct StorageConfig {
    pub data: PathBuf,
    pub clock: Clock,
    /// Recent rows older than this become a segment: longer makes larger segments, more memory in use and a longer replay.
    pub flush_age: Duration,
}

impl StorageConfig {
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self { data: data.into(), clock: Clock::System, flush_age: FLUSH_AGE }
    }
}

/// A handle; clones share the one open folder.
#[derive(Clone)]
pub struct Storage {
    pub(crate) inner: Arc<Inner>,
}

type Stores = HashMap<(ProjectName, StoreName), Arc<StoreState>>;

pub(crate) struct Inner {
    pub(crate) clock: Clock,
    pub(crate) catalog: Catalog,
    pub(crate) segments: SegmentStore,
    pub(crate) counters: Arc<Counters>,
    pub(crate) reaper: mpsc::UnboundedSender<ObjectPath>,
    pub(crate) flush_age: Duration,
    /// What exists, as in the catalog; never held over an await.
    stores: RwLock<Stores>,
    /// Held while stores are created or deleted, so that catalog and memory change together.
    creation: tokio::sync::Mutex<()>,
    /// None once closed.
    log: RwLock<Option<Arc<Log>>>,
    tasks: TaskTracker,
    stop: CancellationToken,
    /// None once closed.
    lock: Mutex<Option<FolderLock>>,
}

impl Inner {
    pub(crate) fn all_stores(&self) -> Vec<Arc<StoreState>> {
        self.read_stores().values().cloned().collect()
    }

    fn read_stores(&self) -> std::sync::RwLockReadGuard<'_, Stores> {
        self.stores.read().expect("no holder of this lock panics")
    }

    fn write_stores(&self) -> std::sync::RwLockWriteGuard<'_, Stores> {
        self.stores.write().expect("no holder of this lock panics")
    }

    fn log(&self) -> Result<Arc<Log>, StoreError> {
        self.log.read().expect("no holder of this lock panics").clone().ok_or(StoreError::Closed)
    }

    /// Log files of which every row stands in a segment are deleted.
    pub(crate) fn truncate_log(&self) -> Result<(), StoreError> {
        let flushed: HashMap<_, _> = self
            .all_stores()
            .iter()
            .flat_map(|store| store.shards.iter().map(|shard| (shard.id, shard.flushed())).collect::<Vec<_>>())
            .collect();
        self.log()?.truncate(|shard| flushed.get(&shard).copied())
    }
}

impl Storage {
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    pub async fn projects(&self) -> Result<Vec<ProjectName>, StoreError> {
        self.inner.catalog.projects().await
    }

    pub fn store(&self, project: &ProjectName, name: &StoreName) -> Option<Arc<StoreState>> {
        self.inner.read_stores().get(&(project.clone(), name.clone())).cloned()
    }

    /// Like [`Storage::store`]; the error lists what the project has.
    pub fn expect_store(&self, project: &ProjectName, name: &StoreName) -> Result<Arc<StoreState>, StoreError> {
        self.store(project, name).ok_or_else(|| {
            let stores = self.stores(project);
            let mut names: Vec<&str> = stores.iter().take(NAMES_SHOWN_MAX).map(|s| s.name().as_str()).collect();
            if names.is_empty() {
                names.push("none");
            } else if stores.len() > NAMES_SHOWN_MAX {
                names.push("…");
            }
            let known = names.join(", ");
            StoreError::UnknownStore { project: project.to_string(), store: name.to_string(), known }
        })
    }

    /// By name.
    pub fn stores(&self, project: &ProjectName) -> Vec<Arc<StoreState>> {
        let mut stores: Vec<_> =
            self.inner.read_stores().values().filter(|store| store.project() == project).cloned().collect();
        stores.sort_by(|a, b| a.name().cmp(b.name()));
        stores
    }

    /// Gives the store that is there already, if it is of the same kind.
    pub async fn create_store(
        &self,
        project: &ProjectName,
        name: &StoreName,
        spec: StoreSpec,
    ) -> Result<Arc<StoreState>, StoreError> {
        spec.check()?;
        let _one_at_a_time = self.inner.creation.lock().await;
        if let Some(store) = self.store(project, name) {
            store.check_kind(spec.kind)?;
            return Ok(store);
        }
        let (row, shards) = self.inner.catalog.create_store(project, name, &spec, self.clock().now()).await?;
        let shards =
            shards.into_iter().map(|shard| Arc::new(Shard::new(shard.id, shard.range, shard.flushed))).collect();
        let identity =
            StoreIdentity { id: row.id, project: row.project, name: row.name, kind: row.kind, ttl_ns: row.ttl_ns };
        let store = Arc::new(StoreState::new(identity, StoreSchema::default(), shards, SeriesIndex::default()));
        self.inner.write_stores().insert((project.clone(), name.clone()), store.clone());
        Ok(store)
    }

    /// Its rows are gone for new queries at once; running ones finish.
    pub async fn delete_store(&self, project: &ProjectName, name: &StoreName) -> Result<(), StoreError> {
        let _one_at_a_time = self.inner.creation.lock().await;
        let store = self.expect_store(project, name)?;
        // Held to the end: a flush that began now would commit a segment of a store that is gone.
        let mut no_flush = Vec::with_capacity(store.shards.len());
        for shard in &store.shards {
            no_flush.push(shard.flushing.lock().await);
        }
        self.inner.write_stores().remove(&(project.clone(), name.clone()));
        self.inner.catalog.delete_store(store.id(), self.clock().now()).await?;
        let segments: Vec<_> = store.shards.iter().flat_map(|shard| shard.take_all()).collect();
        bury(&self.inner, segments).await
    }

    /// None keeps rows for ever.
    pub async fn set_ttl(
        &self,
        project: &ProjectName,
        name: &StoreName,
        ttl: Option<Duration>,
    ) -> Result<(), StoreError> {
        let store = self.expect_store(project, name)?;
        self.inner.catalog.set_ttl(store.id(), ttl.map(ttl_ns)).await?;
        store.set_ttl(ttl);
        Ok(())
    }

    /// Rows of a logstore: `_time` first, then columns of the four column types, `_overflow` where needed.
    /// When this returns they are on disk and every later snapshot has them.
    pub async fn append(&self, store: &StoreState, batch: RecordBatch, route: &Route) -> Result<(), StoreError> {
        store.check_kind(StoreKind::Logs)?;
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.admit_columns(store, &batch).await?;
        let (batch, overflown) = conform(batch, &store.schema(), store.name().as_str())?;
        Counters::add(&self.inner.counters.overflow_values, overflown as u64);
        self.append_rows(store, batch, route).await
    }

    async fn admit_columns(&self, store: &StoreState, batch: &RecordBatch) -> Result<(), StoreError> {
        if new_columns(batch, &store.schema()).is_empty() {
            return Ok(());
        }
        let _one_at_a_time = store.schema_change.lock().await;
        let schema = store.schema();
        let new = new_columns(batch, &schema);
        if !new.is_empty() {
            self.inner.catalog.add_columns(store.id(), schema.columns().len(), &new).await?;
            store.set_schema(schema.extended(&new));
        }
        Ok(())
    }

    pub(crate) async fn append_rows(
        &self,
        store: &StoreState,
        batch: RecordBatch,
        route: &Route,
    ) -> Result<(), StoreError> {
        let bytes = batch.get_array_memory_size();
        if bytes > APPEND_BYTES_MAX {
            return Err(StoreError::BatchTooLarge { bytes, limit: APPEND_BYTES_MAX });
        }
        let held = self.recent_bytes();
        if held > RECENT_BYTES_MAX {
            self.inner.counters.refused_busy.fetch_add(1, Relaxed);
            return Err(StoreError::Busy { held, limit: RECENT_BYTES_MAX });
        }
        let parts = split(store, batch, route)?;
        self.inner.log()?.append(parts, self.clock().now()).await
    }

    fn recent_bytes(&self) -> usize {
        let stores = self.inner.read_stores();
        stores.values().flat_map(|store| store.shards.iter().map(|shard| shard.recent_bytes())).sum()
    }

    /// The rows whose `_time` may lie in the range: whole batches and segments are left out, single rows are not.
    pub fn snapshot(&self, store: &StoreState, range: TimeRange) -> Result<Snapshot, StoreError> {
        Snapshot::take(store, store.table_schema(), range)
    }

    /// Where the segments of snapshots are read.
    pub fn segment_objects(&self) -> Arc<dyn ObjectStore> {
        self.inner.segments.objects().clone()
    }

    /// Turns everything recent into segments.
    pub async fn flush(&self) -> Result<(), StoreError> {
        for store in self.inner.all_stores() {
            for shard in &store.shards {
                flush_shard(&self.inner, &store, shard).await?;
            }
        }
        Ok(())
    }

    /// Drops what is older than its store's TTL; the background does the same every half minute.
    pub async fn drop_expired(&self) -> Result<(), StoreError> {
        crate::background::expire(&self.inner).await
    }

    pub async fn put_document(
        &self,
        kind: DocumentKind,
        project: &ProjectName,
        name: &str,
        body: &str,
    ) -> Result<(), StoreError> {
        self.inner.catalog.put_document(kind, project, name, body, self.clock().now()).await
    }

    pub async fn document(
        &self,
        kind: DocumentKind,
        project: &ProjectName,
        name: &str,
    ) -> Result<Option<String>, StoreError> {
        self.inner.catalog.document(kind, project, name).await
    }

    pub async fn documents(&self, kind: DocumentKind, project: &ProjectName) -> Result<Vec<Document>, StoreError> {
        self.inner.catalog.documents(kind, project).await
    }

    /// False when there was none.
    pub async fn delete_document(
        &self,
        kind: DocumentKind,
        project: &ProjectName,
        name: &str,
    ) -> Result<bool, StoreError> {
        self.inner.catalog.delete_document(kind, project, name).await
    }

    pub fn metrics(&self) -> Vec<Metric> {
        let mut metrics = self.inner.counters.metrics();
        let recent =
            Metric::gauge("culprit_store_recent_bytes", "Arrow bytes not yet in segments.", self.recent_bytes() as f64);
        metrics.push(recent);
        for store in self.inner.all_stores() {
            let size = store.size();
            let of_store = |metric: Metric| {
                metric.label("project", store.project().as_str()).label("store", store.name().as_str())
            };
            metrics.extend([
                of_store(Metric::gauge("culprit_store_rows", "Rows kept.", size.rows as f64)),
                of_store(Metric::gauge("culprit_store_segment_bytes", "Bytes of segments.", size.segment_bytes as f64)),
                of_store(Metric::gauge("culprit_store_segments", "Segments.", size.segments as f64)),
            ]);
        }
        metrics
    }

    /// No append is taken any more, what waits is written, recent rows become segments, and the folder is free.
    pub async fn shutdown(&self) -> Result<(), StoreError> {
        self.inner.stop.cancel();
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
        let flushed = self.flush().await;
        let log = self.inner.log.write().expect("no holder of this lock panics").take();
        if let Some(log) = log {
            log.close().await;
        }
        self.inner.catalog.close().await;
        drop(self.inner.lock.lock().expect("no holder of this lock panics").take());
        flushed
    }
}

fn split(store: &StoreState, batch: RecordBatch, route: &Route) -> Result<Vec<(Arc<Shard>, RecordBatch)>, StoreError> {
    let owners = match store.place(route) {
        Placement::All(shard) => return Ok(vec![(store.shards[shard].clone(), batch)]),
        Placement::PerRow(owners) => owners,
    };
    let mut rows = vec![Vec::new(); store.shards.len()];
    for (row, owner) in (0u32..).zip(owners) {
        rows[owner].push(row);
    }
    let taken = rows.into_iter().zip(&store.shards).filter(|(rows, _)| !rows.is_empty());
    taken.map(|(rows, shard)| Ok((shard.clone(), take_record_batch(&batch, &UInt32Array::from(rows))?))).collect()
}

#[cfg(test)]
mod tests;
