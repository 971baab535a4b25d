//! The period of a series, if it has one: the lag at which it is most like itself, once it has been unlike itself.

use rustfft::FftPlanner;
use rustfft::num_complex::Complex;

/// Points that a period is looked for in, and that it has at least.
const POINTS_MIN: usize = 48;
const PERIOD_MIN: usize = 4;
/// Periods that the points must hold: two that resemble each other may do so by chance.
const CYCLES_MIN: usize = 3;
/// Likeness of values one period apart, as a correlation; multiples of a period are as like, and the shortest is meant.
const LIKENESS_MIN: f64 = 0.3;
const AS_LIKE: f64 = 0.9;

/// In points that follow each other in equal steps.
pub(super) fn period(values: &[f64]) -> Option<usize> {
    if values.len() < POINTS_MIN {
        return None;
    }
    let likeness = likeness(values)?;
    // A slow wave or a trend is like itself at short lags: those say nothing of a period.
    let unlike = likeness.iter().position(|likeness| *likeness < LIKENESS_MIN / 2.0)?;
    let first = unlike.max(PERIOD_MIN);
    let best = likeness.get(first..)?.iter().copied().fold(0.0, f64::max);
    let chance = 4.0 / (values.len() as f64).sqrt();
    if best < LIKENESS_MIN.max(chance) {
        return None;
    }
    let near = (first..likeness.len()).find(|lag| likeness[*lag] >= AS_LIKE * best)?;
    // The slope before a peak is as like already.
    (near..likeness.len())
        .take_while(|lag| likeness[*lag] >= AS_LIKE * best)
        .max_by(|a, b| likeness[*a].total_cmp(&likeness[*b]))
}

/// Autocorrelation for lags from 0 to a third of the points, by the power spectrum (Wiener and Khinchin). None for
/// values that do not vary.
fn likeness(values: &[f64]) -> Option<Vec<f64>> {
    let count = values.len();
    let mean = values.iter().sum::<f64>() / count as f64;
    // Padded, so that the end does not meet the beginning.
    let size = (2 * count).next_power_of_two();
    let mut buffer = vec![Complex::new(0.0, 0.0); size];
    for (place, value) in buffer.iter_mut().zip(values) {
        place.re = value - mean;
    }
    let mut planner = FftPlanner::new();
    planner.plan_fft_forward(size).process(&mut buffer);
    for place in &mut buffer {
        *place = Complex::new(place.norm_sqr(), 0.0);
    }
    planner.plan_fft_inverse(size).process(&mut buffer);
    let power = buffer[0].re;
    // A constant leaves what rounding leaves, and great values nothing that is a number.
    let scale = values.iter().map(|value| value * value).sum::<f64>() * size as f64;
    if !power.is_normal() || power <= 1e-12 * scale {
        return None;
    }
    let lags = 0..=count / CYCLES_MIN;
    Some(lags.map(|lag| buffer[lag].re / power * count as f64 / (count - lag) as f64).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anomaly::noise::Noise;

    #[test]
    fn waves_and_jobs_have_their_periods() {
        let mut noise = Noise::new(3);
        for period in [12usize, 24, 60, 96, 288] {
            let points = 4 * period + 40;
            let wave: Vec<f64> = (0..points)
                .map(|at| 3.0 * (std::f64::consts::TAU * at as f64 / period as f64).sin() + noise.normal())
                .collect();
            let job: Vec<f64> =
                (0..points).map(|at| if at % period < 3 { 20.0 } else { 0.0 } + noise.normal()).collect();
            for values in [wave, job] {
                let found = super::period(&values).unwrap_or(0);
                assert!(found.abs_diff(period) <= period / 24, "{period}: {found}");
            }
        }
    }

    #[test]
    fn noise_and_constants_have_none() {
        let mut noise = Noise::new(4);
        let seen = (0..100).filter(|_| period(&(0..240).map(|_| noise.normal()).collect::<Vec<_>>()).is_some()).count();
        assert!(seen <= 2, "{seen} of 100");
        assert_eq!(period(&[5.0; 500]), None);
        assert_eq!(period(&[]), None);
        assert_eq!(period(&[f64::MAX; 100]), None);
    }
}
