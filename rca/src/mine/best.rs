//! The best itemsets so far, counted in all of B.

use std::cmp::Reverse;

use crate::itemset::{Found, Itemset};
use crate::limits::FOUND_MAX;
use crate::population::{Counts, Population, ordered};
use crate::workers::share_out;

/// A set that the sample has not rejected.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub(super) set: Itemset,
    pub(super) a: u64,
    /// The most that it can score, in the form of [`ordered`].
    pub(super) bound: i64,
    /// What it scores if the sample is like B.
    pub(super) estimate: i64,
    /// False when it cannot be significant, so that it is for the ranking alone.
    pub(super) may_explain: bool,
}

/// Candidates whose rows of B are counted at once, by all processors.
const COUNTED_AT_ONCE: usize = 16;

#[derive(Default)]
pub(super) struct Best {
    /// With their scores, best first.
    kept: Vec<(i64, Found)>,
    /// What a set must reach to be among the best. Zero is the score that is worth nothing.
    floor: i64,
}

impl Best {
    /// The bound of a set with no more rows in A and no fewer in B; none when that is not among the best.
    pub(super) fn bound(&self, left: &Population<'_>, order: usize, inside: Counts) -> Option<i64> {
        let bound = ordered(left.score(order, inside));
        (bound >= self.floor && left.is_worth_reporting(order, inside)).then_some(bound)
    }

    /// What the sample says of a set; none when it rejects it.
    pub(super) fn candidate(&self, left: &Population<'_>, set: Itemset, a: u64, sampled: u64) -> Option<Candidate> {
        let order = set.order();
        let least = Counts { a, b: left.b_at_least(sampled) };
        let bound = self.bound(left, order, least)?;
        let estimate = ordered(left.score(order, Counts { a, b: left.b_estimate(sampled) }));
        Some(Candidate { set, a, bound, estimate, may_explain: left.explains(order, least) })
    }

    /// Counts those that may explain from the highest bound down, until none can be among the best. Of the others, a few
    /// that seem best are enough.
    pub(super) fn take(&mut self, left: &Population<'_>, candidates: Vec<Candidate>) {
        let (mut serious, mut others): (Vec<_>, Vec<_>) =
            candidates.into_iter().partition(|candidate| candidate.may_explain);
        serious.sort_unstable_by_key(|candidate| (Reverse(candidate.bound), candidate.set));
        for some in serious.chunks(COUNTED_AT_ONCE) {
            if some[0].bound < self.floor {
                break;
            }
            self.count(left, some);
        }
        others.sort_unstable_by_key(|candidate| (Reverse(candidate.estimate), candidate.set));
        others.truncate(COUNTED_AT_ONCE);
        self.count(left, &others);
    }

    fn count(&mut self, left: &Population<'_>, candidates: &[Candidate]) {
        let count = |at: usize| {
            let Candidate { set, a, .. } = candidates[at];
            Found { set, a, b: left.count_b(&set) }
        };
        let counted = share_out(candidates.len(), count, &|| false);
        counted.into_iter().flatten().for_each(|found| self.offer(left, found));
    }

    /// A set with the same rows as its part is that part.
    fn offer(&mut self, left: &Population<'_>, found: Found) {
        let Some(score) = self.bound(left, found.set.order(), found.counts()) else {
            return;
        };
        let restates = |(_, other): &(i64, Found)| other.counts() == found.counts() && other.set.is_part_of(&found.set);
        if self.kept.iter().any(restates) {
            return;
        }
        let rank = |(score, found): &(i64, Found)| (Reverse(*score), found.set);
        let place = self.kept.partition_point(|other| rank(other) < rank(&(score, found)));
        self.kept.insert(place, (score, found));
        self.kept.truncate(FOUND_MAX);
        if self.kept.len() == FOUND_MAX {
            self.floor = self.kept[FOUND_MAX - 1].0;
        }
    }

    pub(super) fn into_found(self) -> Vec<Found> {
        self.kept.into_iter().map(|(_, found)| found).collect()
    }
}
