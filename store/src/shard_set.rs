//! The shards of a store at one moment: all that can be read, and the read-write ones that tile the key space.

use std::sync::Arc;

use crate::hash::HashRange;
use crate::shard::Shard;
use crate::{Offset, ShardNumber, UnixNanos};

/// Never changes; a split, a merge and retention each put a new one in its place.
#[derive(Debug)]
pub(crate) struct ShardSet {
    /// By number; those that were split or merged away stay here until their rows are past the TTL.
    all: Vec<Arc<Shard>>,
    /// By range: neighbours follow each other.
    writable: Vec<Arc<Shard>>,
    numbers: Arc<[ShardNumber]>,
}

impl ShardSet {
    pub(crate) fn new(mut all: Vec<Arc<Shard>>) -> Self {
        all.sort_by_key(|shard| shard.number);
        let mut writable: Vec<_> = all.iter().filter(|shard| !shard.is_closed()).cloned().collect();
        writable.sort_by_key(|shard| shard.range.begin);
        let numbers = writable.iter().map(|shard| shard.number).collect();
        Self { all, writable, numbers }
    }

    pub(crate) fn all(&self) -> &[Arc<Shard>] {
        &self.all
    }

    pub(crate) fn writable(&self) -> &[Arc<Shard>] {
        &self.writable
    }

    /// In the order of their ranges.
    pub(crate) fn numbers(&self) -> &Arc<[ShardNumber]> {
        &self.numbers
    }

    pub(crate) fn get(&self, number: ShardNumber) -> Option<&Arc<Shard>> {
        self.all.binary_search_by_key(&number, |shard| shard.number).ok().map(|at| &self.all[at])
    }

    /// The place among the read-write shards of the one that owns the key.
    pub(crate) fn owner(&self, key: u128) -> usize {
        self.writable.partition_point(|shard| shard.range.end < key)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ShardStatus {
    ReadWrite,
    /// Split or merged: its keys belong to its children, its rows are read before theirs.
    ReadOnly,
}

/// A shard as its readers and its owner see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardInfo {
    pub number: ShardNumber,
    pub range: HashRange,
    pub status: ShardStatus,
    /// May name shards of which every row is past the TTL, and which are gone.
    pub parents: Vec<ShardNumber>,
    pub children: Vec<ShardNumber>,
    pub created: UnixNanos,
    pub closed: Option<UnixNanos>,
    /// Of the first batch that is still there; `end` when there is none.
    pub begin: Offset,
    /// That the next batch will get; final once the shard is read-only.
    pub end: Offset,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ShardId;
    use crate::shard::ShardPlace;

    #[test]
    fn each_key_has_the_owner_that_holds_it() {
        let ranges = HashRange::ALL.split_evenly(7).unwrap();
        let shards = ranges.iter().zip((0u32..7).rev()).map(|(range, number)| {
            let place = ShardPlace { number: ShardNumber(number), range: *range, ..ShardPlace::root() };
            Arc::new(Shard::new(ShardId(number.into()), place, Offset(0), Default::default()))
        });
        let set = ShardSet::new(shards.collect());
        for range in &ranges {
            for key in [range.begin, range.begin / 2 + range.end / 2, range.end] {
                let by_scan = set.all().iter().find(|shard| shard.range.contains(key)).unwrap();
                assert_eq!(set.writable()[set.owner(key)].number, by_scan.number, "{key:x}");
            }
        }
    }
}
