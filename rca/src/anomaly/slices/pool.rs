//! How far stretches of the past strayed, of all slices together: the tails that no formula promised.
//!
//! Sums of skewed or bursty values have heavier tails than any t distribution that a few stretches can tell. What many
//! slices did over their pasts can: a window is no rarer than the pasts show, and beyond their end it follows their power
//! law. Old incidents are in it too, because what happens often anyway is no discovery.

/// Share of the farthest that the power law is fitted to, and their number at least.
const TAIL_SHARE: f64 = 0.05;
const TAIL_MIN: usize = 4;
/// What is believed of the tail before any is seen, and the stretches that this belief is worth.
const TAIL_INDEX: f64 = 0.25;
const TAIL_WEIGHT: f64 = 10.0;

pub(super) struct Pool {
    /// Distances from the expectation in standard deviations, ascending.
    strayed: Vec<f64>,
    tail_index: f64,
}

impl Pool {
    pub(super) fn of(mut strayed: Vec<f64>) -> Self {
        strayed.sort_unstable_by(f64::total_cmp);
        let tail = ((strayed.len() as f64 * TAIL_SHARE) as usize).max(TAIL_MIN).min(strayed.len());
        let tail = &strayed[strayed.len() - tail..];
        let least = tail.first().copied().unwrap_or(0.0);
        let logs: f64 = if least > 0.0 { tail.iter().map(|far| (far / least).ln()).sum() } else { 0.0 };
        let tail_index = (logs + TAIL_WEIGHT * TAIL_INDEX) / (tail.len() as f64 + TAIL_WEIGHT);
        Self { strayed, tail_index }
    }

    /// The share of stretches that stray as far, never none.
    pub(super) fn p(&self, z: f64) -> f64 {
        let count = self.strayed.len();
        let farther = count - self.strayed.partition_point(|far| *far < z.abs());
        let share = (farther as f64 + 1.0) / (count as f64 + 1.0);
        let farthest = self.strayed.last().copied().unwrap_or(0.0).max(1.0);
        if z.abs() > farthest { share * (z.abs() / farthest).powf(-1.0 / self.tail_index) } else { share }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_the_past_and_a_power_beyond() {
        let pool = Pool::of((1..=999).map(|rank| f64::from(rank) / 100.0).collect());
        assert_eq!(pool.p(0.0), 1.0);
        assert!((pool.p(-9.0) - 0.101).abs() < 1e-9);
        assert!((pool.p(9.99) - 0.002).abs() < 1e-9);
        let (near, far) = (pool.p(15.0), pool.p(30.0));
        assert!(0.0 < far && far < near && near < 0.001, "{near} {far}");
        assert_eq!(Pool::of(Vec::new()).p(0.5), 1.0);
    }
}
