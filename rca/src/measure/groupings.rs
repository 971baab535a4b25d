//! All slices of a leaf table: for each combination of dimensions, which leaves have the same values in them.

use std::collections::HashMap;

use super::leaves::Leaves;
use crate::cells::RowHash;
use crate::limits::GROUPED_CELLS_MAX;
use crate::workers::Stop;

/// A slice: the leaves that have the values of one leaf in some dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Slice {
    /// One bit per dimension.
    pub(crate) dimensions: u32,
    /// Any leaf of the slice.
    pub(crate) leaf: u32,
}

impl Slice {
    pub(crate) fn order(&self) -> usize {
        self.dimensions.count_ones() as usize
    }

    pub(crate) fn items(&self) -> impl Iterator<Item = usize> {
        let dimensions = self.dimensions;
        (0..u32::BITS as usize).filter(move |at| dimensions >> at & 1 == 1)
    }

    pub(crate) fn has(&self, leaves: &Leaves, leaf: usize) -> bool {
        let same = |codes: &[u32]| codes[leaf] == codes[self.leaf as usize];
        self.items().all(|at| same(&leaves.dimensions[at].codes))
    }

    pub(crate) fn is_within(&self, leaves: &Leaves, wider: &Slice) -> bool {
        wider.dimensions & self.dimensions == wider.dimensions && wider.has(leaves, self.leaf as usize)
    }

    /// True when they differ in the value of one dimension alone.
    pub(crate) fn is_sibling(&self, leaves: &Leaves, other: &Slice) -> bool {
        let differs = |at: &usize| {
            let codes = &leaves.dimensions[*at].codes;
            codes[self.leaf as usize] != codes[other.leaf as usize]
        };
        self.dimensions == other.dimensions && self.items().filter(differs).count() == 1
    }
}

/// The slices of one combination of dimensions.
#[derive(Debug)]
pub(crate) struct Grouping {
    pub(crate) dimensions: u32,
    /// Per leaf the slice that it is in.
    pub(crate) group_of: Vec<u32>,
    /// Per slice one of its leaves.
    pub(crate) representatives: Vec<u32>,
}

impl Grouping {
    pub(crate) fn order(&self) -> usize {
        self.dimensions.count_ones() as usize
    }

    pub(crate) fn slice(&self, group: usize) -> Slice {
        Slice { dimensions: self.dimensions, leaf: self.representatives[group] }
    }
}

#[derive(Debug)]
pub(crate) struct Groupings {
    pub(crate) all: Vec<Grouping>,
    /// Slices there are, per order from 1.
    pub(crate) counts: Vec<u64>,
    pub(crate) cut: Option<String>,
}

impl Groupings {
    /// Level by level, as deep as time and memory allow.
    pub(crate) fn of(leaves: &Leaves, max_order: usize, stop: Stop<'_>) -> Self {
        let mut all: Vec<Grouping> = Vec::new();
        let mut counts = Vec::new();
        let (mut cells, mut begins, mut cut) = (0usize, 0, None);
        for order in 1..=max_order.min(leaves.dimensions.len()) {
            let ends = all.len();
            for parent in begins..ends.max(1) {
                let least = all.get(parent).map_or(0, |parent| u32::BITS - parent.dimensions.leading_zeros());
                for dimension in least as usize..leaves.dimensions.len() {
                    cells += leaves.len();
                    if cells > GROUPED_CELLS_MAX || stop() {
                        cut = Some(format!("combinations of {order} dimensions were not all searched"));
                        break;
                    }
                    all.push(refine(leaves, all.get(parent).filter(|_| order > 1), dimension));
                }
            }
            counts.push(all[ends..].iter().map(|grouping| grouping.representatives.len() as u64).sum());
            begins = ends;
            if cut.is_some() {
                break;
            }
        }
        Self { all, counts, cut }
    }

    /// Hypotheses that a slice of this order is one of; each order more has half of the error to spend.
    pub(crate) fn ln_family(&self, order: usize) -> f64 {
        (self.counts[order - 1].max(1) as f64).ln() + order as f64 * std::f64::consts::LN_2
    }
}

/// The parent's slices, told apart by one dimension more.
fn refine(leaves: &Leaves, parent: Option<&Grouping>, dimension: usize) -> Grouping {
    let LeafCodes { codes, values } = LeafCodes::of(leaves, dimension);
    let parents = parent.map_or(1, |parent| parent.representatives.len());
    let key = |leaf: usize| parent.map_or(0, |parent| parent.group_of[leaf] as usize) * values + codes[leaf] as usize;
    let mut representatives = Vec::new();
    let mut group_of = Vec::with_capacity(codes.len());
    let mut number = |slot: &mut u32, leaf: usize| {
        if *slot == u32::MAX {
            *slot = representatives.len() as u32;
            representatives.push(leaf as u32);
        }
        group_of.push(*slot);
    };
    if parents * values <= 4 * codes.len().max(1024) {
        let mut slots = vec![u32::MAX; parents * values];
        (0..codes.len()).for_each(|leaf| number(&mut slots[key(leaf)], leaf));
    } else {
        let mut slots: HashMap<u64, u32, RowHash> = HashMap::default();
        (0..codes.len()).for_each(|leaf| number(slots.entry(key(leaf) as u64).or_insert(u32::MAX), leaf));
    }
    Grouping { dimensions: parent.map_or(0, |parent| parent.dimensions) | 1 << dimension, group_of, representatives }
}

struct LeafCodes<'a> {
    codes: &'a [u32],
    values: usize,
}

impl<'a> LeafCodes<'a> {
    fn of(leaves: &'a Leaves, dimension: usize) -> Self {
        let dimension = &leaves.dimensions[dimension];
        Self { codes: &dimension.codes, values: dimension.values.len() }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::leaves::{LeafDimension, Parts};
    use super::*;
    use crate::items::Value;

    proptest! {
        /// The oracle sorts leaves into a map by their values, one combination of dimensions at a time.
        #[test]
        fn slices_are_the_leaves_with_equal_values(rows in proptest::collection::vec(proptest::array::uniform4(0u32..4), 1..60), order in 1usize..5) {
            let dimension = |at: usize| LeafDimension {
                name: format!("d{at}"),
                values: (0..4).map(Value::Int).collect(),
                codes: rows.iter().map(|row| row[at]).collect(),
            };
            let leaves = Leaves {
                dimensions: (0..4).map(dimension).collect(),
                parts: vec![Parts::default(); rows.len()],
                left_out: Vec::new(),
            };
            let groupings = Groupings::of(&leaves, order, &|| false);
            let combinations: Vec<u32> = (1u32..16).filter(|set| set.count_ones() as usize <= order).collect();
            prop_assert_eq!(groupings.all.len(), combinations.len());
            for grouping in &groupings.all {
                prop_assert!(combinations.contains(&grouping.dimensions));
                let mut expected: BTreeMap<Vec<u32>, Vec<usize>> = BTreeMap::new();
                for (leaf, row) in rows.iter().enumerate() {
                    let values = (0..4).filter(|at| grouping.dimensions >> at & 1 == 1).map(|at| row[at]).collect();
                    expected.entry(values).or_default().push(leaf);
                }
                prop_assert_eq!(grouping.representatives.len(), expected.len());
                for members in expected.values() {
                    let slice = grouping.slice(grouping.group_of[members[0]] as usize);
                    let has: Vec<usize> = (0..rows.len()).filter(|leaf| slice.has(&leaves, *leaf)).collect();
                    prop_assert_eq!(&has, members);
                }
            }
        }
    }
}
