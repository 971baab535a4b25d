use std::collections::BTreeSet;

use culprit_store::{ShardNumber, SplitAt};

use super::*;
use crate::Codec;
use crate::consume::testing::{Folder, House, groups_of, named, project};
use crate::consume::{Cursor, Pull};

const SETTINGS: GroupSettings = GroupSettings { timeout_s: 10, in_order: true };

fn text(offset: u64) -> String {
    Cursor(Offset(offset)).to_string()
}

fn mark<'a>(consumer: &'a str, shard: u32, cursor: &'a str) -> Mark<'a> {
    Mark { consumer, shard, cursor, force: false }
}

impl House {
    async fn beat(&self, source: &Source, consumer: &str, held: &[u32]) -> Vec<u32> {
        self.consumption.groups().heartbeat(source, "g", consumer, held).await.unwrap()
    }

    async fn listed(&self, source: &Source) -> Vec<(u32, String)> {
        let checkpoints = self.consumption.groups().checkpoints(source, "g", None).await.unwrap();
        let text = |c: Option<Cursor>| c.map_or_else(String::new, |cursor| cursor.to_string());
        checkpoints.into_iter().map(|checkpoint| (checkpoint.shard, text(checkpoint.cursor))).collect()
    }
}

#[tokio::test]
async fn a_group_is_made_once_changed_and_deleted() {
    let folder = Folder::new();
    let house = folder.open().await;
    house.logs("s", 2).await;
    let (source, groups) = (house.source("s"), house.consumption.groups());
    groups.create(&source, "g", SETTINGS).await.unwrap();
    assert!(matches!(groups.create(&source, "g", SETTINGS).await, Err(ConsumeError::GroupExists { .. })));
    for (name, timeout_s) in [("", 10), ("a\nb", 10), ("h", 0), ("h", 86_401)] {
        assert!(groups.create(&source, name, GroupSettings { timeout_s, in_order: false }).await.is_err(), "{name:?}");
    }
    groups.update(&source, "g", GroupChange { timeout_s: Some(20), in_order: None }).await.unwrap();
    let changed = GroupSettings { timeout_s: 20, in_order: true };
    assert_eq!(groups.list(&source).await.unwrap(), [GroupInfo { name: "g".to_owned(), settings: changed }]);
    assert_eq!(house.listed(&source).await, [(0, String::new()), (1, String::new())], "every shard is listed");
    groups.delete(&source, "g").await.unwrap();
    assert!(matches!(groups.heartbeat(&source, "g", "c", &[]).await, Err(ConsumeError::NoGroup { .. })));
    assert!(groups.list(&source).await.unwrap().is_empty());

    // There may be so many and no more.
    for n in 0..30 {
        groups.create(&source, &format!("g{n}"), SETTINGS).await.unwrap();
    }
    assert!(matches!(groups.create(&source, "one more", SETTINGS).await, Err(ConsumeError::Refused(_))));
}

#[tokio::test]
async fn a_view_that_is_made_anew_begins_without_groups() {
    let folder = Folder::new();
    let house = folder.open().await;
    let store = house.logs("s", 1).await;
    house.append(&store, 0, [1]).await;
    let members = || vec![(project("default"), named("s"))];
    let view = house.storage.put_view(&project("default"), &named("v"), members()).await.unwrap();
    let source = Source::View(view);
    house.consumption.groups().create(&source, "g", SETTINGS).await.unwrap();
    house.consumption.groups().checkpoint(&source, "g", mark("a", 0, &text(1))).await.unwrap();
    house.consumption.forget(&source).await.unwrap();
    house.storage.delete_view(&project("default"), &named("v")).await.unwrap();
    house.storage.put_view(&project("default"), &named("v"), members()).await.unwrap();
    assert!(house.consumption.groups().list(&source).await.unwrap().is_empty());
    assert!(house.storage.checkpoints().await.unwrap().is_empty());
}

#[tokio::test]
async fn checkpoints_are_checked() {
    let folder = Folder::new();
    let house = folder.open().await;
    let store = house.logs("s", 2).await;
    house.append(&store, 0, [1]).await;
    let (source, groups) = (house.source("s"), house.consumption.groups());
    groups.create(&source, "g", SETTINGS).await.unwrap();
    assert_eq!(house.beat(&source, "a", &[]).await, [0, 1]);
    groups.checkpoint(&source, "g", mark("a", 0, &text(1))).await.unwrap();
    for (mark, why) in [
        (mark("b", 0, &text(1)), "is held by consumer \"a\" of the group, not by \"b\""),
        (mark("a", 0, &text(2)), "beyond the end of shard 0, which is 1"),
        (mark("a", 0, "?"), "none of this server's"),
        (mark("a", 9, &text(0)), "does not exist"),
        (mark("", 0, &text(0)), "consumer name"),
    ] {
        let error = groups.checkpoint(&source, "g", mark).await.unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
    groups.checkpoint(&source, "g", Mark { force: true, ..mark("b", 0, &text(0)) }).await.unwrap();
    let listed = groups.checkpoints(&source, "g", Some(0)).await.unwrap();
    let expected = Checkpoint {
        shard: 0,
        cursor: Some(Cursor(Offset(0))),
        updated: Some(folder.clock.now()),
        consumer: "b".to_owned(),
    };
    assert_eq!(listed, [expected]);
    assert!(matches!(groups.checkpoints(&source, "g", Some(5)).await, Err(ConsumeError::NoShard { .. })));
    // Nobody holds the shard any more: whoever comes may say how far it is.
    folder.pass(11);
    groups.checkpoint(&source, "g", mark("c", 0, &text(1))).await.unwrap();
}

#[tokio::test]
async fn after_a_restart_the_checkpoints_are_there_and_nobody_gets_what_another_may_hold() {
    let folder = Folder::new();
    let house = folder.open().await;
    let store = house.logs("s", 2).await;
    house.logs("gone", 1).await;
    house.append(&store, 1, [1]).await;
    for name in ["s", "gone"] {
        house.consumption.groups().create(&house.source(name), "g", SETTINGS).await.unwrap();
    }
    let source = house.source("s");
    assert_eq!(house.beat(&source, "a", &[]).await, [0, 1]);
    house.consumption.groups().checkpoint(&source, "g", mark("a", 1, &text(1))).await.unwrap();
    house.storage.delete_store(&project("default"), &named("gone")).await.unwrap();
    house.storage.shutdown().await.unwrap();

    let house = folder.open().await;
    house.logs("gone", 1).await;
    let source = house.source("s");
    assert!(house.consumption.groups().list(&house.source("gone")).await.unwrap().is_empty());
    assert_eq!(house.listed(&source).await, [(0, String::new()), (1, text(1))]);
    assert_eq!(house.beat(&source, "b", &[]).await, [0_u32; 0], "a may read both");
    assert_eq!(house.beat(&source, "a", &[0, 1]).await, [0], "the other one is to be handed over");
    folder.pass(6);
    assert_eq!(house.beat(&source, "a", &[0]).await, [0]);
    assert_eq!(house.beat(&source, "b", &[]).await, [0_u32; 0], "somebody else may still read it");
    folder.pass(6);
    assert_eq!(house.beat(&source, "b", &[]).await, [1]);
}

/// Two readers, one of which stops in the middle, a split and a merge under way, and a restart: per key all numbers come, in order, repeated only from the last checkpoint on.
#[tokio::test]
async fn order_is_kept_through_splits_merges_crashes_and_restarts() {
    const KEYS: [u128; 4] = [0, u128::MAX / 3, u128::MAX / 2 + 1, u128::MAX];
    let folder = Folder::new();
    let mut house = folder.open().await;
    house.logs("s", 1).await;
    house.consumption.groups().create(&house.source("s"), "g", SETTINGS).await.unwrap();
    let mut readers = vec![Reader::new("a"), Reader::new("b")];
    let mut seen: Vec<Vec<i64>> = vec![Vec::new(); KEYS.len()];
    for round in 0..60_i64 {
        let source = house.source("s");
        let store = house.storage.store(&project("default"), &named("s")).unwrap();
        for (key, place) in KEYS.iter().zip(0..) {
            house.append_by_key(&store, *key, round * 4 + place).await;
        }
        match round {
            10 => drop(house.storage.split_shard(&store, ShardNumber(0), SplitAt::Middle).await.unwrap()),
            20 => readers[0] = Reader::new("c"),
            25 => drop(house.storage.split_shard(&store, ShardNumber(1), SplitAt::Middle).await.unwrap()),
            30 => house.storage.flush().await.unwrap(),
            40 => drop(house.storage.merge_shards(&store, ShardNumber(3)).await.unwrap()),
            35 => {
                house.storage.shutdown().await.unwrap();
                drop((source, store));
                house = folder.open().await;
            }
            _ => {}
        }
        folder.pass(2);
        for reader in &mut readers {
            reader.turn(&house, round % 3 == 0, &mut seen).await;
        }
    }
    for _ in 0..20 {
        folder.pass(2);
        for reader in &mut readers {
            reader.turn(&house, true, &mut seen).await;
        }
    }
    for (place, numbers) in (0..).zip(seen) {
        let all: Vec<i64> = (0..60).map(|round| round * 4 + place).collect();
        let mut highest = Vec::new();
        for number in &numbers {
            // What comes again was seen; what is new is the next one.
            if !highest.contains(number) {
                highest.push(*number);
            }
        }
        assert_eq!(highest, all, "key {place}");
    }
}

/// As a client is: it reads from the checkpoint on, and writes it when it is told to.
struct Reader {
    name: &'static str,
    held: BTreeSet<u32>,
    cursors: BTreeMap<u32, String>,
}

impl Reader {
    fn new(name: &'static str) -> Self {
        Self { name, held: BTreeSet::new(), cursors: BTreeMap::new() }
    }

    async fn turn(&mut self, house: &House, writes_checkpoint: bool, seen: &mut [Vec<i64>]) {
        let source = house.source("s");
        let groups = house.consumption.groups();
        let held: Vec<u32> = self.held.iter().copied().collect();
        let given: BTreeSet<u32> =
            groups.heartbeat(&source, "g", self.name, &held).await.unwrap().into_iter().collect();
        for left in self.held.difference(&given) {
            if let Some(cursor) = self.cursors.remove(left) {
                groups.checkpoint(&source, "g", mark(self.name, *left, &cursor)).await.unwrap();
            }
        }
        self.held = given;
        for &shard in &self.held {
            let kept = groups.checkpoints(&source, "g", Some(shard)).await.unwrap()[0].cursor;
            let begin = || kept.unwrap_or(Cursor(Offset(0))).to_string();
            let cursor = self.cursors.entry(shard).or_insert_with(begin);
            let pull = Pull { shard, cursor, count: 3, end_cursor: None, codec: Codec::None, wait: Duration::ZERO };
            let pulled = house.consumption.pull(&source, pull).await.unwrap();
            for number in groups_of(&pulled).concat() {
                seen[usize::try_from(number % 4).unwrap()].push(number);
            }
            *cursor = pulled.next;
            if writes_checkpoint {
                groups.checkpoint(&source, "g", mark(self.name, shard, cursor)).await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn many_checkpoints_at_once_are_all_kept() {
    let folder = Folder::new();
    let house = folder.open().await;
    let store = house.logs("s", 16).await;
    for shard in 0..16 {
        house.append(&store, shard, [1]).await;
    }
    let (source, groups) = (house.source("s"), house.consumption.groups());
    groups.create(&source, "g", SETTINGS).await.unwrap();
    let end = text(1);
    let marks = (0..16).map(|shard| groups.checkpoint(&source, "g", mark("a", shard, &end)));
    futures::future::try_join_all(marks).await.unwrap();
    house.storage.shutdown().await.unwrap();
    let house = folder.open().await;
    let expected: Vec<(u32, String)> = (0..16).map(|shard| (shard, text(1))).collect();
    assert_eq!(house.listed(&house.source("s")).await, expected);
}
