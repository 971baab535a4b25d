//! Consumer groups: named readers that share the shards of a source, with heartbeats and durable checkpoints.
//!
//! Groups and checkpoints survive a restart; who reads what is known from heartbeats alone. See `assignment.rs` for the hand-over of a shard and `lineage.rs` for
//! splits and merges.

mod assignment;
mod lineage;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, RwLock};
use std::time::Duration;

use culprit_store::{CheckpointRecord, GroupKey, GroupKind, GroupRecord, Offset, Storage, UnixNanos};
use tokio::sync::OnceCell;

use self::assignment::{Assignment, Heartbeat};
use self::lineage::{GroupShard, heirs, open_shards};
use super::checkpoints::{Checkpoints, Gone, Written};
use super::{ConsumeError, Cursor, Source};
use crate::limits::{CONSUMER_NAME_BYTES_MAX, CONSUMERS_MAX, GROUP_TIMEOUT_S_MAX, HELD_SHARDS_MAX};
use crate::quota::{Counted, Quotas};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupSettings {
    /// A consumer that is silent for longer has lost its shards.
    pub timeout_s: u32,
    /// Whether a shard that came from a split or a merge is read only after its parents.
    pub in_order: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupInfo {
    pub name: String,
    pub settings: GroupSettings,
}

/// Absent fields stay as they are.
#[derive(Debug, Clone, Copy, Default)]
pub struct GroupChange {
    pub timeout_s: Option<u32>,
    pub in_order: Option<bool>,
}

/// What a consumer has finished: everything below the cursor.
#[derive(Debug, Clone, Copy)]
pub struct Mark<'a> {
    pub consumer: &'a str,
    pub shard: u32,
    pub cursor: &'a str,
    /// Also when another consumer holds the shard.
    pub force: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    pub shard: u32,
    /// None where the group has not read yet.
    pub cursor: Option<Cursor>,
    pub updated: Option<UnixNanos>,
    pub consumer: String,
}

struct Group {
    name: String,
    gone: Gone,
    /// Never held over an await.
    state: Mutex<GroupState>,
}

struct GroupState {
    settings: GroupSettings,
    created: UnixNanos,
    assignment: Assignment,
    checkpoints: BTreeMap<u32, Kept>,
}

struct Kept {
    position: Offset,
    consumer: String,
    updated: UnixNanos,
}

impl Group {
    fn lock(&self) -> MutexGuard<'_, GroupState> {
        self.state.lock().expect("no holder of this lock panics")
    }
}

impl GroupState {
    fn timeout(&self) -> Duration {
        Duration::from_secs(self.settings.timeout_s.into())
    }

    fn positions(&self) -> BTreeMap<u32, Offset> {
        self.checkpoints.iter().map(|(shard, kept)| (*shard, kept.position)).collect()
    }
}

type Book = HashMap<String, BTreeMap<String, Arc<Group>>>;

pub struct Groups {
    storage: Storage,
    quotas: Quotas,
    checkpoints: Checkpoints,
    /// By source and name; changed together with the catalog, under `change`.
    book: RwLock<Book>,
    loaded: OnceCell<()>,
    change: tokio::sync::Mutex<()>,
}

impl Groups {
    pub(super) fn new(storage: Storage, quotas: Quotas, checkpoints: Checkpoints) -> Self {
        Self {
            storage,
            quotas,
            checkpoints,
            book: RwLock::default(),
            loaded: OnceCell::new(),
            change: tokio::sync::Mutex::new(()),
        }
    }

    pub async fn create(&self, source: &Source, name: &str, settings: GroupSettings) -> Result<(), ConsumeError> {
        check_group_name("consumer group", name)?;
        check_timeout(settings.timeout_s)?;
        self.load().await?;
        let _one_at_a_time = self.change.lock().await;
        let key = source.key();
        let count = {
            let book = self.read();
            let groups = book.get(&key);
            if groups.is_some_and(|groups| groups.contains_key(name)) {
                return Err(ConsumeError::GroupExists { source_name: source.label(), group: name.to_owned() });
            }
            groups.map_or(0, BTreeMap::len)
        };
        self.quotas.check_count(source.project(), Counted::Groups, count + 1)?;
        let record = GroupRecord {
            key: group_key(key, name),
            timeout_s: settings.timeout_s,
            in_order: settings.in_order,
            created: self.now(),
        };
        self.storage.put_consumer_group(&record).await?;
        // Nobody can have read for a group that was not there.
        self.insert(record, BTreeMap::new(), UnixNanos(i64::MIN));
        Ok(())
    }

    /// By name.
    pub async fn list(&self, source: &Source) -> Result<Vec<GroupInfo>, ConsumeError> {
        self.load().await?;
        let book = self.read();
        let groups = book.get(&source.key()).into_iter().flatten();
        Ok(groups.map(|(name, group)| GroupInfo { name: name.clone(), settings: group.lock().settings }).collect())
    }

    pub async fn update(&self, source: &Source, name: &str, change: GroupChange) -> Result<(), ConsumeError> {
        if let Some(timeout_s) = change.timeout_s {
            check_timeout(timeout_s)?;
        }
        let group = self.group(source, name).await?;
        let _one_at_a_time = self.change.lock().await;
        if group.gone.load(Relaxed) {
            return Err(no_group(source, name));
        }
        let (settings, created) = {
            let state = group.lock();
            let GroupSettings { timeout_s, in_order } = state.settings;
            let settings = GroupSettings {
                timeout_s: change.timeout_s.unwrap_or(timeout_s),
                in_order: change.in_order.unwrap_or(in_order),
            };
            (settings, state.created)
        };
        let GroupSettings { timeout_s, in_order } = settings;
        let record = GroupRecord { key: group_key(source.key(), name), timeout_s, in_order, created };
        self.storage.put_consumer_group(&record).await?;
        group.lock().settings = settings;
        Ok(())
    }

    /// With its checkpoints.
    pub async fn delete(&self, source: &Source, name: &str) -> Result<(), ConsumeError> {
        let group = self.group(source, name).await?;
        let _one_at_a_time = self.change.lock().await;
        let _no_commit = self.checkpoints.pause().await;
        self.storage.delete_consumer_group(&group_key(source.key(), name)).await?;
        group.gone.store(true, Relaxed);
        let mut book = self.book.write().expect("no holder of this lock panics");
        if let Some(groups) = book.get_mut(&source.key()) {
            groups.remove(name);
        }
        Ok(())
    }

    /// All groups of a source that is about to go: another one of its name begins without.
    pub(super) async fn forget(&self, source: &Source) -> Result<(), ConsumeError> {
        for group in self.list(source).await? {
            match self.delete(source, &group.name).await {
                Err(ConsumeError::NoGroup { .. }) | Ok(()) => {}
                Err(error) => return Err(error),
            }
        }
        self.book.write().expect("no holder of this lock panics").remove(&source.key());
        Ok(())
    }

    /// The shards that the consumer shall read from now on; it goes on naming what it holds until it has written its checkpoint.
    pub async fn heartbeat(
        &self,
        source: &Source,
        name: &str,
        consumer: &str,
        held: &[u32],
    ) -> Result<Vec<u32>, ConsumeError> {
        check_name("consumer", consumer)?;
        if held.len() > HELD_SHARDS_MAX {
            let given = held.len() as u64;
            return Err(ConsumeError::OutOfRange { what: "count of held shards", given, limit: "at most 65536" });
        }
        let group = self.group(source, name).await?;
        let shards = GroupShard::all(source, &self.storage);
        let now = self.now();
        let mut state = group.lock();
        let timeout = state.timeout();
        state.assignment.forget_silent(now, timeout);
        if !state.assignment.has_room_for(consumer, CONSUMERS_MAX) {
            return Err(ConsumeError::TooManyConsumers { group: name.to_owned(), limit: CONSUMERS_MAX });
        }
        let open = open_shards(&shards, &state.positions(), state.settings.in_order);
        Ok(state.assignment.heartbeat(&Heartbeat { now, timeout, consumer, held, open: &open }))
    }

    /// On disk when it returns.
    pub async fn checkpoint(&self, source: &Source, name: &str, mark: Mark<'_>) -> Result<(), ConsumeError> {
        // By hand, and by clients that only set a checkpoint, nobody is named.
        if !(mark.force && mark.consumer.is_empty()) {
            check_name("consumer", mark.consumer)?;
        }
        let group = self.group(source, name).await?;
        let Cursor(position) = Cursor::parse(mark.cursor)?;
        let shard = source.shard(&self.storage, mark.shard)?;
        let end = shard.store.tail(shard.number).ok_or_else(|| source.no_shard(mark.shard))?.end();
        if position > end {
            return Err(ConsumeError::BeyondEnd { shard: mark.shard, cursor: position, end });
        }
        let told = self.push(&group, source, &mark, position)?;
        match self.checkpoints.settled(told).await {
            Written::Kept => Ok(()),
            Written::GroupGone => Err(no_group(source, name)),
            Written::Failed(error) => Err(error.into()),
        }
    }

    fn push(
        &self,
        group: &Arc<Group>,
        source: &Source,
        mark: &Mark<'_>,
        position: Offset,
    ) -> Result<tokio::sync::oneshot::Receiver<Written>, ConsumeError> {
        let now = self.now();
        // Held over the push, so that the order on disk is the order of the checks.
        let state = group.lock();
        let holder = state.assignment.claimant(mark.shard, now, state.timeout());
        if let Some(holder) = holder.filter(|holder| *holder != mark.consumer && !mark.force) {
            let (holder, consumer) = (holder.to_owned(), mark.consumer.to_owned());
            return Err(ConsumeError::NotHolder { shard: mark.shard, holder, consumer });
        }
        let record = CheckpointRecord {
            group: group_key(source.key(), &group.name),
            shard: mark.shard,
            position,
            consumer: mark.consumer.to_owned(),
            updated: now,
        };
        let keeper = group.clone();
        Ok(self.checkpoints.push(record, &group.gone, move |record| {
            keeper.lock().checkpoints.insert(record.shard, Kept::of(record));
        }))
    }

    /// One for each shard, or the one asked for; also for shards that nobody has read.
    pub async fn checkpoints(
        &self,
        source: &Source,
        name: &str,
        wanted: Option<u32>,
    ) -> Result<Vec<Checkpoint>, ConsumeError> {
        let group = self.group(source, name).await?;
        let shards = GroupShard::all(source, &self.storage);
        let state = group.lock();
        let heirs = heirs(&shards, &state.positions());
        let listed: Vec<Checkpoint> = shards
            .iter()
            .filter(|shard| wanted.is_none_or(|wanted| shard.id == wanted))
            .map(|shard| match state.checkpoints.get(&shard.id) {
                Some(kept) => kept.show(shard.id),
                None => {
                    let cursor = heirs.contains(&shard.id).then_some(Cursor(shard.begin));
                    Checkpoint { shard: shard.id, cursor, updated: None, consumer: String::new() }
                }
            })
            .collect();
        match wanted {
            Some(shard) if listed.is_empty() => Err(source.no_shard(shard)),
            _ => Ok(listed),
        }
    }

    async fn group(&self, source: &Source, name: &str) -> Result<Arc<Group>, ConsumeError> {
        self.load().await?;
        let found = self.read().get(&source.key()).and_then(|groups| groups.get(name)).cloned();
        found.ok_or_else(|| no_group(source, name))
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Book> {
        self.book.read().expect("no holder of this lock panics")
    }

    fn now(&self) -> UnixNanos {
        self.storage.clock().now()
    }

    fn insert(&self, record: GroupRecord, checkpoints: BTreeMap<u32, Kept>, settled: UnixNanos) {
        let GroupRecord { key: GroupKey { source, name, .. }, timeout_s, in_order, created } = record;
        let settings = GroupSettings { timeout_s, in_order };
        let state = GroupState { settings, created, assignment: Assignment::new(settled), checkpoints };
        let gone = Arc::new(AtomicBool::new(false));
        let group = Arc::new(Group { name: name.clone(), gone, state: Mutex::new(state) });
        let mut book = self.book.write().expect("no holder of this lock panics");
        book.entry(source).or_default().insert(name, group);
    }

    /// Once, from the catalog. Consumers of groups that were there before may hold shards that they have not told this process about yet.
    async fn load(&self) -> Result<(), ConsumeError> {
        let load = || async {
            let (records, mut checkpoints) = super::kept::load(&self.storage, GroupKind::Consumer).await?;
            let now = self.now();
            for record in records {
                let marks = checkpoints.remove(&record.key).into_iter().flatten();
                let marks = marks.map(|record| (record.shard, Kept::of(&record))).collect();
                let timeout_ns = i64::from(record.timeout_s) * 1_000_000_000;
                self.insert(record, marks, UnixNanos(now.0.saturating_add(timeout_ns)));
            }
            Ok(())
        };
        self.loaded.get_or_try_init(load).await.copied()
    }
}

impl Kept {
    fn of(record: &CheckpointRecord) -> Self {
        Self { position: record.position, consumer: record.consumer.clone(), updated: record.updated }
    }

    fn show(&self, shard: u32) -> Checkpoint {
        Checkpoint {
            shard,
            cursor: Some(Cursor(self.position)),
            updated: Some(self.updated),
            consumer: self.consumer.clone(),
        }
    }
}

fn group_key(source: String, name: &str) -> GroupKey {
    GroupKey { source, kind: GroupKind::Consumer, name: name.to_owned() }
}

fn no_group(source: &Source, name: &str) -> ConsumeError {
    ConsumeError::NoGroup { source_name: source.label(), group: name.to_owned() }
}

pub(super) fn check_name(thing: &'static str, name: &str) -> Result<(), ConsumeError> {
    let why = if name.is_empty() {
        "it is empty"
    } else if name.len() > CONSUMER_NAME_BYTES_MAX {
        "it is longer than 256 bytes"
    } else if name.chars().any(char::is_control) {
        "it holds control characters"
    } else {
        return Ok(());
    };
    Err(ConsumeError::BadName { thing, name: name.chars().take(64).collect(), why })
}

/// It stands in paths: one that reads as a part of them could be made, and never be reached again.
pub(super) fn check_group_name(thing: &'static str, name: &str) -> Result<(), ConsumeError> {
    check_name(thing, name)?;
    if name.contains('/') || [".", ".."].contains(&name) {
        return Err(ConsumeError::BadName { thing, name: name.to_owned(), why: "it reads as a path" });
    }
    Ok(())
}

fn check_timeout(timeout_s: u32) -> Result<(), ConsumeError> {
    if (1..=GROUP_TIMEOUT_S_MAX).contains(&timeout_s) {
        return Ok(());
    }
    Err(ConsumeError::OutOfRange { what: "timeout", given: timeout_s.into(), limit: "1 to 86400 seconds" })
}

#[cfg(test)]
mod tests;
