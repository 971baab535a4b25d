//! Opening: what the catalog names is loaded, what the log holds beyond the segments is replayed, what a crash left over is removed.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Instant;

use arrow::record_batch::RecordBatch;
use futures::TryStreamExt;
use object_store::path::Path as ObjectPath;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Inner, Storage, StorageConfig};
use crate::background::{delete_buried, drop_expired, flush_when_due, reap};
use crate::catalog::{Catalog, DocumentKind, ShardRow};
use crate::conform::{conform, new_columns};
use crate::directory::Directory;
use crate::disk::Disk;
use crate::keys::KeyRing;
use crate::layout::Layout;
use crate::log::{Entry, Log, LogContext, Replay, Replayed};
use crate::metrics::SeriesIndex;
use crate::pressure::Gauges;
use crate::schema::StoreSchema;
use crate::segment::{Segment, SegmentStore};
use crate::shard::{RecentBatch, Shard};
use crate::shard_set::ShardSet;
use crate::state::Held;
use crate::telemetry::Counters;
use crate::view::View;
use crate::{Offset, ProjectName, ShardId, ShardNumber, StoreError, StoreKind, StoreState, TimeRange, folder};

impl Storage {
    /// Creates the folder when it is not there.
    pub async fn open(config: StorageConfig) -> Result<Self, StoreError> {
        Self::open_on(config, Disk::default()).await
    }

    #[expect(clippy::disallowed_methods, reason = "a Drop cannot wait for room; at most one message per segment")]
    pub(crate) async fn open_on(config: StorageConfig, disk: Disk) -> Result<Self, StoreError> {
        let StorageConfig { data, clock, flush_age, log_bytes_max } = config;
        let (layout, lock) = folder::open(&disk, &data)?;
        let catalog = Catalog::open(&layout.catalog_file(), disk.clone()).await?;
        for project in [ProjectName::default_project(), ProjectName::system()] {
            catalog.ensure_project(&project, clock.now()).await?;
        }
        let keys = KeyRing::load(layout.key_file(), &catalog).await?;
        let segments = SegmentStore::local(&layout, disk.clone())?;
        let (reaper, doomed) = mpsc::unbounded_channel();
        let gauges = Arc::new(Gauges::default());
        let directory = load(&catalog, &reaper, &gauges).await?;
        let counters = Arc::new(Counters::default());
        let replayed = recover(&disk, &layout, &catalog, &directory, &counters).await?;
        let log = Log::start(LogContext {
            disk: disk.clone(),
            layout: layout.clone(),
            counters: counters.clone(),
            gauges: gauges.clone(),
            replayed,
        })?;
        let inner = Arc::new(Inner {
            disk,
            layout,
            gauges,
            clock,
            catalog,
            keys,
            segments,
            counters,
            reaper,
            flush_age,
            log_bytes_max,
            directory: RwLock::new(directory),
            creation: tokio::sync::Mutex::new(()),
            log: RwLock::new(Some(Arc::new(log))),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            lock: Mutex::new(Some(lock)),
        });
        remove_leftovers(&inner).await?;
        inner.truncate_log()?;
        inner.tasks.spawn(flush_when_due(inner.clone(), inner.stop.clone()));
        inner.tasks.spawn(drop_expired(inner.clone(), inner.stop.clone()));
        inner.tasks.spawn(reap(inner.clone(), doomed, inner.stop.clone()));
        Ok(Self { inner })
    }
}

async fn load(
    catalog: &Catalog,
    reaper: &mpsc::UnboundedSender<ObjectPath>,
    gauges: &Arc<Gauges>,
) -> Result<Directory, StoreError> {
    let mut directory = Directory::default();
    for project in catalog.projects().await? {
        directory.insert(Arc::new(project));
    }
    for row in catalog.stores().await? {
        let (id, created) = (row.id, row.created);
        let mut shards = Vec::new();
        for shard in with_children(catalog.shards(id).await?) {
            let (row, children) = shard;
            let segments = catalog.segments(row.id).await?;
            let segments = segments.into_iter().map(|row| Arc::new(Segment::new(row, reaper.clone()))).collect();
            let shard = Shard::new(row.id, row.place, row.flushed, gauges.clone());
            shard.add_segments(segments);
            if let Some(at) = row.closed {
                shard.close(at, children);
                shard.tail().close();
            }
            shards.push(Arc::new(shard));
        }
        let schema = StoreSchema::new(catalog.columns(id).await?);
        let series = match row.kind {
            StoreKind::Logs => SeriesIndex::default(),
            StoreKind::Metrics => SeriesIndex::new(catalog.series(id).await?),
        };
        let held = Held { schema, series, sequences: catalog.sequences(id).await? };
        let store = StoreState::new(row, ShardSet::new(shards), held);
        directory.insert_store(Arc::new(store), created);
    }
    load_documents(catalog, &mut directory).await?;
    Ok(directory)
}

fn with_children(rows: Vec<ShardRow>) -> Vec<(ShardRow, Vec<ShardNumber>)> {
    let mut children: HashMap<ShardNumber, Vec<ShardNumber>> = HashMap::new();
    for row in &rows {
        for parent in &row.place.parents {
            children.entry(*parent).or_default().push(row.place.number);
        }
    }
    let of = |row: ShardRow| {
        let children = children.remove(&row.place.number).unwrap_or_default();
        (row, children)
    };
    rows.into_iter().map(of).collect()
}

/// Those that requests need without asking the catalog.
async fn load_documents(catalog: &Catalog, directory: &mut Directory) -> Result<(), StoreError> {
    for (project, document) in catalog.all_documents(DocumentKind::View).await? {
        let view = View::of_document(project, &document)?;
        if let Some(tenant) = directory.get_mut(&view.project) {
            tenant.views.insert(view.name.clone(), Arc::new(view));
        }
    }
    for (project, document) in catalog.all_documents(DocumentKind::Index).await? {
        let stores = directory.get(&project).map(|tenant| &tenant.stores);
        if let Some(store) = stores.and_then(|stores| stores.get(document.name.as_str())) {
            store.set_index(Some(document.body.into()));
        }
    }
    Ok(())
}

/// One file after the other: memory holds what stands in no segment, decoded, and one file.
async fn recover(
    disk: &Disk,
    layout: &Layout,
    catalog: &Catalog,
    directory: &Directory,
    counters: &Counters,
) -> Result<Replayed, StoreError> {
    let started = Instant::now();
    let mut by_shard: HashMap<ShardId, (&Arc<StoreState>, Arc<Shard>)> = HashMap::new();
    for store in directory.stores() {
        by_shard.extend(store.shard_set().all().iter().map(|shard| (shard.id, (store, shard.clone()))));
    }
    // Entries of deleted stores have no owner; entries below the flushed offset stand in a segment already.
    let is_wanted =
        |shard: ShardId, offset: Offset| by_shard.get(&shard).is_some_and(|(_, shard)| offset >= shard.flushed());
    let mut replay = Replay::open(disk, layout)?;
    let mut rows = 0;
    while let Some(entries) = replay.next_file(is_wanted)? {
        for (entry, batch) in decode(entries).await? {
            let (store, shard) = &by_shard[&entry.shard];
            rows += batch.num_rows() as u64;
            restore(catalog, store, shard, &entry, batch).await?;
        }
    }
    let replayed = replay.finish();
    let took = started.elapsed();
    Counters::add(&counters.quarantined_groups, replayed.quarantined_groups);
    Counters::add(&counters.torn_bytes, replayed.torn_bytes);
    Counters::add(&counters.replay_micros, took.as_micros() as u64);
    Counters::add(&counters.replayed_bytes, replayed.bytes);
    Counters::add(&counters.replayed_rows, rows);
    if rows > 0 {
        tracing::info!(rows, bytes = replayed.bytes, ms = took.as_millis() as u64, "the log was replayed");
    }
    Ok(replayed)
}

/// On two threads: decompression is what a replay mostly does.
async fn decode(entries: Vec<Entry>) -> Result<Vec<(Entry, RecordBatch)>, StoreError> {
    let decode_all = |entries: Vec<Entry>| -> Result<Vec<(Entry, RecordBatch)>, StoreError> {
        let decode_one = |entry: Entry| entry.body.decode().map(|batch| (entry, batch));
        entries.into_iter().map(decode_one).collect()
    };
    let mut first = entries;
    let second = first.split_off(first.len() / 2);
    let second = tokio::task::spawn_blocking(move || decode_all(second));
    let first = tokio::task::spawn_blocking(move || decode_all(first));
    let mut decoded = first.await.expect("decoding a log entry does not panic")?;
    decoded.extend(second.await.expect("decoding a log entry does not panic")?);
    Ok(decoded)
}

/// Columns were in the catalog before their rows were in the log; only a catalog restored from an older copy lacks some.
async fn restore(
    catalog: &Catalog,
    store: &Arc<StoreState>,
    shard: &Arc<Shard>,
    entry: &Entry,
    mut batch: RecordBatch,
) -> Result<(), StoreError> {
    if store.kind() == StoreKind::Logs {
        let schema = store.schema();
        let new = new_columns(&batch, &schema);
        if !new.is_empty() {
            catalog.add_columns(store.id(), schema.columns().len(), &new).await?;
            store.set_schema(schema.extended(&new));
        }
        (batch, _) = conform(batch, &store.schema(), store.name().as_str())?;
    }
    if let Some(sequence) = entry.sequence {
        store.sequences.store(sequence, entry.received);
    }
    shard.publish(RecentBatch::new(entry.offset, entry.received, entry.sequence, batch));
    Ok(())
}

/// Files under a tombstone, and files that no catalog row names: a crash came between writing one and committing it.
async fn remove_leftovers(inner: &Inner) -> Result<(), StoreError> {
    for path in inner.catalog.buried_segments().await? {
        delete_buried(inner, &ObjectPath::from(path)).await?;
    }
    let mut named = HashSet::new();
    for store in inner.all_stores() {
        for shard in store.shard_set().all() {
            named.extend(shard.view(TimeRange::ALL).segments.iter().map(|segment| segment.path().clone()));
        }
    }
    let listed: Vec<_> =
        inner.segments.objects().list(None).try_collect().await.map_err(StoreError::segment("segments"))?;
    for object in listed {
        if !named.contains(&object.location) {
            tracing::warn!(path = %object.location, "removing a segment that was never committed");
            inner.segments.delete(&object.location).await?;
        }
    }
    Ok(())
}
