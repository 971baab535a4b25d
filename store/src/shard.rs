//! A shard: its recent batches and its segments, and the moment at which rows pass from the one to the other.

use std::sync::{Arc, RwLock};

use arrow::array::{Array, TimestampNanosecondArray};
use arrow::compute::kernels::aggregate::{max, min};
use arrow::record_batch::RecordBatch;

use crate::hash::HashRange;
use crate::schema::TIME;
use crate::segment::Segment;
use crate::state::StoreSize;
use crate::{Offset, ShardId, TimeRange, UnixNanos};

/// A batch that is in the log and not yet in a segment.
#[derive(Debug, Clone)]
pub(crate) struct RecentBatch {
    pub(crate) offset: Offset,
    pub(crate) received: UnixNanos,
    pub(crate) batch: RecordBatch,
    pub(crate) bytes: usize,
    pub(crate) min_time: UnixNanos,
    pub(crate) max_time: UnixNanos,
}

impl RecentBatch {
    pub(crate) fn new(offset: Offset, received: UnixNanos, batch: RecordBatch) -> Self {
        let times = batch.column_by_name(TIME).and_then(|c| c.as_any().downcast_ref::<TimestampNanosecondArray>());
        let min_time = UnixNanos(times.and_then(min).unwrap_or(i64::MAX));
        let max_time = UnixNanos(times.and_then(max).unwrap_or(i64::MIN));
        let bytes = batch.get_array_memory_size();
        Self { offset, received, batch, bytes, min_time, max_time }
    }
}

#[derive(Debug)]
pub(crate) struct Shard {
    pub(crate) id: ShardId,
    pub(crate) range: HashRange,
    /// Guards the passage of rows from recent to segment: a reader sees each row in exactly one of the two.
    contents: RwLock<Contents>,
    /// Held by the one flush that may run.
    pub(crate) flushing: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Contents {
    next_offset: Offset,
    /// Offsets below stand in segments.
    flushed: Offset,
    recent: Vec<Arc<RecentBatch>>,
    recent_bytes: usize,
    segments: Vec<Arc<Segment>>,
}

/// What a reader gets: shared, never changing.
pub(crate) struct ShardView {
    pub(crate) recent: Vec<Arc<RecentBatch>>,
    pub(crate) segments: Vec<Arc<Segment>>,
}

impl Shard {
    pub(crate) fn new(id: ShardId, range: HashRange, flushed: Offset) -> Self {
        let contents =
            Contents { next_offset: flushed, flushed, recent: Vec::new(), recent_bytes: 0, segments: Vec::new() };
        Self { id, range, contents: RwLock::new(contents), flushing: tokio::sync::Mutex::new(()) }
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Contents> {
        self.contents.read().expect("no holder of this lock panics")
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Contents> {
        self.contents.write().expect("no holder of this lock panics")
    }

    pub(crate) fn next_offset(&self) -> Offset {
        self.read().next_offset
    }

    pub(crate) fn flushed(&self) -> Offset {
        self.read().flushed
    }

    /// Makes a batch visible. Offsets ascend; after a quarantined group they may leave a gap.
    pub(crate) fn publish(&self, recent: RecentBatch) {
        let mut contents = self.write();
        assert!(recent.offset >= contents.next_offset, "offset {} of shard {} again", recent.offset, self.id);
        contents.next_offset = Offset(recent.offset.0 + 1);
        contents.recent_bytes += recent.bytes;
        contents.recent.push(Arc::new(recent));
    }

    pub(crate) fn add_segments(&self, segments: Vec<Arc<Segment>>) {
        self.write().segments.extend(segments);
    }

    pub(crate) fn view(&self, range: TimeRange) -> ShardView {
        let contents = self.read();
        let recent =
            contents.recent.iter().filter(|recent| range.overlaps(recent.min_time, recent.max_time)).cloned().collect();
        let segments = contents
            .segments
            .iter()
            .filter(|segment| range.overlaps(segment.min_time, segment.max_time))
            .cloned()
            .collect();
        ShardView { recent, segments }
    }

    pub(crate) fn recent_bytes(&self) -> usize {
        self.read().recent_bytes
    }

    /// When the oldest recent batch was received.
    pub(crate) fn oldest_recent(&self) -> Option<UnixNanos> {
        self.read().recent.first().map(|recent| recent.received)
    }

    /// The batches that one segment may hold together, oldest first.
    pub(crate) fn flushable(&self, bytes_max: usize) -> Vec<Arc<RecentBatch>> {
        let contents = self.read();
        let mut bytes = 0;
        let full = contents.recent.iter().position(|recent| {
            bytes += recent.bytes;
            bytes > bytes_max
        });
        let count = full.map_or(contents.recent.len(), |at| at.max(1));
        contents.recent[..count].to_vec()
    }

    /// Rows up to the segment's last offset leave memory in the same instant in which the segment appears.
    pub(crate) fn replace_recent(&self, segment: Arc<Segment>) {
        let mut contents = self.write();
        let last = segment.last;
        contents.flushed = Offset(last.0 + 1);
        contents.recent.retain(|recent| recent.offset > last);
        contents.recent_bytes = contents.recent.iter().map(|recent| recent.bytes).sum();
        contents.segments.push(segment);
    }

    /// Takes out the segments of which the last row was received before `limit`.
    pub(crate) fn take_expired(&self, limit: UnixNanos) -> Vec<Arc<Segment>> {
        let mut contents = self.write();
        let (expired, kept) = contents.segments.drain(..).partition(|segment| segment.max_received < limit);
        contents.segments = kept;
        expired
    }

    /// Everything, for a store that is deleted.
    pub(crate) fn take_all(&self) -> Vec<Arc<Segment>> {
        let mut contents = self.write();
        contents.recent.clear();
        contents.recent_bytes = 0;
        std::mem::take(&mut contents.segments)
    }

    pub(crate) fn size(&self) -> StoreSize {
        let contents = self.read();
        let recent_rows: usize = contents.recent.iter().map(|recent| recent.batch.num_rows()).sum();
        StoreSize {
            rows: recent_rows as u64 + contents.segments.iter().map(|segment| segment.rows).sum::<u64>(),
            segment_bytes: contents.segments.iter().map(|segment| segment.bytes).sum(),
            recent_bytes: contents.recent_bytes as u64,
            segments: contents.segments.len() as u64,
        }
    }
}
