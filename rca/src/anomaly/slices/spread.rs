//! How much more the stretches of a slice vary than independent points would, and what all slices together say of it.

use super::stretch::Stretch;

pub(super) struct Spread {
    pub(super) latest: Stretch,
    stretches: Vec<Stretch>,
    /// Squared distances of the stretches from what was expected, over the variance of independent points; their sum.
    sum: f64,
    /// Variance of the stretches over that of independent points.
    ratio: f64,
    freedom: f64,
    /// Degrees of freedom of the t distribution whose tails are as heavy as those of the stretches.
    pub(super) tail_freedom: f64,
    /// Points of the latest stretch over those of the past: how unsure the expectation itself is.
    pub(super) share_of_past: f64,
}

/// Stretches that say anything of a variance.
const STRETCHES_MIN: usize = 4;

impl Spread {
    pub(super) fn of(stretches: Vec<Stretch>, latest: Stretch, share_of_past: f64) -> Option<Self> {
        if stretches.len() < STRETCHES_MIN {
            return None;
        }
        let count = stretches.len() as f64;
        let squares: Vec<f64> = stretches.iter().map(Stretch::square).collect();
        let sum: f64 = squares.iter().sum();
        // Nothing ever happened: as steady as independent points, for want of anything else.
        let ratio = if sum > 0.0 { sum / (count - 1.0) } else { 1.0 };
        let kurtosis =
            if sum > 0.0 { squares.iter().map(|s| s * s).sum::<f64>() * count / (sum * sum) - 3.0 } else { 0.0 };
        // The excess kurtosis of t is 6 / (ν - 4); one within two standard errors of none is none.
        let clear = kurtosis - 2.0 * (24.0 / count).sqrt();
        let tail_freedom = if clear > 0.0 { 4.0 + 6.0 / kurtosis } else { f64::INFINITY };
        Some(Self { latest, stretches, sum, ratio, freedom: count - 1.0, tail_freedom, share_of_past })
    }
}

/// What the slices say together: the ratio that they scatter around, and how closely, as degrees of freedom.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prior {
    ratio: f64,
    freedom: f64,
}

/// Slices that say anything of how slices differ.
const SLICES_MIN: usize = 10;

impl Prior {
    /// Smyth's moments of the logarithms: their variance beyond what sampling explains is the slices' own.
    pub(super) fn of<'a>(spreads: impl Iterator<Item = &'a Spread>) -> Self {
        let logs: Vec<(f64, f64)> = spreads
            .filter(|s| s.ratio > 0.0)
            .map(|s| (s.ratio.ln() - log_mean(s.freedom), log_variance(s.freedom)))
            .collect();
        let count = logs.len() as f64;
        if logs.len() < SLICES_MIN {
            return Self { ratio: 1.0, freedom: 0.0 };
        }
        let mean = logs.iter().map(|(log, _)| log).sum::<f64>() / count;
        let sampled = logs.iter().map(|(_, variance)| variance).sum::<f64>() / count;
        let own = logs.iter().map(|(log, _)| (log - mean).powi(2)).sum::<f64>() / (count - 1.0) - sampled;
        // Slices that differ no more than by sampling are all of one kind; a thousand is as good as known.
        let freedom = if own > 0.0 { freedom_of(own).min(1e3) } else { 1e3 };
        Self { ratio: (mean + log_mean(freedom)).exp(), freedom }
    }

    /// The slice's ratio drawn towards that of all, and the degrees of freedom it then has.
    pub(super) fn moderate(self, spread: &Spread) -> (f64, f64) {
        self.mix(spread.ratio, spread.freedom)
    }

    fn mix(self, ratio: f64, freedom: f64) -> (f64, f64) {
        let total = self.freedom + freedom;
        ((self.freedom * self.ratio + freedom * ratio) / total, total)
    }

    /// Each stretch of the past, with the ratio that the others give: a far one must not excuse itself.
    pub(super) fn past<'a>(self, spread: &'a Spread) -> impl Iterator<Item = (Stretch, f64)> + 'a {
        let freedom = spread.freedom - 1.0;
        spread.stretches.iter().map(move |stretch| {
            let others = (spread.sum - stretch.square()).max(0.0) / freedom;
            (*stretch, self.mix(if spread.sum > 0.0 { others } else { 1.0 }, freedom).0)
        })
    }
}

/// Mean of the logarithm of a chi-square over its degrees of freedom: ψ(ν/2) - ln(ν/2).
fn log_mean(freedom: f64) -> f64 {
    statrs::function::gamma::digamma(freedom / 2.0) - (freedom / 2.0).ln()
}

/// Variance of that logarithm, ψ'(ν/2), by its first terms; within 2 % from three degrees of freedom.
fn log_variance(freedom: f64) -> f64 {
    let half = freedom / 2.0;
    1.0 / half + 0.5 / half.powi(2) + 1.0 / (6.0 * half.powi(3))
}

/// Degrees of freedom whose `log_variance` it is, by its first two terms.
fn freedom_of(variance: f64) -> f64 {
    (1.0 + (1.0 + 2.0 * variance).sqrt()) / variance
}
