//! What sets real values apart from expected ones, leaf by leaf.
//!
//! The noise of an expectation grows with what is expected, so a leaf's evidence is its relative deviation
//! d = 2 (real − expected) / (|real| + |expected|), and all leaves count alike. A cause moves all of its leaves the same
//! way (the ripple effect of HotSpot and Squeeze), so the log-likelihood that the mean of a slice is shifted, (Σz)² / 2n
//! with z = d/σ, is greatest for the slice that is the cause: a wider one dilutes it by leaves that did not move, a
//! narrower one has fewer. The greatest is taken, its leaves are taken out, and the next is judged on what is left
//! (expectation-based Gaussian scan, Neill 2009). σ is the median absolute deviation, so that causes do not hide
//! themselves by widening it.
//!
//! The noise of real forecasts has heavier tails than the normal distribution, and a slice of one leaf is nothing but
//! tail. Noise falls on both sides alike while a cause pulls one way: what the lighter side shows beyond the normal
//! quantiles is therefore noise, and both sides are shrunk by as much.

use statrs::function::erf::erfc_inv;

use super::choice::{Best, Choice, Choices, Left, Scored};
use super::groupings::Groupings;
use super::leaves::Leaves;
use crate::limits::{DEVIATION_MIN, EXPLANATIONS_MAX, RANKED_INSIGNIFICANT_MAX, RANKED_MAX};
use crate::workers::Stop;

/// Of each side of the noise, the part that is its tail: one in so many.
const TAIL: usize = 20;

/// `expected` is per leaf.
pub(crate) fn search(leaves: &Leaves, groupings: &Groupings, expected: &[f64], alpha: f64, stop: Stop<'_>) -> Choices {
    let deviations: Vec<Option<f64>> =
        leaves.parts.iter().zip(expected).map(|(parts, expected)| deviation(parts.a.value, *expected)).collect();
    let mut left = Left { leaves: (0..leaves.len()).filter(|leaf| deviations[*leaf].is_some()).collect() };
    let mut choices = Choices::default();
    while choices.explanations.len() < EXPLANATIONS_MAX && !left.leaves.is_empty() {
        if stop() && !choices.explanations.is_empty() {
            choices.stopped = true;
            break;
        }
        let z = evidence(&left, &deviations);
        let best = best(groupings, &left, &z);
        let Some(first) = best.slices.first().copied() else {
            break;
        };
        if first.q > alpha {
            choices.below = best.slices.into_iter().take(RANKED_INSIGNIFICANT_MAX).collect();
            break;
        }
        let alternates = left.alternates(leaves, groupings, &first.slice, &best.slices);
        left.explain_away(groupings, &first.slice);
        choices.explanations.push(Choice { chosen: first, alternates });
    }
    choices
}

/// From −2 to 2; none where there is nothing and nothing was expected.
fn deviation(real: f64, expected: f64) -> Option<f64> {
    let size = real.abs() + expected.abs();
    (size > 0.0).then(|| 2.0 * (real - expected) / size)
}

/// Per leaf left the deviation in units of the noise, with its tails shrunk to normal ones.
fn evidence(left: &Left, deviations: &[Option<f64>]) -> Vec<f64> {
    let of = |leaf: &usize| deviations[*leaf].unwrap_or(0.0);
    let mut sizes: Vec<f64> = left.leaves.iter().map(|leaf| of(leaf).abs()).collect();
    let middle = sizes.len() / 2;
    let median = *sizes.select_nth_unstable_by(middle, f64::total_cmp).1;
    let noise = (1.482_602_218_505_602 * median).max(DEVIATION_MIN);
    let mut z: Vec<f64> = left.leaves.iter().map(|leaf| of(leaf) / noise).collect();
    let tail = Tail::of(&z);
    z.iter_mut().for_each(|z| *z /= tail.excess(z.abs()));
    z
}

/// How far the lighter side reaches beyond a normal tail, by size, from the largest size down.
#[derive(Debug)]
struct Tail {
    sizes: Vec<f64>,
    excess: Vec<f64>,
}

impl Tail {
    fn of(z: &[f64]) -> Self {
        let side = |sign: f64| {
            let mut side: Vec<f64> = z.iter().map(|z| z * sign).filter(|z| *z > 0.0).collect();
            let tail = side.len() / TAIL;
            if tail > 0 && tail < side.len() {
                side.select_nth_unstable_by(tail, |x, y| y.total_cmp(x));
            }
            side.truncate(tail);
            side.sort_unstable_by(|x, y| y.total_cmp(x));
            side
        };
        let sizes: Vec<f64> = side(1.0).into_iter().zip(side(-1.0)).map(|(x, y)| x.min(y)).collect();
        let normal = |at: usize| std::f64::consts::SQRT_2 * erfc_inv((2 * at + 1) as f64 / z.len() as f64);
        let mut excess: Vec<f64> = sizes.iter().enumerate().map(|(at, size)| (size / normal(at)).max(1.0)).collect();
        // A larger deviation is never trusted more for being larger.
        (0..excess.len().saturating_sub(1)).rev().for_each(|at| excess[at] = excess[at].max(excess[at + 1]));
        Self { sizes, excess }
    }

    fn excess(&self, size: f64) -> f64 {
        let beyond = self.sizes.partition_point(|other| *other > size);
        match (beyond.checked_sub(1), self.sizes.get(beyond)) {
            (None, None) => 1.0,
            (None, Some(_)) => self.excess[0],
            (Some(_), None) => 1.0,
            (Some(above), Some(below)) => {
                let share = (size - below) / (self.sizes[above] - below).max(f64::MIN_POSITIVE);
                self.excess[beyond] + share * (self.excess[above] - self.excess[beyond])
            }
        }
    }
}

fn best(groupings: &Groupings, left: &Left, z: &[f64]) -> Best {
    let mut best = Best::new(2 * RANKED_MAX);
    let z: Vec<(f64, f64)> = z.iter().map(|z| (*z, 1.0)).collect();
    let all = groupings.sums(&left.leaves, &z, |sum, z| *sum = (sum.0 + z.0, sum.1 + z.1));
    for (grouping, sums) in groupings.all.iter().zip(&all) {
        let family = groupings.ln_family(grouping.order());
        for (group, (sum, leaves)) in sums.iter().enumerate().filter(|(_, (_, leaves))| *leaves > 0.0) {
            let score = sum * sum / (2.0 * leaves) - family;
            if score > best.least() {
                best.offer(Scored { slice: grouping.slice(group), score, q: (-score).exp().min(1.0) });
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deviations_are_relative_and_bounded() {
        for (real, expected, d) in [
            (3.0, 1.0, Some(1.0)),
            (0.0, 5.0, Some(-2.0)),
            (5.0, 0.0, Some(2.0)),
            (0.0, 0.0, None),
            (-1.0, 1.0, Some(-2.0)),
            (-3.0, -1.0, Some(-1.0)),
        ] {
            assert_eq!(deviation(real, expected), d, "{real} of {expected}");
        }
    }

    /// Uniform quantiles of a distribution with the tails of Student's t with four degrees of freedom, on both sides.
    #[test]
    fn tails_that_both_sides_have_are_shrunk_and_a_pull_to_one_side_is_not() {
        let half: Vec<f64> = (1..2_000).map(|at| (f64::from(at) / 4_000.0).powf(-0.25) - 0.5f64.powf(-0.25)).collect();
        let mut both: Vec<f64> = half.iter().copied().chain(half.iter().map(|z| -z)).collect();
        let most = half[0] * 1.5;
        let tail = Tail::of(&both);
        // The largest of 4,000 normal values is 3.7.
        assert!(most / tail.excess(most) < 1.5 * 3.7, "{most}");
        assert_eq!(tail.excess(0.01), 1.0);
        let normal: Vec<f64> =
            (0..2_000).map(|at| std::f64::consts::SQRT_2 * erfc_inv((2 * at + 1) as f64 / 4_000.0)).collect();
        both = normal.iter().copied().chain(normal.iter().map(|z| -z)).chain([30.0; 40]).collect();
        assert!(Tail::of(&both).excess(30.0) < 1.2, "{}", Tail::of(&both).excess(30.0));
    }
}
