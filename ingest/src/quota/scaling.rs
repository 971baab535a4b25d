//! Shards that are over their quota for long are split, and merged again after a long calm, in stores that want it.
//!
//! Three things keep it from going to and fro: a shard is hot above all of its quota and stays so down to four fifths of it; a merge waits thirty
//! times as long as a split; and what is merged was one shard before and would be half full.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use culprit_store::{ShardInfo, ShardNumber, ShardStatus, SplitAt, Storage, StoreError, StoreId, StoreState};
use tokio_util::sync::CancellationToken;

use super::edge::Quotas;
use super::refusal::{Counted, Flow};
use super::stopwatch::Nanos;
use crate::limits::{CALM_SHARE, HOT_SHARE, METERS_SWEEP_TICK, NO_LONGER_HOT_SHARE, SCALING_TICK};

/// What came of a shard that was hot, or of two that were calm, for long enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Where its keys' bytes have their middle.
    SplitAtKey,
    /// In the middle of its range: its writers name no keys.
    SplitInHalf,
    Merged,
    /// All of its load has one key, which no split divides.
    OneKey,
    /// The store or the project has as many shards as it may.
    TooMany,
    Failed,
}

impl Outcome {
    pub(super) const ALL: [Self; 6] =
        [Self::SplitAtKey, Self::SplitInHalf, Self::Merged, Self::OneKey, Self::TooMany, Self::Failed];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::SplitAtKey => "split at a key",
            Self::SplitInHalf => "split in half",
            Self::Merged => "merged",
            Self::OneKey => "not split: one key",
            Self::TooMany => "not split: too many shards",
            Self::Failed => "failed",
        }
    }
}

/// Owned by one task.
pub struct Scaler {
    quotas: Quotas,
    storage: Storage,
    hot: HashMap<(StoreId, ShardNumber), Hot>,
    /// Left neighbour, right neighbour.
    calm: HashMap<(StoreId, ShardNumber, ShardNumber), Nanos>,
}

#[derive(Debug, Clone, Copy)]
struct Hot {
    since: Nanos,
    /// Whether it was said why it is not split.
    is_told: bool,
}

impl Scaler {
    pub fn new(quotas: Quotas, storage: Storage) -> Self {
        Self { quotas, storage, hot: HashMap::new(), calm: HashMap::new() }
    }

    /// Until `stop`. Forgets still projects and shards besides.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut tick = tokio::time::interval(SCALING_TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut swept = self.quotas.inner.service.watch.now();
        while stop.run_until_cancelled(tick.tick()).await.is_some() {
            self.look().await;
            let now = self.quotas.inner.service.watch.now();
            if now.since(swept) >= METERS_SWEEP_TICK {
                swept = now;
                self.quotas.sweep();
            }
        }
    }

    /// One look at all stores, and what was done.
    pub async fn look(&mut self) -> Vec<(Arc<StoreState>, ShardNumber, Outcome)> {
        let mut outcomes = Vec::new();
        let mut seen = HashSet::new();
        let storage = self.storage.clone();
        let projects = storage.projects();
        for store in projects.iter().flat_map(|project| storage.stores(project)) {
            if !store.settings().auto_split {
                continue;
            }
            let now = self.quotas.inner.service.watch.now();
            for shard in self.due_for_split(&store, now) {
                if let Some(outcome) = self.split(&store, shard).await {
                    outcomes.push((store.clone(), shard, outcome));
                }
            }
            for (left, right) in self.due_for_merge(&store, now) {
                let outcome = self.merge(&store, left, right).await;
                outcomes.push((store.clone(), left, outcome));
            }
            seen.insert(store.id());
        }
        self.hot.retain(|(store, _), _| seen.contains(store));
        self.calm.retain(|(store, _, _), _| seen.contains(store));
        for (_, _, outcome) in &outcomes {
            self.quotas.inner.counters.scaling[*outcome as usize].fetch_add(1, Relaxed);
        }
        outcomes
    }

    fn share(&self, store: StoreId, shard: ShardNumber, now: Nanos) -> f64 {
        let loads = &self.quotas.inner.shards;
        let of = |flow| loads.share(loads.asked(store, shard, flow, now), flow);
        of(Flow::Write).max(of(Flow::Read))
    }

    fn due_for_split(&mut self, store: &StoreState, now: Nanos) -> Vec<ShardNumber> {
        let writable = store.writable_shards();
        self.hot.retain(|(of, shard), _| *of != store.id() || writable.contains(shard));
        let split_after = self.quotas.inner.config.split_after;
        let mut due = Vec::new();
        for shard in writable.iter() {
            let share = self.share(store.id(), *shard, now);
            let key = (store.id(), *shard);
            if share > HOT_SHARE {
                let hot = self.hot.entry(key).or_insert(Hot { since: now, is_told: false });
                if now.since(hot.since) >= split_after {
                    due.push(*shard);
                }
            } else if share < NO_LONGER_HOT_SHARE {
                self.hot.remove(&key);
            }
        }
        due
    }

    /// None when it was said already why not.
    async fn split(&mut self, store: &Arc<StoreState>, shard: ShardNumber) -> Option<Outcome> {
        let outcome = self.try_split(store, shard).await.unwrap_or_else(|error| {
            tracing::warn!(%error, project = %store.project(), store = %store.name(), %shard, "a hot shard could not be split");
            Outcome::Failed
        });
        if matches!(outcome, Outcome::SplitAtKey | Outcome::SplitInHalf) {
            self.hot.remove(&(store.id(), shard));
        } else {
            let hot = self.hot.get_mut(&(store.id(), shard))?;
            if std::mem::replace(&mut hot.is_told, true) {
                return None;
            }
        }
        let outcome_name = outcome.name();
        tracing::info!(project = %store.project(), store = %store.name(), %shard, "a shard is over its quota for long: {outcome_name}");
        Some(outcome)
    }

    async fn try_split(&self, store: &Arc<StoreState>, shard: ShardNumber) -> Result<Outcome, StoreError> {
        let writable = store.writable_shards().len();
        if writable >= usize::from(store.settings().shards_max) {
            return Ok(Outcome::TooMany);
        }
        let of_project: usize = self.storage.stores(store.project()).iter().map(|s| s.writable_shards().len()).sum();
        if self.quotas.check_count(store.project(), Counted::Shards, of_project + 1).is_err() {
            return Ok(Outcome::TooMany);
        }
        let loads = &self.quotas.inner.shards;
        let (at, outcome) = match loads.middle_key(store.id(), shard) {
            Some(key) => (SplitAt::Key(key), Outcome::SplitAtKey),
            None if loads.is_one_key(store.id(), shard) => return Ok(Outcome::OneKey),
            None => (SplitAt::Middle, Outcome::SplitInHalf),
        };
        self.storage.split_shard(store, shard, at).await?;
        Ok(outcome)
    }

    fn due_for_merge(&mut self, store: &StoreState, now: Nanos) -> Vec<(ShardNumber, ShardNumber)> {
        let shards = store.shards();
        let pairs = siblings(&shards);
        let is_pair = |left, right| pairs.contains(&(left, right));
        self.calm.retain(|(of, left, right), _| *of != store.id() || is_pair(*left, *right));
        let merge_after = self.quotas.inner.config.merge_after;
        let mut due: Vec<(ShardNumber, ShardNumber)> = Vec::new();
        for (left, right) in pairs {
            let key = (store.id(), left, right);
            let share = |shard| self.share(store.id(), shard, now);
            if share(left) >= CALM_SHARE || share(right) >= CALM_SHARE {
                self.calm.remove(&key);
                continue;
            }
            let since = *self.calm.entry(key).or_insert(now);
            let is_free = due.iter().all(|(_, taken)| *taken != left);
            if now.since(since) >= merge_after && is_free {
                due.push((left, right));
            }
        }
        due
    }

    async fn merge(&mut self, store: &Arc<StoreState>, left: ShardNumber, right: ShardNumber) -> Outcome {
        self.calm.remove(&(store.id(), left, right));
        match self.storage.merge_shards(store, left).await {
            Ok(_) => {
                tracing::info!(project = %store.project(), store = %store.name(), %left, %right, "shards were calm for long and are one again");
                Outcome::Merged
            }
            Err(error) => {
                tracing::warn!(%error, project = %store.project(), store = %store.name(), %left, %right, "calm shards could not be merged");
                Outcome::Failed
            }
        }
    }
}

/// Neighbours that take rows and were one shard once: what somebody asked for when he created the store is never merged.
fn siblings(shards: &[ShardInfo]) -> Vec<(ShardNumber, ShardNumber)> {
    let by_number: HashMap<ShardNumber, &ShardInfo> = shards.iter().map(|shard| (shard.number, shard)).collect();
    let mut writable: Vec<&ShardInfo> = shards.iter().filter(|s| s.status == ShardStatus::ReadWrite).collect();
    writable.sort_by_key(|shard| shard.range.begin);
    let pairs = writable.windows(2).filter(|pair| {
        let (left, right) = (origins(pair[0].number, &by_number), origins(pair[1].number, &by_number));
        !left.is_disjoint(&right)
    });
    pairs.map(|pair| (pair[0].number, pair[1].number)).collect()
}

/// The oldest known ancestors of a shard; itself when it has none.
fn origins(shard: ShardNumber, by_number: &HashMap<ShardNumber, &ShardInfo>) -> BTreeSet<ShardNumber> {
    let (mut found, mut open) = (BTreeSet::new(), vec![shard]);
    while let Some(number) = open.pop() {
        match by_number.get(&number).map(|info| info.parents.as_slice()) {
            Some(parents) if !parents.is_empty() => open.extend(parents),
            _ => drop(found.insert(number)),
        }
    }
    found
}

#[cfg(test)]
mod tests;
