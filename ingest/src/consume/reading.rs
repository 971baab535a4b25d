//! Batches of a shard in their order: recent ones from memory, old ones through the segment cache. Samples get the columns in which their writers sent them.

use std::sync::Arc;

use culprit_store::{Clock, ColdBlock, Offset, ShardRead, Storage, StoreKind};

use super::ConsumeError;
use super::block::Cut;
use super::counters::CacheCounters;
use super::segment_cache::SegmentCache;
use super::source::SourceShard;
use crate::limits::SAMPLE_GROWTH;
use crate::loggroup;

pub(super) struct Reading {
    storage: Storage,
    segments: SegmentCache,
}

impl Reading {
    pub(super) fn new(storage: Storage, budget: usize, clock: Clock, counters: Arc<CacheCounters>) -> Self {
        Self { storage, segments: SegmentCache::new(budget, clock, counters) }
    }

    pub(super) fn is_recent(&self, shard: &SourceShard, from: Offset) -> bool {
        self.storage.is_recent(&shard.store, shard.number, from)
    }

    /// At least one batch, where there is one.
    pub(super) async fn read(&self, shard: &SourceShard, from: Offset, cut: Cut) -> Result<ShardRead, ConsumeError> {
        if shard.store.kind() == StoreKind::Logs {
            return self.read_rows(shard, from, cut).await;
        }
        let cut = Cut { bytes_max: cut.bytes_max / SAMPLE_GROWTH, ..cut };
        let mut read = self.read_rows(shard, from, cut).await?;
        for batch in &mut read.batches {
            batch.batch = loggroup::write_samples(&batch.batch, |id| shard.store.series_labels(id));
            batch.bytes *= SAMPLE_GROWTH;
        }
        Ok(read)
    }

    async fn read_rows(&self, shard: &SourceShard, from: Offset, cut: Cut) -> Result<ShardRead, ConsumeError> {
        let SourceShard { store, number, .. } = shard;
        if !self.is_recent(shard, from) {
            let load = || async { Ok(self.storage.read_cold(store, *number, from).await?) };
            if let Some(segment) = self.segments.get_or_load((store.id(), *number), from, load).await? {
                return Ok(part(&segment, from, cut));
            }
        }
        Ok(self.storage.read_shard(store, *number, from, cut.groups_max, cut.bytes_max).await?)
    }
}

fn part(segment: &ColdBlock, from: Offset, cut: Cut) -> ShardRead {
    let start = segment.batches.partition_point(|batch| batch.offset < from);
    let mut bytes = 0;
    let fits = |(at, batch): &(usize, &culprit_store::ShardBatch)| {
        bytes += batch.bytes;
        *at == 0 || bytes <= cut.bytes_max
    };
    let rest = segment.batches.iter().skip(start);
    let batches: Vec<_> =
        rest.take(cut.groups_max).enumerate().take_while(fits).map(|(_, batch)| batch.clone()).collect();
    let is_rest = start + batches.len() == segment.batches.len();
    let last = batches.last().filter(|_| !is_rest).map_or(segment.last, |batch| batch.offset);
    ShardRead { batches, next: Offset(last.0 + 1), is_cold: true }
}
