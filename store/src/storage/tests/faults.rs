//! Disks that fail, tear, fill up and are slow: what was acknowledged is there, once, and nothing else is.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;

use super::machine::Machine;
use super::{logs, named, numbers, project, rows};
use crate::disk::Space;
use crate::disk::simulation::{Faults, Random};
use crate::limits::DISK_FREE_BYTES_MIN;
use crate::{Bottleneck, Fault, Route, ShardNumber, SplitAt, Storage, StoreError, StoreKind, StoreSpec, StoreState};

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_fails_is_taken_back_and_the_next_one_passes() {
    let machine = Machine::new(1);
    let storage = machine.open().await;
    let store = logs(&storage, "app").await;
    storage.append(&store, rows(0..5), &Route::Any).await.unwrap();
    machine.disk.set_faults(Faults { write: 1000, ..Faults::default() });
    let refused = storage.append(&store, rows(5..10), &Route::Any).await.unwrap_err();
    assert_eq!(refused.fault(), Fault::Server, "{refused}");
    machine.disk.set_faults(Faults::default());
    storage.append(&store, rows(10..15), &Route::Any).await.unwrap();
    machine.crash(storage).await;
    let storage = machine.open().await;
    let store = storage.expect_store(&project(), &named("app")).unwrap();
    assert_eq!(numbers(&storage, &store).await, (0..5).chain(10..15).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_until_there_is_space() {
    let machine = Machine::new(2);
    let storage = machine.open().await;
    let store = logs(&storage, "app").await;
    storage.append(&store, rows(0..5), &Route::Any).await.unwrap();
    machine.disk.set_faults(Faults { full: 1000, ..Faults::default() });
    let refused = storage.append(&store, rows(5..10), &Route::Any).await.unwrap_err();
    assert!(matches!(refused, StoreError::DiskFull { .. }) && refused.fault() == Fault::Later, "{refused}");
    machine.disk.set_faults(Faults::default());
    assert_eq!(storage.pressure().disk, 1.0);
    storage.append(&store, rows(5..10), &Route::Any).await.unwrap_err();
    let space = |free| Space { free, total: 1 << 40 };
    machine.disk.set_space(space(DISK_FREE_BYTES_MIN));
    crate::background::look_at_space(&storage.inner);
    storage.append(&store, rows(5..10), &Route::Any).await.unwrap_err();
    machine.disk.set_space(space(1 << 40));
    crate::background::look_at_space(&storage.inner);
    storage.append(&store, rows(20..25), &Route::Any).await.unwrap();
    assert_eq!(numbers(&storage, &store).await, (0..5).chain(20..25).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_fsync_is_final_until_the_restart() {
    let machine = Machine::new(3);
    let storage = machine.open().await;
    let store = logs(&storage, "app").await;
    storage.append(&store, rows(0..5), &Route::Any).await.unwrap();
    machine.disk.set_faults(Faults { sync: 1000, ..Faults::default() });
    let refused = storage.append(&store, rows(5..10), &Route::Any).await.unwrap_err();
    assert!(matches!(refused, StoreError::LogFailed { .. }), "{refused}");
    machine.disk.set_faults(Faults::default());
    let refused = storage.append(&store, rows(10..15), &Route::Any).await.unwrap_err();
    assert!(matches!(refused, StoreError::LogFailed { .. }), "{refused}");
    assert_eq!(numbers(&storage, &store).await, (0..5).collect::<Vec<_>>(), "what is not durable is not shown");
    machine.crash(storage).await;
    let storage = machine.open().await;
    let store = storage.expect_store(&project(), &named("app")).unwrap();
    let found = numbers(&storage, &store).await;
    assert!(found == (0..5).collect::<Vec<_>>() || found == (0..10).collect::<Vec<_>>(), "{found:?}");
    storage.append(&store, rows(20..21), &Route::Any).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_behind_a_slow_disk_are_told_to_come_later() {
    let machine = Machine::new(4);
    machine.disk.set_sync_time(Duration::from_secs(3));
    let storage = machine.open().await;
    let store = logs(&storage, "app").await;
    storage.append(&store, rows(0..1), &Route::Any).await.unwrap();
    machine.disk.hold_syncs();
    let (first, of) = (storage.clone(), store.clone());
    let first = tokio::spawn(async move { first.append(&of, rows(1..2), &Route::Any).await });
    machine.sync_waits().await;
    assert!(storage.pressure().log >= 1.0);
    let refused = storage.append(&store, rows(2..3), &Route::Any).await.unwrap_err();
    assert!(matches!(refused, StoreError::Busy { what: Bottleneck::QueueMillis, .. }), "{refused}");
    machine.disk.release_syncs();
    first.await.unwrap().unwrap();
    storage.append(&store, rows(3..4), &Route::Any).await.unwrap();
    assert_eq!(numbers(&storage, &store).await, [0, 1, 3]);
}

/// The writer has gone away, his rows are under way: the shard is closed behind them, never before.
#[tokio::test(flavor = "multi_thread")]
async fn a_split_waits_for_rows_that_nobody_waits_for() {
    let machine = Machine::new(5);
    let storage = machine.open().await;
    let store = logs(&storage, "app").await;
    machine.disk.hold_syncs();
    let (writer, of) = (storage.clone(), store.clone());
    let writer = tokio::spawn(async move { writer.append(&of, rows(0..1), &Route::Key(0)).await });
    machine.sync_waits().await;
    writer.abort();
    assert!(writer.await.unwrap_err().is_cancelled());
    let mut split = Box::pin(storage.split_shard(&store, ShardNumber(0), SplitAt::Middle));
    assert!((&mut split).now_or_never().is_none(), "the row is not in the log yet");
    machine.disk.release_syncs();
    let made = split.await.unwrap();
    assert_eq!(made.iter().map(|shard| shard.end.0).collect::<Vec<_>>(), [1, 0, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn old_rows_are_flushed_when_the_log_becomes_long() {
    let mut machine = Machine::new(6);
    let mut storage = machine.open().await;
    for (round, key) in (0..4).zip([0, 0, 0, u128::MAX]) {
        let store = logs(&storage, "app").await;
        storage.append(&store, rows(round * 1000..round * 1000 + 1000), &Route::Key(key)).await.unwrap();
        machine.crash(storage).await;
        // Each start begins a file.
        storage = machine.open().await;
    }
    machine.crash(storage).await;
    let sizes = |folder: &std::path::Path| -> Vec<u64> {
        let files = std::fs::read_dir(folder.join("log")).unwrap();
        let mut files: Vec<_> = files.map(|file| file.unwrap()).collect();
        files.sort_by_key(|file| file.file_name());
        files.iter().map(|file| file.metadata().unwrap().len()).collect()
    };
    machine.log_bytes_max = sizes(machine.folder.path())[3] + 1000;
    let storage = machine.open().await;
    let store = logs(&storage, "app").await;
    assert_eq!(store.size().segments, 0);
    crate::background::flush_due(&storage.inner).await;
    assert!(sizes(machine.folder.path()).iter().sum::<u64>() <= machine.log_bytes_max, "the oldest files are gone");
    let in_memory = store.shard_set().all().iter().map(|shard| shard.recent_bytes() > 0).collect::<Vec<_>>();
    assert_eq!(in_memory, [false, true], "the youngest rows stay");
    assert_eq!(numbers(&storage, &store).await, (0..4000).collect::<Vec<_>>());
}

/// Everything that can fail does, now and then.
const BAD_DISK: Faults =
    Faults { write: 40, full: 20, sync: 15, create: 50, remove: 100, segment: 100, catalog: 60, catalog_answer: 40 };

/// What was sent, by what is known of it.
#[derive(Default)]
struct Sent {
    next: i64,
    acknowledged: BTreeSet<i64>,
    uncertain: BTreeSet<i64>,
}

impl Sent {
    async fn append(&mut self, storage: &Storage, store: &StoreState, random: &mut Random) -> Result<(), StoreError> {
        let ids = self.next..self.next + 1 + random.below(3) as i64;
        self.next = ids.end;
        let key = u128::from(random.next()) << 64;
        let answer = storage.append(store, rows(ids.clone()), &Route::Key(key)).await;
        let known = if answer.is_ok() { &mut self.acknowledged } else { &mut self.uncertain };
        known.extend(ids);
        answer
    }

    async fn check(&self, storage: &Storage, store: &StoreState, seed: u64) {
        let found = numbers(storage, store).await;
        let once: BTreeSet<i64> = found.iter().copied().collect();
        assert_eq!(once.len(), found.len(), "seed {seed}: twice in {found:?}");
        let lost: Vec<_> = self.acknowledged.difference(&once).collect();
        assert!(lost.is_empty(), "seed {seed}: acknowledged and lost: {lost:?}");
        let invented: Vec<_> =
            once.iter().filter(|id| !self.acknowledged.contains(id) && !self.uncertain.contains(id)).collect();
        assert!(invented.is_empty(), "seed {seed}: never sent: {invented:?}");
    }
}

async fn reopen(machine: &Machine, storage: Storage) -> Storage {
    machine.crash(storage).await;
    loop {
        match machine.try_open().await {
            Ok(storage) => return storage,
            // A start may meet the bad disk too; what it did until then is crash-safe as well.
            Err(_) => {
                machine.disk.cut_power();
                machine.disk.restore_power().unwrap();
            }
        }
    }
}

async fn run(seed: u64) {
    let machine = Machine::new(seed);
    let mut random = Random(seed ^ 0x5eed);
    let mut storage = machine.open().await;
    storage.create_store(&project(), &named("app"), StoreSpec::new(StoreKind::Logs)).await.unwrap();
    let mut sent = Sent::default();
    machine.disk.set_faults(BAD_DISK);
    for _ in 0..40 {
        let store: Arc<StoreState> = storage.expect_store(&project(), &named("app")).unwrap();
        crate::background::look_at_space(&storage.inner);
        let shards = store.writable_shards();
        let shard = shards[random.below(shards.len() as u64) as usize];
        let answer = match random.below(20) {
            0..13 => sent.append(&storage, &store, &mut random).await,
            13 if shards.len() < 6 => storage.split_shard(&store, shard, SplitAt::Middle).await.map(|_| ()),
            14 => storage.merge_shards(&store, shard).await.map(|_| ()),
            15..18 => storage.flush().await,
            _ => Err(StoreError::Closed),
        };
        if matches!(answer, Err(StoreError::LogFailed { .. } | StoreError::Closed)) {
            sent.check(&storage, &store, seed).await;
            storage = reopen(&machine, storage).await;
        }
    }
    machine.disk.set_faults(Faults::default());
    storage = reopen(&machine, storage).await;
    let store = storage.expect_store(&project(), &named("app")).unwrap();
    sent.check(&storage, &store, seed).await;
    assert!(machine.disk.failed() > 0 && !sent.acknowledged.is_empty());
    storage.flush().await.unwrap();
    storage.shutdown().await.unwrap();
    let storage = machine.open().await;
    sent.check(&storage, &storage.expect_store(&project(), &named("app")).unwrap(), seed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_disk_loses_nothing_and_invents_nothing() {
    for seed in 0..100 {
        run(seed).await;
    }
}
