//! The choice of explanations: a greedy cover of A in which every next one is judged on the rows that the former ones do
//! not explain, so that two independent causes are two answers and the shadows of a cause are none.
//!
//! The candidate with the greatest residual likelihood gain stands for the next cause. Before it is asserted it must
//! stand two tests. A shorter set takes its place when the longer adds nothing inside it. And a rival takes its place
//! when the two overlap and, inside the candidate, the rival still matters, while inside the rival the candidate does
//! not: the rival screens it off (Reichenbach 1956), so it is the closer cause. That is how the paths that are missing
//! come before the size that all error pages have, and a customer before his region. What is displaced competes again on
//! the rows that are left.

use std::collections::{HashMap, HashSet};

use crate::limits::{EXPLANATIONS_MAX, FOLDED_MAX, RANKED_INSIGNIFICANT_MAX, RIVALS_MAX, ROWS_MIN};
use crate::mine::{Found, Itemset};
use crate::population::{Counts, Population};

/// A chosen itemset, judged on the rows that were left when it was chosen.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    pub(crate) found: Found,
    pub(crate) score: f64,
    pub(crate) q: f64,
    /// Redundant to this one, best first.
    pub(crate) folded: Vec<Folded>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Folded {
    pub(crate) found: Found,
    pub(crate) score: f64,
    pub(crate) q: f64,
    /// The explanation with more items that change nothing. These come last: they are many and say the least.
    pub(crate) restates: bool,
}

impl Folded {
    /// Greater is better.
    pub(crate) fn rank(&self) -> (bool, i64) {
        (!self.restates, ordered(self.score))
    }
}

#[derive(Debug, Default)]
pub(crate) struct Cover {
    pub(crate) explanations: Vec<Choice>,
    /// Not significant, in the order in which they would have been chosen.
    pub(crate) below: Vec<Choice>,
    /// The design effect that the first explanation was judged with.
    pub(crate) deff: f64,
}

/// A candidate on the rows that are left.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    found: Found,
    a: u64,
    /// A lower bound until `exact`: counting B is what costs.
    b: u64,
    exact: bool,
}

impl Candidate {
    fn counts(&self) -> Counts {
        Counts { a: self.a, b: self.b }
    }

    fn order(&self) -> usize {
        self.found.set.order()
    }
}

/// What a candidate must be on the rows left to be chosen.
type Pass = fn(&Population<'_>, &Candidate) -> bool;

fn explains(left: &Population<'_>, candidate: &Candidate) -> bool {
    left.explains(candidate.order(), candidate.counts())
}

fn is_large(left: &Population<'_>, candidate: &Candidate) -> bool {
    left.is_large(candidate.counts())
}

struct Greedy<'a> {
    left: Population<'a>,
    candidates: Vec<Candidate>,
    index: HashMap<Itemset, usize>,
}

pub(crate) fn cover(all: &Population<'_>, found: &[Found]) -> Cover {
    let mut greedy = Greedy::new(all, found);
    let deff = greedy.left.deff;
    let mut explanations = Vec::new();
    while explanations.len() < EXPLANATIONS_MAX
        && let Some(choice) = greedy.next_explanation()
    {
        greedy.explain_away(&choice.found.set);
        explanations.push(choice);
    }
    drop_superseded(all, &mut explanations);
    fold(all, found, &mut explanations);
    let mut below = Vec::new();
    while below.len() < RANKED_INSIGNIFICANT_MAX
        && let Some(choice) = greedy.next_below()
    {
        greedy.explain_away(&choice.found.set);
        below.push(choice);
    }
    Cover { explanations, below, deff }
}

impl<'a> Greedy<'a> {
    fn new(all: &Population<'a>, found: &[Found]) -> Self {
        let candidate = |found: &Found| Candidate { found: *found, a: found.a, b: found.b, exact: true };
        let mut candidates: Vec<Candidate> = found.iter().map(candidate).collect();
        let gain = |candidate: &Candidate| all.score(candidate.order(), candidate.counts());
        candidates.sort_by_cached_key(|candidate| std::cmp::Reverse(ordered(gain(candidate))));
        let index = candidates.iter().enumerate().map(|(at, candidate)| (candidate.found.set, at)).collect();
        Self { left: all.restricted(all.a.clone(), all.b.clone()), candidates, index }
    }

    /// Exact counts of a candidate on the rows left.
    fn counts(&mut self, at: usize) -> Counts {
        if !self.candidates[at].exact {
            self.candidates[at].b = self.left.count_b(&self.candidates[at].found.set);
            self.candidates[at].exact = true;
        }
        self.candidates[at].counts()
    }

    /// Up to `limit` candidates that `pass`, by score. A candidate is counted only while its bound, the score that it
    /// would have with as few rows of B as possible, can still displace one.
    fn best(&mut self, limit: usize, floor: f64, pass: Pass) -> Vec<(f64, usize)> {
        let mut best: Vec<(f64, usize)> = Vec::with_capacity(limit + 1);
        for at in 0..self.candidates.len() {
            let candidate = self.candidates[at];
            if candidate.a < ROWS_MIN {
                continue;
            }
            let least = if best.len() == limit { best[limit - 1].0 } else { floor };
            let order = candidate.order();
            if self.left.score(order, candidate.counts()) <= least {
                continue;
            }
            let counts = self.counts(at);
            let score = self.left.score(order, counts);
            if score > least && pass(&self.left, &self.candidates[at]) {
                let place = best.partition_point(|(other, _)| *other >= score);
                best.insert(place, (score, at));
                best.truncate(limit);
            }
        }
        best
    }

    fn next_explanation(&mut self) -> Option<Choice> {
        let rivals = self.best(RIVALS_MAX, f64::NEG_INFINITY, explains);
        let mut at = self.shortest(rivals.first()?.1, explains);
        let mut displaced = HashSet::from([at]);
        while let Some(rival) = self.closer_cause(at, &rivals) {
            let rival = self.shortest(rival, explains);
            if !displaced.insert(rival) {
                break;
            }
            at = rival;
        }
        let counts = self.counts(at);
        Some(self.choice(at, counts))
    }

    fn next_below(&mut self) -> Option<Choice> {
        let (_, at) = *self.best(1, 0.0, is_large).first()?;
        let at = self.shortest(at, is_large);
        let counts = self.counts(at);
        Some(self.choice(at, counts))
    }

    fn choice(&self, at: usize, counts: Counts) -> Choice {
        let candidate = &self.candidates[at];
        let order = candidate.order();
        let (score, q) = (self.left.score(order, counts), self.left.q(order, counts));
        Choice { found: candidate.found, score, q, folded: Vec::new() }
    }

    /// The part of a set that it adds nothing to, as short as can be; the set itself when all of it is needed.
    fn shortest(&mut self, at: usize, pass: Pass) -> usize {
        let set = self.candidates[at].found.set;
        let own = self.counts(at);
        let parts: Vec<usize> = set.proper_parts().filter_map(|part| self.index.get(&part).copied()).collect();
        let mut best: Option<(f64, usize)> = None;
        for part in parts {
            let counts = self.counts(part);
            let order = self.candidates[part].order();
            let score = self.left.score(order, counts);
            // Which single item to add was a choice among as many hypotheses as a search of order one.
            let superfluous = !self.left.matters_within(1, own, counts);
            if superfluous && pass(&self.left, &self.candidates[part]) && best.is_none_or(|(other, _)| score > other) {
                best = Some((score, part));
            }
        }
        match best {
            Some((_, part)) => self.shortest(part, pass),
            None => at,
        }
    }

    /// The best of the rivals that screens the candidate off.
    fn closer_cause(&mut self, at: usize, rivals: &[(f64, usize)]) -> Option<usize> {
        let set = self.candidates[at].found.set;
        let own = self.counts(at);
        rivals.iter().map(|(_, rival)| *rival).find(|rival| {
            let other = self.candidates[*rival].found.set;
            if other.items().any(|item| set.contains(item)) {
                return false;
            }
            let rows = self.candidates[*rival].counts();
            let joint = self.left.joint(&set, &other);
            self.left.matters_within(other.order(), joint, own) && self.left.adds_nothing_within(joint, rows)
        })
    }

    /// Takes the set's rows out of what is left to explain.
    fn explain_away(&mut self, set: &Itemset) {
        let rows_b = self.left.rows_b;
        self.left = self.left.without([set]);
        let gone_b = rows_b - self.left.rows_b;
        for candidate in &mut self.candidates {
            if candidate.a < ROWS_MIN {
                continue;
            }
            candidate.a = self.left.count_a(&candidate.found.set);
            candidate.b = candidate.b.saturating_sub(gone_b);
            candidate.exact &= gone_b == 0;
        }
    }
}

/// Takes back what later choices have made a shadow: nothing is left of it outside of the others' rows, and among their
/// rows it makes no difference. The second half keeps a path that is missing beside the size of all error pages.
fn drop_superseded(all: &Population<'_>, explanations: &mut Vec<Choice>) {
    for at in (0..explanations.len()).rev() {
        let set = explanations[at].found.set;
        let others = explanations.iter().enumerate().filter(|(other, _)| *other != at);
        let alone = all.without(others.map(|(_, choice)| &choice.found.set));
        let outside = alone.counts(&set);
        if alone.explains(set.order(), outside) {
            continue;
        }
        let of_others = Counts { a: all.rows_a - alone.rows_a, b: all.rows_b - alone.rows_b };
        let own = explanations[at].found;
        let among_others = Counts { a: own.a - outside.a, b: own.b - outside.b };
        if all.adds_nothing_within(among_others, of_others) {
            explanations.remove(at);
        }
    }
}

/// Puts every other significant itemset under the explanation that covers most of its anomalous rows.
fn fold(all: &Population<'_>, found: &[Found], explanations: &mut [Choice]) {
    if explanations.is_empty() {
        return;
    }
    let chosen: HashSet<Itemset> = explanations.iter().map(|choice| choice.found.set).collect();
    let counts = |found: &Found| Counts { a: found.a, b: found.b };
    let mut redundant: Vec<(f64, Found)> = found
        .iter()
        .filter(|found| !chosen.contains(&found.set) && all.explains(found.set.order(), counts(found)))
        .map(|found| (all.score(found.set.order(), counts(found)), *found))
        .collect();
    redundant.sort_by(|x, y| y.0.total_cmp(&x.0));
    redundant.truncate(FOLDED_MAX);
    let rows: Vec<_> = explanations.iter().map(|choice| all.rows(&choice.found.set, |item| &item.a)).collect();
    for (score, found) in redundant {
        let own = all.rows(&found.set, |item| &item.a);
        let shared = rows.iter().map(|rows| rows.count_and(&own));
        if let Some((at, _)) = shared.enumerate().max_by_key(|(at, shared)| (*shared, std::cmp::Reverse(*at))) {
            let parent = &mut explanations[at];
            let extends = parent.found.set.items().all(|item| found.set.contains(item));
            let restates = extends && all.adds_nothing_within(counts(&found), counts(&parent.found));
            let q = all.q(found.set.order(), counts(&found));
            parent.folded.push(Folded { found, score, q, restates });
        }
    }
    explanations.iter_mut().for_each(|choice| choice.folded.sort_by_key(|folded| std::cmp::Reverse(folded.rank())));
}

/// A float in the order of its value, as an integer that can be compared.
fn ordered(value: f64) -> i64 {
    let bits = value.to_bits().cast_signed();
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}
