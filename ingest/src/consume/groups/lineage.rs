//! What splits and merges mean to a group: which shards may be read now, and where a new one begins.

use std::collections::{BTreeMap, BTreeSet};

use culprit_store::{Offset, ShardStatus, Storage};

use crate::consume::Source;

/// A shard as a group sees it. Parents have lower ids than their children.
#[derive(Debug, Clone)]
pub(super) struct GroupShard {
    pub(super) id: u32,
    pub(super) is_closed: bool,
    pub(super) begin: Offset,
    pub(super) end: Offset,
    pub(super) parents: Vec<u32>,
}

impl GroupShard {
    /// All of a source, by id.
    pub(super) fn all(source: &Source, storage: &Storage) -> Vec<Self> {
        let shards = source.shards(storage).into_iter().map(|(id, info)| Self {
            id,
            is_closed: info.status == ShardStatus::ReadOnly,
            begin: info.begin,
            end: info.end,
            parents: info.parents.iter().map(|parent| source.sibling(id, *parent)).collect(),
        });
        shards.collect()
    }
}

/// The shards that somebody should read. One that was split or merged away is none of them once it was read to its end; in order, its children are none before.
pub(super) fn open_shards(shards: &[GroupShard], positions: &BTreeMap<u32, Offset>, in_order: bool) -> BTreeSet<u32> {
    let mut open = BTreeSet::new();
    // Read to the end, as all before it was.
    let mut finished = BTreeMap::new();
    for shard in shards {
        // A parent that is not listed is past its TTL.
        let is_released = !in_order || shard.parents.iter().all(|parent| *finished.get(parent).unwrap_or(&true));
        let position = positions.get(&shard.id).copied().unwrap_or(shard.begin).max(shard.begin);
        let is_read = shard.is_closed && position >= shard.end;
        finished.insert(shard.id, is_released && is_read);
        if is_released && !is_read {
            open.insert(shard.id);
        }
    }
    open
}

/// Shards without a checkpoint of which the group has read an ancestor: they continue its work, so they begin at their first batch, whatever the
/// reader does with shards that are new to it.
pub(super) fn heirs(shards: &[GroupShard], positions: &BTreeMap<u32, Offset>) -> BTreeSet<u32> {
    let mut known: BTreeSet<u32> = positions.keys().copied().collect();
    let mut heirs = BTreeSet::new();
    for shard in shards {
        if !known.contains(&shard.id) && shard.parents.iter().any(|parent| known.contains(parent)) {
            known.insert(shard.id);
            heirs.insert(shard.id);
        }
    }
    heirs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard(id: u32, is_closed: bool, end: u64, parents: &[u32]) -> GroupShard {
        GroupShard { id, is_closed, begin: Offset(0), end: Offset(end), parents: parents.to_vec() }
    }

    fn at(positions: &[(u32, u64)]) -> BTreeMap<u32, Offset> {
        positions.iter().map(|(shard, position)| (*shard, Offset(*position))).collect()
    }

    /// 0 was split into 1 and 2, then 2 (to which nothing was written) into 3 and 4.
    fn family() -> Vec<GroupShard> {
        vec![
            shard(0, true, 5, &[]),
            shard(1, false, 7, &[0]),
            shard(2, true, 0, &[0]),
            shard(3, false, 1, &[2]),
            shard(4, false, 0, &[2]),
        ]
    }

    #[test]
    fn children_wait_for_their_parents_when_order_matters() {
        for (positions, in_order, open) in [
            (&[][..], true, &[0][..]),
            (&[(0, 4)], true, &[0]),
            (&[(0, 5)], true, &[1, 3, 4]),
            (&[(0, 4)], false, &[0, 1, 3, 4]),
            (&[(0, 5)], false, &[1, 3, 4]),
        ] {
            let expected: BTreeSet<u32> = open.iter().copied().collect();
            assert_eq!(open_shards(&family(), &at(positions), in_order), expected, "{positions:?} {in_order}");
        }
    }

    #[test]
    fn a_merged_shard_waits_for_both_parents_and_not_for_those_that_are_gone() {
        let shards = [shard(3, true, 2, &[1]), shard(4, true, 2, &[1]), shard(5, false, 0, &[3, 4])];
        assert_eq!(open_shards(&shards, &at(&[(3, 2)]), true), BTreeSet::from([4]));
        assert_eq!(open_shards(&shards, &at(&[(3, 2), (4, 2)]), true), BTreeSet::from([5]));
    }

    #[test]
    fn what_has_expired_needs_no_reader() {
        let mut shards = family();
        shards[0].begin = Offset(5);
        assert_eq!(open_shards(&shards, &at(&[(0, 2)]), true), BTreeSet::from([1, 3, 4]));
    }

    #[test]
    fn heirs_begin_at_their_beginning() {
        assert_eq!(heirs(&family(), &at(&[])), BTreeSet::new());
        assert_eq!(heirs(&family(), &at(&[(0, 1), (1, 0)])), BTreeSet::from([2, 3, 4]));
    }
}
