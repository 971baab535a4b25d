//! A shard: its recent batches and its segments, and the moment at which rows pass from the one to the other.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, OnceLock, RwLock};

use arrow::array::{Array, TimestampNanosecondArray};
use arrow::compute::kernels::aggregate::{max, min};
use arrow::record_batch::RecordBatch;

use crate::hash::HashRange;
use crate::pressure::Gauges;
use crate::schema::TIME;
use crate::segment::Segment;
use crate::sequence::Sequence;
use crate::shard_set::{ShardInfo, ShardStatus};
use crate::state::StoreSize;
use crate::tail::ShardTail;
use crate::{Offset, ShardId, ShardNumber, TimeRange, UnixNanos};

/// A batch that is in the log and not yet in a segment.
#[derive(Debug, Clone)]
pub(crate) struct RecentBatch {
    pub(crate) offset: Offset,
    pub(crate) received: UnixNanos,
    pub(crate) sequence: Option<Sequence>,
    pub(crate) batch: RecordBatch,
    pub(crate) bytes: usize,
    pub(crate) min_time: UnixNanos,
    pub(crate) max_time: UnixNanos,
}

impl RecentBatch {
    pub(crate) fn new(offset: Offset, received: UnixNanos, sequence: Option<Sequence>, batch: RecordBatch) -> Self {
        let times = batch.column_by_name(TIME).and_then(|c| c.as_any().downcast_ref::<TimestampNanosecondArray>());
        let min_time = UnixNanos(times.and_then(min).unwrap_or(i64::MAX));
        let max_time = UnixNanos(times.and_then(max).unwrap_or(i64::MIN));
        let bytes = batch.get_array_memory_size();
        Self { offset, received, sequence, batch, bytes, min_time, max_time }
    }
}

/// Where a shard stands among the shards of its store.
#[derive(Debug, Clone)]
pub(crate) struct ShardPlace {
    pub(crate) number: ShardNumber,
    pub(crate) range: HashRange,
    pub(crate) parents: Vec<ShardNumber>,
    pub(crate) created: UnixNanos,
}

/// A shard that was split or merged: when, and who has its keys.
#[derive(Debug)]
struct Closing {
    at: UnixNanos,
    children: Vec<ShardNumber>,
}

#[derive(Debug)]
pub(crate) struct Shard {
    pub(crate) id: ShardId,
    pub(crate) number: ShardNumber,
    pub(crate) range: HashRange,
    pub(crate) parents: Vec<ShardNumber>,
    created: UnixNanos,
    closing: OnceLock<Closing>,
    tail: ShardTail,
    gauges: Arc<Gauges>,
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
    /// By offset, as are the segments.
    recent: Vec<Arc<RecentBatch>>,
    recent_bytes: usize,
    segments: Vec<Arc<Segment>>,
}

impl Contents {
    fn begin(&self) -> Offset {
        let first_recent = self.recent.first().map_or(self.next_offset, |recent| recent.offset);
        self.segments.first().map_or(first_recent, |segment| segment.first)
    }
}

/// What a reader gets: shared, never changing.
pub(crate) struct ShardView {
    pub(crate) recent: Vec<Arc<RecentBatch>>,
    pub(crate) segments: Vec<Arc<Segment>>,
}

/// Segments come before what is recent, so a read is in one or the other.
pub(crate) enum Seek {
    Segment(Arc<Segment>),
    /// From the wanted offset on; empty at the end of the shard.
    Recent(Vec<Arc<RecentBatch>>),
}

pub(crate) enum SeekReceived {
    /// It is in this segment, somewhere.
    Segment(Arc<Segment>),
    Offset(Offset),
}

impl Shard {
    pub(crate) fn new(id: ShardId, place: ShardPlace, flushed: Offset, gauges: Arc<Gauges>) -> Self {
        let contents =
            Contents { next_offset: flushed, flushed, recent: Vec::new(), recent_bytes: 0, segments: Vec::new() };
        let ShardPlace { number, range, parents, created } = place;
        Self {
            id,
            number,
            range,
            parents,
            created,
            closing: OnceLock::new(),
            tail: ShardTail::new(flushed),
            gauges,
            contents: RwLock::new(contents),
            flushing: tokio::sync::Mutex::new(()),
        }
    }

    pub(crate) fn info(&self) -> ShardInfo {
        let contents = self.read();
        let closing = self.closing.get();
        ShardInfo {
            number: self.number,
            range: self.range,
            status: if closing.is_some() { ShardStatus::ReadOnly } else { ShardStatus::ReadWrite },
            parents: self.parents.clone(),
            children: closing.map_or_else(Vec::new, |closing| closing.children.clone()),
            created: self.created,
            closed: closing.map(|closing| closing.at),
            begin: contents.begin(),
            end: contents.next_offset,
        }
    }

    pub(crate) fn tail(&self) -> &ShardTail {
        &self.tail
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closing.get().is_some()
    }

    pub(crate) fn closed_at(&self) -> Option<UnixNanos> {
        self.closing.get().map(|closing| closing.at)
    }

    /// Its keys belong to the children; no batch may be on its way. Followers are told apart from that, by its tail, once the children can be found.
    pub(crate) fn close(&self, at: UnixNanos, children: Vec<ShardNumber>) {
        let first_time = self.closing.set(Closing { at, children }).is_ok();
        assert!(first_time, "shard {} was closed already", self.id);
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
        self.gauges.recent_bytes.fetch_add(recent.bytes, Relaxed);
        self.tail.advance(contents.next_offset);
        contents.recent.push(Arc::new(recent));
        drop(contents);
        self.tail.wake();
    }

    /// By offset, as the catalog lists them.
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
        let staying = contents.recent.partition_point(|recent| recent.offset <= last);
        let gone: usize = contents.recent.drain(..staying).map(|recent| recent.bytes).sum();
        contents.recent_bytes -= gone;
        self.gauges.recent_bytes.fetch_sub(gone, Relaxed);
        contents.segments.push(segment);
    }

    /// Takes out the segments of which the last row was received before `limit`.
    pub(crate) fn take_expired(&self, limit: UnixNanos) -> Vec<Arc<Segment>> {
        let mut contents = self.write();
        let (expired, kept) = contents.segments.drain(..).partition(|segment| segment.max_received < limit);
        contents.segments = kept;
        expired
    }

    /// Everything, when the shard or its store is deleted; nobody waits for more.
    pub(crate) fn take_all(&self) -> Vec<Arc<Segment>> {
        let mut contents = self.write();
        contents.recent.clear();
        self.gauges.recent_bytes.fetch_sub(std::mem::take(&mut contents.recent_bytes), Relaxed);
        let segments = std::mem::take(&mut contents.segments);
        drop(contents);
        self.tail.close();
        segments
    }

    /// Nothing in memory and nothing in segments.
    pub(crate) fn is_empty(&self) -> bool {
        let contents = self.read();
        contents.recent.is_empty() && contents.segments.is_empty()
    }

    /// Where a read at `from` finds its first batch.
    pub(crate) fn seek(&self, from: Offset, batches_max: usize, bytes_max: usize) -> Seek {
        let contents = self.read();
        let segment = contents.segments.partition_point(|segment| segment.last < from);
        if let Some(segment) = contents.segments.get(segment) {
            return Seek::Segment(segment.clone());
        }
        let start = contents.recent.partition_point(|recent| recent.offset < from);
        let mut bytes = 0;
        let within = contents.recent[start..].iter().take(batches_max).enumerate().take_while(|(at, recent)| {
            bytes += recent.bytes;
            *at == 0 || bytes <= bytes_max
        });
        Seek::Recent(within.map(|(_, recent)| recent.clone()).collect())
    }

    /// Where the first batch that was received at or after `received` is.
    pub(crate) fn seek_received(&self, received: UnixNanos) -> SeekReceived {
        let contents = self.read();
        if let Some(segment) = contents.segments.iter().find(|segment| segment.max_received >= received) {
            return SeekReceived::Segment(segment.clone());
        }
        let recent = contents.recent.iter().find(|recent| recent.received >= received);
        SeekReceived::Offset(recent.map_or(contents.next_offset, |recent| recent.offset))
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

#[cfg(test)]
impl ShardPlace {
    /// The only shard of a store.
    pub(crate) fn root() -> Self {
        Self { number: ShardNumber(0), range: HashRange::ALL, parents: Vec::new(), created: UnixNanos(0) }
    }
}
