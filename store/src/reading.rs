//! Reading a shard in the order of its offsets: what consumers do.

use std::sync::Arc;

use arrow::array::Array;
use arrow::record_batch::RecordBatch;

use crate::shard::{Seek, SeekReceived, Shard};
use crate::telemetry::Counters;
use crate::{Offset, ShardNumber, Storage, StoreError, StoreState, UnixNanos, cold};

/// A batch as it came: its rows in order, without the hidden columns. Columns that it has nothing in may be absent.
#[derive(Debug, Clone)]
pub struct ShardBatch {
    pub offset: Offset,
    pub received: UnixNanos,
    pub batch: RecordBatch,
    /// Of its rows in Arrow, whatever else their buffers hold.
    pub bytes: usize,
}

impl ShardBatch {
    pub(crate) fn new(offset: Offset, received: UnixNanos, batch: RecordBatch) -> Self {
        let bytes = batch.columns().iter().map(|column| slice_bytes(column.as_ref())).sum();
        Self { offset, received, batch, bytes }
    }
}

fn slice_bytes(column: &dyn Array) -> usize {
    let data = column.to_data();
    data.get_slice_memory_size().unwrap_or_else(|_| data.get_array_memory_size())
}

#[derive(Debug, Clone)]
pub struct ShardRead {
    /// By offset; offsets are dense but for batches that were lost to a damaged log.
    pub batches: Vec<ShardBatch>,
    /// Where to read on.
    pub next: Offset,
    pub is_cold: bool,
}

/// The batches of one segment, by offset.
#[derive(Debug, Clone)]
pub struct ColdBlock {
    /// Never used again for other rows.
    pub segment_id: i64,
    /// Both inclusive.
    pub first: Offset,
    pub last: Offset,
    pub batches: Vec<ShardBatch>,
    pub bytes: usize,
}

impl Storage {
    /// From the first batch at or behind `from` on, at least one batch if there is any. At the end of the shard it is empty and costs a look into memory.
    /// A cold read loads a whole segment and gives what of it is wanted; see [`Storage::read_cold`] for what a cache should keep.
    pub async fn read_shard(
        &self,
        store: &StoreState,
        number: ShardNumber,
        from: Offset,
        batches_max: usize,
        bytes_max: usize,
    ) -> Result<ShardRead, StoreError> {
        let shard = find(store, number)?;
        let segment = match shard.seek(from, batches_max, bytes_max) {
            Seek::Recent(recent) => {
                let as_came = |r: &Arc<crate::shard::RecentBatch>| ShardBatch {
                    offset: r.offset,
                    received: r.received,
                    batch: r.batch.clone(),
                    bytes: r.bytes,
                };
                let batches: Vec<ShardBatch> = recent.iter().map(as_came).collect();
                let end = batches.last().map_or_else(|| shard.tail().end().max(from), |last| Offset(last.offset.0 + 1));
                return Ok(ShardRead { batches, next: end, is_cold: false });
            }
            Seek::Segment(segment) => segment,
        };
        let block = self.load(&segment).await?;
        let start = block.batches.partition_point(|batch| batch.offset < from);
        let mut bytes = 0;
        let within = block.batches.into_iter().skip(start).take(batches_max).enumerate().take_while(|(at, batch)| {
            bytes += batch.bytes;
            *at == 0 || bytes <= bytes_max
        });
        let batches: Vec<ShardBatch> = within.map(|(_, batch)| batch).collect();
        let next = batches.last().map_or(segment.last, |last| last.offset);
        Ok(ShardRead { batches, next: Offset(next.0 + 1), is_cold: true })
    }

    /// The segment that holds the first batch at or behind `from`; none when that batch is recent, or not there yet.
    pub async fn read_cold(
        &self,
        store: &StoreState,
        number: ShardNumber,
        from: Offset,
    ) -> Result<Option<ColdBlock>, StoreError> {
        match find(store, number)?.seek(from, 0, 0) {
            Seek::Segment(segment) => Ok(Some(self.load(&segment).await?)),
            Seek::Recent(_) => Ok(None),
        }
    }

    /// Whether a read at `from` is served from memory, the end of the shard included. False for a shard that is not there.
    pub fn is_recent(&self, store: &StoreState, number: ShardNumber, from: Offset) -> bool {
        find(store, number).is_ok_and(|shard| matches!(shard.seek(from, 0, 0), Seek::Recent(_)))
    }

    /// Of the first batch that was received at or after `received`; the end of the shard when there is none.
    pub async fn offset_at(
        &self,
        store: &StoreState,
        number: ShardNumber,
        received: UnixNanos,
    ) -> Result<Offset, StoreError> {
        match find(store, number)?.seek_received(received) {
            SeekReceived::Offset(offset) => Ok(offset),
            SeekReceived::Segment(segment) => {
                // A clock may have been set back, so the times of receipt need not ascend.
                let receipts = cold::load_receipts(&self.inner.segments, &segment).await?;
                let late = receipts.into_iter().filter(|(_, at)| *at >= received).map(|(offset, _)| offset);
                Ok(late.min().unwrap_or(segment.first))
            }
        }
    }

    /// When the first batch at or behind `offset` was received; none at the end of the shard.
    pub async fn received_of(
        &self,
        store: &StoreState,
        number: ShardNumber,
        offset: Offset,
    ) -> Result<Option<UnixNanos>, StoreError> {
        match find(store, number)?.seek(offset, 1, 0) {
            Seek::Recent(recent) => Ok(recent.first().map(|recent| recent.received)),
            Seek::Segment(segment) => {
                let receipts = cold::load_receipts(&self.inner.segments, &segment).await?;
                Ok(receipts.into_iter().filter(|(at, _)| *at >= offset).min().map(|(_, received)| received))
            }
        }
    }

    async fn load(&self, segment: &crate::Segment) -> Result<ColdBlock, StoreError> {
        let block = cold::load(&self.inner.segments, segment).await?;
        Counters::add(&self.inner.counters.cold_loads, 1);
        Counters::add(&self.inner.counters.cold_bytes, block.bytes as u64);
        Ok(block)
    }
}

fn find(store: &StoreState, number: ShardNumber) -> Result<Arc<Shard>, StoreError> {
    store.shard_set().get(number).cloned().ok_or_else(|| store.unknown_shard(number))
}
