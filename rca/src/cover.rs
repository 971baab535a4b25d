//! The choice of explanations: a greedy cover of A in which every next one is judged on the rows that the former ones do
//! not explain, so that two independent causes are two answers and the shadows of a cause are none.
//!
//! The candidate with the greatest residual likelihood gain stands for the next cause. Before it is asserted it must
//! stand two tests. A shorter set takes its place when the longer adds nothing inside it. And a rival takes its place
//! when the two overlap and, inside the candidate, the rival still matters, while inside the rival the candidate does
//! not: the rival screens it off (Reichenbach 1956), so it is the closer cause. That is how the paths that are missing
//! come before the size that all error pages have, and a customer before his region. What is displaced competes again on
//! the rows that are left.

use std::collections::HashSet;

use crate::itemset::{Found, Itemset};
use crate::limits::{EXPLANATIONS_MAX, RANKED_INSIGNIFICANT_MAX, RIVALS_MAX};
use crate::mine::Mined;
use crate::population::{Counts, Population, RowSet, ordered};

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

#[derive(Debug)]
pub(crate) struct Cover<'r> {
    pub(crate) explanations: Vec<Choice>,
    /// Not significant, in the order in which they would have been chosen.
    pub(crate) below: Vec<Choice>,
    /// All rows, as the first explanation was judged on them.
    pub(crate) all: Population<'r>,
    /// The rows that no explanation has, as the search ended on them.
    pub(crate) left: Population<'r>,
    /// Itemsets frequent in A, per order from 1.
    pub(crate) counted: Vec<u64>,
    /// What is longer than was searched has at most so many rows of A.
    pub(crate) rows_of_longer_max: u64,
    pub(crate) cuts: Vec<String>,
}

/// What a candidate must be on the rows left to be chosen.
type Pass = fn(&Population<'_>, &Found) -> bool;

fn explains(left: &Population<'_>, found: &Found) -> bool {
    left.explains(found.set.order(), found.counts())
}

fn is_worth_reporting(left: &Population<'_>, found: &Found) -> bool {
    left.is_worth_reporting(found.set.order(), found.counts())
}

/// Searches the rows that are left, explains the most of them by one set, and begins again on the rest: a cause that a
/// greater one outshines is frequent in what the greater one leaves. `search` gives the population of some rows and the
/// best sets in it; sets found in one population are sets of every later one.
pub(crate) fn cover<'r>(rows: RowSet, mut search: impl FnMut(RowSet) -> (Population<'r>, Mined)) -> Cover<'r> {
    let (mut explanations, mut counted, mut cuts): (Vec<Choice>, Vec<u64>, Vec<String>) = Default::default();
    let mut seen: HashSet<Itemset> = HashSet::new();
    let (mut left, mut mined) = search(rows);
    let first = left.without([]);
    let rows_of_longer_max = mined.rows_of_longer_max;
    loop {
        // The first search says how much was looked at; any may have been cut.
        if counted.is_empty() {
            counted.clone_from(&mined.counted);
        }
        cuts.extend(mined.cuts.iter().filter(|cut| !cuts.contains(cut)).cloned().collect::<Vec<_>>());
        seen.extend(mined.found.iter().filter(|found| explains(&left, found)).take(RIVALS_MAX).map(|found| found.set));
        let next = (explanations.len() < EXPLANATIONS_MAX).then(|| next_explanation(&left, &mined.found)).flatten();
        let Some(choice) = next else {
            break;
        };
        left = left.without([&choice.found.set]);
        explanations.push(choice);
        if left.rows_a == 0 || left.rows_b == 0 {
            break;
        }
        (left, mined) = search(left.rows);
    }
    // The tests are those of the whole; the items, all that any population had.
    let all = Population { items: left.items.clone(), ..first };
    for choice in &mut explanations {
        choice.found = all.counted(choice.found.set);
    }
    // What is rarer in A than in B, taken over all rows, is what others left over and no cause.
    explanations.retain(|choice| all.leans_to_a(choice.found.counts()));
    drop_superseded(&all, &mut explanations);
    fold(&all, seen, &mut explanations);
    let below = below(&all, &left, mined.found);
    Cover { explanations, below, all, left, counted, rows_of_longer_max, cuts }
}

/// `found` is best first.
fn next_explanation(left: &Population<'_>, found: &[Found]) -> Option<Choice> {
    let rivals: Vec<Found> = found.iter().filter(|found| explains(left, found)).take(RIVALS_MAX).copied().collect();
    let mut at = shortest(left, *rivals.first()?, explains);
    let mut displaced = HashSet::from([at.set]);
    while let Some(rival) = closer_cause(left, &at, &rivals) {
        let rival = shortest(left, rival, explains);
        if !displaced.insert(rival.set) {
            break;
        }
        at = rival;
    }
    Some(choice(left, at))
}

/// What would be chosen next if significance were not asked for.
fn below(all: &Population<'_>, left: &Population<'_>, mut found: Vec<Found>) -> Vec<Choice> {
    let mut below: Vec<Choice> = Vec::new();
    let mut left = left.without([]);
    found.truncate(RIVALS_MAX);
    while below.len() < RANKED_INSIGNIFICANT_MAX
        && left.rows_a > 0
        && left.rows_b > 0
        && let Some(best) = found.iter().max_by_key(|found| ordered(left.score(found.set.order(), found.counts())))
        && is_worth_reporting(&left, best)
    {
        let next = choice(&left, shortest(&left, *best, is_worth_reporting));
        left = left.without([&next.found.set]);
        found.iter_mut().for_each(|found| *found = left.counted(found.set));
        below.push(Choice { found: all.counted(next.found.set), ..next });
    }
    below
}

fn choice(left: &Population<'_>, found: Found) -> Choice {
    let order = found.set.order();
    let (score, q) = (left.score(order, found.counts()), left.q(order, found.counts()));
    Choice { found, score, q, folded: Vec::new() }
}

/// The part of a set that it adds nothing to, as short as can be; the set itself when all of it is needed.
fn shortest(left: &Population<'_>, whole: Found, pass: Pass) -> Found {
    // Which single item to add was a choice among as many hypotheses as a search of order one.
    let superfluous = |part: &Found| !left.matters_within(1, whole.counts(), part.counts());
    let parts =
        whole.set.proper_parts().map(|part| left.counted(part)).filter(|part| superfluous(part) && pass(left, part));
    match parts.max_by_key(|part| ordered(left.score(part.set.order(), part.counts()))) {
        Some(part) => shortest(left, part, pass),
        None => whole,
    }
}

/// The best of the rivals that screens the candidate off.
fn closer_cause(left: &Population<'_>, at: &Found, rivals: &[Found]) -> Option<Found> {
    let screens = |rival: &&Found| {
        if rival.set.items().any(|item| at.set.contains(item)) {
            return false;
        }
        let joint = left.joint(&at.set, &rival.set);
        left.matters_within(rival.set.order(), joint, at.counts()) && left.adds_nothing_within(joint, rival.counts())
    };
    rivals.iter().find(screens).copied()
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

/// Puts the other itemsets that would have explained something under the explanation that covers most of their
/// anomalous rows.
fn fold(all: &Population<'_>, seen: HashSet<Itemset>, explanations: &mut [Choice]) {
    let chosen: HashSet<Itemset> = explanations.iter().map(|choice| choice.found.set).collect();
    let rows: Vec<_> = explanations.iter().map(|choice| all.rows_of(&choice.found.set, |item| &item.a)).collect();
    for set in seen.into_iter().filter(|set| !chosen.contains(set)) {
        let found = all.counted(set);
        let own = all.rows_of(&set, |item| &item.a);
        let shared = rows.iter().map(|rows| rows.count_and(&own));
        if let Some((at, _)) = shared.enumerate().max_by_key(|(at, shared)| (*shared, std::cmp::Reverse(*at))) {
            let parent = &mut explanations[at];
            let extends = parent.found.set.items().all(|item| found.set.contains(item));
            let restates = extends && all.adds_nothing_within(found.counts(), parent.found.counts());
            let order = found.set.order();
            let (score, q) = (all.score(order, found.counts()), all.q(order, found.counts()));
            parent.folded.push(Folded { found, score, q, restates });
        }
    }
    let rank = |folded: &Folded| (std::cmp::Reverse(folded.rank()), folded.found.set);
    explanations.iter_mut().for_each(|choice| choice.folded.sort_by_key(rank));
}
