//! Chance from a seed: the same seed gives the same shop on every machine.
//!
//! SplitMix64 (Steele, Lea, Flood 2014): eight lines, every seed is a good one, and its finaliser is also the hash that
//! gives a customer traits that stay.

pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GAMMA);
        mix(self.0)
    }

    /// Uniform in [0, 1).
    pub(super) fn unit(&mut self) -> f64 {
        unit(self.next())
    }

    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Uniform in `0..n`; the bias of the remainder is 2^-50 for the few that are asked for here.
    pub(super) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// The time to the next arrival of a Poisson process.
    pub(super) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }

    pub(super) fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        median * (sigma * radius * (std::f64::consts::TAU * self.unit()).cos()).exp()
    }

    pub(super) fn pick<T: Copy>(&mut self, weighted: &[(T, f64)]) -> T {
        pick(self.unit(), weighted)
    }
}

const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

/// A number in [0, 1) that belongs to these values for ever.
pub(super) fn trait_of(values: &[u64]) -> f64 {
    unit(values.iter().fold(0, |hash, value| mix((hash ^ value).wrapping_add(GAMMA))))
}

/// The entry in which `position`, a share of the total weight, falls.
pub(super) fn pick<T: Copy>(position: f64, weighted: &[(T, f64)]) -> T {
    let total: f64 = weighted.iter().map(|(_, weight)| weight).sum();
    let mut left = position * total;
    for (value, weight) in weighted {
        if left < *weight {
            return *value;
        }
        left -= weight;
    }
    weighted.last().expect("there is something to pick from").0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_as_weighted() {
        let mut random = Random::new(7);
        let mut seen = [0; 3];
        for _ in 0..10_000 {
            seen[random.pick(&[(0, 1.0), (1, 2.0), (2, 7.0)])] += 1;
        }
        for (seen, expected) in seen.into_iter().zip([1_000, 2_000, 7_000]) {
            assert!((i32::abs(seen - expected)) < 150, "{seen} of {expected}");
        }
    }

    #[test]
    fn distributions_have_their_means() {
        let mut random = Random::new(11);
        let mean = (0..20_000).map(|_| random.exponential(3.0)).sum::<f64>() / 20_000.0;
        assert!((mean - 3.0).abs() < 0.1, "{mean}");
        let below = (0..20_000).filter(|_| random.log_normal(40.0, 0.5) < 40.0).count();
        assert!((9_700..10_300).contains(&below), "{below}");
    }
}
