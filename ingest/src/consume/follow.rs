//! The push tail: a reader that is given each batch as soon as it is durable, of one shard or of all.
//!
//! It waits for the end of the shards to move and asks nobody meanwhile. Blocks come from the caches of the pulls, so any number of followers cost one encoding.
//! Shards that come from a split are followed once their parents were read to their end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;
use culprit_store::{Offset, ShardStatus, ShardTail};
use futures::future::select_all;
use tokio::time::Instant;

use super::block::{Block, Form};
use super::source::SourceShard;
use super::{ConsumeError, Consumption, Cursor, CursorAt, Source};
use crate::Codec;
use crate::limits::SHARDS_LISTED_AGE;
use crate::quota::Flow;

/// How a follower wants its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follow {
    /// JSON objects, one a line, with `_shard` and `_cursor`.
    Rows,
    /// LogGroupLists, not compressed.
    LogGroups,
}

/// Some batches of one shard.
#[derive(Debug, Clone)]
pub struct Chunk {
    pub shard: u32,
    /// Where to read on.
    pub next: Cursor,
    pub body: Bytes,
}

struct Position {
    shard: SourceShard,
    tail: ShardTail,
    at: Offset,
}

pub struct Follower {
    consumption: Consumption,
    source: Source,
    follow: Follow,
    one: Option<u32>,
    positions: BTreeMap<u32, Position>,
    /// Read to their end.
    finished: BTreeSet<u32>,
    /// The shard that was served last: the others come first.
    last: u32,
    /// When the shards were listed; none when that is to be done again.
    listed: Option<Instant>,
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.consumption.counters().followers.fetch_sub(1, Relaxed);
    }
}

impl Follower {
    pub(super) async fn open(
        consumption: Consumption,
        source: Source,
        follow: Follow,
        start: Start<'_>,
    ) -> Result<Self, ConsumeError> {
        consumption.counters().followers.fetch_add(1, Relaxed);
        let one = start.shard;
        let mut follower = Self {
            consumption,
            source,
            follow,
            one,
            positions: BTreeMap::new(),
            finished: BTreeSet::new(),
            last: 0,
            listed: None,
        };
        let shards: Vec<u32> = match one {
            Some(shard) => vec![shard],
            None => follower.consumption.shards(&follower.source).into_iter().map(|(id, _)| id).collect(),
        };
        // From the beginning, children wait for their parents; `enlist` sees to that.
        if one.is_some() || !matches!(start.from, From::At(CursorAt::Begin)) {
            for shard in shards {
                follower.place(shard, &start.from).await?;
            }
        }
        Ok(follower)
    }

    async fn place(&mut self, id: u32, from: &From<'_>) -> Result<(), ConsumeError> {
        let Cursor(at) = match from {
            From::At(at) => self.consumption.cursor(&self.source, id, *at).await?,
            From::Cursor(text) => Cursor::parse(text)?,
        };
        let (shard, tail) = self.consumption.shard(&self.source, id)?;
        if at > tail.end() {
            return Err(ConsumeError::BeyondEnd { shard: id, cursor: at, end: tail.end() });
        }
        self.positions.insert(id, Position { shard, tail, at });
        Ok(())
    }

    /// Waits for the next batches; none once the one shard that is followed was split or merged away and read to its end, the store was deleted, or the
    /// server shuts down. May be dropped while it waits.
    pub async fn next(&mut self) -> Result<Option<Chunk>, ConsumeError> {
        loop {
            self.enlist()?;
            if let Some(chunk) = self.take().await? {
                return Ok(Some(chunk));
            }
            if self.retire() {
                continue;
            }
            // A store always has a shard to wait for, unless it was deleted; a view may get one.
            if self.positions.is_empty() && (self.one.is_some() || matches!(self.source, Source::Store(_))) {
                return Ok(None);
            }
            let ends = self.positions.values().map(|position| Box::pin(position.tail.beyond(position.at)));
            let ends: Vec<_> = ends.collect();
            if ends.is_empty() {
                // A view whose members are all gone: there is nothing to wait for but the caller's patience.
                self.consumption.stopped().await;
                return Ok(None);
            }
            tokio::select! {
                _ = select_all(ends) => {}
                () = self.consumption.stopped() => return Ok(None),
            }
        }
    }

    /// New shards, as far as their parents are read. Looked for when a shard has ended, and now and then for the sake of views.
    fn enlist(&mut self) -> Result<(), ConsumeError> {
        if self.one.is_some() || self.listed.is_some_and(|listed| listed.elapsed() < SHARDS_LISTED_AGE) {
            return Ok(());
        }
        self.listed = Some(Instant::now());
        let listed = self.consumption.shards(&self.source);
        let known: BTreeSet<u32> = listed.iter().map(|(id, _)| *id).collect();
        for (id, info) in listed {
            let is_over = info.status == ShardStatus::ReadOnly && info.begin == info.end;
            let is_ready = |parent: u32| !known.contains(&parent) || self.finished.contains(&parent);
            if self.positions.contains_key(&id)
                || self.finished.contains(&id)
                || !info.parents.iter().all(|parent| is_ready(self.source.sibling(id, *parent)))
            {
                continue;
            }
            if is_over {
                self.finished.insert(id);
                continue;
            }
            let (shard, tail) = self.consumption.shard(&self.source, id)?;
            self.positions.insert(id, Position { shard, tail, at: info.begin });
        }
        self.finished.retain(|id| known.contains(id));
        Ok(())
    }

    async fn take(&mut self) -> Result<Option<Chunk>, ConsumeError> {
        let after = self.positions.range(self.last.saturating_add(1)..);
        let ready = after.chain(self.positions.iter()).find(|(_, position)| position.tail.end() > position.at);
        let Some((&id, position)) = ready else { return Ok(None) };
        let form = match self.follow {
            Follow::Rows => Form::Rows { shard: id },
            Follow::LogGroups => Form::LogGroups(Codec::None),
        };
        let block = self.consumption.block(&position.shard, &position.tail, position.at, form).await?;
        self.pay(&block, id).await;
        self.last = id;
        let position = self.positions.get_mut(&id).expect("it was found above and nobody else has the map");
        position.at = block.next;
        if block.groups == 0 {
            return Ok(None);
        }
        self.consumption.counters().bytes.fetch_add(block.body.len() as u64, Relaxed);
        Ok(Some(Chunk { shard: id, next: Cursor(block.next), body: block.body.clone() }))
    }

    /// Whoever reads too fast waits: a stream has no other answer.
    async fn pay(&self, block: &Block, id: u32) {
        let Some(position) = self.positions.get(&id) else { return };
        let SourceShard { store, number, .. } = &position.shard;
        let bytes = block.raw_bytes as u64;
        if let Err(refusal) = self.consumption.quotas().admit_shard(store, *number, Flow::Read, bytes) {
            tokio::time::sleep(refusal.retry_after().unwrap_or(crate::limits::FOLLOWER_PAUSE)).await;
        }
    }

    /// Shards that are read to their end; true when there were some, whose children may be there.
    fn retire(&mut self) -> bool {
        let is_done = |position: &Position| position.tail.is_closed() && position.at >= position.tail.end();
        let done: Vec<u32> =
            self.positions.iter().filter(|(_, position)| is_done(position)).map(|(id, _)| *id).collect();
        for id in &done {
            self.positions.remove(id);
        }
        self.finished.extend(&done);
        if !done.is_empty() {
            self.listed = None;
        }
        !done.is_empty()
    }
}

/// Where a follower begins.
#[derive(Debug, Clone, Copy)]
pub struct Start<'a> {
    /// None follows all.
    pub shard: Option<u32>,
    pub from: From<'a>,
}

#[derive(Debug, Clone, Copy)]
pub enum From<'a> {
    At(CursorAt),
    /// Of one shard.
    Cursor(&'a str),
}
