//! The open data folder: the stores of all projects, the log under them, and the tasks beside them.

mod documents;
mod open;
mod stores;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use arrow::array::UInt32Array;
use arrow::compute::take_record_batch;
use arrow::record_batch::RecordBatch;
use object_store::ObjectStore;
use object_store::path::Path as ObjectPath;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::background::flush_shard;
use crate::catalog::Catalog;
use crate::conform::{conform, new_columns};
use crate::directory::Directory;
use crate::disk::Disk;
use crate::folder::FolderLock;
use crate::hash::Route;
use crate::keys::KeyRing;
use crate::layout::Layout;
use crate::limits::{APPEND_BYTES_MAX, FLUSH_AGE, LOG_BYTES_MAX};
use crate::log::{Append, Log, Numbered};
use crate::pressure::Gauges;
use crate::segment::SegmentStore;
use crate::shard::Shard;
use crate::state::Placement;
use crate::telemetry::{Counters, Metric};
use crate::{Clock, Offset, Sequence, ShardId, Snapshot, StoreError, StoreKind, StoreState, TimeRange};

#[derive(Debug, Clone)]
pub struct StorageConfig {
    pub data: PathBuf,
    pub clock: Clock,
    /// Recent rows older than this become a segment: longer makes larger segments, more memory in use and a longer replay.
    pub flush_age: Duration,
    /// Above so many bytes of log, what keeps its oldest files alive is flushed: more makes better segments and a longer replay.
    pub log_bytes_max: u64,
}

impl StorageConfig {
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self { data: data.into(), clock: Clock::System, flush_age: FLUSH_AGE, log_bytes_max: LOG_BYTES_MAX }
    }
}

/// A handle; clones share the one open folder.
#[derive(Clone)]
pub struct Storage {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) clock: Clock,
    pub(crate) catalog: Catalog,
    pub(crate) keys: KeyRing,
    pub(crate) segments: SegmentStore,
    pub(crate) counters: Arc<Counters>,
    pub(crate) reaper: mpsc::UnboundedSender<ObjectPath>,
    pub(crate) flush_age: Duration,
    pub(crate) log_bytes_max: u64,
    pub(crate) disk: Disk,
    pub(crate) layout: Layout,
    pub(crate) gauges: Arc<Gauges>,
    /// Never held over an await.
    directory: RwLock<Directory>,
    /// Held while projects, stores and views are created or deleted, so that catalog and memory change together.
    pub(crate) creation: tokio::sync::Mutex<()>,
    /// None once closed.
    log: RwLock<Option<Arc<Log>>>,
    tasks: TaskTracker,
    stop: CancellationToken,
    /// None once closed.
    lock: Mutex<Option<FolderLock>>,
}

impl Inner {
    pub(crate) fn all_stores(&self) -> Vec<Arc<StoreState>> {
        self.directory().stores().cloned().collect()
    }

    pub(crate) fn directory(&self) -> RwLockReadGuard<'_, Directory> {
        self.directory.read().expect("no holder of this lock panics")
    }

    pub(crate) fn directory_mut(&self) -> RwLockWriteGuard<'_, Directory> {
        self.directory.write().expect("no holder of this lock panics")
    }

    pub(crate) fn log(&self) -> Result<Arc<Log>, StoreError> {
        self.log.read().expect("no holder of this lock panics").clone().ok_or(StoreError::Closed)
    }

    fn flushed(&self) -> HashMap<ShardId, Offset> {
        let stores = self.all_stores();
        let sets = stores.iter().map(|store| store.shard_set());
        sets.flat_map(|set| set.all().iter().map(|shard| (shard.id, shard.flushed())).collect::<Vec<_>>()).collect()
    }

    /// Log files of which every row stands in a segment are deleted.
    pub(crate) fn truncate_log(&self) -> Result<(), StoreError> {
        let log = self.log()?;
        // In this order: a shard that is made between the two has no row in the files before `current`, so what `flushed` does not name is gone.
        let current = log.files().current();
        let flushed = self.flushed();
        log.files().truncate(current, |shard| flushed.get(&shard).copied())
    }

    /// Shards that must be flushed for the log to become short enough.
    pub(crate) fn overdue_shards(&self) -> Result<Vec<ShardId>, StoreError> {
        let log = self.log()?;
        if log.files().bytes() <= self.log_bytes_max {
            return Ok(Vec::new());
        }
        let flushed = self.flushed();
        Ok(log.files().overdue(self.log_bytes_max, |shard| flushed.get(&shard).copied()))
    }
}

impl Storage {
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// Rows of a logstore: `_time` first, then columns of the four column types, `_overflow` where needed.
    /// When this returns they are on disk and every later snapshot has them.
    pub async fn append(&self, store: &StoreState, batch: RecordBatch, route: &Route) -> Result<(), StoreError> {
        self.append_all(store, vec![batch], route, None).await
    }

    /// As [`Storage::append`], for batches that are stored together or not at all; each goes its way by `route`. With a sequence they are stored once, however
    /// often they are sent: [`StoreError::StaleSequence`] says that they are there.
    pub async fn append_all(
        &self,
        store: &StoreState,
        batches: Vec<RecordBatch>,
        route: &Route,
        sequence: Option<Sequence>,
    ) -> Result<(), StoreError> {
        store.check_kind(StoreKind::Logs)?;
        let mut conformed = Vec::with_capacity(batches.len());
        for batch in batches.into_iter().filter(|batch| batch.num_rows() > 0) {
            self.admit_columns(store, &batch).await?;
            let (batch, overflown) = conform(batch, &store.schema(), store.name().as_str())?;
            Counters::add(&self.inner.counters.overflow_values, overflown as u64);
            conformed.push(batch);
        }
        if conformed.is_empty() {
            return Ok(());
        }
        self.append_rows(store, conformed, route, sequence).await
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
        batches: Vec<RecordBatch>,
        route: &Route,
        sequence: Option<Sequence>,
    ) -> Result<(), StoreError> {
        let bytes = batches.iter().map(RecordBatch::get_array_memory_size).sum();
        if bytes > APPEND_BYTES_MAX {
            return Err(StoreError::BatchTooLarge { bytes, limit: APPEND_BYTES_MAX });
        }
        let done = self.log_rows(store, batches, route, sequence).await;
        match &done {
            Err(StoreError::Busy { .. }) => Counters::add(&self.inner.counters.refused_busy, 1),
            Err(StoreError::DiskFull { .. }) => Counters::add(&self.inner.counters.refused_disk_full, 1),
            _ => {}
        }
        done
    }

    async fn log_rows(
        &self,
        store: &StoreState,
        batches: Vec<RecordBatch>,
        route: &Route,
        sequence: Option<Sequence>,
    ) -> Result<(), StoreError> {
        // The log looks again; that way a repeated write costs no encoding.
        sequence.map_or(Ok(()), |sequence| store.sequences.check(sequence))?;
        self.inner.gauges.check()?;
        let log = self.inner.log()?;
        let placed = store.placing.clone().read_owned().await;
        let mut parts = Vec::with_capacity(batches.len());
        for batch in batches {
            parts.extend(split(store, batch, route)?);
        }
        let numbered = sequence.map(|sequence| Numbered { sequences: store.sequences.clone(), sequence });
        log.append(Append { parts, received: self.clock().now(), numbered, placed }).await
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
            for shard in store.shard_set().all() {
                flush_shard(&self.inner, &store, shard).await?;
            }
        }
        Ok(())
    }

    /// Drops what is older than its store's TTL; the background does the same every half minute.
    pub async fn drop_expired(&self) -> Result<(), StoreError> {
        crate::background::expire(&self.inner).await
    }

    /// Fails when the catalog does not answer.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.inner.catalog.check().await
    }

    pub fn metrics(&self) -> Vec<Metric> {
        let mut metrics = self.inner.counters.metrics();
        let recent = self.inner.gauges.recent_bytes.load(Relaxed) as f64;
        metrics.push(Metric::gauge("culprit_store_recent_bytes", "Arrow bytes not yet in segments.", recent));
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
    let (set, owners) = match store.place(route, batch.num_rows())? {
        Placement::All(shard) => return Ok(vec![(shard, batch)]),
        Placement::PerRow(set, owners) => (set, owners),
    };
    let mut rows = vec![Vec::new(); set.writable().len()];
    for (row, owner) in (0u32..).zip(owners) {
        rows[owner].push(row);
    }
    let taken = rows.into_iter().zip(set.writable()).filter(|(rows, _)| !rows.is_empty());
    taken.map(|(rows, shard)| Ok((shard.clone(), take_record_batch(&batch, &UInt32Array::from(rows))?))).collect()
}

#[cfg(test)]
mod tests;
