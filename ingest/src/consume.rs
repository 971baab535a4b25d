//! Consumption: stores and views read in the order of their shards, by cursor, by group, or pushed.
//!
//! - A [`Source`] is a store or a view; its shards have ids, those of a view stay the same whatever members come and go.
//! - [`Consumption::pull`] gives the batches from a [`Cursor`] on as one encoded block. Blocks are kept (`block_cache.rs`), so that many readers of one shard
//!   cost one encoding.
//! - [`Groups`] share the shards of a source among their consumers; [`Fanout`] groups share each shard among many readers.
//! - A [`Follower`] is given each batch as soon as it is durable.

mod block;
mod block_cache;
mod checkpoints;
mod counters;
mod cursor;
mod error;
mod fanout;
mod follow;
mod groups;
mod kept;
mod reading;
mod rows;
mod segment_cache;
mod source;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bytes::Bytes;
use culprit_store::{Metric, Offset, ProjectName, ShardInfo, ShardTail, Storage, StoreName, UnixNanos};
use tokio_util::sync::CancellationToken;

use self::block::{Block, Cut, Form, encode};
use self::block_cache::{BlockCache, Place, Request};
use self::checkpoints::Checkpoints;
use self::counters::Counters;
use self::fanout::Shared;
use self::reading::Reading;
use self::source::SourceShard;
use crate::Codec;
use crate::limits::{BLOCK_BYTES_MAX, BLOCK_GROUPS_MAX, COLD_CACHE_BYTES, TAIL_CACHE_BYTES};
use crate::quota::{Flow, Quotas};

pub use self::cursor::Cursor;
pub use self::error::ConsumeError;
pub use self::fanout::{AckReport, Delivery, Fanout, FanoutPull, FanoutShard};
pub use self::follow::{Chunk, Follow, Follower, From, Start};
pub use self::groups::{Checkpoint, GroupChange, GroupInfo, GroupSettings, Groups, Mark};
pub use self::source::Source;

#[derive(Debug, Clone)]
pub struct ConsumeConfig {
    /// Encoded blocks of recent rows. Smaller: more of them are encoded again for readers that come later.
    pub tail_bytes: usize,
    /// Rows read back from segments, and blocks of them.
    pub cold_bytes: usize,
    /// Bytes of `tail_bytes` that other projects never push out.
    pub guaranteed: HashMap<ProjectName, usize>,
}

impl Default for ConsumeConfig {
    fn default() -> Self {
        Self { tail_bytes: TAIL_CACHE_BYTES, cold_bytes: COLD_CACHE_BYTES, guaranteed: HashMap::new() }
    }
}

/// Where a cursor shall point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CursorAt {
    Begin,
    End,
    /// The first batch that the server received at this time or later.
    Received(UnixNanos),
}

#[derive(Debug, Clone, Copy)]
pub struct Pull<'a> {
    pub shard: u32,
    pub cursor: &'a str,
    /// Batches at most; 0 counts as 1.
    pub count: usize,
    /// Exclusive: when it is reached, `next` is this text.
    pub end_cursor: Option<&'a str>,
    pub codec: Codec,
    /// At the end of the shard: how long to wait for more.
    pub wait: Duration,
}

#[derive(Debug, Clone)]
pub struct Pulled {
    /// A LogGroupList, compressed; empty when there was nothing.
    pub body: Bytes,
    pub codec: Codec,
    pub raw_bytes: usize,
    /// LogGroups in it.
    pub groups: usize,
    /// The cursor to go on with.
    pub next: String,
}

impl Pulled {
    fn nothing(pull: &Pull<'_>) -> Self {
        Self { body: Bytes::new(), codec: pull.codec, raw_bytes: 0, groups: 0, next: pull.cursor.to_owned() }
    }
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Consumption {
    inner: Arc<Inner>,
}

struct Inner {
    storage: Storage,
    quotas: Quotas,
    tail: BlockCache,
    cold: BlockCache,
    reading: Arc<Reading>,
    groups: Groups,
    fanout: Fanout,
    counters: Arc<Counters>,
    /// Cancelled: nobody waits for rows any more.
    stop: CancellationToken,
}

impl Consumption {
    pub fn new(storage: Storage, quotas: Quotas, config: ConsumeConfig) -> Self {
        let counters = Arc::new(Counters::default());
        let clock = storage.clock().clone();
        let tail = BlockCache::new(config.tail_bytes, config.guaranteed, clock.clone(), counters.tail.clone());
        // Segments are read for the sake of blocks, and are the larger part.
        let cold_blocks = config.cold_bytes / 4;
        let cold = BlockCache::new(cold_blocks, HashMap::new(), clock.clone(), counters.cold.clone());
        let segment_bytes = config.cold_bytes - cold_blocks;
        let reading = Arc::new(Reading::new(storage.clone(), segment_bytes, clock, counters.segments.clone()));
        let checkpoints = Checkpoints::new(storage.clone());
        let groups = Groups::new(storage.clone(), quotas.clone(), checkpoints.clone());
        let stop = CancellationToken::new();
        let fanout = Fanout::new(Shared {
            storage: storage.clone(),
            quotas: quotas.clone(),
            checkpoints,
            reading: reading.clone(),
            counters: counters.clone(),
            stop: stop.clone(),
        });
        Self { inner: Arc::new(Inner { storage, quotas, tail, cold, reading, groups, fanout, counters, stop }) }
    }

    /// Ends every wait for rows, and the followers; the server is about to shut down.
    pub fn stop(&self) {
        self.inner.stop.cancel();
    }

    pub fn source(&self, project: &ProjectName, name: &StoreName) -> Result<Source, ConsumeError> {
        Source::find(&self.inner.storage, project, name)
    }

    /// Takes out the groups of a source that is about to be deleted: another one of its name begins without.
    pub async fn forget(&self, source: &Source) -> Result<(), ConsumeError> {
        self.inner.groups.forget(source).await?;
        self.inner.fanout.forget(source).await
    }

    /// Those of all stores and views of a project.
    pub async fn forget_project(&self, project: &ProjectName) -> Result<(), ConsumeError> {
        let storage = &self.inner.storage;
        for store in storage.stores(project) {
            self.forget(&Source::Store(store)).await?;
        }
        for view in storage.views(project) {
            self.forget(&Source::View(view)).await?;
        }
        Ok(())
    }

    /// By id, read-only parents included.
    pub fn shards(&self, source: &Source) -> Vec<(u32, ShardInfo)> {
        source.shards(&self.inner.storage)
    }

    /// Members of a view that do not exist any more.
    pub fn missing(&self, source: &Source) -> Vec<(ProjectName, StoreName)> {
        source.missing(&self.inner.storage)
    }

    pub fn groups(&self) -> &Groups {
        &self.inner.groups
    }

    pub fn fanout(&self) -> &Fanout {
        &self.inner.fanout
    }

    pub fn metrics(&self) -> Vec<Metric> {
        self.inner.counters.metrics()
    }

    pub async fn cursor(&self, source: &Source, shard: u32, at: CursorAt) -> Result<Cursor, ConsumeError> {
        let (place, tail) = self.shard(source, shard)?;
        let offset = match at {
            CursorAt::End => tail.end(),
            CursorAt::Begin => self.begin(&place)?,
            CursorAt::Received(time) => self.inner.storage.offset_at(&place.store, place.number, time).await?,
        };
        Ok(Cursor(offset))
    }

    /// When the server received the batch at the cursor; at the end of the shard that is now.
    pub async fn cursor_time(&self, source: &Source, shard: u32, cursor: &str) -> Result<UnixNanos, ConsumeError> {
        let (place, tail) = self.shard(source, shard)?;
        let Cursor(offset) = Cursor::parse(cursor)?;
        if offset > tail.end() {
            return Err(ConsumeError::BeyondEnd { shard, cursor: offset, end: tail.end() });
        }
        let storage = &self.inner.storage;
        let received = storage.received_of(&place.store, place.number, offset).await?;
        Ok(received.unwrap_or_else(|| storage.clock().now()))
    }

    /// The batches from the cursor on. A cursor before what is retained is taken as the first one that is.
    pub async fn pull(&self, source: &Source, pull: Pull<'_>) -> Result<Pulled, ConsumeError> {
        let (shard, tail) = self.shard(source, pull.shard)?;
        let Cursor(from) = Cursor::parse(pull.cursor)?;
        if from == tail.end() && !pull.wait.is_zero() {
            tokio::select! {
                () = tail.beyond(from) => {}
                () = self.inner.stop.cancelled() => {}
                () = tokio::time::sleep(pull.wait) => {}
            }
        }
        let end = tail.end();
        if from == end {
            self.inner.counters.empty_pulls.fetch_add(1, Relaxed);
            return Ok(Pulled::nothing(&pull));
        }
        if from > end {
            return Err(ConsumeError::BeyondEnd { shard: pull.shard, cursor: from, end });
        }
        let until = pull.end_cursor.map(Cursor::parse).transpose()?.map(|Cursor(until)| until.min(end));
        if until.is_some_and(|until| until <= from) {
            return Ok(Pulled::nothing(&pull));
        }
        let from = from.max(self.begin(&shard)?);
        let block = self.wanted_block(&shard, &tail, from, &pull, until).await?;
        self.inner.quotas.admit_shard(&shard.store, shard.number, Flow::Read, block.raw_bytes as u64)?;
        self.inner.counters.pulls.fetch_add(1, Relaxed);
        self.inner.counters.bytes.fetch_add(block.body.len() as u64, Relaxed);
        let next = Cursor(block.next).to_string();
        let body = if block.groups == 0 { Bytes::new() } else { block.body.clone() };
        Ok(Pulled { body, codec: pull.codec, raw_bytes: block.raw_bytes, groups: block.groups, next })
    }

    /// The block that all readers share, where it is not more than this one wants.
    async fn wanted_block(
        &self,
        shard: &SourceShard,
        tail: &ShardTail,
        from: Offset,
        pull: &Pull<'_>,
        until: Option<Offset>,
    ) -> Result<Arc<Block>, ConsumeError> {
        let count = pull.count.clamp(1, BLOCK_GROUPS_MAX);
        let form = Form::LogGroups(pull.codec);
        let fits = |block: &Block| block.groups <= count && until.is_none_or(|until| block.next <= until);
        let shared = Place { from, form, groups_max: BLOCK_GROUPS_MAX };
        if let Some(block) = self.inner.tail.get(&request(shard, tail, shared)).filter(|block| fits(block)) {
            return Ok(block);
        }
        let block = self.place_block(shard, tail, Place { groups_max: count, ..shared }).await?;
        match until {
            Some(until) if block.next > until => {
                self.cut(shard, tail, Place { groups_max: count, ..shared }, Some(until)).await.map(Arc::new)
            }
            _ => Ok(block),
        }
    }

    /// As large as blocks get.
    async fn block(
        &self,
        shard: &SourceShard,
        tail: &ShardTail,
        from: Offset,
        form: Form,
    ) -> Result<Arc<Block>, ConsumeError> {
        self.place_block(shard, tail, Place { from, form, groups_max: BLOCK_GROUPS_MAX }).await
    }

    async fn place_block(
        &self,
        shard: &SourceShard,
        tail: &ShardTail,
        place: Place,
    ) -> Result<Arc<Block>, ConsumeError> {
        let request = request(shard, tail, place);
        // A block that was cut when its rows were recent is good for as long as it is there.
        if let Some(block) = self.inner.tail.get(&request) {
            return Ok(block);
        }
        let is_recent = self.inner.reading.is_recent(shard, place.from);
        let cache = if is_recent { &self.inner.tail } else { &self.inner.cold };
        cache.get_or_cut(&request, || self.cut(shard, tail, place, None)).await
    }

    async fn cut(
        &self,
        shard: &SourceShard,
        tail: &ShardTail,
        place: Place,
        until: Option<Offset>,
    ) -> Result<Block, ConsumeError> {
        let end = tail.end();
        let is_closed = tail.is_closed();
        let cut = Cut { groups_max: place.groups_max, bytes_max: BLOCK_BYTES_MAX };
        let mut read = self.inner.reading.read(shard, place.from, cut).await?;
        if let Some(until) = until {
            read.batches.retain(|batch| batch.offset < until);
            read.next = read.next.min(until);
        }
        let groups = read.batches.len();
        // What stopped before the end was stopped by a bound.
        let is_full = read.is_cold || is_closed || groups >= cut.groups_max || read.next < end;
        let (raw_bytes, body) = encode(read.batches, place.form).await?;
        let cut = self.inner.storage.clock().now();
        Ok(Block { next: read.next, groups, raw_bytes, body, cut, is_full })
    }

    /// Gives each batch as soon as it is durable.
    pub async fn follow(&self, source: Source, follow: Follow, start: Start<'_>) -> Result<Follower, ConsumeError> {
        Follower::open(self.clone(), source, follow, start).await
    }

    fn shard(&self, source: &Source, id: u32) -> Result<(SourceShard, ShardTail), ConsumeError> {
        let shard = source.shard(&self.inner.storage, id)?;
        let tail = shard.store.tail(shard.number).ok_or_else(|| source.no_shard(id))?;
        Ok((shard, tail))
    }

    fn begin(&self, shard: &SourceShard) -> Result<Offset, ConsumeError> {
        let info = shard.store.shard(shard.number);
        let gone = || ConsumeError::NoShard { shard: shard.id, source_name: shard.store.name().to_string() };
        info.map(|info| info.begin).ok_or_else(gone)
    }

    async fn stopped(&self) {
        self.inner.stop.cancelled().await;
    }

    fn counters(&self) -> &Counters {
        &self.inner.counters
    }

    fn quotas(&self) -> &Quotas {
        &self.inner.quotas
    }
}

fn request<'a>(shard: &'a SourceShard, tail: &ShardTail, place: Place) -> Request<'a> {
    Request { shard: (shard.store.id(), shard.number), project: shard.store.project(), place, end: tail.end() }
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
