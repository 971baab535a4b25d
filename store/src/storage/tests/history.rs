//! Thousands of short histories of one store each, many to a folder, against a naive model: lists of what was sent.
//!
//! Each history writes (wherever, by key, row by row, to a shard), splits, merges, flushes, and reads along with a consumer that takes parents to their
//! end before their children and keeps checkpoints; the power fails in between, with writes under way. Producers that count their writes send again what
//! nobody answered. In the end the model's lists are compared with what a snapshot has, what each shard has, and what the consumer saw.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, TimestampNanosecondArray};
use arrow::datatypes::Int64Type;
use arrow::record_batch::RecordBatch;

use super::machine::Machine;
use super::{numbers, project};
use crate::disk::simulation::Random;
use crate::{
    HashRange, Offset, Route, Sequence, ShardInfo, ShardNumber, ShardStatus, SplitAt, Storage, StoreError, StoreKind,
    StoreName, StoreSpec, StoreState, TIME, TimeRange,
};

const KEYS: u64 = 6;
const HISTORIES_PER_FOLDER: usize = 40;
const STEPS_PER_HISTORY: usize = 25;

/// Spread over the key space; each logical key has one hash key.
fn hash_key(key: u64) -> u128 {
    (u128::MAX / u128::from(KEYS)) * u128::from(key) + 12345
}

fn rows(ids: &[i64], keys: &[u64]) -> RecordBatch {
    let time = TimestampNanosecondArray::from_iter_values(ids.iter().copied()).with_timezone("UTC");
    let columns: [(&str, ArrayRef); 3] = [
        (TIME, Arc::new(time)),
        ("n", Arc::new(Int64Array::from(ids.to_vec()))),
        ("key", Arc::new(Int64Array::from_iter_values(keys.iter().map(|key| *key as i64)))),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn column(batch: &RecordBatch, name: &str) -> Vec<i64> {
    batch.column_by_name(name).unwrap().as_primitive::<Int64Type>().values().to_vec()
}

/// What the consumer has: where it stands in each shard, and what it has seen. All of it is in a checkpoint.
#[derive(Debug, Default, Clone)]
struct Consumer {
    next: BTreeMap<ShardNumber, Offset>,
    seen: Vec<(i64, i64)>,
}

impl Consumer {
    /// Shards whose parents were read to their end.
    fn readable(&self, shards: &[ShardInfo]) -> Vec<ShardInfo> {
        let is_done = |number: &ShardNumber| {
            let parent = shards.iter().find(|shard| shard.number == *number);
            parent.is_none_or(|parent| {
                parent.status == ShardStatus::ReadOnly && self.next.get(number).is_some_and(|next| *next >= parent.end)
            })
        };
        // A parent without rows is done at once, but somebody has to look.
        shards.iter().filter(|shard| shard.parents.iter().all(is_done)).cloned().collect()
    }

    async fn read(&mut self, storage: &Storage, store: &StoreState, shard: ShardNumber, random: &mut Random) -> usize {
        let from = *self.next.entry(shard).or_insert(Offset(0));
        let (batches, bytes) = (1 + random.below(4) as usize, 1 + random.below(4000) as usize);
        let read = storage.read_shard(store, shard, from, batches, bytes).await.unwrap();
        for (expected, batch) in (from.0..).zip(&read.batches) {
            assert_eq!(batch.offset.0, expected, "offsets are dense");
            self.seen.extend(column(&batch.batch, "key").into_iter().zip(column(&batch.batch, "n")));
        }
        let recent = storage.is_recent(store, shard, from);
        assert!(!recent || !read.is_cold, "what was flushed does not come back into memory");
        self.next.insert(shard, read.next);
        read.batches.len()
    }

    async fn drain(&mut self, storage: &Storage, store: &StoreState, random: &mut Random) {
        loop {
            let mut moved = 0;
            for shard in self.readable(&store.shards()) {
                moved += usize::from(!self.next.contains_key(&shard.number));
                moved += self.read(storage, store, shard.number, random).await;
            }
            if moved == 0 {
                return;
            }
        }
    }
}

#[derive(Clone)]
struct Write {
    /// With the key of each.
    ids: Vec<(i64, u64)>,
    batch: RecordBatch,
    route: Route,
    sequence: Option<Sequence>,
}

impl Write {
    async fn send(&self, storage: &Storage, store: &StoreState) -> Result<(), StoreError> {
        storage.append_all(store, vec![self.batch.clone()], &self.route, self.sequence).await
    }
}

/// One store, and what the model knows of it.
struct History {
    name: StoreName,
    next_id: i64,
    /// Acknowledged, by id, with the key of each.
    acknowledged: BTreeMap<i64, u64>,
    /// Sent before the power failed, never answered.
    uncertain: Option<Write>,
    consumer: Consumer,
    checkpoint: Consumer,
}

impl History {
    async fn new(storage: &Storage, number: usize, random: &mut Random) -> Self {
        let name = StoreName::parse(&format!("store-{number}")).unwrap();
        let spec = StoreSpec { shards: 1 + random.below(3) as u16, ..StoreSpec::new(StoreKind::Logs) };
        storage.create_new_store(&project(), &name, spec).await.unwrap();
        let (acknowledged, uncertain) = (BTreeMap::new(), None);
        let (consumer, checkpoint) = (Consumer::default(), Consumer::default());
        Self { name, next_id: 0, acknowledged, uncertain, consumer, checkpoint }
    }

    fn store(&self, storage: &Storage) -> Arc<StoreState> {
        storage.expect_store(&project(), &self.name).unwrap()
    }

    /// Rows that nobody has sent, and a way for them. Rows of a key always come by their key, as a producer that wants order sends them.
    fn batch(&mut self, store: &StoreState, random: &mut Random) -> Write {
        let count = 1 + random.below(3);
        let by_row = random.below(4) == 0;
        let key = random.below(KEYS);
        let keys: Vec<u64> = (0..count).map(|_| if by_row { random.below(KEYS) } else { key }).collect();
        let ids: Vec<i64> = (self.next_id..).take(keys.len()).collect();
        self.next_id += count as i64;
        let route = match random.below(4) {
            _ if by_row => Route::PerRow(keys.iter().map(|key| hash_key(*key)).collect()),
            0 => Route::Shard(store.owner(hash_key(key))),
            _ => Route::Key(hash_key(key)),
        };
        let batch = rows(&ids, &keys);
        // An id is higher than all before it, which is what a count has to be.
        let sequence = (random.below(2) == 0).then_some(Sequence { key: hash_key(key), number: ids[0] });
        Write { ids: ids.into_iter().zip(keys).collect(), batch, route, sequence }
    }

    async fn write(&mut self, storage: &Storage, random: &mut Random) {
        let store = self.store(storage);
        let write = self.batch(&store, random);
        write.send(storage, &store).await.unwrap();
        if write.sequence.is_some() && random.below(4) == 0 {
            let refused = write.send(storage, &store).await.unwrap_err();
            assert!(matches!(refused, StoreError::StaleSequence { .. }), "{refused}");
        }
        self.acknowledged.extend(write.ids);
    }

    async fn step(&mut self, storage: &Storage, random: &mut Random) {
        let store = self.store(storage);
        let shards = store.writable_shards();
        let shard = shards[random.below(shards.len() as u64) as usize];
        match random.below(100) {
            0..50 => self.write(storage, random).await,
            50..58 if shards.len() < 8 => split(storage, &store, shard, random).await,
            58..66 => merge(storage, &store, shard).await,
            66..71 => flush_one(storage, &store, random).await,
            71..94 => {
                let readable = self.consumer.readable(&store.shards());
                let shard = readable[random.below(readable.len() as u64) as usize].number;
                self.consumer.read(storage, &store, shard, random).await;
            }
            _ => self.checkpoint = self.consumer.clone(),
        }
        assert_tiles(&store.shards());
    }

    /// Some writes may have reached the log without an answer; of those each append's rows are all there or none.
    async fn after_crash(&mut self, storage: &Storage) {
        self.consumer = self.checkpoint.clone();
        let Some(write) = self.uncertain.take() else { return };
        // Nobody has flushed since, so they can only be in memory.
        let store = self.store(storage);
        let recent = storage.snapshot(&store, TimeRange::ALL).unwrap().recent;
        let found: BTreeSet<i64> = recent.iter().flat_map(|batch| column(batch, "n")).collect();
        let is_there = found.contains(&write.ids[0].0);
        assert!(write.ids.iter().all(|(id, _)| found.contains(id) == is_there), "half a write: {:?}", write.ids);
        if write.sequence.is_some() {
            match write.send(storage, &store).await {
                Ok(()) => assert!(!is_there, "stored twice: {:?}", write.ids),
                Err(refused) => assert!(is_there && matches!(refused, StoreError::StaleSequence { .. }), "{refused}"),
            }
            self.acknowledged.extend(write.ids);
        } else if is_there {
            self.acknowledged.extend(write.ids);
        }
    }

    async fn check_rows(&self, storage: &Storage) {
        let found = numbers(storage, &self.store(storage)).await;
        let expected: Vec<i64> = self.acknowledged.keys().copied().collect();
        assert_eq!(found, expected, "rows of {}", self.name);
    }

    async fn finish(&mut self, storage: &Storage, random: &mut Random) {
        let store = self.store(storage);
        self.check_rows(storage).await;
        for shard in store.shards() {
            check_shard(storage, &store, &shard).await;
        }
        self.consumer.drain(storage, &store, random).await;
        let mut by_key: HashMap<i64, Vec<i64>> = HashMap::new();
        for (key, id) in &self.consumer.seen {
            by_key.entry(*key).or_default().push(*id);
        }
        for (key, ids) in &by_key {
            assert!(ids.is_sorted_by(|a, b| a < b), "key {key} of {}: {ids:?}", self.name);
        }
        let mut seen: Vec<i64> = self.consumer.seen.iter().map(|(_, id)| *id).collect();
        seen.sort_unstable();
        assert_eq!(seen, self.acknowledged.keys().copied().collect::<Vec<_>>(), "seen of {}", self.name);
    }
}

async fn split(storage: &Storage, store: &Arc<StoreState>, shard: ShardNumber, random: &mut Random) {
    let range = store.shard(shard).unwrap().range;
    let at = match random.below(3) {
        0 => SplitAt::Middle,
        1 => SplitAt::Parts(2 + random.below(2) as u16),
        _ => SplitAt::Key(range.begin + (range.end - range.begin) / u128::from(2 + random.below(9)) + 1),
    };
    let made = storage.split_shard(store, shard, at).await.unwrap();
    assert_eq!((made[0].number, made[0].status), (shard, ShardStatus::ReadOnly));
    assert!(made[1..].iter().all(|child| child.parents == [shard]));
    assert_tiles_range(&made[1..], range);
}

async fn merge(storage: &Storage, store: &Arc<StoreState>, shard: ShardNumber) {
    let is_last = store.shard(shard).unwrap().range.end == u128::MAX;
    match storage.merge_shards(store, shard).await {
        Ok(made) => assert_eq!(made[2].parents, [made[0].number, made[1].number]),
        Err(error) => assert!(is_last && matches!(error, StoreError::BadSplit { .. }), "{error}"),
    }
}

async fn flush_one(storage: &Storage, store: &StoreState, random: &mut Random) {
    let set = store.shard_set();
    let shard = &set.all()[random.below(set.all().len() as u64) as usize];
    crate::background::flush_shard(&storage.inner, store, shard).await.unwrap();
}

fn assert_tiles(shards: &[ShardInfo]) {
    let open: Vec<ShardInfo> = shards.iter().filter(|s| s.status == ShardStatus::ReadWrite).cloned().collect();
    assert_tiles_range(&open, HashRange::ALL);
}

fn assert_tiles_range(shards: &[ShardInfo], whole: HashRange) {
    let mut ranges: Vec<HashRange> = shards.iter().map(|shard| shard.range).collect();
    ranges.sort_by_key(|range| range.begin);
    assert_eq!((ranges[0].begin, ranges[ranges.len() - 1].end), (whole.begin, whole.end));
    assert!(ranges.windows(2).all(|pair| pair[0].end + 1 == pair[1].begin), "{ranges:?}");
}

/// Its offsets are dense, each row's key is in its range, and each batch is found by its time of receipt and its offset.
async fn check_shard(storage: &Storage, store: &StoreState, shard: &ShardInfo) {
    let mut next = Offset(0);
    while next < shard.end {
        let read = storage.read_shard(store, shard.number, next, 1000, usize::MAX).await.unwrap();
        for (expected, batch) in (next.0..).zip(&read.batches) {
            assert_eq!(batch.offset.0, expected);
            let keys = column(&batch.batch, "key");
            assert!(keys.iter().all(|key| shard.range.contains(hash_key(*key as u64))), "{keys:?} in {shard:?}");
        }
        next = read.next;
    }
    assert_eq!(next, shard.end);
    let last = shard.end.0.checked_sub(1).map(Offset);
    if let Some(last) = last {
        let received = storage.received_of(store, shard.number, last).await.unwrap().unwrap();
        assert!(storage.offset_at(store, shard.number, received).await.unwrap() <= last);
    }
    assert_eq!(storage.received_of(store, shard.number, shard.end).await.unwrap(), None);
}

/// Writes of several histories are under way when the power fails: their groups are written, not synced.
async fn fail_power(machine: &Machine, storage: Storage, histories: &mut [History], random: &mut Random) -> Storage {
    machine.disk.hold_syncs();
    let mut under_way = tokio::task::JoinSet::new();
    for history in histories.iter_mut() {
        if random.below(3) > 0 {
            continue;
        }
        let store = history.store(&storage);
        let write = history.batch(&store, random);
        history.uncertain = Some(write.clone());
        let storage = storage.clone();
        under_way.spawn(async move { write.send(&storage, &store).await });
    }
    if !under_way.is_empty() {
        machine.sync_waits().await;
    }
    machine.crash(storage).await;
    while let Some(answer) = under_way.join_next().await {
        assert!(answer.unwrap().is_err(), "nobody is told that his rows are there");
    }
    machine.open().await
}

async fn run_folder(seed: u64) {
    let machine = Machine::new(seed);
    let mut random = Random(seed);
    let mut storage = machine.open().await;
    let mut histories = Vec::new();
    for number in 0..HISTORIES_PER_FOLDER {
        histories.push(History::new(&storage, number, &mut random).await);
    }
    let steps = HISTORIES_PER_FOLDER * STEPS_PER_HISTORY;
    for step in 0..steps {
        machine.clock.set(crate::UnixNanos(machine.clock.now().0 + 1 + random.below(1_000_000) as i64));
        let at = random.below(HISTORIES_PER_FOLDER as u64) as usize;
        histories[at].step(&storage, &mut random).await;
        if random.below(steps as u64 / 6) == 0 || step == steps / 2 {
            storage = fail_power(&machine, storage, &mut histories, &mut random).await;
            for history in &mut histories {
                history.after_crash(&storage).await;
            }
        }
    }
    for history in &mut histories {
        history.finish(&storage, &mut random).await;
    }
    storage.shutdown().await.unwrap();
}

/// Seeds of one test run one after the other; the tests run side by side.
async fn run(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        run_folder(seed).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_histories_match_the_model() {
    run(0..25).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_thousand_histories_match_the_model() {
    run(1000..1025).await;
}
