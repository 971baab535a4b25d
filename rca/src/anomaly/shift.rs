//! The one change of level of a series: a rank test at every split, corrected for having looked at all of them.
//!
//! Ranks make it blind to the size of single spikes. The p-value of the largest standardised statistic is that of a
//! Brownian bridge (Vostrikova 1981; Csörgő and Horváth 1997, theorem 1.3.1) or Bonferroni's, whichever is smaller;
//! neighbouring values that resemble each other count for less than one each.

use statrs::distribution::{ContinuousCDF, Normal};

use super::ranks::{median, ranks};
use crate::limits::SHIFT_P_MAX;

/// A lasting change: from `before` to `after` (medians) at the first point of the new level.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct LevelShift {
    /// Nanoseconds, as the times given.
    pub at: i64,
    pub before: f64,
    pub after: f64,
    pub p_value: f64,
}

/// Points that a level has at least.
const SIDE_MIN: usize = 3;

/// The clearest change of level, if chance would show it in less than one of a hundred such series.
pub fn level_shift(times: &[i64], values: &[f64]) -> Option<LevelShift> {
    let points: Vec<(i64, f64)> =
        times.iter().copied().zip(values.iter().copied()).filter(|(_, value)| value.is_finite()).collect();
    if points.len() < 2 * SIDE_MIN {
        return None;
    }
    let values: Vec<f64> = points.iter().map(|(_, value)| *value).collect();
    let (split, z) = best_split(&ranks(&values))?;
    let (before, after) = (median(&values[..split]), median(&values[split..]));
    let z = z / persistence(&values, split, before, after).sqrt();
    let p_value = p_of_largest(z, values.len());
    (p_value < SHIFT_P_MAX && before != after).then(|| LevelShift { at: points[split].0, before, after, p_value })
}

/// The split whose two sides differ most, and the standardised difference of their ranks.
fn best_split(ranks: &[f64]) -> Option<(usize, f64)> {
    let n = ranks.len() as f64;
    let mean = (n + 1.0) / 2.0;
    // With ties the ranks vary less than 1..n do.
    let variance = ranks.iter().map(|rank| (rank - mean).powi(2)).sum::<f64>() / (n - 1.0);
    if variance == 0.0 {
        return None;
    }
    let mut sum = 0.0;
    let mut best: Option<(usize, f64)> = None;
    for (before, rank) in (1..).zip(ranks) {
        sum += rank - mean;
        if before < SIDE_MIN || ranks.len() - before < SIDE_MIN {
            continue;
        }
        let left = before as f64;
        let z = sum.abs() / (variance * left * (n - left) / n).sqrt();
        if best.is_none_or(|(_, most)| z > most) {
            best = Some((before, z));
        }
    }
    best
}

/// How many neighbours tell what one independent value would: (1 + ρ) / (1 - ρ) of the values around their levels.
fn persistence(values: &[f64], split: usize, before: f64, after: f64) -> f64 {
    let around: Vec<f64> =
        values.iter().enumerate().map(|(row, value)| value - if row < split { before } else { after }).collect();
    // Ranks again: one spike must not hide how the others follow each other.
    let ranks = ranks(&around);
    let mean = (ranks.len() as f64 + 1.0) / 2.0;
    let all: f64 = ranks.iter().map(|rank| (rank - mean).powi(2)).sum();
    if all == 0.0 {
        return 1.0;
    }
    let lagged: f64 = ranks.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum();
    let rho = (lagged / all).clamp(0.0, 0.95);
    (1.0 + rho) / (1.0 - rho)
}

/// Probability that the largest of the standardised statistics of all splits reaches `z` by chance.
fn p_of_largest(z: f64, points: usize) -> f64 {
    let normal = Normal::standard();
    let splits = (points - 2 * SIDE_MIN + 1) as f64;
    let bonferroni = 2.0 * normal.sf(z) * splits;
    let edge = SIDE_MIN as f64 / points as f64;
    let odds = ((1.0 - edge) / edge).powi(2);
    let density = (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let bridge = z * density * ((1.0 - z.powi(-2)) * odds.ln() + 4.0 * z.powi(-2));
    // The approximation is one of the far tail.
    if z < 2.0 { 1.0 } else { bonferroni.min(bridge).min(1.0) }
}

#[cfg(test)]
mod tests;
