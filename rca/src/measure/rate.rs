//! What made a ratio (failures over requests, stalled viewers over viewers) differ between slice A and slice B.
//!
//! Two likelihoods are asked about every slice, because each is blind to what the other sees. The pooled one
//! (expectation-based binomial scan) compares the rate inside with the rate that the slice had in B, raised by as much as
//! the rest of the world rose: it knows how much is explained, but one busy leaf decides it. The other, [`Ripple`], asks
//! whether the leaves of the slice moved together. The geometric mean of the two ranks.
//!
//! Causes come one after the other, each judged on the leaves that the former ones leave. Values of one dimension that
//! failed together (two bit rates, three hosts) would hide each other in the pooled likelihood, each being part of the
//! other's rest of the world; so the best unions of siblings compete too, by the sum of their parts' likelihoods. By the
//! linear-time subset property of such scans (Neill 2012) adding one sibling after the other finds the best union.

use std::collections::HashSet;

use statrs::function::erf::erfc;

use super::choice::{Best, Choice, Choices, Left, Scored};
use super::groupings::{Groupings, Slice};
use super::leaves::{Leaves, Parts};
use super::ripple::{Count, Lean, Ripple};
use crate::input::Options;
use crate::limits::{EXPLANATIONS_MAX, RANKED_MAX, ROWS_MIN, SCANNED_SLICES_MAX};
use crate::workers::Stop;

/// Weight of B at which a slice's own rate counts as much as that of all rows.
const OWN_RATE_WEIGHT: f64 = 20.0;

/// The same for one value of a dimension.
const VALUE_RATE_WEIGHT: f64 = 50.0;

/// What an explanation explains of the deviation at least: less would not be missed.
const CONTRIBUTION_MIN: f64 = 0.1;

/// A union replaces its best part when the product of its likelihoods is e times as large.
const UNION_GAIN_MIN: f64 = 1.0;

/// Covers that are looked for, each with the first explanations of the former ones ruled out: the one that is asserted, and
/// what a person looks at next who knows better.
const COVERS_MAX: usize = 4;

/// Slices that are tried as the first part of a union, and slices that are kept to be its other parts.
const UNION_SEEDS: usize = 60;

#[derive(Debug)]
pub(crate) struct Rates<'a> {
    leaves: &'a Leaves,
    groupings: &'a Groupings,
    options: &'a Options,
    /// What each leaf of A would have with the rates of B.
    pub(crate) expected: Vec<f64>,
    pub(crate) lean: Lean,
    ripple: Ripple,
    /// What all leaves together have more than expected.
    deviation: f64,
    /// True when the measure counts some of what its denominator counts.
    is_share: bool,
}

/// A slice's gains in likelihood.
#[derive(Debug, Clone, Copy)]
struct Gains {
    pooled: f64,
    ripple: f64,
}

impl Gains {
    /// Of their product the logarithm.
    fn score(self, length_cost: f64) -> f64 {
        (self.ripple - length_cost).max(1e-9).ln() + self.pooled.max(1e-9).ln()
    }
}

impl<'a> Rates<'a> {
    pub(crate) fn new(leaves: &'a Leaves, groupings: &'a Groupings, options: &'a Options) -> Self {
        let expected = expected(leaves);
        let deviation: f64 = leaves.parts.iter().zip(&expected).map(|(parts, expected)| parts.a.value - expected).sum();
        let lean = if deviation >= 0.0 { Lean::Up } else { Lean::Down };
        let counts: Vec<Count> = leaves
            .parts
            .iter()
            .zip(&expected)
            .map(|(parts, expected)| Count { actual: parts.a.value, expected: *expected })
            .collect();
        let is_share =
            leaves.parts.iter().all(|parts| parts.a.value <= parts.a.weight && parts.b.value <= parts.b.weight);
        Self { leaves, groupings, options, expected, lean, ripple: Ripple::of(&counts, lean), deviation, is_share }
    }

    pub(crate) fn search(&self, stop: Stop<'_>) -> Choices {
        let with_rows = |leaf: &usize| self.leaves.parts[*leaf].a.weight > 0.0;
        let left = Left { leaves: (0..self.leaves.len()).filter(with_rows).collect() };
        let mut round = self.round(&left);
        let mut ruled_out = Vec::new();
        let mut choices = self.cover(&left, &round, &ruled_out, stop);
        let mut first = choices.explanations.first().map(|choice| choice.chosen.slice);
        while let Some(slice) = first
            && ruled_out.len() + 1 < COVERS_MAX
            && !stop()
        {
            ruled_out.push(slice);
            round.rule_out(&ruled_out);
            let other = self.cover(&left, &round, &ruled_out, stop);
            first = other.explanations.first().map(|choice| choice.chosen.slice);
            choices.otherwise.extend(other.explanations.into_iter().map(|choice| choice.chosen));
        }
        choices
    }

    /// Causes one after the other, none of them ruled out. `first` is what competes for being the first of them.
    fn cover(&self, left: &Left, first: &Round, ruled_out: &[Slice], stop: Stop<'_>) -> Choices {
        let mut left = left.clone();
        let mut choices = Choices::default();
        let mut later: Option<Round> = None;
        while choices.explanations.len() < EXPLANATIONS_MAX {
            if stop() && !choices.explanations.is_empty() {
                choices.stopped = true;
                break;
            }
            let round = later.as_ref().unwrap_or(first);
            let union = self.union(&left, round);
            let passing: Vec<Scored> = union
                .into_iter()
                .map(|at| &round.rivals[at])
                .filter(|rival| self.explains(round, rival))
                .map(|rival| rival.scored)
                .collect();
            let ranked = round.rivals.iter().map(|rival| rival.scored);
            if passing.is_empty() {
                choices.below = ranked.take(RANKED_MAX).collect();
                break;
            }
            let is_other = |scored: &Scored| passing.iter().all(|chosen| chosen.slice != scored.slice);
            let others: Vec<Scored> = ranked.filter(is_other).collect();
            for chosen in passing {
                let alternates = left.alternates(self.leaves, self.groupings, &chosen.slice, &others);
                left.explain_away(self.groupings, &chosen.slice);
                choices.explanations.push(Choice { chosen, alternates });
            }
            let mut next = self.round(&left);
            next.rule_out(ruled_out);
            later = Some(next);
        }
        choices
    }

    /// The part of the whole deviation that leaves have.
    pub(crate) fn contribution(&self, leaves: &[usize]) -> f64 {
        let deviation = |leaf: &usize| self.leaves.parts[*leaf].a.value - self.expected[*leaf];
        leaves.iter().map(deviation).sum::<f64>() / self.deviation
    }

    /// The slices worth a closer look on the leaves left, by score.
    fn round(&self, left: &Left) -> Round {
        let total = self.leaves.sum(left.leaves.iter().copied());
        let mut pooled = Best::new(SCANNED_SLICES_MAX);
        // Siblings that failed together hide each other in the inflation of the rest, so some are kept that have none.
        let mut alone = Best::new(UNION_SEEDS);
        let parts: Vec<Parts> = left.leaves.iter().map(|leaf| self.leaves.parts[*leaf]).collect();
        let all = self.groupings.sums(&left.leaves, &parts, Parts::add);
        for (grouping, sums) in self.groupings.all.iter().zip(&all) {
            for (group, inside) in sums.iter().enumerate() {
                let inflated = self.pooled(inside, &total, self.inflation(inside, &total));
                let slice = grouping.slice(group);
                if inflated > 0.0 && inflated > pooled.least() {
                    pooled.offer(Scored { slice, score: inflated, q: 1.0 });
                }
                let gain = self.pooled(inside, &total, 1.0);
                if gain > 0.0 && gain > alone.least() {
                    alone.offer(Scored { slice, score: gain, q: 1.0 });
                }
            }
        }
        let mut slices: Vec<Slice> = pooled.slices.iter().chain(&alone.slices).map(|scored| scored.slice).collect();
        let mut seen = HashSet::new();
        slices.retain(|slice| seen.insert(*slice));
        let mut rivals: Vec<Rival> = slices.into_iter().filter_map(|slice| self.rival(left, &total, slice)).collect();
        rivals.sort_by(|x, y| y.scored.score.total_cmp(&x.scored.score));
        Round { total, rivals }
    }

    fn rival(&self, left: &Left, total: &Parts, slice: Slice) -> Option<Rival> {
        let members = self.groupings.members(&slice);
        let leaves: Vec<usize> = left.leaves.iter().copied().filter(|leaf| members.has(*leaf)).collect();
        let inside = self.leaves.sum(leaves.iter().copied());
        let pooled = self.pooled(&inside, total, self.inflation(&inside, total));
        let ripple = self.ripple.evidence(&left.leaves, &[&leaves]);
        Some(Rival { scored: self.scored(slice, Gains { pooled, ripple })?, leaves, inside, pooled })
    }

    /// None for a slice whose leaves are explained worse than by nothing.
    fn scored(&self, slice: Slice, gains: Gains) -> Option<Scored> {
        let cost = self.length_cost(&slice);
        let q = erfc(gains.ripple.max(0.0).sqrt()) * self.groupings.ln_family(slice.order()).exp();
        (gains.ripple > cost).then(|| Scored { slice, score: gains.score(cost), q: q.min(1.0) })
    }

    fn length_cost(&self, slice: &Slice) -> f64 {
        let slices = self.groupings.counts[slice.order() - 1].max(2);
        0.25 * slice.order() as f64 * (slices as f64).ln()
    }

    /// How much more (or less, as the deviation leans) the rest has than in B.
    fn inflation(&self, inside: &Parts, total: &Parts) -> f64 {
        let rest = |of: fn(&Parts) -> f64| of(total) - of(inside);
        let (a, b) = (rest(|parts| parts.a.value), rest(|parts| parts.b.value));
        let (weight_a, weight_b) = (rest(|parts| parts.a.weight), rest(|parts| parts.b.weight));
        if weight_a <= 0.0 || weight_b <= 0.0 || b <= 0.0 {
            return 1.0;
        }
        let inflation = (a / weight_a) / (b / weight_b);
        if self.lean == Lean::Up { inflation.max(1.0) } else { inflation.min(1.0) }
    }

    /// Log-likelihood of the slice's own rate over that of B times the inflation; zero when it leans the other way.
    fn pooled(&self, inside: &Parts, total: &Parts, inflation: f64) -> f64 {
        let (value, weight) = (inside.a.value, inside.a.weight);
        let rate = rate_b(inside, total) * inflation;
        let expected = rate * weight;
        let (more, enough) = match self.lean {
            Lean::Up => (value > expected, value >= ROWS_MIN as f64),
            Lean::Down => (value < expected, expected >= ROWS_MIN as f64),
        };
        if weight <= 0.0 || !more || !enough {
            return 0.0;
        }
        let hits = if value > 0.0 { value * (value / expected).ln() } else { 0.0 };
        if !self.is_share {
            return hits - (value - expected);
        }
        let misses = weight - value;
        let rate = rate.min(0.999);
        hits + if misses > 0.0 { misses * (misses / (weight * (1.0 - rate))).ln() } else { 0.0 }
    }

    /// The best slice, or the best union of it and its siblings.
    fn union(&self, left: &Left, round: &Round) -> Vec<usize> {
        let Some(first) = round.rivals.first() else {
            return Vec::new();
        };
        let (mut best, mut score) = (vec![0], first.scored.score + UNION_GAIN_MIN);
        for seed in 0..round.rivals.len().min(UNION_SEEDS) {
            let (mut union, mut own) = (vec![seed], round.rivals[seed].scored.score);
            while let Some((sibling, grown)) = self.best_sibling(left, round, &union)
                && grown > own + UNION_GAIN_MIN
            {
                union.push(sibling);
                own = grown;
            }
            if union.len() > 1 && own > score {
                (best, score) = (union, own);
            }
        }
        best.sort_unstable();
        best
    }

    fn best_sibling(&self, left: &Left, round: &Round, union: &[usize]) -> Option<(usize, f64)> {
        let slice = |at: usize| round.rivals[at].scored.slice;
        let fits = |at: &usize| union.iter().all(|part| slice(*part).is_sibling(self.leaves, &slice(*at)));
        let grown = |at: usize| {
            let parts: Vec<&Rival> = union.iter().chain([&at]).map(|part| &round.rivals[*part]).collect();
            (at, self.joint_score(left, &round.total, &parts))
        };
        (0..round.rivals.len()).filter(fits).map(grown).max_by(|x, y| x.1.total_cmp(&y.1))
    }

    /// The score of disjoint slices as one cause: what is outside of all of them is the rest of the world.
    fn joint_score(&self, left: &Left, total: &Parts, parts: &[&Rival]) -> f64 {
        let mut all = Parts::default();
        parts.iter().for_each(|part| all.add(&part.inside));
        let inflation = self.inflation(&all, total);
        let pooled = parts.iter().map(|part| self.pooled(&part.inside, total, inflation)).sum();
        let leaves: Vec<&[usize]> = parts.iter().map(|part| part.leaves.as_slice()).collect();
        let ripple = self.ripple.evidence(&left.leaves, &leaves);
        Gains { pooled, ripple }.score(parts.iter().map(|part| self.length_cost(&part.scored.slice)).sum())
    }

    /// Significant, large enough, likelier than a rise of all, and not a trifle of the whole beside what is explained.
    fn explains(&self, round: &Round, rival: &Rival) -> bool {
        let Rival { scored, leaves, inside, pooled } = rival;
        let ratio = (inside.a.value / inside.a.weight) / rate_b(inside, &round.total);
        let factor = if self.lean == Lean::Up { ratio } else { 1.0 / ratio };
        scored.q <= self.options.alpha
            && factor >= self.options.min_ratio
            && *pooled > 0.0
            && self.contribution(leaves) >= CONTRIBUTION_MIN
    }
}

/// The leaves left, and the slices that compete for explaining them, best first.
#[derive(Debug)]
struct Round {
    total: Parts,
    rivals: Vec<Rival>,
}

impl Round {
    fn rule_out(&mut self, slices: &[Slice]) {
        self.rivals.retain(|rival| !slices.contains(&rival.scored.slice));
    }
}

#[derive(Debug)]
struct Rival {
    scored: Scored,
    leaves: Vec<usize>,
    inside: Parts,
    /// Log-likelihood over a world in which all rose alike.
    pooled: f64,
}

/// The slice's rate in B, shrunk towards that of all rows as far as it has few.
fn rate_b(inside: &Parts, total: &Parts) -> f64 {
    // Half a count where B has none: a rate of nothing would make every ratio infinite.
    let all = (total.b.value / total.b.weight.max(f64::MIN_POSITIVE)).max(0.5 / (total.b.weight + 1.0));
    (inside.b.value + OWN_RATE_WEIGHT * all) / (inside.b.weight + OWN_RATE_WEIGHT)
}

/// What each leaf of A would have with its rate in B, shrunk towards the product of its values' effects. An effect is what
/// the effects before it leave unexplained (iterative proportional fitting): of a service, its host and its version, which
/// go together, only the first multiplies.
fn expected(leaves: &Leaves) -> Vec<f64> {
    let total = leaves.total().b;
    let all = (total.value + 0.5) / (total.weight + 1.0);
    let mut rates = vec![all; leaves.len()];
    let sweeps = leaves.dimensions.iter().chain(&leaves.dimensions);
    for dimension in sweeps {
        let mut sums = vec![(0.0, 0.0); dimension.values.len()];
        for ((code, parts), rate) in dimension.codes.iter().zip(&leaves.parts).zip(&rates) {
            let sum = &mut sums[*code as usize];
            *sum = (sum.0 + parts.b.value, sum.1 + parts.b.weight * rate);
        }
        for (rate, code) in rates.iter_mut().zip(&dimension.codes) {
            let (value, fitted) = sums[*code as usize];
            *rate *= (value + VALUE_RATE_WEIGHT * all) / (fitted + VALUE_RATE_WEIGHT * all);
        }
    }
    let of_leaf = |(parts, rate): (&Parts, f64)| {
        let rate = rate.clamp(all / 30.0, (all * 30.0).max(f64::MIN_POSITIVE));
        let own = (parts.b.value + OWN_RATE_WEIGHT * rate) / (parts.b.weight + OWN_RATE_WEIGHT);
        parts.a.weight * own
    };
    leaves.parts.iter().zip(rates).map(of_leaf).collect()
}

#[cfg(test)]
mod tests;
