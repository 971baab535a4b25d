//! What goes on beside appends and queries: recent rows become segments, expired segments go, files without readers are deleted.

use std::sync::Arc;

use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use object_store::path::Path as ObjectPath;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::catalog::SegmentRow;
use crate::layout::segment_path;
use crate::limits::{FLUSH_BYTES, FLUSH_TICK, RETENTION_TICK, SAMPLES_FLUSH_AGES};
use crate::metrics::segment::EncodedSamples;
use crate::order::sort;
use crate::reshard::remove_shard;
use crate::segment::{Segment, encode};
use crate::shard::{RecentBatch, Shard};
use crate::snapshot::fill;
use crate::spec::ttl_ns;
use crate::storage::Inner;
use crate::telemetry::Counters;
use crate::{Offset, StoreError, StoreKind, StoreState, UnixNanos};

/// By size, by age, and to keep the log short.
pub(crate) async fn flush_when_due(inner: Arc<Inner>, stop: CancellationToken) {
    let mut tick = tokio::time::interval(FLUSH_TICK);
    while stop.run_until_cancelled(tick.tick()).await.is_some() {
        look_at_space(&inner);
        flush_due(&inner).await;
    }
}

pub(crate) async fn flush_due(inner: &Arc<Inner>) {
    let now = inner.clock.now().0;
    // A log that is closed has nothing to keep short.
    let overdue = inner.overdue_shards().unwrap_or_else(|_| Vec::new());
    for store in inner.all_stores() {
        let age = match store.kind() {
            StoreKind::Logs => inner.flush_age,
            StoreKind::Metrics => inner.flush_age.saturating_mul(SAMPLES_FLUSH_AGES),
        };
        let old = now.saturating_sub(ttl_ns(age));
        for shard in store.shard_set().all() {
            let is_large = shard.recent_bytes() >= FLUSH_BYTES;
            let is_old = shard.oldest_recent().is_some_and(|at| at.0 < old);
            let is_due = is_large || is_old || overdue.binary_search(&shard.id).is_ok();
            if is_due && let Err(error) = flush_shard(inner, &store, shard).await {
                Counters::add(&inner.counters.flush_failures, 1);
                tracing::error!(%error, shard = %shard.id, "recent rows could not become a segment; they stay in the log");
            }
        }
    }
}

pub(crate) fn look_at_space(inner: &Inner) {
    match inner.disk.space(inner.layout.root()) {
        Ok(space) => inner.gauges.set_space(space),
        Err(error) => tracing::warn!(%error, "the space of the disk is not known"),
    }
}

pub(crate) async fn drop_expired(inner: Arc<Inner>, stop: CancellationToken) {
    let mut tick = tokio::time::interval(RETENTION_TICK);
    while stop.run_until_cancelled(tick.tick()).await.is_some() {
        if let Err(error) = expire(&inner).await {
            tracing::error!(%error, "expired segments could not be dropped; the next round tries again");
        }
    }
}

pub(crate) async fn expire(inner: &Arc<Inner>) -> Result<(), StoreError> {
    let now = inner.clock.now();
    for store in inner.all_stores() {
        let Some(ttl) = store.ttl() else { continue };
        let limit = UnixNanos(now.0.saturating_sub(ttl_ns(ttl)));
        for shard in store.shard_set().all() {
            let expired = shard.take_expired(limit);
            Counters::add(&inner.counters.expired_segments, expired.len() as u64);
            bury(inner, expired).await?;
            let is_past = shard.closed_at().is_some_and(|closed| closed < limit);
            if is_past && shard.is_empty() {
                let _no_append = store.placing.write().await;
                remove_shard(inner, &store, shard).await?;
            }
        }
    }
    Ok(())
}

/// Tombstone first, file later: a crash in between leaves a file that the next start deletes.
pub(crate) async fn bury(inner: &Inner, segments: Vec<Arc<Segment>>) -> Result<(), StoreError> {
    for segment in segments {
        inner.catalog.bury_segment(segment.id, inner.clock.now()).await?;
        segment.doom();
    }
    Ok(())
}

/// Ends when the last sender is gone.
pub(crate) async fn reap(inner: Arc<Inner>, mut doomed: mpsc::UnboundedReceiver<ObjectPath>, stop: CancellationToken) {
    while let Some(Some(path)) = stop.run_until_cancelled(doomed.recv()).await {
        if let Err(error) = delete_buried(&inner, &path).await {
            tracing::warn!(%error, %path, "a dropped segment could not be deleted; the next start tries again");
        }
    }
}

pub(crate) async fn delete_buried(inner: &Inner, path: &ObjectPath) -> Result<(), StoreError> {
    inner.segments.delete(path).await?;
    inner.catalog.forget_segment(path.as_ref()).await
}

/// Turns everything recent of a shard into segments; a batch that arrives meanwhile may stay. Parents go first: readers that take segments before what
/// is recent find the rows of a key in order.
pub(crate) async fn flush_shard(inner: &Arc<Inner>, store: &StoreState, shard: &Arc<Shard>) -> Result<(), StoreError> {
    let set = store.shard_set();
    for parent in shard.parents.iter().filter_map(|parent| set.get(*parent)) {
        if parent.oldest_recent().is_some() {
            Box::pin(flush_shard(inner, store, parent)).await?;
        }
    }
    let _one_at_a_time = shard.flushing.lock().await;
    let until = shard.next_offset();
    while shard.flushed() < until {
        let batches = shard.flushable(FLUSH_BYTES);
        if batches.is_empty() {
            return Ok(());
        }
        write_segment(inner, store, shard, batches).await?;
    }
    Ok(())
}

async fn write_segment(
    inner: &Arc<Inner>,
    store: &StoreState,
    shard: &Arc<Shard>,
    batches: Vec<Arc<RecentBatch>>,
) -> Result<(), StoreError> {
    let first = batches[0].offset;
    let last = batches[batches.len() - 1].offset;
    let path = segment_path(store.id(), shard.id, first, last);
    let mut row = describe(shard, &path, &batches);
    let sequences = store.sequences.change(batches.iter().map(AsRef::as_ref));
    let bytes = encode_rows(inner, store, batches).await.map_err(|error| with_path(error, &path))?;
    row.bytes = bytes.len() as u64;
    inner.segments.put(&path, bytes).await?;
    let committed = match inner.catalog.commit_segment(store.id(), row, &sequences).await? {
        Some(row) => vec![row],
        None => unseen_segments(inner, shard).await?,
    };
    for row in committed {
        Counters::add(&inner.counters.flushes, 1);
        Counters::add(&inner.counters.flushed_rows, row.rows);
        shard.replace_recent(Arc::new(Segment::new(row, inner.reaper.clone())));
    }
    inner.truncate_log()
}

/// Of commits that were made and reported as failed. The file that was written for nothing goes at the next start.
async fn unseen_segments(inner: &Inner, shard: &Shard) -> Result<Vec<SegmentRow>, StoreError> {
    let mut segments = inner.catalog.segments(shard.id).await?;
    segments.retain(|segment| segment.first >= shard.flushed());
    Ok(segments)
}

fn with_path(error: StoreError, path: &ObjectPath) -> StoreError {
    match error {
        StoreError::Segment { source, .. } => StoreError::Segment { path: path.to_string(), source },
        other => other,
    }
}

fn describe(shard: &Shard, path: &ObjectPath, batches: &[Arc<RecentBatch>]) -> SegmentRow {
    let times = |of: fn(&RecentBatch) -> UnixNanos| batches.iter().map(move |batch| of(batch));
    SegmentRow {
        id: 0,
        shard: shard.id,
        path: path.to_string(),
        first: batches.first().map_or(Offset(0), |batch| batch.offset),
        last: batches.last().map_or(Offset(0), |batch| batch.offset),
        rows: batches.iter().map(|batch| batch.batch.num_rows() as u64).sum(),
        bytes: 0,
        min_time: times(|batch| batch.min_time).min().unwrap_or(UnixNanos(0)),
        max_time: times(|batch| batch.max_time).max().unwrap_or(UnixNanos(0)),
        max_received: times(|batch| batch.received).max().unwrap_or(UnixNanos(0)),
    }
}

async fn encode_rows(inner: &Inner, store: &StoreState, batches: Vec<Arc<RecentBatch>>) -> Result<Vec<u8>, StoreError> {
    let encoded = match store.kind() {
        StoreKind::Logs => {
            let schema = store.table_schema();
            tokio::task::spawn_blocking(move || encode_sorted(&schema, &batches)).await
        }
        StoreKind::Metrics => {
            let encoded = tokio::task::spawn_blocking(move || encode_samples(&batches)).await;
            encoded.map(|encoded| {
                let EncodedSamples { bytes, duplicates } = encoded?;
                Counters::add(&inner.counters.duplicate_samples, duplicates);
                Ok(bytes)
            })
        }
    };
    encoded.expect("encoding a segment does not panic")
}

fn encode_samples(batches: &[Arc<RecentBatch>]) -> Result<EncodedSamples, StoreError> {
    crate::metrics::segment::encode(batches).map_err(StoreError::segment(""))
}

fn encode_sorted(schema: &SchemaRef, batches: &[Arc<RecentBatch>]) -> Result<Vec<u8>, StoreError> {
    let filled = batches.iter().map(|batch| fill(batch, schema)).collect::<Result<Vec<_>, _>>()?;
    let sorted = sort(&concat_batches(schema, &filled)?)?;
    encode(schema, &[sorted]).map_err(StoreError::segment(""))
}
