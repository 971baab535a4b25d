//! The 128-bit hash-key space and the ranges of it that shards own.

use std::sync::Arc;

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

    /// `count` neighbouring ranges that together are the whole space.
    pub(crate) fn split_evenly(count: u16) -> impl Iterator<Item = (u16, HashRange)> {
        let width = u128::MAX / u128::from(count);
        (0..count).map(move |number| {
            let begin = u128::from(number) * width;
            let end = if number + 1 == count { u128::MAX } else { (u128::from(number) + 1) * width - 1 };
            (number, HashRange { begin, end })
        })
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_tile_the_space() {
        for count in [1, 2, 3, 7, 256] {
            let ranges: Vec<HashRange> = HashRange::split_evenly(count).map(|(_, range)| range).collect();
            assert_eq!(ranges.len(), usize::from(count));
            assert_eq!(ranges[0].begin, 0);
            assert_eq!(ranges[ranges.len() - 1].end, u128::MAX);
            assert!(ranges.windows(2).all(|pair| pair[0].end + 1 == pair[1].begin), "{count}");
        }
    }
}
