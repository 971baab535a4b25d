//! A random sample of B, which rejects at a glance what does not separate.
//!
//! Most itemsets that are frequent in A are as frequent in B, and to see that a sixteenth of B will do. A set is rejected
//! when even the least count in B that the sample leaves plausible would sink it. "Plausible" is a probability of one in
//! a million (Bernstein's inequality, which holds without replacement; Hoeffding 1963): so often is an explanation
//! overlooked that is one. What is not rejected is counted in all of B: no number in a report comes from the sample.

use crate::limits::SAMPLE_ROWS_MIN;

/// Natural logarithm of the million.
const DOUBT: f64 = 13.82;

#[derive(Debug)]
pub(crate) enum Sample {
    Whole,
    /// Rows of B in random order, so that the first of them are a random sample too.
    Rows(Vec<u32>),
}

impl Sample {
    /// Four times as many rows as A has, so that the sample's chance is smaller than that of A itself.
    pub(crate) fn of(len_a: usize, len_b: usize) -> Self {
        let wanted = SAMPLE_ROWS_MIN.max(4 * len_a);
        if wanted * 2 > len_b {
            return Sample::Whole;
        }
        // Selection sampling, then a shuffle (Knuth 3.4.2, algorithms S and P): every order of every set is equally likely.
        let mut state = 0x9E37_79B9_7F4A_7C15u64;
        let mut below = |n: usize| {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            ((u128::from(mix(state)) * n as u128) >> 64) as usize
        };
        let mut rows = Vec::with_capacity(wanted);
        for row in 0..len_b {
            if below(len_b - row) < wanted - rows.len() {
                rows.push(row as u32);
            }
        }
        (1..wanted).rev().for_each(|at| rows.swap(at, below(at + 1)));
        Sample::Rows(rows)
    }

    pub(crate) fn len(&self, len_b: usize) -> usize {
        match self {
            Sample::Whole => len_b,
            Sample::Rows(rows) => rows.len(),
        }
    }
}

/// The finaliser of SplitMix64.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The least count among `all` rows that is plausible when `seen` of `sampled` rows have the set.
pub(crate) fn at_least(seen: u64, sampled: u64, all: u64) -> u64 {
    if sampled == all {
        return seen;
    }
    // P(S >= mean + d) <= exp(-d^2 / (2 (mean + d/3))); solved for the mean that makes it one in a million.
    let seen = seen as f64;
    let distance = (4.0 / 9.0 * DOUBT * DOUBT + 2.0 * DOUBT * seen).sqrt() - 2.0 / 3.0 * DOUBT;
    let mean = (seen - distance).max(0.0);
    (mean * all as f64 / sampled.max(1) as f64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_as_large_as_wanted_and_spread() {
        let Sample::Rows(rows) = Sample::of(10, 1_000_000) else { panic!("a million rows are sampled") };
        assert_eq!(rows.len(), SAMPLE_ROWS_MIN);
        let half = rows.iter().filter(|row| **row < 500_000).count();
        assert!((31_000..34_600).contains(&half), "{half}");
        assert!(matches!(Sample::of(10, 100_000), Sample::Whole));
    }

    /// The exact tail (Poisson's) at the bound is below one in a million, and the bound is not needlessly low.
    #[test]
    fn the_bound_is_below_the_truth_but_once_in_a_million() {
        let (sampled, all) = (65_536u64, 1_048_576u64);
        for seen in [0u64, 1, 10, 50, 300, 5_000] {
            let least = at_least(seen, sampled, all);
            assert!(least <= seen * 16);
            let mean = least as f64 / 16.0;
            let tail: f64 = (seen..seen + 2_000)
                .map(|x| {
                    (x as f64 * mean.max(1e-12).ln() - mean - statrs::function::gamma::ln_gamma(x as f64 + 1.0)).exp()
                })
                .sum();
            assert!(least == 0 || tail < 1e-6, "{seen}: {least} {tail}");
        }
        assert!(at_least(5_000, sampled, all) > 70_000);
        assert_eq!(at_least(17, 100, 100), 17);
    }
}
