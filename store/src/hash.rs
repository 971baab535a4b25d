//! The 128-bit hash-key space and the ranges of it that shards own.

use std::sync::Arc;

use crate::ShardNumber;

/// Both ends belong to the range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashRange {
    pub begin: u128,
    pub end: u128,
}

impl HashRange {
    pub fn contains(&self, key: u128) -> bool {
        (self.begin..=self.end).contains(&key)
    }

    pub const ALL: HashRange = HashRange { begin: 0, end: u128::MAX };

    /// Neighbouring ranges that together are this one, of equal width but the last; none when there are fewer keys than parts.
    pub(crate) fn split_evenly(self, parts: u16) -> Option<Vec<HashRange>> {
        let parts = u128::from(parts);
        if parts <= 1 {
            return (parts == 1).then(|| vec![self]);
        }
        // The count of keys, one more than `span`, may be 2^128.
        let span = self.end - self.begin;
        let width = span / parts + u128::from(span % parts == parts - 1);
        if width == 0 {
            return None;
        }
        let begin = |part: u128| self.begin + part * width;
        Some(
            (0..parts)
                .map(|part| {
                    let end = if part + 1 == parts { self.end } else { begin(part + 1) - 1 };
                    HashRange { begin: begin(part), end }
                })
                .collect(),
        )
    }

    /// What lies below `key`, and the rest; none when one of them would be empty.
    pub(crate) fn split_at(self, key: u128) -> Option<Vec<HashRange>> {
        let inside = self.begin < key && key <= self.end;
        inside.then(|| vec![HashRange { begin: self.begin, end: key - 1 }, HashRange { begin: key, end: self.end }])
    }
}

/// Which shard the rows of an append go to.
#[derive(Debug, Clone)]
pub enum Route {
    /// Wherever there is room: shards take turns.
    Any,
    /// All to the owner of this key.
    Key(u128),
    /// Each row to the owner of its key; as many keys as rows.
    PerRow(Arc<[u128]>),
    /// All to this shard, which must be read-write.
    Shard(ShardNumber),
}

/// Where a shard is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SplitAt {
    Middle,
    /// The first key of the right child.
    Key(u128),
    /// Into so many children of equal width.
    Parts(u16),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_tiles(ranges: &[HashRange], whole: HashRange) {
        assert_eq!((ranges[0].begin, ranges[ranges.len() - 1].end), (whole.begin, whole.end));
        assert!(ranges.windows(2).all(|pair| pair[0].end + 1 == pair[1].begin), "{ranges:?}");
        assert!(ranges.iter().all(|range| range.begin <= range.end), "{ranges:?}");
    }

    #[test]
    fn parts_tile_the_range() {
        for whole in [HashRange::ALL, HashRange { begin: 5, end: 1000 }] {
            for count in [1, 2, 3, 7, 256] {
                let parts = whole.split_evenly(count).unwrap();
                assert_eq!(parts.len(), usize::from(count));
                assert_tiles(&parts, whole);
            }
        }
        assert_eq!(HashRange::ALL.split_evenly(2).unwrap()[1].begin, 1 << 127);
    }

    #[test]
    fn a_range_is_cut_inside_alone() {
        let range = HashRange { begin: 10, end: 20 };
        for key in [11, 15, 20] {
            assert_tiles(&range.split_at(key).unwrap(), range);
        }
        assert!([0, 10, 21].iter().all(|key| range.split_at(*key).is_none()));
        assert!(HashRange { begin: 3, end: 3 }.split_evenly(2).is_none());
        assert!(range.split_evenly(0).is_none());
    }
}
