//! Fanout groups: many readers share one shard. A batch is leased to one of them, acknowledged by its offset, and delivered again when the lease ends first.
//!
//! The server keeps the checkpoint: the end of what is acknowledged without a gap. After a restart, what lies behind it is delivered again. Batches are handed out
//! in their order, but a batch that comes again comes late: order is not promised.

mod leases;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, RwLock};
use std::time::Duration;

use arrow::array::RecordBatch;
use culprit_store::{
    CheckpointRecord, GroupKey, GroupKind, GroupRecord, Offset, ShardBatch, ShardInfo, ShardStatus, Storage, UnixNanos,
};
use tokio::sync::{Notify, OnceCell};
use tokio_util::sync::CancellationToken;

use self::leases::{Ack, Leases};
use super::block::Cut;
use super::checkpoints::{Checkpoints, Gone, Written};
use super::counters::Counters;
use super::groups::{check_group_name, check_name};
use super::reading::Reading;
use super::{ConsumeError, CursorAt, Source, rows};
use crate::limits::{FANOUT_ACK_TIMEOUT_MAX, FANOUT_BATCHES_MAX, FANOUT_BYTES_MAX, FANOUT_WAIT_MAX};
use crate::loggroup;
use crate::quota::{Counted, Flow, Quotas};

#[derive(Debug, Clone, Copy)]
pub struct FanoutPull<'a> {
    pub consumer: &'a str,
    pub batches_max: usize,
    /// Of rows in Arrow; one batch comes whatever its size.
    pub bytes_max: usize,
    /// How long to wait when there is nothing.
    pub wait: Duration,
    /// What is not acknowledged for so long is delivered again.
    pub ack_timeout: Duration,
    /// Where a group begins that is not there yet.
    pub from: CursorAt,
}

/// One batch, for one reader.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub shard: u32,
    /// With the shard, what is acknowledged.
    pub offset: Offset,
    pub received: UnixNanos,
    /// How often the batch was handed out, this time included.
    pub deliveries: u32,
    batch: RecordBatch,
}

impl Delivery {
    /// An array of JSON objects.
    pub fn rows_json(&self) -> Result<String, ConsumeError> {
        rows::json_array(&self.batch).map_err(|source| ConsumeError::Json { source })
    }

    /// One LogGroup message.
    pub fn log_group(&self) -> Vec<u8> {
        let mut message = Vec::new();
        loggroup::encode(&self.batch, &mut message);
        message
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AckReport {
    pub acknowledged: usize,
    /// Acknowledged before.
    pub again: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FanoutShard {
    pub shard: u32,
    /// Everything below is acknowledged.
    pub checkpoint: Offset,
    pub end: Offset,
    /// Batches that are leased.
    pub in_flight: usize,
}

struct Group {
    key: GroupKey,
    gone: Gone,
    /// Never held over an await.
    leases: Mutex<BTreeMap<u32, Leases>>,
    /// Something was acknowledged: a full window has room again.
    acknowledged: Notify,
}

impl Group {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u32, Leases>> {
        self.leases.lock().expect("no holder of this lock panics")
    }
}

/// The parts of consumption that fanout groups use.
pub(super) struct Shared {
    pub(super) storage: Storage,
    pub(super) quotas: Quotas,
    pub(super) checkpoints: Checkpoints,
    pub(super) reading: Arc<Reading>,
    pub(super) counters: Arc<Counters>,
    pub(super) stop: CancellationToken,
}

pub struct Fanout {
    shared: Shared,
    groups: RwLock<HashMap<GroupKey, Arc<Group>>>,
    loaded: OnceCell<()>,
    change: tokio::sync::Mutex<()>,
}

/// What a pull may still take.
struct Room {
    batches: usize,
    bytes: usize,
}

impl Fanout {
    pub(super) fn new(shared: Shared) -> Self {
        Self { shared, groups: RwLock::default(), loaded: OnceCell::new(), change: tokio::sync::Mutex::new(()) }
    }

    /// Batches that nobody else has at the moment. The group is made by its first pull.
    pub async fn pull(&self, source: &Source, name: &str, pull: FanoutPull<'_>) -> Result<Vec<Delivery>, ConsumeError> {
        check_name("consumer", pull.consumer)?;
        check(&pull)?;
        let group = self.group_or_new(source, name, pull.from).await?;
        let deadline = tokio::time::Instant::now() + pull.wait;
        loop {
            let acknowledged = group.acknowledged.notified();
            let delivered = self.deliver(source, &group, &pull).await?;
            if !delivered.is_empty() || group.gone.load(Relaxed) || tokio::time::Instant::now() >= deadline {
                return Ok(delivered);
            }
            tokio::select! {
                () = acknowledged => {}
                () = self.news(source, &group) => {}
                () = tokio::time::sleep_until(deadline) => {}
                () = self.shared.stop.cancelled() => return Ok(delivered),
            }
        }
    }

    async fn deliver(
        &self,
        source: &Source,
        group: &Group,
        pull: &FanoutPull<'_>,
    ) -> Result<Vec<Delivery>, ConsumeError> {
        let mut room =
            Room { batches: pull.batches_max.min(FANOUT_BATCHES_MAX), bytes: pull.bytes_max.min(FANOUT_BYTES_MAX) };
        let mut delivered = Vec::new();
        let mut shards = source.shards(&self.shared.storage);
        if !shards.is_empty() {
            // The first shard is not always the first to be emptied.
            let first = usize::try_from(self.shared.counters.delivered.load(Relaxed) % shards.len() as u64);
            shards.rotate_left(first.expect("it is below a usize"));
        }
        for (id, info) in shards {
            if room.batches == 0 || room.bytes == 0 {
                break;
            }
            let leased = self.lease(group, id, &info, pull, &room);
            match self.fetch(source, group, id, leased, &mut room).await {
                Ok(batches) => delivered.extend(batches),
                Err(error) if delivered.is_empty() => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, shard = id, "a fanout reader gets less than it could");
                    break;
                }
            }
        }
        Ok(delivered)
    }

    fn lease(
        &self,
        group: &Group,
        id: u32,
        info: &ShardInfo,
        pull: &FanoutPull<'_>,
        room: &Room,
    ) -> Vec<(Offset, u32)> {
        let now = self.shared.storage.clock().now();
        let timeout_ns = i64::try_from(pull.ack_timeout.as_nanos()).unwrap_or(i64::MAX);
        let until = UnixNanos(now.0.saturating_add(timeout_ns));
        let mut leases = group.lock();
        let leases = leases.entry(id).or_insert_with(|| Leases::new(info.begin));
        leases.skip_to(info.begin);
        leases.lease(now, until, room.batches, info.end)
    }

    /// Reads what was leased. What there is no room for is given back; what the shard has lost is acknowledged by itself.
    async fn fetch(
        &self,
        source: &Source,
        group: &Group,
        id: u32,
        leased: Vec<(Offset, u32)>,
        room: &mut Room,
    ) -> Result<Vec<Delivery>, ConsumeError> {
        let mut rest: BTreeMap<Offset, u32> = leased.into_iter().collect();
        let mut delivered = Vec::new();
        let mut failed = None;
        while let Some(from) = rest.keys().next().copied().filter(|_| room.batches > 0 && room.bytes > 0) {
            let run = rest.keys().zip(from.0..).take_while(|(offset, expected)| offset.0 == *expected).count();
            let cut = Cut { groups_max: run.min(room.batches), bytes_max: room.bytes };
            let read = async {
                let shard = source.shard(&self.shared.storage, id)?;
                let read = self.shared.reading.read(&shard, from, cut).await?;
                let bytes: usize = read.batches.iter().map(|batch| batch.bytes).sum();
                self.shared.quotas.admit_shard(&shard.store, shard.number, Flow::Read, bytes as u64)?;
                Ok(read)
            };
            let read = match read.await {
                Ok(read) => read,
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            };
            let behind = rest.split_off(&read.next.max(Offset(from.0 + 1)));
            for batch in read.batches {
                if let Some(deliveries) = rest.remove(&batch.offset) {
                    room.batches -= 1;
                    room.bytes = room.bytes.saturating_sub(batch.bytes);
                    delivered.push(self.delivery(id, batch, deliveries));
                }
            }
            let mut leases = group.lock();
            if let Some(leases) = leases.get_mut(&id) {
                rest.keys().for_each(|offset| leases.settle(*offset));
            }
            rest = behind;
        }
        if let Some(leases) = group.lock().get_mut(&id) {
            rest.keys().for_each(|offset| leases.give_back(*offset));
        }
        match failed {
            Some(error) if delivered.is_empty() => Err(error),
            _ => Ok(delivered),
        }
    }

    fn delivery(&self, shard: u32, batch: ShardBatch, deliveries: u32) -> Delivery {
        self.shared.counters.delivered.fetch_add(1, Relaxed);
        if deliveries > 1 {
            self.shared.counters.delivered_again.fetch_add(1, Relaxed);
        }
        let ShardBatch { offset, received, batch, .. } = batch;
        Delivery { shard, offset, received, deliveries, batch }
    }

    /// Returns when a shard has more to give, or a lease has ended. Where the window is full, more rows do not help: an acknowledgement does.
    async fn news(&self, source: &Source, group: &Group) {
        let mut waits = Vec::new();
        let first_end = {
            let leases = group.lock();
            for (id, info) in source.shards(&self.shared.storage) {
                let Some(of_shard) = leases.get(&id) else { return };
                let next = of_shard.next();
                if of_shard.is_full() {
                    continue;
                }
                if info.end > next {
                    return;
                }
                let tail = source.shard(&self.shared.storage, id).ok().and_then(|shard| shard.store.tail(shard.number));
                if let Some(tail) = tail.filter(|_| info.status == ShardStatus::ReadWrite) {
                    waits.push(Box::pin(async move { tail.beyond(next).await }));
                }
            }
            leases.values().filter_map(Leases::first_end).min()
        };
        let moved = async {
            if waits.is_empty() {
                return std::future::pending().await;
            }
            futures::future::select_all(waits).await;
        };
        let Some(first_end) = first_end else { return moved.await };
        let left = first_end.0.saturating_sub(self.shared.storage.clock().now().0).max(0).unsigned_abs();
        tokio::select! {
            () = moved => {}
            () = tokio::time::sleep(Duration::from_nanos(left)) => {}
        }
    }

    /// On disk when it returns, as far as it moves the checkpoint.
    pub async fn ack(
        &self,
        source: &Source,
        name: &str,
        consumer: &str,
        acks: &[(u32, Offset)],
    ) -> Result<AckReport, ConsumeError> {
        check_name("consumer", consumer)?;
        let group = self.group(source, name).await?;
        let (report, told) = self.acknowledge(&group, consumer, acks)?;
        group.acknowledged.notify_waiters();
        for told in told {
            match self.shared.checkpoints.settled(told).await {
                Written::Kept => {}
                Written::GroupGone => return Err(no_group(source, name)),
                Written::Failed(error) => return Err(error.into()),
            }
        }
        Ok(report)
    }

    /// All of them, or none when one was never delivered.
    fn acknowledge(
        &self,
        group: &Group,
        consumer: &str,
        acks: &[(u32, Offset)],
    ) -> Result<(AckReport, Vec<tokio::sync::oneshot::Receiver<Written>>), ConsumeError> {
        // Held over the push, so that checkpoints are written in the order in which they moved.
        let mut leases = group.lock();
        for (shard, offset) in acks {
            if leases.get(shard).is_none_or(|leases| *offset >= leases.next()) {
                return Err(ConsumeError::NotDelivered { shard: *shard, offset: *offset });
            }
        }
        let mut report = AckReport::default();
        let mut moved = BTreeMap::new();
        for (shard, offset) in acks {
            let leases = leases.get_mut(shard).expect("looked up above under the same lock");
            match leases.acknowledge(*offset) {
                Ack::Taken { moved: has_moved } => {
                    report.acknowledged += 1;
                    if has_moved {
                        moved.insert(*shard, leases.checkpoint());
                    }
                }
                Ack::Again | Ack::NotDelivered => report.again += 1,
            }
        }
        let now = self.shared.storage.clock().now();
        let told = moved.into_iter().map(|(shard, position)| {
            let consumer = consumer.to_owned();
            let record = CheckpointRecord { group: group.key.clone(), shard, position, consumer, updated: now };
            self.shared.checkpoints.push(record, &group.gone, |_| {})
        });
        Ok((report, told.collect()))
    }

    /// How far the group has come.
    pub async fn state(&self, source: &Source, name: &str) -> Result<Vec<FanoutShard>, ConsumeError> {
        let group = self.group(source, name).await?;
        let leases = group.lock();
        let shards = source.shards(&self.shared.storage).into_iter().map(|(shard, info)| {
            let of_shard = leases.get(&shard);
            let checkpoint = of_shard.map_or(info.begin, Leases::checkpoint).max(info.begin);
            FanoutShard { shard, checkpoint, end: info.end, in_flight: of_shard.map_or(0, Leases::in_flight) }
        });
        Ok(shards.collect())
    }

    /// With its checkpoints.
    pub async fn delete(&self, source: &Source, name: &str) -> Result<(), ConsumeError> {
        let group = self.group(source, name).await?;
        let _one_at_a_time = self.change.lock().await;
        let _no_commit = self.shared.checkpoints.pause().await;
        self.shared.storage.delete_consumer_group(&group.key).await?;
        group.gone.store(true, Relaxed);
        group.acknowledged.notify_waiters();
        self.groups.write().expect("no holder of this lock panics").remove(&group.key);
        Ok(())
    }

    /// All groups of a source that is about to go.
    pub(super) async fn forget(&self, source: &Source) -> Result<(), ConsumeError> {
        self.load().await?;
        let key = source.key();
        let names: Vec<String> = {
            let groups = self.groups.read().expect("no holder of this lock panics");
            groups.keys().filter(|group| group.source == key).map(|group| group.name.clone()).collect()
        };
        for name in names {
            match self.delete(source, &name).await {
                Err(ConsumeError::NoGroup { .. }) | Ok(()) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn find(&self, key: &GroupKey) -> Option<Arc<Group>> {
        self.groups.read().expect("no holder of this lock panics").get(key).cloned()
    }

    async fn group(&self, source: &Source, name: &str) -> Result<Arc<Group>, ConsumeError> {
        self.load().await?;
        self.find(&group_key(source, name)).ok_or_else(|| no_group(source, name))
    }

    async fn group_or_new(&self, source: &Source, name: &str, from: CursorAt) -> Result<Arc<Group>, ConsumeError> {
        self.load().await?;
        let key = group_key(source, name);
        if let Some(group) = self.find(&key) {
            return Ok(group);
        }
        check_group_name("fanout group", name)?;
        let _one_at_a_time = self.change.lock().await;
        if let Some(group) = self.find(&key) {
            return Ok(group);
        }
        let count = {
            let groups = self.groups.read().expect("no holder of this lock panics");
            groups.keys().filter(|other| other.source == key.source).count()
        };
        self.shared.quotas.check_count(source.project(), Counted::Groups, count + 1)?;
        let now = self.shared.storage.clock().now();
        let record = GroupRecord { key: key.clone(), timeout_s: 0, in_order: false, created: now };
        let mut starts = Vec::new();
        for (shard, info) in source.shards(&self.shared.storage) {
            let position = match from {
                CursorAt::Begin => continue,
                CursorAt::End => info.end,
                CursorAt::Received(time) => {
                    let place = source.shard(&self.shared.storage, shard)?;
                    self.shared.storage.offset_at(&place.store, place.number, time).await?
                }
            };
            starts.push(CheckpointRecord {
                group: key.clone(),
                shard,
                position,
                consumer: String::new(),
                updated: now,
            });
        }
        self.shared.storage.put_checkpoints(&starts).await?;
        self.shared.storage.put_consumer_group(&record).await?;
        Ok(self.insert(key, &starts))
    }

    fn insert(&self, key: GroupKey, checkpoints: &[CheckpointRecord]) -> Arc<Group> {
        let leases = checkpoints.iter().map(|record| (record.shard, Leases::new(record.position))).collect();
        let gone = Arc::new(AtomicBool::new(false));
        let group = Group { key: key.clone(), gone, leases: Mutex::new(leases), acknowledged: Notify::new() };
        let group = Arc::new(group);
        self.groups.write().expect("no holder of this lock panics").insert(key, group.clone());
        group
    }

    /// Once, from the catalog.
    async fn load(&self) -> Result<(), ConsumeError> {
        let load = || async {
            let (records, checkpoints) = super::kept::load(&self.shared.storage, GroupKind::Fanout).await?;
            for record in records {
                let of_group = checkpoints.get(&record.key).map_or(&[][..], Vec::as_slice);
                self.insert(record.key, of_group);
            }
            Ok(())
        };
        self.loaded.get_or_try_init(load).await.copied()
    }
}

fn group_key(source: &Source, name: &str) -> GroupKey {
    GroupKey { source: source.key(), kind: GroupKind::Fanout, name: name.to_owned() }
}

fn no_group(source: &Source, name: &str) -> ConsumeError {
    ConsumeError::NoGroup { source_name: source.label(), group: name.to_owned() }
}

fn check(pull: &FanoutPull<'_>) -> Result<(), ConsumeError> {
    if pull.ack_timeout.is_zero() || pull.ack_timeout > FANOUT_ACK_TIMEOUT_MAX {
        let given = pull.ack_timeout.as_secs();
        return Err(ConsumeError::OutOfRange { what: "ack_timeout_s", given, limit: "1 to 43200 seconds" });
    }
    if pull.wait > FANOUT_WAIT_MAX {
        let given = u64::try_from(pull.wait.as_millis()).unwrap_or(u64::MAX);
        return Err(ConsumeError::OutOfRange { what: "wait_ms", given, limit: "at most 30000 ms" });
    }
    if pull.batches_max == 0 || pull.bytes_max == 0 {
        return Err(ConsumeError::OutOfRange { what: "max_groups or max_bytes", given: 0, limit: "at least 1" });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
