//! Split and merge: keys pass from parents to children without a row out of order.
//!
//! An append holds its store's `placing` lock shared from the choice of its shard until it is in the log; a split holds it alone. So what was placed on
//! a parent is in the parent before a child has a row, and a reader that takes parents to their end first sees each key in order. A writer
//! waits for one group commit and one commit of the catalog.

use std::sync::Arc;

use crate::background::bury;
use crate::catalog::ShardRow;
use crate::hash::{HashRange, SplitAt};
use crate::limits::STORE_SHARDS_MAX;
use crate::shard::Shard;
use crate::shard_set::{ShardInfo, ShardSet};
use crate::storage::Inner;
use crate::telemetry::Counters;
use crate::{ShardNumber, Storage, StoreError, StoreState};

impl Storage {
    /// Returns the parent, which is read-only from here on, then its children.
    pub async fn split_shard(
        &self,
        store: &Arc<StoreState>,
        number: ShardNumber,
        at: SplitAt,
    ) -> Result<Vec<ShardInfo>, StoreError> {
        let _no_append = store.placing.write().await;
        let set = store.shard_set();
        let parent = writable(store, &set, number)?;
        let ranges = match at {
            SplitAt::Middle => parent.range.split_evenly(2),
            SplitAt::Key(key) => parent.range.split_at(key),
            SplitAt::Parts(parts) => parent.range.split_evenly(parts.max(2)),
        };
        let why = "the key must lie behind the first one of its range and inside, and each child needs a key";
        let ranges = ranges.ok_or(StoreError::BadSplit { shard: number, why })?;
        check_count(store, &set, ranges.len())?;
        self.replace(store, &set, &[parent], &ranges).await
    }

    /// With its right neighbour; returns both parents, which are read-only from here on, then the child.
    pub async fn merge_shards(
        &self,
        store: &Arc<StoreState>,
        number: ShardNumber,
    ) -> Result<Vec<ShardInfo>, StoreError> {
        let _no_append = store.placing.write().await;
        let set = store.shard_set();
        let left = writable(store, &set, number)?;
        let why = "it has the last range, so there is no right neighbour to merge with";
        let behind = left.range.end.checked_add(1).ok_or(StoreError::BadSplit { shard: number, why })?;
        let right = set.writable()[set.owner(behind)].clone();
        let range = HashRange { begin: left.range.begin, end: right.range.end };
        let mut parents = [left, right];
        parents.sort_by_key(|parent| parent.number);
        self.replace(store, &set, &parents, &[range]).await
    }

    /// A read-only one, with its rows; the others have keys that somebody must own.
    pub async fn delete_shard(&self, store: &Arc<StoreState>, number: ShardNumber) -> Result<(), StoreError> {
        let _no_change = store.placing.write().await;
        let set = store.shard_set();
        let shard = set.get(number).ok_or_else(|| store.unknown_shard(number))?;
        if !shard.is_closed() {
            let why = "it is read-write; only shards that were split or merged can be deleted";
            return Err(StoreError::BadSplit { shard: number, why });
        }
        remove_shard(&self.inner, store, shard).await
    }

    async fn replace(
        &self,
        store: &StoreState,
        set: &ShardSet,
        parents: &[Arc<Shard>],
        ranges: &[HashRange],
    ) -> Result<Vec<ShardInfo>, StoreError> {
        let now = self.clock().now();
        let named: Vec<_> = parents.iter().map(|parent| (parent.id, parent.number)).collect();
        let rows = match self.inner.catalog.replace_shards(store.id(), &named, ranges, now).await {
            Ok(rows) => rows,
            Err(error) => self.unseen_children(store, set, parents).await?.ok_or(error)?,
        };
        let gauges = &self.inner.gauges;
        let children: Vec<_> =
            rows.into_iter().map(|row| Arc::new(Shard::new(row.id, row.place, row.flushed, gauges.clone()))).collect();
        let numbers: Vec<ShardNumber> = children.iter().map(|child| child.number).collect();
        for parent in parents {
            parent.close(now, numbers.clone());
        }
        let all = set.all().iter().chain(&children).cloned().collect();
        store.set_shards(ShardSet::new(all));
        parents.iter().for_each(|parent| parent.tail().close());
        let counter = if parents.len() == 1 { &self.inner.counters.splits } else { &self.inner.counters.merges };
        Counters::add(counter, 1);
        tracing::info!(store = %store.name(), project = %store.project(), parents = ?named, children = ?numbers, "shards replaced");
        Ok(parents.iter().chain(&children).map(|shard| shard.info()).collect())
    }

    /// Of a commit that was made and reported as failed: children of exactly these parents that the catalog has and nobody here knows.
    async fn unseen_children(
        &self,
        store: &StoreState,
        set: &ShardSet,
        parents: &[Arc<Shard>],
    ) -> Result<Option<Vec<ShardRow>>, StoreError> {
        let mut rows = self.inner.catalog.shards(store.id()).await?;
        rows.retain(|row| {
            let is_theirs = parents.iter().map(|parent| parent.number).eq(row.place.parents.iter().copied());
            is_theirs && set.get(row.place.number).is_none()
        });
        Ok((!rows.is_empty()).then_some(rows))
    }
}

/// The caller holds the store's `placing` lock alone.
pub(crate) async fn remove_shard(inner: &Inner, store: &StoreState, shard: &Arc<Shard>) -> Result<(), StoreError> {
    // Held to the end: a flush that began now would commit a segment of a shard that is gone.
    let _no_flush = shard.flushing.lock().await;
    let recent = shard.flushable(usize::MAX);
    let sequences = store.sequences.change(recent.iter().map(AsRef::as_ref));
    inner.catalog.delete_shard(store.id(), shard.id, &sequences, inner.clock.now()).await?;
    let left = store.shard_set().all().iter().filter(|other| other.id != shard.id).cloned().collect();
    store.set_shards(ShardSet::new(left));
    bury(inner, shard.take_all()).await
}

fn writable(store: &StoreState, set: &ShardSet, number: ShardNumber) -> Result<Arc<Shard>, StoreError> {
    let shard = set.get(number).ok_or_else(|| store.unknown_shard(number))?;
    if shard.is_closed() {
        return Err(store.shard_read_only(number));
    }
    Ok(shard.clone())
}

/// Of read-write shards; one goes for those that come.
fn check_count(store: &StoreState, set: &ShardSet, children: usize) -> Result<(), StoreError> {
    let wanted = set.writable().len() - 1 + children;
    let own_limit = store.settings().shards_max;
    let (limit, knob) = match own_limit {
        own if own < STORE_SHARDS_MAX => (own, "the store's setting shards_max"),
        _ => (STORE_SHARDS_MAX, "the limit of every store"),
    };
    if wanted <= usize::from(limit) {
        return Ok(());
    }
    Err(StoreError::TooManyShards { store: store.name().to_string(), wanted, limit, knob })
}
