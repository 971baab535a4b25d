//! What a search over the leaf table comes back with, whatever its statistics are.

use super::groupings::{Groupings, Slice};
use super::leaves::Leaves;
use crate::limits::RANKED_MAX;

/// A slice with its evidence on the leaves that were left when it was looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scored {
    pub(crate) slice: Slice,
    pub(crate) score: f64,
    /// Corrected for all slices searched.
    pub(crate) q: f64,
}

#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) chosen: Scored,
    /// Slices that share most of their leaves with it, best first.
    pub(crate) alternates: Vec<Scored>,
}

#[derive(Debug, Default)]
pub(crate) struct Choices {
    pub(crate) explanations: Vec<Choice>,
    /// What would have been chosen were the first explanation ruled out, then the first of that, and so on.
    pub(crate) otherwise: Vec<Scored>,
    /// What would have been chosen next, best first, were it significant and large enough.
    pub(crate) below: Vec<Scored>,
    pub(crate) stopped: bool,
}

/// Keeps the best few of many.
#[derive(Debug)]
pub(crate) struct Best {
    pub(crate) slices: Vec<Scored>,
    limit: usize,
}

impl Best {
    pub(crate) fn new(limit: usize) -> Self {
        Self { slices: Vec::with_capacity(limit + 1), limit }
    }

    /// The score that another has to beat.
    pub(crate) fn least(&self) -> f64 {
        if self.slices.len() < self.limit { f64::NEG_INFINITY } else { self.slices[self.limit - 1].score }
    }

    pub(crate) fn offer(&mut self, scored: Scored) {
        if scored.score > self.least() {
            let place = self.slices.partition_point(|other| other.score >= scored.score);
            self.slices.insert(place, scored);
            self.slices.truncate(self.limit);
        }
    }
}

/// The leaves that nothing explains yet.
#[derive(Debug, Clone)]
pub(crate) struct Left {
    pub(crate) leaves: Vec<usize>,
}

impl Left {
    pub(crate) fn explain_away(&mut self, groupings: &Groupings, slice: &Slice) {
        let explained = groupings.members(slice);
        self.leaves.retain(|leaf| !explained.has(*leaf));
    }

    /// Those of the candidates that have half of their leaves, as far as they are left, in common with the slice; first
    /// those that have the very same leaves, which nothing here tells from it.
    pub(crate) fn alternates(
        &self,
        leaves: &Leaves,
        groupings: &Groupings,
        slice: &Slice,
        candidates: &[Scored],
    ) -> Vec<Scored> {
        let members = groupings.members(slice);
        let inside_count = self.leaves.iter().filter(|leaf| members.has(**leaf)).count();
        let (mut same, mut others) = (Vec::new(), Vec::new());
        for scored in candidates.iter().filter(|scored| scored.slice != *slice) {
            let other = groupings.members(&scored.slice);
            let in_other = self.leaves.iter().filter(|leaf| other.has(**leaf));
            let (all, shared) =
                in_other.fold((0, 0), |(all, shared), leaf| (all + 1, shared + usize::from(members.has(*leaf))));
            if shared == all && all == inside_count {
                same.push(*scored);
            } else if shared * 2 >= all || slice.is_within(leaves, &scored.slice) {
                others.push(*scored);
            }
        }
        same.append(&mut others);
        same.truncate(RANKED_MAX);
        same
    }
}
