//! Hot and calm shards on a clock that the test turns.

use culprit_store::{Clock, ProjectName, StorageConfig, StoreKind, StoreName, StoreSettings, StoreSpec, UnixNanos};

use super::*;
use crate::quota::{ProjectLimits, QuotaConfig, ShardLimits};

struct House {
    storage: Storage,
    store: Arc<StoreState>,
    quotas: Quotas,
    scaler: Scaler,
    clock: Clock,
    now: i64,
    _data: tempfile::TempDir,
}

async fn house(shards: u16, shards_max: u16) -> House {
    let data = tempfile::tempdir().unwrap();
    let now = 1_700_000_000_000_000_000;
    let clock = Clock::manual(UnixNanos(now));
    let config = StorageConfig { clock: clock.clone(), ..StorageConfig::new(data.path()) };
    let storage = Storage::open(config).await.unwrap();
    let plain = StoreSpec::new(StoreKind::Logs);
    let settings = StoreSettings { auto_split: true, shards_max, ..plain.settings.clone() };
    let spec = StoreSpec { shards, settings, ..plain };
    let (project, name) = (ProjectName::default_project(), StoreName::parse("web").unwrap());
    let store = storage.create_store(&project, &name, spec).await.unwrap();
    let shard = ShardLimits { write_bytes: 1_000, write_requests: 100, ..ShardLimits::default() };
    let project = ProjectLimits { shards: 6, ..ProjectLimits::default() };
    let quotas = Quotas::of(&storage, QuotaConfig { shard, project, ..QuotaConfig::default() });
    let scaler = Scaler::new(quotas.clone(), storage.clone());
    House { storage, store, quotas, scaler, clock, now, _data: data }
}

impl House {
    /// Looks once a second, while `each_second` writes.
    async fn run(&mut self, seconds: u64, each_second: impl Fn(&House)) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for _ in 0..seconds {
            self.now += 1_000_000_000;
            self.clock.set(UnixNanos(self.now));
            each_second(self);
            outcomes.extend(self.scaler.look().await.into_iter().map(|(_, _, outcome)| outcome));
        }
        outcomes
    }

    fn write(&self, key: Option<u128>, bytes: u64) {
        self.quotas.place(&self.store, key, bytes).expect("there is room");
    }

    fn writable(&self) -> Vec<u32> {
        self.store.writable_shards().iter().map(|shard| shard.0).collect()
    }
}

#[tokio::test]
async fn a_shard_that_is_hot_for_long_is_split_where_its_keys_have_their_middle() {
    let mut house = house(1, 64).await;
    let keys = [3, 5, 1_000, 1_001];
    let writes = |house: &House| keys.into_iter().for_each(|key| house.write(Some(key), 400));
    assert_eq!(house.run(55, writes).await, [], "not for a spike of less than a minute");
    assert_eq!(house.run(10, writes).await, [Outcome::SplitAtKey]);
    let children: Vec<ShardInfo> =
        house.store.shards().into_iter().filter(|shard| shard.status == ShardStatus::ReadWrite).collect();
    assert_eq!(children.len(), 2);
    assert_eq!(children[1].range.begin, 1_000);
    // Each half has 800 of its 1000 bytes a second.
    assert_eq!(house.run(300, writes).await, []);
}

#[tokio::test]
async fn without_keys_the_range_is_halved_until_nobody_is_hot_or_there_are_enough() {
    let mut house = house(1, 64).await;
    let writes = |house: &House| (0..30).for_each(|_| house.write(None, 100));
    assert_eq!(house.run(200, writes).await, [Outcome::SplitInHalf; 3], "one, two, four shards for 3000 bytes");
    assert_eq!(house.writable().len(), 4);
    let more = |house: &House| (0..100).for_each(|_| house.write(None, 100));
    let outcomes = house.run(400, more).await;
    let splits = outcomes.iter().filter(|outcome| **outcome == Outcome::SplitInHalf).count();
    assert_eq!((splits, house.writable().len()), (2, 6), "the project's limit: {outcomes:?}");
    assert!(outcomes.contains(&Outcome::TooMany));
}

#[tokio::test]
async fn what_cannot_help_is_not_done_and_is_said_once() {
    let mut one_key = house(1, 64).await;
    assert_eq!(one_key.run(200, |house| (0..20).for_each(|_| house.write(Some(7), 100))).await, [Outcome::OneKey]);
    let mut full = house(1, 1).await;
    assert_eq!(full.run(200, |house| house.write(None, 2_000)).await, [Outcome::TooMany]);
    let mut unwilling = house(1, 64).await;
    let settings = StoreSettings { auto_split: false, ..unwilling.store.settings().as_ref().clone() };
    unwilling.storage.set_settings(&unwilling.store, settings).await.unwrap();
    assert_eq!(unwilling.run(200, |house| house.write(None, 2_000)).await, []);
}

#[tokio::test]
async fn what_was_one_shard_is_one_again_after_a_long_calm() {
    let mut house = house(2, 64).await;
    let writes = |house: &House| (0..30).for_each(|_| house.write(None, 100));
    house.run(200, writes).await;
    assert_eq!(house.writable().len(), 4, "both were split");
    // A little of a quarter is not calm.
    assert_eq!(house.run(2_000, |house| (0..11).for_each(|_| house.write(None, 100))).await, []);
    assert_eq!(house.run(1_795, |house| house.write(None, 100)).await, []);
    assert_eq!(house.run(15, |house| house.write(None, 100)).await, [Outcome::Merged; 2]);
    // The two that the store was created with stay, however calm it is.
    assert_eq!(house.run(4_000, |_| ()).await, []);
    assert_eq!(house.writable().len(), 2);
}
