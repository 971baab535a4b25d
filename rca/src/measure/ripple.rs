//! How well a slice explains its leaves one by one, with counts that are noisier than chance.
//!
//! A leaf's count is taken for negative binomial around what was expected of it, with one dispersion for all leaves. A
//! slice is a cause when its leaves are better explained by k times their expectation. Because of the dispersion a leaf
//! with a hundred times the traffic has not a hundred times the say: each votes about once, as far as it has counts at
//! all. That is what a pooled likelihood lacks, which a busy leaf decides alone, so that the busiest part of a cause
//! passes for the cause.

use statrs::function::gamma::ln_gamma;

use crate::limits::RIPPLE_LEAVES_MAX;

/// Dispersions r (variance = mean + mean² / r) from wild to nearly Poisson.
const DISPERSIONS: [f64; 7] = [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 64.0];

/// Factors of the expectation that are tried.
const FACTORS: usize = 24;

/// The smallest and the largest of them; for rates that fell, their inverses.
const FACTOR_RANGE: (f64, f64) = (1.2, 100.0);

const CELLS: usize = DISPERSIONS.len() * FACTORS;

/// Log-likelihood gains per leaf for every dispersion and factor, and of all leaves without a cause per dispersion.
#[derive(Debug)]
pub(crate) struct Ripple {
    gains: Vec<[f64; CELLS]>,
    calm: Vec<[f64; DISPERSIONS.len()]>,
    /// Every so many-th leaf is looked at, and stands for the others: with as many as that, single leaves say little.
    stride: usize,
}

/// A count and what was expected of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Count {
    pub(crate) actual: f64,
    pub(crate) expected: f64,
}

/// Whether the causes raise the measure or lower it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lean {
    Up,
    Down,
}

impl Ripple {
    pub(crate) fn of(counts: &[Count], lean: Lean) -> Self {
        let factors = factors(lean);
        let gains = |count: &Count| {
            let mut gains = [0.0; CELLS];
            for (r, gains) in DISPERSIONS.iter().zip(gains.chunks_exact_mut(FACTORS)) {
                let Count { actual, expected } = *count;
                for (factor, gain) in factors.iter().zip(gains) {
                    *gain = actual * factor.ln() + (actual + r) * ((r + expected) / (r + factor * expected)).ln();
                }
            }
            gains
        };
        let stride = counts.len().div_ceil(RIPPLE_LEAVES_MAX).max(1);
        let looked_at = || counts.iter().step_by(stride);
        Self { gains: looked_at().map(gains).collect(), calm: looked_at().map(calm).collect(), stride }
    }

    /// Log-likelihood that the parts, each with a factor of its own, bring over no cause at all among `all`.
    pub(crate) fn evidence(&self, all: &[usize], parts: &[&[usize]]) -> f64 {
        let mut calm = [0.0; DISPERSIONS.len()];
        for leaf in self.looked_at(all) {
            calm.iter_mut().zip(&self.calm[leaf]).for_each(|(sum, of)| *sum += of);
        }
        let mut with_causes = calm;
        for part in parts {
            let mut gains = [0.0; CELLS];
            for leaf in self.looked_at(part) {
                gains.iter_mut().zip(&self.gains[leaf]).for_each(|(sum, of)| *sum += of);
            }
            for (sum, gains) in with_causes.iter_mut().zip(gains.chunks_exact(FACTORS)) {
                *sum += gains.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            }
        }
        let most = |sums: [f64; DISPERSIONS.len()]| sums.into_iter().fold(f64::NEG_INFINITY, f64::max);
        self.stride as f64 * (most(with_causes) - most(calm))
    }

    fn looked_at(&self, leaves: &[usize]) -> impl Iterator<Item = usize> {
        leaves.iter().filter(|leaf| leaf.is_multiple_of(self.stride)).map(|leaf| leaf / self.stride)
    }
}

fn factors(lean: Lean) -> [f64; FACTORS] {
    let (least, most) = FACTOR_RANGE;
    std::array::from_fn(|at| {
        let factor = least * (most / least).powf(at as f64 / (FACTORS - 1) as f64);
        if lean == Lean::Up { factor } else { 1.0 / factor }
    })
}

fn calm(count: &Count) -> [f64; DISPERSIONS.len()] {
    DISPERSIONS.map(|r| {
        let Count { actual, expected } = *count;
        let ways = ln_gamma(actual + r) - ln_gamma(r) - ln_gamma(actual + 1.0);
        let hits = if actual > 0.0 { actual * (expected / (r + expected)).ln() } else { 0.0 };
        ways + r * (r / (r + expected)).ln() + hits
    })
}

#[cfg(test)]
mod tests {
    use statrs::distribution::{Discrete, NegativeBinomial};

    use super::*;

    /// The oracle is the distribution itself, evaluated at every dispersion and factor.
    #[test]
    fn evidence_is_the_likelihood_ratio_of_the_distribution() {
        let counts = [(3.0, 2.5), (40.0, 3.0), (0.0, 0.4), (25.0, 4.0), (7.0, 8.0)];
        let counts = counts.map(|(actual, expected)| Count { actual, expected });
        for (lean, part) in [(Lean::Up, vec![1, 3]), (Lean::Down, vec![2, 4])] {
            let ln = |r: f64, leaf: usize, factor: f64| {
                let mean = counts[leaf].expected * factor;
                NegativeBinomial::new(r, r / (r + mean)).unwrap().ln_pmf(counts[leaf].actual as u64)
            };
            let sum = |r: f64, factor: f64| -> f64 {
                (0..counts.len()).map(|leaf| ln(r, leaf, if part.contains(&leaf) { factor } else { 1.0 })).sum()
            };
            let calm = DISPERSIONS.iter().map(|r| sum(*r, 1.0)).fold(f64::NEG_INFINITY, f64::max);
            let each = DISPERSIONS.iter().flat_map(|r| factors(lean).map(|factor| sum(*r, factor)));
            let expected = each.fold(f64::NEG_INFINITY, f64::max) - calm;
            let evidence = Ripple::of(&counts, lean).evidence(&[0, 1, 2, 3, 4], &[&part]);
            assert!((evidence - expected).abs() < 1e-9, "{evidence} {expected}");
        }
    }
}
