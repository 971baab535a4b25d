use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use culprit_store::{ShardNumber, SplitAt, StoreKind, StoreSpec};
use futures::FutureExt;
use futures::future::join_all;

use super::testing::{Folder, House, groups_of, named, project};
use super::*;

const BEGIN: &str = "MA==";

fn pull(cursor: &str) -> Pull<'_> {
    Pull { shard: 0, cursor, count: 1_000, end_cursor: None, codec: Codec::Lz4, wait: Duration::ZERO }
}

fn text(offset: u64) -> String {
    Cursor(Offset(offset)).to_string()
}

impl House {
    async fn pulled(&self, source: &Source, pull: Pull<'_>) -> Pulled {
        self.consumption.pull(source, pull).await.unwrap()
    }

    /// From the beginning to the end, by `count` batches.
    async fn read_all(&self, source: &Source, shard: u32, count: usize) -> Vec<Vec<i64>> {
        let mut cursor = BEGIN.to_owned();
        let mut all = Vec::new();
        loop {
            let pulled = self.pulled(source, Pull { shard, count, ..pull(&cursor) }).await;
            if pulled.groups == 0 {
                assert_eq!(pulled.next, cursor);
                return all;
            }
            all.extend(groups_of(&pulled));
            cursor = pulled.next;
        }
    }

    fn encoded(&self, cache: impl Fn(&Counters) -> &Arc<counters::CacheCounters>) -> u64 {
        cache(self.consumption.counters()).misses.load(Relaxed)
    }
}

#[tokio::test]
async fn batches_come_as_they_were_written_from_memory_and_from_segments() {
    let folder = Folder::new();
    let house = folder.open().await;
    let store = house.logs("s", 1).await;
    let source = house.source("s");
    let mut written = Vec::new();
    for first in 0..7 {
        let numbers: Vec<i64> = (first * 10..first * 10 + first + 1).rev().collect();
        house.append(&store, 0, numbers.clone()).await;
        written.push(numbers);
        if first % 3 == 2 {
            house.storage.flush().await.unwrap();
        }
    }
    for codec in [Codec::None, Codec::Lz4, Codec::Zstd, Codec::Deflate, Codec::Gzip] {
        let first = house.pulled(&source, Pull { codec, ..pull(BEGIN) }).await;
        assert_eq!(groups_of(&first), written[..3], "{codec:?}");
    }
    for count in [0, 1, 2, 1_000] {
        assert_eq!(house.read_all(&source, 0, count).await, written, "{count}");
    }
}

#[tokio::test]
async fn cursors_are_checked_and_what_is_before_the_beginning_begins_there() {
    let folder = Folder::new();
    let house = folder.open().await;
    let store = house.logs("s", 2).await;
    let source = house.source("s");
    for n in 0..4 {
        house.append(&store, 0, [n]).await;
        folder.pass(1);
    }
    let end = house.consumption.cursor(&source, 0, CursorAt::End).await.unwrap();
    assert_eq!(end.to_string(), text(4));
    let third = CursorAt::Received(UnixNanos(super::testing::NOW.0 + 1_500_000_000));
    assert_eq!(house.consumption.cursor(&source, 0, third).await.unwrap().to_string(), text(2));
    let received = house.consumption.cursor_time(&source, 0, &text(3)).await.unwrap();
    assert_eq!(received.0 - super::testing::NOW.0, 3_000_000_000);

    let exactly = house.pulled(&source, Pull { end_cursor: Some(&text(3)), ..pull(&text(1)) }).await;
    assert_eq!((groups_of(&exactly), exactly.next), (vec![vec![1], vec![2]], text(3)));
    let nothing = house.pulled(&source, Pull { end_cursor: Some(&text(3)), ..pull(&text(3)) }).await;
    assert_eq!((nothing.groups, nothing.next), (0, text(3)));

    for (shard, cursor, why) in [
        (0, text(5), "beyond the end"),
        (0, "nonsense".into(), "none of this server's"),
        (7, text(0), "does not exist"),
    ] {
        let error = house.consumption.pull(&source, Pull { shard, ..pull(&cursor) }).await.unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }

    house.storage.flush().await.unwrap();
    house.append(&store, 0, [4]).await;
    house.storage.set_ttl(&project("default"), &named("s"), Some(Duration::from_secs(60))).await.unwrap();
    folder.pass(90);
    house.append(&store, 0, [5]).await;
    house.storage.flush().await.unwrap();
    house.storage.drop_expired().await.unwrap();
    assert_eq!(house.consumption.cursor(&source, 0, CursorAt::Begin).await.unwrap().to_string(), text(4));
    assert_eq!(groups_of(&house.pulled(&source, pull(BEGIN)).await), [vec![4], vec![5]]);
}

#[tokio::test]
async fn twenty_readers_of_a_shard_cost_one_encoding() {
    let folder = Folder::new();
    let house = folder.open().await;
    let store = house.logs("s", 1).await;
    let source = house.source("s");
    for n in 0..50 {
        house.append(&store, 0, [n]).await;
    }
    let answers = join_all((0..20).map(|_| house.pulled(&source, pull(BEGIN)))).await;
    assert!(answers.iter().all(|answer| answer.body.as_ptr() == answers[0].body.as_ptr()), "they share the bytes");
    assert_eq!(groups_of(&answers[0]).concat(), (0..50).collect::<Vec<i64>>());
    assert_eq!(house.encoded(|c| &c.tail), 1);

    // A reader that comes later, when there is more, gets more; the others meet it further on.
    folder.pass(1);
    for n in 50..60 {
        house.append(&store, 0, [n]).await;
    }
    let late = house.pulled(&source, pull(BEGIN)).await;
    assert_eq!(late.groups, 60);
    let others = join_all((0..20).map(|_| house.pulled(&source, pull(&answers[0].next)))).await;
    assert!(others.iter().all(|answer| answer.next == late.next));
    assert_eq!(house.encoded(|c| &c.tail), 3);

    // One that takes little at a time takes from the same rows, and disturbs nobody.
    assert_eq!(house.read_all(&source, 0, 7).await.concat(), (0..60).collect::<Vec<i64>>());
    assert_eq!(house.pulled(&source, pull(BEGIN)).await.groups, 60);
}

#[tokio::test]
async fn a_reader_of_old_rows_leaves_the_tail_alone() {
    let folder = Folder::new();
    let config = ConsumeConfig { tail_bytes: 64 << 10, cold_bytes: 64 << 10, ..ConsumeConfig::default() };
    let house = folder.open_with(config).await;
    let (old, new) = (house.logs("old", 1).await, house.logs("new", 1).await);
    for n in 0..200 {
        house.append(&old, 0, n * 100..n * 100 + 100).await;
        if n % 20 == 19 {
            house.storage.flush().await.unwrap();
        }
    }
    house.append(&new, 0, 0..100).await;
    let source = house.source("new");
    let before = house.pulled(&source, pull(BEGIN)).await;
    let read: usize = house.read_all(&house.source("old"), 0, 3).await.iter().map(Vec::len).sum();
    assert_eq!(read, 20_000);
    let after = house.pulled(&source, pull(BEGIN)).await;
    assert_eq!(before.body.as_ptr(), after.body.as_ptr());
    assert_eq!(house.encoded(|c| &c.tail), 1);
    assert_eq!(house.encoded(|c| &c.segments), 10, "each segment was read once");
    let evicted = |cache: &counters::CacheCounters| cache.evicted.load(Relaxed);
    let counters = house.consumption.counters();
    assert_eq!(evicted(&counters.tail), 0);
    assert!(evicted(&counters.cold) > 0 && evicted(&counters.segments) > 0);
}

#[tokio::test]
async fn at_the_end_a_pull_is_empty_or_waits() {
    let folder = Folder::new();
    let house = folder.open().await;
    let store = house.logs("s", 1).await;
    let source = house.source("s");
    let empty = house.pulled(&source, pull(BEGIN)).await;
    assert_eq!((empty.groups, empty.body.len(), empty.next.as_str()), (0, 0, BEGIN));
    assert_eq!(house.consumption.counters().empty_pulls.load(Relaxed), 1);
    let long = Pull { wait: Duration::from_secs(3_600), ..pull(BEGIN) };
    let waiting = house.consumption.pull(&source, long);
    let (pulled, ()) = tokio::join!(waiting, house.append(&store, 0, [1]));
    assert_eq!(groups_of(&pulled.unwrap()), [[1]]);
    let end = text(1);
    let short = Pull { wait: Duration::from_millis(1), ..pull(&end) };
    assert_eq!(house.pulled(&source, short).await.groups, 0);
}

#[tokio::test]
async fn a_view_is_read_as_one_store() {
    let folder = Folder::new();
    let house = folder.open().await;
    let (here, there) = (house.logs("here", 2).await, project("other"));
    house.storage.create_project(&there, String::new(), String::new()).await.unwrap();
    let spec = StoreSpec { shards: 1, ..StoreSpec::new(StoreKind::Logs) };
    let far = house.storage.create_store(&there, &named("far"), spec).await.unwrap();
    let members = vec![(project("default"), named("here")), (there.clone(), named("far"))];
    house.storage.put_view(&project("default"), &named("both"), members.clone()).await.unwrap();
    let view = house.source("both");
    assert_eq!(view.members(), members);

    house.append(&here, 1, [1]).await;
    house.append(&far, 0, [2]).await;
    house.storage.split_shard(&far, ShardNumber(0), SplitAt::Middle).await.unwrap();
    let ids: Vec<u32> = house.consumption.shards(&view).into_iter().map(|(id, _)| id).collect();
    let far_shards: Vec<u32> = ids[2..].to_vec();
    assert_eq!((ids[0], ids[1], far_shards.len()), (0, 1, far.shards().len()));
    assert!(far_shards.iter().all(|id| id >> 16 == 1), "{far_shards:?}");
    assert_eq!(house.read_all(&view, 1, 9).await, [[1]]);
    assert_eq!(house.read_all(&view, far_shards[0], 9).await, [[2]]);
    let settings = GroupSettings { timeout_s: 10, in_order: true };
    house.consumption.groups().create(&view, "g", settings).await.unwrap();
    let given = house.consumption.groups().heartbeat(&view, "g", "c", &[]).await.unwrap();
    assert_eq!(given, [0, 1, far_shards[0]], "the children wait for their parent");

    house.storage.delete_store(&there, &named("far")).await.unwrap();
    assert_eq!(house.consumption.missing(&view), members[1..]);
    assert_eq!(house.consumption.shards(&view).len(), 2);
    let error = house.consumption.pull(&view, Pull { shard: far_shards[0], ..pull(BEGIN) }).await.unwrap_err();
    assert!(matches!(error, ConsumeError::NoShard { .. }), "{error}");
}

#[tokio::test]
async fn a_follower_is_given_what_comes_and_children_after_their_parent() {
    let folder = Folder::new();
    let house = folder.open().await;
    let store = house.logs("s", 1).await;
    let source = house.source("s");
    house.append(&store, 0, [1]).await;
    let start = Start { shard: None, from: From::At(CursorAt::Begin) };
    let mut all = house.consumption.follow(source.clone(), Follow::Rows, start).await.unwrap();
    let from_end = Start { shard: Some(0), from: From::At(CursorAt::End) };
    let mut one = house.consumption.follow(source.clone(), Follow::LogGroups, from_end).await.unwrap();
    assert!(one.next().now_or_never().is_none());
    house.append(&store, 0, [2]).await;
    let pushed = one.next().await.unwrap().unwrap();
    assert_eq!((pushed.shard, pushed.next.to_string()), (0, text(2)));

    let children = house.storage.split_shard(&store, ShardNumber(0), SplitAt::Middle).await.unwrap();
    assert!(one.next().await.unwrap().is_none(), "the one shard has ended");
    for child in &children[1..] {
        house.append(&store, child.number.0, [10 + i64::from(child.number.0)]).await;
    }
    let mut rows = String::new();
    while !rows.contains("\"n\":11") || !rows.contains("\"n\":12") {
        let chunk = all.next().await.unwrap().unwrap();
        rows.push_str(std::str::from_utf8(&chunk.body).unwrap());
    }
    let numbers: Vec<&str> =
        rows.lines().map(|row| row.split("\"n\":").nth(1).unwrap().split(',').next().unwrap()).collect();
    assert_eq!(numbers[..2], ["1", "2"]);
    assert_eq!(numbers.len(), 4);
    assert!(all.next().now_or_never().is_none());
    drop((one, all));
    assert_eq!(house.consumption.counters().followers.load(Relaxed), 0);
}

/// A reader that hangs up while its block is cut does not take it from the others, and leaves nothing behind.
#[tokio::test]
async fn who_hangs_up_harms_nobody() {
    let folder = Folder::new();
    let house = folder.open().await;
    let store = house.logs("s", 1).await;
    // Large enough to be encoded apart, where a reader can hang up.
    house.append(&store, 0, 0..100_000).await;
    let source = house.source("s");
    let cut = AtomicU64::new(0);
    for _ in 0..20 {
        if house.consumption.pull(&source, pull(BEGIN)).now_or_never().is_none() {
            cut.fetch_add(1, Relaxed);
        }
    }
    assert!(cut.load(Relaxed) > 0, "nobody hung up");
    assert_eq!(groups_of(&house.pulled(&source, pull(BEGIN)).await)[0].len(), 100_000);
    assert_eq!(house.encoded(|c| &c.tail), 1);
}
