//! Tails of what counts and means do by chance.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};
use statrs::function::beta::beta_reg;

/// Where p-values end: beyond, doubles cannot tell them apart.
const P_MIN: f64 = 1e-300;

/// What the rate of a count is known from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Past {
    pub(super) total: f64,
    /// The window's points over those of the past: what is expected of a past without events.
    pub(super) share: f64,
}

/// Where a count lies in its gamma-Poisson tail, as a standard normal would: the rate is known as well as the events of
/// the past tell it (Jeffreys' half is added), and events that come in clumps of `ratio` count for one each.
pub(super) fn count_z(actual: f64, expected: f64, past: Past, ratio: f64) -> f64 {
    let clump = ratio.max(1.0);
    let shape = (past.total / clump) + 0.5;
    let exposure = if past.total > 0.0 { expected / past.total } else { past.share };
    let new = exposure / (1.0 + exposure);
    let events = actual / clump;
    let at_least = if events > 0.0 { beta_reg(events, shape, new) } else { 1.0 };
    let at_most = 1.0 - beta_reg(events + 1.0, shape, new);
    let normal = Normal::standard();
    if at_least < at_most {
        -normal.inverse_cdf(at_least.clamp(P_MIN, 0.5))
    } else {
        normal.inverse_cdf(at_most.clamp(P_MIN, 0.5))
    }
}

/// The probability that chance goes as far to either side.
pub(super) fn two_sided(z: f64, freedom: f64) -> f64 {
    let tail = if freedom < 1e4 {
        StudentsT::new(0.0, 1.0, freedom).expect("degrees of freedom are positive").sf(z.abs())
    } else {
        Normal::standard().sf(z.abs())
    };
    (2.0 * tail).clamp(P_MIN, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With a long past the rate is as good as known: Poisson's own tails, from tables.
    #[test]
    fn counts_follow_poisson_when_the_past_is_long() {
        for (actual, expected, tail) in [(10.0, 4.0, 0.008_132), (3.0, 0.2, 0.001_148), (0.0, 7.0, 0.000_912)] {
            let p =
                two_sided(count_z(actual, expected, Past { total: expected * 1e6, share: 1e-6 }, 1.0), f64::INFINITY)
                    / 2.0;
            assert!((p / tail - 1.0).abs() < 0.01, "{actual} of {expected}: {p} is not {tail}");
        }
    }

    #[test]
    fn clumps_are_less_surprising_and_zeros_no_trouble() {
        let p = |actual, ratio| {
            two_sided(count_z(actual, 20.0, Past { total: 20_000.0, share: 1e-3 }, ratio), f64::INFINITY)
        };
        assert!(p(60.0, 1.0) < 1e-9 && p(60.0, 10.0) > 0.005);
        assert!(two_sided(count_z(0.0, 0.0, Past { total: 0.0, share: 0.1 }, 1.0), 5.0) > 0.5);
        assert!(two_sided(1e9, 3.0) < 1e-20);
    }
}
