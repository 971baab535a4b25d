//! What a histogram says about its observations: quantiles, fractions, variance. Inside an exponential bucket they are taken to
//! lie evenly on a logarithmic scale, inside the zero bucket and custom ones on a linear one.

use super::{NativeHistogram, Range, Sign};

/// What observations of NaN, which are in no bucket, do to a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum NanNote {
    ResultIsNan,
    SkewedHigher,
}

impl NativeHistogram {
    /// The zero bucket, of a histogram with observations on one side of zero alone, begins or ends at zero.
    pub(super) fn biased(&self, mut range: Range) -> Range {
        if range.sign == Sign::Zero {
            match (self.negative.is_empty(), self.positive.is_empty()) {
                (true, false) => range.lower = 0.0,
                (false, true) => range.upper = 0.0,
                _ => {}
            }
        }
        range
    }

    pub(in super::super) fn quantile(&self, q: f64) -> (f64, Option<NanNote>) {
        if q < 0.0 {
            return (f64::NEG_INFINITY, None);
        }
        if q > 1.0 {
            return (f64::INFINITY, None);
        }
        if self.count == 0.0 || q.is_nan() {
            return (f64::NAN, None);
        }
        // From the nearer end, unless NaN observations make the total too large for counting back from it.
        let forward = self.sum.is_nan() || q < 0.5;
        let rank = if forward { q * self.count } else { (1.0 - q) * self.count };
        let value = if forward {
            self.at_rank(self.ranges(), rank, true)
        } else {
            self.at_rank(self.ranges().rev(), rank, false)
        };
        match value {
            Some(value) => (value, self.sum.is_nan().then_some(NanNote::SkewedHigher)),
            None => (f64::NAN, self.sum.is_nan().then_some(NanNote::ResultIsNan)),
        }
    }

    fn at_rank(&self, ranges: impl Iterator<Item = Range>, rank: f64, forward: bool) -> Option<f64> {
        let mut seen = 0.0;
        let mut found = None;
        for range in ranges.filter(|range| range.count != 0.0) {
            seen += range.count;
            found = Some(range);
            if seen >= rank {
                break;
            }
        }
        let mut range = self.biased(found?);
        if self.is_custom() {
            if range.lower == f64::NEG_INFINITY {
                if range.upper <= 0.0 {
                    return Some(range.upper);
                }
                range.lower = 0.0;
            } else if range.upper == f64::INFINITY {
                return Some(range.lower);
            }
        }
        let seen = seen.min(self.count);
        if seen < rank {
            return None;
        }
        let inside = if forward { rank - (seen - range.count) } else { seen - rank };
        Some(self.interpolate(range, inside / range.count))
    }

    /// The value below which this share of a bucket's observations lies.
    fn interpolate(&self, range: Range, share: f64) -> f64 {
        if self.is_custom() || range.sign == Sign::Zero {
            return range.lower + (range.upper - range.lower) * share;
        }
        let (lower, upper) = (range.lower.abs().log2(), range.upper.abs().log2());
        if range.sign == Sign::Positive {
            return (lower + (upper - lower) * share).exp2();
        }
        -(upper + (lower - upper) * (1.0 - share)).exp2()
    }

    /// The share of a bucket's observations below a value inside it. Buckets without an end cannot be divided: the lowest
    /// counts as a whole, the highest not at all.
    pub(super) fn share_below(&self, range: Range, value: f64) -> f64 {
        if range.lower == f64::NEG_INFINITY {
            return 1.0;
        }
        if range.upper == f64::INFINITY {
            return 0.0;
        }
        if self.is_custom() || range.sign == Sign::Zero {
            return (value - range.lower) / (range.upper - range.lower);
        }
        let [lower, upper, value] = [range.lower, range.upper, value].map(|it| it.abs().log2());
        if range.sign == Sign::Positive {
            return (value - lower) / (upper - lower);
        }
        1.0 - (value - upper) / (lower - upper)
    }

    /// The share of observations between two values.
    pub(in super::super) fn fraction(&self, lower: f64, upper: f64) -> f64 {
        if self.count == 0.0 || lower.is_nan() || upper.is_nan() {
            return f64::NAN;
        }
        if lower >= upper {
            return 0.0;
        }
        (self.rank_of(upper) - self.rank_of(lower)) / self.count
    }

    fn rank_of(&self, value: f64) -> f64 {
        let mut rank = 0.0;
        for range in self.ranges() {
            let mut range = self.biased(range);
            if self.is_custom() && range.lower == f64::NEG_INFINITY && range.upper > 0.0 {
                range.lower = 0.0;
                if value <= 0.0 {
                    return rank;
                }
            }
            if range.lower >= value {
                return rank;
            }
            if range.upper > value {
                return (rank + range.count * self.share_below(range, value)).min(self.count);
            }
            rank += range.count;
        }
        // Observations of NaN are below nothing.
        if self.sum.is_nan() { rank } else { self.count }
    }

    pub(in super::super) fn variance(&self) -> f64 {
        let mean = self.sum / self.count;
        let mut variance = super::super::sum::Sum::default();
        for range in self.ranges().filter(|range| range.count != 0.0) {
            let delta = self.centre(range) - mean;
            variance.add(range.count * delta * delta);
        }
        variance.value() / self.count
    }

    /// Where the observations of a bucket are taken to lie.
    fn centre(&self, range: Range) -> f64 {
        if self.is_custom() {
            return (range.upper + range.lower) / 2.0;
        }
        match range.sign {
            Sign::Zero => 0.0,
            Sign::Positive => (range.upper * range.lower).sqrt(),
            Sign::Negative => -(range.upper * range.lower).sqrt(),
        }
    }
}
