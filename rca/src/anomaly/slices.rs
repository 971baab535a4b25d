//! Which of thousands of series jumped within a window.
//!
//! A slice is compared with itself: its window with stretches of the same length before it, so that what it does anyway
//! (bursts, slow waves, values that follow each other) widens its own measure. Counts are compared with the
//! gamma-Poisson tail, which knows zeros and small numbers, everything else with a moderated t (Smyth 2004): what a
//! slice's few stretches say of its spread is mixed with what all slices say, as far as the slices agree.
//!
//! The latest half and quarter of the window are tested too, because a jump need not wait for a window to begin.
//! Discoveries are bounded by Benjamini and Hochberg's procedure with Storey's estimate of how many slices are quiet.

mod expected;
mod fdr;
mod pool;
mod spread;
mod stretch;
mod tails;

use self::pool::Pool;
use self::spread::{Prior, Spread};
use self::stretch::{Slice, Stretch};
use crate::limits::{SLICE_BLOCKS_MAX, SLICE_POOL_MAX};

/// A slice whose window differs from what it did before.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct SliceAnomaly {
    /// Place of the slice among those given.
    pub index: usize,
    /// Time of the first point of the jump, in nanoseconds.
    pub onset: i64,
    pub p_value: f64,
    /// False discovery rate at which this slice is among the discoveries.
    pub q_value: f64,
    /// What the slice's past lets expect of a point, on average from the onset to the end of the window.
    pub expected: f64,
    /// What came instead, on average.
    pub actual: f64,
}

/// Latest parts of the window that are tested: all, a half, a quarter.
const PARTS: usize = 3;

/// The slices that jumped between `window.0` and `window.1` (both inclusive), most certain first; of those, a share of
/// `fdr` is false on average. Each series is its times, ascending, and as many values; a missing count is a gap and not a
/// zero, so write the zeros. A slice with too short a past, or none within the window, is quiet.
pub fn anomalous_slices(series: &[(&[i64], &[f64])], window: (i64, i64), fdr: f64) -> Vec<SliceAnomaly> {
    let slices: Vec<Option<Slice>> = series.iter().map(|(times, values)| Slice::new(times, values, window)).collect();
    let mut best: Vec<Option<Tested>> = slices.iter().map(|_| None).collect();
    for part in 0..PARTS {
        test_part(&slices, part, &mut best);
    }
    let tested: Vec<(usize, Tested)> =
        best.into_iter().enumerate().filter_map(|(at, best)| Some((at, best?))).collect();
    // One slice has as many chances as parts were looked at.
    let p_values: Vec<f64> = tested.iter().map(|(_, tested)| (tested.p_value * PARTS as f64).min(1.0)).collect();
    let q_values = fdr::q_values(&p_values);
    let mut found: Vec<SliceAnomaly> = tested
        .into_iter()
        .zip(p_values.iter().zip(q_values))
        .filter(|(_, (_, q_value))| *q_value <= fdr)
        .filter_map(|((index, tested), (p_value, q_value))| {
            let slice = slices[index].as_ref()?;
            Some(slice.anomaly(index, *p_value, q_value, tested.rose))
        })
        .collect();
    found.sort_by(|a, b| a.p_value.total_cmp(&b.p_value).then(a.index.cmp(&b.index)));
    found
}

struct Tested {
    p_value: f64,
    rose: bool,
}

/// Tests the `1/2^part` latest of each window; what is surer than what was found before stands in its place.
fn test_part(slices: &[Option<Slice>], part: usize, best: &mut [Option<Tested>]) {
    let spreads: Vec<Option<Spread>> =
        slices.iter().map(|slice| slice.as_ref().and_then(|slice| slice.spread(part))).collect();
    let prior = Prior::of(spreads.iter().flatten());
    let both = || slices.iter().zip(&spreads).map(|(slice, spread)| slice.as_ref().zip(spread.as_ref()));
    let thin = (both().flatten().count() * SLICE_BLOCKS_MAX).div_ceil(SLICE_POOL_MAX).max(1);
    let mut strayed = Vec::new();
    for (slice, spread) in both().flatten().step_by(thin) {
        // What is expected of a stretch of the past was learnt from it too; the window's was not.
        let share = spread.share_of_past.min(0.5);
        let learnt = ((1.0 + share) / (1.0 - share)).sqrt();
        strayed.extend(prior.past(spread).map(|(stretch, ratio)| learnt * slice.z(&stretch, ratio, spread).abs()));
    }
    let pool = Pool::of(strayed);
    for (pair, best) in both().zip(best) {
        let Some((slice, spread)) = pair else { continue };
        let (ratio, freedom) = prior.moderate(spread);
        let z = slice.z(&spread.latest, ratio, spread);
        let p_value = tails::two_sided(z, freedom.min(spread.tail_freedom)).max(pool.p(z));
        if best.as_ref().is_none_or(|best| p_value < best.p_value) {
            *best = Some(Tested { p_value, rose: z > 0.0 });
        }
    }
}

impl Slice {
    /// How many standard deviations a stretch is from what was expected, for a slice that varies `ratio` times as much
    /// as independent points.
    fn z(&self, stretch: &Stretch, ratio: f64, spread: &Spread) -> f64 {
        let Stretch { actual, expected, reference } = *stretch;
        if self.is_count {
            let past = tails::Past { total: self.past_total, share: spread.share_of_past };
            return tails::count_z(actual, expected, past, ratio);
        }
        let scale = reference * ratio * (1.0 + spread.share_of_past);
        if scale > 0.0 { (actual - expected) / scale.sqrt() } else { constant_z(actual, expected) }
    }
}

/// Standard deviations of what cannot be by chance.
const CERTAIN: f64 = 1e9;

/// A past without any spread: nothing but the same value is expected, and how far away another is cannot be said.
fn constant_z(actual: f64, expected: f64) -> f64 {
    let same = (actual - expected).abs() <= 1e-9 * expected.abs().max(1e-300);
    if same { 0.0 } else { CERTAIN.copysign(actual - expected) }
}

#[cfg(test)]
mod tests;
