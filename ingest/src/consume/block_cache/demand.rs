//! How much was asked for lately: bytes a second, where what was asked ten seconds ago counts half.

use culprit_store::UnixNanos;

const HALF_LIFE_NS: f64 = 10e9;

#[derive(Debug, Default)]
pub(super) struct Demand {
    /// Decayed to `at`.
    bytes: f64,
    at: Option<UnixNanos>,
}

impl Demand {
    pub(super) fn add(&mut self, bytes: usize, now: UnixNanos) {
        self.bytes = self.decayed(now) + bytes as f64;
        self.at = Some(now);
    }

    pub(super) fn per_second(&self, now: UnixNanos) -> f64 {
        // A constant demand of r settles at r × half-life ÷ ln 2.
        self.decayed(now) * std::f64::consts::LN_2 * 1e9 / HALF_LIFE_NS
    }

    fn decayed(&self, now: UnixNanos) -> f64 {
        let Some(at) = self.at else { return 0.0 };
        let passed = now.0.saturating_sub(at.0).max(0) as f64;
        self.bytes * (-passed / HALF_LIFE_NS).exp2()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_demand_is_measured_and_forgotten() {
        let mut demand = Demand::default();
        for tenth in 0..1_000 {
            demand.add(100, UnixNanos(tenth * 100_000_000));
        }
        let now = UnixNanos(100_000_000_000);
        assert!((demand.per_second(now) - 1_000.0).abs() < 10.0, "{}", demand.per_second(now));
        let later = UnixNanos(now.0 + 10_000_000_000);
        assert!((demand.per_second(later) - 500.0).abs() < 5.0);
    }
}
