//! Quantiles of plain values, by linear interpolation between the two nearest ranks.

use std::cmp::Ordering;

use super::notes::Notes;

pub(super) fn check_quantile(q: f64, notes: &mut Notes) {
    if !(0.0..=1.0).contains(&q) {
        notes.warn(format_args!("quantile value should be between 0 and 1, got {}", super::number::display(q)));
    }
}

/// Sorts `values`. NaN counts as the smallest value. Out of range, `q` gives an infinity of its sign.
pub(super) fn quantile_of(q: f64, values: &mut [f64]) -> f64 {
    if values.is_empty() || q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    values.sort_by(|a, b| nan_first(*a, *b));
    let rank = q * (values.len() - 1) as f64;
    let lower = rank.floor() as usize;
    let upper = (lower + 1).min(values.len() - 1);
    let weight = rank - rank.floor();
    values[lower] * (1.0 - weight) + values[upper] * weight
}

pub(super) fn median(mut values: Vec<f64>) -> f64 {
    quantile_of(0.5, &mut values)
}

fn nan_first(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpolates_and_puts_nan_first() {
        let q = |q, values: &[f64]| quantile_of(q, &mut values.to_vec());
        assert_eq!(q(0.75, &[4.0, 0.0, 1.0]), 2.5);
        assert_eq!(q(1.0, &[1.0, f64::NAN]), 1.0);
        assert!(q(0.0, &[1.0, f64::NAN]).is_nan());
        assert_eq!(q(-0.1, &[1.0]), f64::NEG_INFINITY);
        assert_eq!(q(1.1, &[1.0]), f64::INFINITY);
        assert!(q(0.5, &[]).is_nan());
    }
}
