//! `</` and `>/`: the observations below, or above, a value.
//!
//! Buckets that the value divides give the share that interpolation finds. A custom bucket without an end cannot be divided: it
//! stays as a whole or goes, and its observations are taken to lie at the end that it has, or at the value. As soon as anything
//! is cut off, the sum is estimated anew from the middles of what is left.

use super::super::binary::Trim;
use super::{Bucket, NativeHistogram, Range, Sign};

pub(in super::super) fn trim(histogram: &NativeHistogram, keep: Trim, at: f64) -> NativeHistogram {
    let mut trimmed = histogram.clone();
    let mut left = Left::default();
    let negative = histogram.negative.iter().rev().zip(histogram.negative_ranges());
    trimmed.negative = negative.filter_map(|(bucket, range)| left.take(histogram, keep, at, bucket, range)).collect();
    trimmed.negative.reverse();
    let zero = Bucket { index: 0, count: histogram.zero_count };
    let range = histogram.zero_range().and_then(|range| left.take(histogram, keep, at, &zero, range));
    trimmed.zero_count = range.map_or(0.0, |bucket| bucket.count);
    let positive = histogram.positive.iter().zip(histogram.positive_ranges());
    trimmed.positive = positive.filter_map(|(bucket, range)| left.take(histogram, keep, at, bucket, range)).collect();
    if left.cut {
        trimmed.count = left.count;
        trimmed.sum = left.sum;
    }
    trimmed
}

/// What is left of the buckets so far.
#[derive(Default)]
struct Left {
    count: f64,
    sum: f64,
    /// Something is not.
    cut: bool,
}

impl Left {
    fn take(
        &mut self,
        histogram: &NativeHistogram,
        keep: Trim,
        at: f64,
        bucket: &Bucket<f64>,
        range: Range,
    ) -> Option<Bucket<f64>> {
        let (share, middle) = part(histogram, histogram.biased(range), keep, at);
        self.cut |= share < 1.0 && bucket.count != 0.0;
        if share <= 0.0 {
            return None;
        }
        let count = bucket.count * share;
        self.count += count;
        self.sum += count * middle;
        Some(Bucket { count, ..*bucket })
    }
}

/// The share of a bucket that stays, and where its observations are taken to lie.
fn part(histogram: &NativeHistogram, mut range: Range, keep: Trim, at: f64) -> (f64, f64) {
    const GONE: (f64, f64) = (0.0, 0.0);
    let everything = if keep == Trim::Above { f64::INFINITY } else { f64::NEG_INFINITY };
    if range.lower == f64::NEG_INFINITY && range.upper == f64::INFINITY {
        return if at == everything { (1.0, 0.0) } else { GONE };
    }
    if range.lower == f64::NEG_INFINITY {
        if range.upper <= 0.0 {
            return match keep {
                Trim::Above if at == f64::NEG_INFINITY => GONE,
                Trim::Above => (1.0, range.upper.min(at)),
                Trim::Below if at == everything => (1.0, range.upper),
                Trim::Below => GONE,
            };
        }
        // A lowest bucket that ends above zero is taken to begin there. What is below a negative value is then unknown.
        if keep == Trim::Below && at < 0.0 {
            return if at == everything { (1.0, range.upper / 2.0) } else { GONE };
        }
        range.lower = 0.0;
    }
    if range.upper == f64::INFINITY {
        return match keep {
            Trim::Above if at == everything => (1.0, range.lower),
            Trim::Above => GONE,
            Trim::Below if at == f64::INFINITY => GONE,
            Trim::Below => (1.0, range.lower.max(at)),
        };
    }
    let (inside, outside) = match keep {
        Trim::Above => (at >= range.upper, at <= range.lower),
        Trim::Below => (at <= range.lower, at >= range.upper),
    };
    if inside {
        return (1.0, middle(histogram, range));
    }
    if outside {
        return GONE;
    }
    let below = histogram.share_below(range, at);
    match keep {
        Trim::Above => (below, middle(histogram, Range { upper: at, ..range })),
        Trim::Below => (1.0 - below, middle(histogram, Range { lower: at, ..range })),
    }
}

fn middle(histogram: &NativeHistogram, range: Range) -> f64 {
    if histogram.is_custom() || range.sign == Sign::Zero {
        return (range.lower + range.upper) / 2.0;
    }
    let mean = (range.lower * range.upper).sqrt();
    if range.sign == Sign::Negative { -mean } else { mean }
}
