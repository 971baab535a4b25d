//! Writes that their producers count: stored once, whatever restarts, splits and deletions come between a write and its repetition.

use std::sync::Arc;

use super::machine::Machine;
use super::{Fixture, logs, named, numbers, project, rows, series};
use crate::disk::simulation::Faults;
use crate::{
    Route, Sequence, Series, ShardNumber, SplitAt, Storage, StoreError, StoreKind, StoreSpec, StoreState, TimeRange,
};

/// In the lower half of the keys, and in the upper one.
const KEYS: [u128; 2] = [7, u128::MAX - 7];

async fn put(storage: &Storage, store: &StoreState, key: u128, number: i64) -> Result<(), StoreError> {
    let sequence = Some(Sequence { key, number });
    storage.append_all(store, vec![rows(number..number + 1)], &Route::Key(key), sequence).await
}

async fn put_new(storage: &Storage, store: &StoreState, number: i64) {
    for key in KEYS {
        put(storage, store, key, number).await.unwrap();
    }
}

async fn refuses_up_to(storage: &Storage, store: &StoreState, last: i64) {
    for (key, number) in KEYS.into_iter().flat_map(|key| (0..=last).map(move |number| (key, number))) {
        let refused = put(storage, store, key, number).await.unwrap_err();
        let expected = StoreError::StaleSequence { key, number, last };
        assert_eq!(refused.to_string(), expected.to_string());
    }
}

/// Each number once for each key.
async fn holds(storage: &Storage, store: &StoreState, count: i64) {
    let expected: Vec<i64> = (0..count).flat_map(|number| [number, number]).collect();
    assert_eq!(numbers(storage, store).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_survive_power_cuts_flushes_splits_and_merges() {
    let machine = Machine::new(31);
    let mut storage = machine.open().await;
    let store = logs(&storage, "app").await;
    put_new(&storage, &store, 0).await;
    refuses_up_to(&storage, &store, 0).await;
    // Round by round, what the log had before is in segments, in a shard that is closed, or still in the log.
    for (round, number) in (0..6).zip(1..) {
        let store = storage.expect_store(&project(), &named("app")).unwrap();
        match round {
            0 | 3 => storage.flush().await.unwrap(),
            1 => drop(storage.split_shard(&store, ShardNumber(0), SplitAt::Middle).await.unwrap()),
            4 => drop(storage.merge_shards(&store, store.writable_shards()[0]).await.unwrap()),
            _ => {}
        }
        put_new(&storage, &store, number).await;
        machine.crash(storage).await;
        storage = machine.open().await;
        let store = storage.expect_store(&project(), &named("app")).unwrap();
        refuses_up_to(&storage, &store, number).await;
        holds(&storage, &store, number + 1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_shard_leaves_its_numbers_and_a_deleted_store_does_not() {
    let fixture = Fixture::new();
    let storage = fixture.open().await;
    let store = logs(&storage, "app").await;
    put_new(&storage, &store, 0).await;
    storage.split_shard(&store, ShardNumber(0), SplitAt::Middle).await.unwrap();
    // Its rows are in the log alone, which steps over entries of shards that are gone.
    storage.delete_shard(&store, ShardNumber(0)).await.unwrap();
    storage.shutdown().await.unwrap();
    let storage = fixture.open().await;
    let store = storage.expect_store(&project(), &named("app")).unwrap();
    let lower = put(&storage, &store, KEYS[0], 0).await.unwrap_err();
    assert!(matches!(lower, StoreError::StaleSequence { last: 0, .. }), "{lower}");
    storage.delete_store(&project(), &named("app")).await.unwrap();
    let store = logs(&storage, "app").await;
    put_new(&storage, &store, 0).await;
    storage.shutdown().await.unwrap();
}

/// Both stand in one group. Nobody may be told that his rows are stored before they are.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_writes_with_one_number_under_way_one_is_stored() {
    for (fails, seed) in [(false, 32), (true, 33)] {
        let machine = Machine::new(seed);
        let storage = machine.open().await;
        let store = logs(&storage, "app").await;
        machine.disk.hold_syncs();
        let write = |number| {
            let (storage, store): (Storage, Arc<StoreState>) = (storage.clone(), store.clone());
            tokio::spawn(async move { put(&storage, &store, 7, number).await })
        };
        let first = write(1);
        machine.sync_waits().await;
        let one = storage.inner.gauges.waiting_bytes();
        let twins = [write(2), write(2)];
        while storage.inner.gauges.waiting_bytes() < 5 * one / 2 {
            tokio::task::yield_now().await;
        }
        if fails {
            machine.disk.set_faults(Faults { write: 1000, ..Faults::default() });
        }
        machine.disk.release_syncs();
        first.await.unwrap().unwrap();
        let mut answers = Vec::new();
        for twin in twins {
            answers.push(twin.await.unwrap());
        }
        let stale = answers.iter().filter(|answer| matches!(answer, Err(StoreError::StaleSequence { .. }))).count();
        let stored = answers.iter().filter(|answer| answer.is_ok()).count();
        assert_eq!((stored, stale), if fails { (0, 0) } else { (1, 1) }, "{answers:?}");
        machine.disk.set_faults(Faults::default());
        assert_eq!(put(&storage, &store, 7, 2).await.is_ok(), fails);
        assert_eq!(numbers(&storage, &store).await, [1, 2]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_and_several_batches_are_counted_as_one_write() {
    let fixture = Fixture::new();
    let storage = fixture.open().await;
    let spec = StoreSpec::new(StoreKind::Metrics);
    let metrics = storage.create_store(&project(), &named("m"), spec).await.unwrap();
    let series: Vec<Series> = (0..20).map(|n| series("up", &n.to_string(), &[(1000, 1.0)])).collect();
    let sequence = Some(Sequence { key: 1, number: 1 });
    storage.append_numbered_samples(&metrics, series.clone(), sequence).await.unwrap();
    let again = storage.append_numbered_samples(&metrics, series, sequence).await.unwrap_err();
    assert!(matches!(again, StoreError::StaleSequence { .. }), "{again}");
    let snapshot = storage.snapshot(&metrics, TimeRange::ALL).unwrap();
    assert_eq!(snapshot.recent.iter().map(|batch| batch.num_rows()).sum::<usize>(), 20);

    let store = logs(&storage, "app").await;
    let batches = || vec![rows(0..2), rows(2..2), rows(2..5)];
    storage.append_all(&store, batches(), &Route::Key(1), sequence).await.unwrap();
    storage.append_all(&store, batches(), &Route::Key(1), sequence).await.unwrap_err();
    assert_eq!(numbers(&storage, &store).await, [0, 1, 2, 3, 4]);
    assert_eq!(store.shards()[0].end.0, 2, "each batch with rows has an offset");
    storage.shutdown().await.unwrap();
}
