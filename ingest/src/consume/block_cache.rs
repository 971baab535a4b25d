//! The cache of encoded blocks: readers of one shard that stand at one place get the same bytes, encoded once.
//!
//! What a shard may keep follows demand: when the budget is used up, the shard that was asked least for each byte it holds gives way, from its beginning on,
//! since readers move forward. Chosen projects have a share that others never push out. Rows that come from segments go through a cache of their own, so that
//! a reader of old rows does not push out what others follow.

mod demand;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use culprit_store::{Clock, Offset, ProjectName, ShardNumber, StoreId, UnixNanos};
use tokio::sync::OnceCell;

use self::demand::Demand;
use super::ConsumeError;
use super::block::{Block, Form};
use super::counters::CacheCounters;
use crate::limits::{BLOCK_ENTRY_BYTES, SMALL_BLOCK_AGE};

/// A shard, over all stores and times: ids of stores are never given twice.
pub(super) type ShardKey = (StoreId, ShardNumber);

/// Where a block begins and how it was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) from: Offset,
    pub(super) form: Form,
    /// Bounds apart from those that all blocks have, for readers that take little at a time.
    pub(super) groups_max: usize,
}

type Cell = Arc<OnceCell<Arc<Block>>>;

struct Entry {
    cell: Cell,
    /// 0 as long as the block is being cut.
    held: usize,
}

#[derive(Default)]
struct ShardBlocks {
    project: Option<ProjectName>,
    blocks: BTreeMap<Place, Entry>,
    held: usize,
    demand: Demand,
}

#[derive(Default)]
struct Shelf {
    shards: HashMap<ShardKey, ShardBlocks>,
    held: usize,
    held_by_project: HashMap<ProjectName, usize>,
}

pub(super) struct BlockCache {
    budget: usize,
    guaranteed: HashMap<ProjectName, usize>,
    clock: Clock,
    counters: Arc<CacheCounters>,
    /// Never held over an await.
    shelf: Mutex<Shelf>,
}

/// Who asks for what.
pub(super) struct Request<'a> {
    pub(super) shard: ShardKey,
    pub(super) project: &'a ProjectName,
    pub(super) place: Place,
    /// Of the shard, as the reader sees it: a block that could have more by now is cut again.
    pub(super) end: Offset,
}

impl BlockCache {
    pub(super) fn new(
        budget: usize,
        guaranteed: HashMap<ProjectName, usize>,
        clock: Clock,
        counters: Arc<CacheCounters>,
    ) -> Self {
        Self { budget, guaranteed, clock, counters, shelf: Mutex::default() }
    }

    /// The block that is there, if it is still worth sending.
    pub(super) fn get(&self, request: &Request<'_>) -> Option<Arc<Block>> {
        let mut shelf = self.lock();
        let shard = shelf.shards.get_mut(&request.shard)?;
        let block = shard.blocks.get(&request.place)?.cell.get()?.clone();
        if !is_fresh(&block, request.end, self.clock.now()) {
            return None;
        }
        shard.demand.add(block.body.len(), self.clock.now());
        CacheCounters::add(&self.counters.hits, 1);
        Some(block)
    }

    /// The block that is there, or the one that `cut` makes, once for all who ask at the same time.
    pub(super) async fn get_or_cut<F>(
        &self,
        request: &Request<'_>,
        cut: impl FnOnce() -> F,
    ) -> Result<Arc<Block>, ConsumeError>
    where
        F: Future<Output = Result<Block, ConsumeError>>,
    {
        let cell = self.cell(request);
        let flight = Flight { cache: self, request, cell: &cell };
        let mut was_cut = false;
        let made = cell.get_or_try_init(|| async {
            was_cut = true;
            cut().await.map(Arc::new)
        });
        let block = made.await?.clone();
        drop(flight);
        CacheCounters::add(if was_cut { &self.counters.misses } else { &self.counters.hits }, 1);
        self.keep(request, &cell, &block);
        Ok(block)
    }

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().expect("no holder of this lock panics")
    }

    /// That of a block which is there or being cut, else an empty one.
    fn cell(&self, request: &Request<'_>) -> Cell {
        let now = self.clock.now();
        let mut shelf = self.lock();
        let shelf = &mut *shelf;
        let is_stale = |entry: &Entry| entry.cell.get().is_some_and(|block| !is_fresh(block, request.end, now));
        let found = shelf.shards.get(&request.shard).and_then(|shard| shard.blocks.get(&request.place));
        if found.is_some_and(is_stale) {
            shelf.drop_block(request.shard, request.place);
        }
        let shard = shelf.shards.entry(request.shard).or_default();
        shard.project.get_or_insert_with(|| request.project.clone());
        let entry = shard.blocks.entry(request.place).or_insert_with(|| Entry { cell: Cell::default(), held: 0 });
        entry.cell.clone()
    }

    /// Counts the demand, and the block once into what is held.
    fn keep(&self, request: &Request<'_>, cell: &Cell, block: &Block) {
        let now = self.clock.now();
        let mut shelf = self.lock();
        let shelf = &mut *shelf;
        let Some(shard) = shelf.shards.get_mut(&request.shard) else { return };
        shard.demand.add(block.body.len(), now);
        let Some(entry) = shard.blocks.get_mut(&request.place) else { return };
        if entry.held > 0 || !Arc::ptr_eq(&entry.cell, cell) {
            return;
        }
        entry.held = block.body.len() + BLOCK_ENTRY_BYTES;
        shard.held += entry.held;
        shelf.held += entry.held;
        *shelf.held_by_project.entry(request.project.clone()).or_default() += entry.held;
        self.make_room(shelf, now);
        CacheCounters::set(&self.counters.held, shelf.held as u64);
    }

    /// Drops the first blocks of those shards that were asked least for what they hold, and what is left of shards that nobody reads any more.
    fn make_room(&self, shelf: &mut Shelf, now: UnixNanos) {
        if shelf.held <= self.budget {
            return;
        }
        // More than is needed, and many blocks of one shard: the search for the least wanted looks at all shards.
        let slice = self.budget / 16;
        let goal = self.budget - slice;
        while shelf.held > goal {
            let Some(victim) = self.least_wanted(shelf, now) else { break };
            let floor = shelf.held.saturating_sub(slice.max(1)).max(goal);
            while shelf.held > floor && shelf.drop_first(victim) {
                CacheCounters::add(&self.counters.evicted, 1);
            }
        }
        shelf.shards.retain(|_, shard| !shard.blocks.is_empty() || shard.demand.per_second(now) >= 1.0);
    }

    /// Of the shards whose project has more than its guaranteed share; of all, if the shares are more than there is.
    fn least_wanted(&self, shelf: &Shelf, now: UnixNanos) -> Option<ShardKey> {
        let is_over_share = |shard: &ShardBlocks| {
            let share = shard.project.as_ref().and_then(|project| self.guaranteed.get(project)).copied().unwrap_or(0);
            let held = shard.project.as_ref().and_then(|project| shelf.held_by_project.get(project));
            held.is_some_and(|held| *held > share)
        };
        let wanted = |shard: &ShardBlocks| shard.demand.per_second(now) / shard.held as f64;
        let holders = || shelf.shards.iter().filter(|(_, shard)| shard.held > 0);
        let least = |(_, a): &(_, &ShardBlocks), (_, b): &(_, &ShardBlocks)| wanted(a).total_cmp(&wanted(b));
        let victim =
            holders().filter(|(_, shard)| is_over_share(shard)).min_by(least).or_else(|| holders().min_by(least));
        victim.map(|(key, _)| *key)
    }
}

impl Shelf {
    fn drop_first(&mut self, key: ShardKey) -> bool {
        let first = self.shards.get(&key).filter(|shard| shard.held > 0).and_then(|shard| shard.blocks.keys().next());
        let Some(place) = first.copied() else { return false };
        self.drop_block(key, place);
        true
    }

    fn drop_block(&mut self, key: ShardKey, place: Place) {
        let Some(shard) = self.shards.get_mut(&key) else { return };
        let Some(entry) = shard.blocks.remove(&place) else { return };
        shard.held -= entry.held;
        self.held -= entry.held;
        if let Some(held) = shard.project.as_ref().and_then(|project| self.held_by_project.get_mut(project)) {
            *held -= entry.held;
        }
    }
}

/// Somebody who cuts a block or waits for it. Whoever goes away last without one, for an error or because his reader has hung up, takes the empty place along.
struct Flight<'a> {
    cache: &'a BlockCache,
    request: &'a Request<'a>,
    cell: &'a Cell,
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        if self.cell.initialized() {
            return;
        }
        let mut shelf = self.cache.lock();
        let found = shelf.shards.get(&self.request.shard).and_then(|shard| shard.blocks.get(&self.request.place));
        // One is the shelf's, one ours.
        if found.is_some_and(|entry| Arc::ptr_eq(&entry.cell, self.cell)) && Arc::strong_count(self.cell) == 2 {
            shelf.drop_block(self.request.shard, self.request.place);
        }
    }
}

/// A block with room left is sent as long as nothing has come behind it, or as it is young: readers that come a little later then go the same way, while
/// those that come much later get more at once.
fn is_fresh(block: &Block, end: Offset, now: UnixNanos) -> bool {
    let age = now.0.saturating_sub(block.cut.0);
    block.is_full || block.next >= end || u128::from(age.unsigned_abs()) < SMALL_BLOCK_AGE.as_nanos()
}

#[cfg(test)]
mod tests;
