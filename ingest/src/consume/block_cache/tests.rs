use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;
use futures::future::join_all;

use super::*;
use crate::Codec;

const BODY: usize = 1_000;
const HELD: usize = BODY + BLOCK_ENTRY_BYTES;

fn cache(blocks: usize, guaranteed: &[(&str, usize)]) -> BlockCache {
    let share = |(name, blocks): &(&str, usize)| (ProjectName::parse(name).unwrap(), blocks * HELD);
    let guaranteed = guaranteed.iter().map(share).collect();
    BlockCache::new(blocks * HELD, guaranteed, Clock::manual(UnixNanos(0)), Arc::default())
}

struct Asked {
    store: i64,
    project: ProjectName,
    from: u64,
}

fn asked(store: i64, project: &str, from: u64) -> Asked {
    Asked { store, project: ProjectName::parse(project).unwrap(), from }
}

impl Asked {
    fn request(&self, end: u64) -> Request<'_> {
        let form = Form::LogGroups(Codec::None);
        let place = Place { from: Offset(self.from), form, groups_max: 9 };
        Request { shard: (StoreId(self.store), ShardNumber(0)), project: &self.project, place, end: Offset(end) }
    }
}

/// A block of one batch.
fn block(from: u64, is_full: bool) -> Block {
    let body = Bytes::from(vec![0; BODY]);
    Block { next: Offset(from + 1), groups: 1, raw_bytes: BODY, body, cut: UnixNanos(0), is_full }
}

async fn read(cache: &BlockCache, asked: &Asked) {
    let cut = || async { Ok(block(asked.from, true)) };
    cache.get_or_cut(&asked.request(100), cut).await.unwrap();
}

fn cuts(cache: &BlockCache) -> u64 {
    cache.counters.misses.load(Relaxed)
}

#[tokio::test]
async fn the_shard_that_is_asked_least_for_what_it_holds_gives_way() {
    let cache = cache(40, &[]);
    let (busy, idle) = (|from| asked(1, "p", from), |from| asked(2, "p", from));
    for from in 0..20 {
        read(&cache, &idle(from)).await;
        for _ in 0..5 {
            read(&cache, &busy(from)).await;
        }
    }
    assert_eq!(cache.lock().held, 40 * HELD);
    read(&cache, &busy(20)).await;
    let before = cuts(&cache);
    for from in 0..21 {
        read(&cache, &busy(from)).await;
    }
    assert_eq!(cuts(&cache), before, "all blocks of the busy shard are there");
    let shelf = cache.lock();
    let held: Vec<u64> = shelf.shards[&(StoreId(2), ShardNumber(0))].blocks.keys().map(|place| place.from.0).collect();
    assert!(held.len() < 20 && held.last() == Some(&19), "the first ones of the idle shard went: {held:?}");
    assert!(shelf.held <= 40 * HELD);
}

#[tokio::test]
async fn a_guaranteed_share_stays() {
    let cache = cache(40, &[("kept", 10)]);
    for from in 0..10 {
        read(&cache, &asked(1, "kept", from)).await;
    }
    for round in 0..5 {
        for from in 0..200 {
            read(&cache, &asked(2 + round, "loud", from)).await;
        }
    }
    let before = cuts(&cache);
    for from in 0..10 {
        read(&cache, &asked(1, "kept", from)).await;
    }
    assert_eq!(cuts(&cache), before);
    assert!(cache.lock().held <= 40 * HELD);
    let by_project: usize = cache.lock().held_by_project.values().sum();
    assert_eq!(by_project, cache.lock().held);
}

#[tokio::test]
async fn a_block_is_cut_once_for_all_who_ask_and_again_when_that_failed() {
    let cache = cache(10, &[]);
    let one = asked(1, "p", 0);
    let failure = || async { Err(ConsumeError::BadCursor { cursor: String::new() }) };
    assert!(cache.get_or_cut(&one.request(9), failure).await.is_err());
    assert!(cache.lock().shards[&(StoreId(1), ShardNumber(0))].blocks.is_empty());
    let slow = || async {
        tokio::task::yield_now().await;
        Ok(block(0, true))
    };
    join_all((0..20).map(|_| async { cache.get_or_cut(&one.request(9), slow).await.unwrap() })).await;
    assert_eq!((cuts(&cache), cache.counters.hits.load(Relaxed)), (1, 19));
}

#[tokio::test]
async fn a_block_with_room_is_cut_again_when_it_is_old_and_more_has_come() {
    let cache = cache(10, &[]);
    let one = asked(1, "p", 0);
    let cut = || async { Ok(block(0, false)) };
    let age_ns = i64::try_from(SMALL_BLOCK_AGE.as_nanos()).unwrap();
    for (now, end, expected) in [(0, 1, 1), (age_ns + 1, 1, 1), (age_ns - 1, 2, 1), (age_ns, 2, 2)] {
        cache.clock.set(UnixNanos(now));
        cache.get_or_cut(&one.request(end), cut).await.unwrap();
        assert_eq!(cuts(&cache), expected, "at {now} with end {end}");
        assert_eq!(cache.get(&one.request(1)).unwrap().groups, 1);
    }
    assert_eq!(cache.lock().held, HELD);
}
