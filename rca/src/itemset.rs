//! Conjunctions of items.

use crate::limits::ORDER_MAX;

/// Up to [`ORDER_MAX`] items by index, ascending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Itemset {
    items: [u32; ORDER_MAX],
    len: u8,
}

impl Itemset {
    pub(crate) fn of(items: impl IntoIterator<Item = usize>) -> Self {
        let mut set = Self { items: [u32::MAX; ORDER_MAX], len: 0 };
        for item in items {
            set.items[usize::from(set.len)] = item as u32;
            set.len += 1;
        }
        set.items.sort_unstable();
        set
    }

    pub(crate) fn order(&self) -> usize {
        usize::from(self.len)
    }

    pub(crate) fn items(&self) -> impl Iterator<Item = usize> + Clone + '_ {
        self.items[..self.order()].iter().map(|item| *item as usize)
    }

    pub(crate) fn contains(&self, item: usize) -> bool {
        self.items().any(|own| own == item)
    }

    pub(crate) fn is_part_of(&self, whole: &Itemset) -> bool {
        self.items().all(|item| whole.contains(item))
    }

    /// All parts that are neither empty nor the set itself.
    pub(crate) fn proper_parts(&self) -> impl Iterator<Item = Itemset> + '_ {
        let part =
            |mask: u32| self.items().enumerate().filter(move |(at, _)| mask >> at & 1 == 1).map(|(_, item)| item);
        (1..(1u32 << self.len) - 1).map(move |mask| Itemset::of(part(mask)))
    }
}

/// An itemset with its rows in both slices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) set: Itemset,
    pub(crate) a: u64,
    pub(crate) b: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_set() {
        let set = Itemset::of([9, 1, 4]);
        let parts: Vec<Vec<usize>> = set.proper_parts().map(|part| part.items().collect()).collect();
        assert_eq!(parts, [vec![1], vec![4], vec![1, 4], vec![9], vec![1, 9], vec![4, 9]]);
        assert!(set.contains(4) && !set.contains(5));
    }
}
