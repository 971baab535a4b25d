//! All slices of a leaf table: for each combination of dimensions, which leaves have the same values in them.

use std::collections::HashMap;

use super::leaves::Leaves;
use super::numbering::Numbered;
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

/// The leaves of one slice.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Members<'a> {
    group_of: &'a [u32],
    group: u32,
}

impl Members<'_> {
    pub(crate) fn has(&self, leaf: usize) -> bool {
        self.group_of[leaf] == self.group
    }

    pub(crate) fn leaves(&self) -> impl Iterator<Item = usize> {
        (0..self.group_of.len()).filter(|leaf| self.has(*leaf))
    }
}

#[derive(Debug)]
pub(crate) struct Groupings {
    /// Each after those of fewer dimensions.
    pub(crate) all: Vec<Grouping>,
    /// Where the grouping of a combination of dimensions is.
    places: HashMap<u32, usize>,
    /// Per grouping the one of fewest slices that has one dimension more.
    finer: Vec<Option<usize>>,
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
        let places: HashMap<u32, usize> =
            all.iter().enumerate().map(|(place, grouping)| (grouping.dimensions, place)).collect();
        let finer = finer(&all, &places);
        Self { all, places, finer, counts, cut }
    }

    pub(crate) fn members(&self, slice: &Slice) -> Members<'_> {
        let group_of = self.all[self.places[&slice.dimensions]].group_of.as_slice();
        Members { group_of, group: group_of[slice.leaf as usize] }
    }

    /// What leaves add up to, per grouping and slice. Long combinations come first: the slices of shorter ones are put
    /// together from theirs, which are fewer than the leaves. `values` are those of `leaves`, in their order.
    pub(crate) fn sums<T: Copy + Default>(
        &self,
        leaves: &[usize],
        values: &[T],
        add: impl Fn(&mut T, &T),
    ) -> Vec<Vec<T>> {
        let mut all: Vec<Vec<T>> = self.all.iter().map(|_| Vec::new()).collect();
        for (place, grouping) in self.all.iter().enumerate().rev() {
            let mut sums = vec![T::default(); grouping.representatives.len()];
            let finer = self.finer[place].filter(|finer| self.all[*finer].representatives.len() < leaves.len());
            match finer {
                Some(finer) => {
                    for (leaf, value) in self.all[finer].representatives.iter().zip(&all[finer]) {
                        add(&mut sums[grouping.group_of[*leaf as usize] as usize], value);
                    }
                }
                None => {
                    for (leaf, value) in leaves.iter().zip(values) {
                        add(&mut sums[grouping.group_of[*leaf] as usize], value);
                    }
                }
            }
            all[place] = sums;
        }
        all
    }

    /// Hypotheses that a slice of this order is one of; each order more has half of the error to spend.
    pub(crate) fn ln_family(&self, order: usize) -> f64 {
        (self.counts[order - 1].max(1) as f64).ln() + order as f64 * std::f64::consts::LN_2
    }
}

/// The parent's slices, told apart by one dimension more.
fn refine(leaves: &Leaves, parent: Option<&Grouping>, dimension: usize) -> Grouping {
    let codes = leaves.dimensions[dimension].codes.iter().map(|code| *code as usize);
    let values = leaves.dimensions[dimension].values.len();
    let Numbered { numbers, firsts } = match parent {
        None => Numbered::of(codes, values),
        Some(parent) => {
            let keys = parent.group_of.iter().zip(codes).map(|(group, code)| *group as usize * values + code);
            Numbered::of(keys, parent.representatives.len() * values)
        }
    };
    let dimensions = parent.map_or(0, |parent| parent.dimensions) | 1 << dimension;
    Grouping { dimensions, group_of: numbers, representatives: firsts }
}

fn finer(all: &[Grouping], places: &HashMap<u32, usize>) -> Vec<Option<usize>> {
    let mut finer: Vec<Option<usize>> = vec![None; all.len()];
    let slices = |place: usize| all[place].representatives.len();
    for (place, grouping) in all.iter().enumerate().filter(|(_, grouping)| grouping.order() > 1) {
        for dimension in (0..u32::BITS).filter(|at| grouping.dimensions >> at & 1 == 1) {
            let coarser = places[&(grouping.dimensions & !(1 << dimension))];
            if finer[coarser].is_none_or(|best| slices(place) < slices(best)) {
                finer[coarser] = Some(place);
            }
        }
    }
    finer
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
                let all: Vec<usize> = (0..rows.len()).collect();
                let sums = groupings.sums(&all, &all, |sum: &mut usize, leaf| *sum += leaf);
                let place = groupings.all.iter().position(|other| other.dimensions == grouping.dimensions).unwrap();
                for members in expected.values() {
                    prop_assert_eq!(sums[place][grouping.group_of[members[0]] as usize], members.iter().sum::<usize>());
                    let slice = grouping.slice(grouping.group_of[members[0]] as usize);
                    let has: Vec<usize> = (0..rows.len()).filter(|leaf| slice.has(&leaves, *leaf)).collect();
                    prop_assert_eq!(&has, members);
                    prop_assert_eq!(&groupings.members(&slice).leaves().collect::<Vec<_>>(), members);
                }
            }
        }
    }
}
