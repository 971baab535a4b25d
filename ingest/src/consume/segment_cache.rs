//! Segments that were read back for readers of old rows.
//!
//! A segment is read whole and sorted, so the reader that asked for it comes back for its next rows many times: the newest ones stay for a while. Room for
//! longer has only what is asked for again: rows that a second reader wants, or that come back soon after they were dropped. So one reader that goes through
//! everything once leaves no trace.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use culprit_store::{Clock, ColdBlock, Offset, UnixNanos};
use tokio::sync::Semaphore;

use super::ConsumeError;
use super::block_cache::ShardKey;
use super::counters::CacheCounters;
use crate::limits::{COLD_LOADS_MAX, DROPPED_SEGMENT_AGE, DROPPED_SEGMENTS_MAX};

struct Held {
    shard: ShardKey,
    block: Arc<ColdBlock>,
    /// A reader that goes forward asks beyond it; whoever does not is another one.
    furthest: Offset,
    is_wanted: bool,
}

#[derive(Default)]
struct Shelf {
    /// The longest unused first.
    held: VecDeque<Held>,
    bytes: usize,
    passing_bytes: usize,
    dropped: VecDeque<(i64, UnixNanos)>,
}

pub(super) struct SegmentCache {
    budget: usize,
    clock: Clock,
    counters: Arc<CacheCounters>,
    /// Never held over an await.
    shelf: Mutex<Shelf>,
    /// One load a shard at a time; whoever waits finds the segment afterwards.
    flights: Mutex<HashMap<ShardKey, Arc<tokio::sync::Mutex<()>>>>,
    loads: Semaphore,
}

impl SegmentCache {
    pub(super) fn new(budget: usize, clock: Clock, counters: Arc<CacheCounters>) -> Self {
        let loads = Semaphore::new(COLD_LOADS_MAX);
        Self { budget, clock, counters, shelf: Mutex::default(), flights: Mutex::default(), loads }
    }

    /// The segment that has `from`; none when `load` finds that it is none of a segment's.
    pub(super) async fn get_or_load<F>(
        &self,
        shard: ShardKey,
        from: Offset,
        load: impl FnOnce() -> F,
    ) -> Result<Option<Arc<ColdBlock>>, ConsumeError>
    where
        F: Future<Output = Result<Option<ColdBlock>, ConsumeError>>,
    {
        if let Some(found) = self.get(shard, from) {
            return Ok(Some(found));
        }
        let flight = self.flights().entry(shard).or_default().clone();
        let _one_load = flight.lock().await;
        if let Some(found) = self.get(shard, from) {
            return Ok(Some(found));
        }
        let permit = self.loads.acquire().await.expect("nobody closes the semaphore");
        let loaded = load().await;
        drop(permit);
        self.flights().retain(|_, flight| Arc::strong_count(flight) > 1);
        let Some(block) = loaded?.map(Arc::new) else { return Ok(None) };
        CacheCounters::add(&self.counters.misses, 1);
        self.keep(shard, from, block.clone());
        Ok(Some(block))
    }

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().expect("no holder of this lock panics")
    }

    fn flights(&self) -> MutexGuard<'_, HashMap<ShardKey, Arc<tokio::sync::Mutex<()>>>> {
        self.flights.lock().expect("no holder of this lock panics")
    }

    fn get(&self, shard: ShardKey, from: Offset) -> Option<Arc<ColdBlock>> {
        let mut shelf = self.lock();
        let has = |held: &Held| held.shard == shard && (held.block.first..=held.block.last).contains(&from);
        let at = shelf.held.iter().position(has)?;
        let mut held = shelf.held.remove(at)?;
        if from > held.furthest {
            held.furthest = from;
        } else if !held.is_wanted {
            held.is_wanted = true;
            shelf.passing_bytes -= held.block.bytes;
        }
        let block = held.block.clone();
        shelf.held.push_back(held);
        CacheCounters::add(&self.counters.hits, 1);
        Some(block)
    }

    fn keep(&self, shard: ShardKey, from: Offset, block: Arc<ColdBlock>) {
        let now = self.clock.now();
        let mut shelf = self.lock();
        let came_back = shelf.dropped.iter().position(|(id, _)| *id == block.segment_id);
        let dropped = came_back.and_then(|at| shelf.dropped.remove(at));
        let is_wanted = dropped.is_some_and(|(_, at)| {
            u128::from(now.0.saturating_sub(at.0).unsigned_abs()) < DROPPED_SEGMENT_AGE.as_nanos()
        });
        shelf.bytes += block.bytes;
        if !is_wanted {
            shelf.passing_bytes += block.bytes;
        }
        shelf.held.push_back(Held { shard, block, furthest: from, is_wanted });
        let evicted = shelf.make_room(self.budget, now);
        CacheCounters::add(&self.counters.evicted, evicted);
        CacheCounters::set(&self.counters.held, shelf.bytes as u64);
    }
}

impl Shelf {
    /// What passes through has a quarter, or as much as the others leave it; the newest segment stays whatever its size, since its reader comes back at once.
    fn make_room(&mut self, budget: usize, now: UnixNanos) -> u64 {
        let mut evicted = 0;
        while self.bytes > budget && self.held.len() > 1 {
            let older = self.held.len() - 1;
            let passes_too_much = self.passing_bytes > budget / 4;
            let first_of = |wanted: bool| self.held.iter().take(older).position(|held| held.is_wanted == wanted);
            let victim =
                if passes_too_much { first_of(false).or(first_of(true)) } else { first_of(true).or(first_of(false)) };
            let Some(held) = victim.and_then(|at| self.held.remove(at)) else { break };
            self.bytes -= held.block.bytes;
            if !held.is_wanted {
                self.passing_bytes -= held.block.bytes;
            }
            self.dropped.push_back((held.block.segment_id, now));
            if self.dropped.len() > DROPPED_SEGMENTS_MAX {
                self.dropped.pop_front();
            }
            evicted += 1;
        }
        evicted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use culprit_store::{ShardNumber, StoreId};

    const SHARD: ShardKey = (StoreId(1), ShardNumber(0));

    /// Segment `id` has the offsets `10·id` to `10·id + 9` and 100 bytes.
    fn block(id: i64) -> ColdBlock {
        let first = id.unsigned_abs() * 10;
        ColdBlock { segment_id: id, first: Offset(first), last: Offset(first + 9), batches: Vec::new(), bytes: 100 }
    }

    async fn read(cache: &SegmentCache, offset: u64) {
        let id = i64::try_from(offset / 10).unwrap();
        let found = cache.get_or_load(SHARD, Offset(offset), || async { Ok(Some(block(id))) }).await.unwrap().unwrap();
        assert_eq!(found.segment_id, id);
    }

    fn loads(cache: &SegmentCache) -> u64 {
        cache.counters.misses.load(std::sync::atomic::Ordering::Relaxed)
    }

    fn cache(budget: usize) -> SegmentCache {
        SegmentCache::new(budget, Clock::manual(UnixNanos(0)), Arc::default())
    }

    #[tokio::test]
    async fn a_reader_that_goes_forward_loads_each_segment_once() {
        let cache = cache(250);
        for offset in 0..200 {
            read(&cache, offset).await;
        }
        assert_eq!(loads(&cache), 20);
        assert_eq!(cache.lock().bytes, 200);
    }

    #[tokio::test]
    async fn what_a_second_reader_wants_outlives_a_scan() {
        let cache = cache(400);
        for offset in [0, 5, 0, 10, 10] {
            read(&cache, offset).await;
        }
        let before = loads(&cache);
        for offset in 100..300 {
            read(&cache, offset).await;
        }
        assert_eq!(loads(&cache), before + 20);
        for offset in [3, 12] {
            read(&cache, offset).await;
        }
        assert_eq!(loads(&cache), before + 20, "segments 0 and 1 are still there");
    }

    #[tokio::test]
    async fn what_comes_back_soon_is_kept() {
        let cache = cache(300);
        for offset in [0, 10, 20, 30, 40, 0] {
            read(&cache, offset).await;
        }
        assert!(cache.lock().held.iter().any(|held| held.block.segment_id == 0 && held.is_wanted));
        cache.clock.set(UnixNanos(i64::try_from(DROPPED_SEGMENT_AGE.as_nanos()).unwrap() + 1));
        read(&cache, 10).await;
        assert!(cache.lock().held.iter().any(|held| held.block.segment_id == 1 && !held.is_wanted));
    }

    #[tokio::test]
    async fn many_who_ask_at_once_cause_one_load() {
        let cache = cache(1_000);
        let readers = (0..20).map(|_| read(&cache, 7));
        futures::future::join_all(readers).await;
        assert_eq!(loads(&cache), 1);
    }
}
