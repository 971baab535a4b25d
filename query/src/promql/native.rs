//! Native histograms: all observations of a metric in one sample, with exponential buckets around a zero bucket, or with
//! custom bounds.
//!
//! `Histogram<f64>` is a sample; `Histogram<Sum>` adds samples up and keeps what rounding takes away. Buckets are sparse and
//! sorted by index: an exponential bucket of index i and schema s ends at 2^(i · 2^-s), a custom one at the bound i.

mod aggregated;
mod layout;
mod rate;
mod reset;
mod stats;
mod sum;
mod trim;

use std::fmt;
use std::ops::AddAssign;

use super::number::{almost_equal, display};

pub(super) use self::aggregated::Aggregated;
pub(super) use self::layout::{IncompatibleSchemas, Reconciled};
pub(super) use self::rate::{extended_change, increase, instant_change, smoothed_at};
pub(super) use self::stats::NanNote;
pub(super) use self::sum::HistogramMean;
pub(super) use self::trim::trim;

pub(super) type NativeHistogram = Histogram<f64>;

/// The schema of custom bounds, whose buckets are not exponential.
pub(super) const CUSTOM: i32 = -53;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Histogram<N> {
    pub(super) hint: ResetHint,
    pub(super) schema: i32,
    pub(super) zero_threshold: f64,
    pub(super) zero_count: N,
    pub(super) count: N,
    pub(super) sum: N,
    pub(super) positive: Vec<Bucket<N>>,
    pub(super) negative: Vec<Bucket<N>>,
    /// Ascending upper bounds of the custom buckets but the last, which has none.
    pub(super) bounds: Vec<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bucket<N> {
    pub(super) index: i32,
    pub(super) count: N,
}

/// What is known about a reset between the sample before and this one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ResetHint {
    #[default]
    Unknown,
    Reset,
    NotReset,
    /// The histogram may fall: it is no counter.
    Gauge,
}

/// A bucket with its bounds, ascending over the negative ones, the zero bucket and the positive ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    pub(super) lower: f64,
    pub(super) upper: f64,
    pub(super) count: f64,
    pub(super) sign: Sign,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Negative,
    Zero,
    Positive,
}

/// Numbers that counts are kept in.
pub trait Count: Copy + Default + AddAssign<f64> + AddAssign<Self> + Into<f64> {}

impl<N: Copy + Default + AddAssign<f64> + AddAssign<N> + Into<f64>> Count for N {}

impl<N: Count> Histogram<N> {
    pub(super) fn is_custom(&self) -> bool {
        self.schema == CUSTOM
    }

    /// The upper bound of a positive bucket; mirrored for a negative one.
    fn bound(&self, index: i32) -> f64 {
        if self.is_custom() {
            return match usize::try_from(index) {
                Ok(index) => self.bounds.get(index).copied().unwrap_or(f64::INFINITY),
                Err(_) => f64::NEG_INFINITY,
            };
        }
        let exponent = f64::from(index) * 2_f64.powi(-self.schema);
        // The last bucket ends at the largest number, beyond which are only infinities.
        if exponent == 1024.0 { f64::MAX } else { exponent.exp2() }
    }
}

impl NativeHistogram {
    pub(super) fn positive_ranges(&self) -> impl DoubleEndedIterator<Item = Range> {
        self.positive.iter().map(|bucket| {
            let (lower, upper) = (self.bound(bucket.index - 1), self.bound(bucket.index));
            Range { lower, upper, count: bucket.count, sign: Sign::Positive }
        })
    }

    pub(super) fn negative_ranges(&self) -> impl DoubleEndedIterator<Item = Range> {
        self.negative.iter().rev().map(|bucket| {
            let (lower, upper) = (-self.bound(bucket.index), -self.bound(bucket.index - 1));
            Range { lower, upper, count: bucket.count, sign: Sign::Negative }
        })
    }

    fn zero_range(&self) -> Option<Range> {
        let (lower, upper) = (-self.zero_threshold, self.zero_threshold);
        (self.zero_count != 0.0).then_some(Range { lower, upper, count: self.zero_count, sign: Sign::Zero })
    }

    pub(super) fn ranges(&self) -> impl DoubleEndedIterator<Item = Range> {
        self.negative_ranges().chain(self.zero_range()).chain(self.positive_ranges())
    }

    pub(super) fn multiply(&mut self, factor: f64) {
        self.scale(|value| value * factor);
        if factor < 0.0 {
            self.hint = ResetHint::Gauge;
        }
    }

    pub(super) fn divide(&mut self, divisor: f64) {
        self.scale(|value| value / divisor);
        if divisor < 0.0 {
            self.hint = ResetHint::Gauge;
        }
        // Infinitely or undefinedly many observations say nothing about where they are.
        if divisor == 0.0 {
            self.positive.clear();
            self.negative.clear();
        }
    }

    fn scale(&mut self, change: impl Fn(f64) -> f64) {
        for value in [&mut self.count, &mut self.sum, &mut self.zero_count] {
            *value = change(*value);
        }
        for bucket in self.positive.iter_mut().chain(&mut self.negative) {
            bucket.count = change(bucket.count);
        }
    }

    /// Without the buckets that hold nothing.
    pub(super) fn compact(mut self) -> Self {
        self.positive.retain(|bucket| bucket.count != 0.0);
        self.negative.retain(|bucket| bucket.count != 0.0);
        self
    }

    /// The same observations, whatever is known about resets.
    pub(super) fn same_as(&self, other: &Self) -> bool {
        let with_hint_of = |it: &Self| Self { hint: ResetHint::Unknown, ..it.clone().compact() };
        with_hint_of(self) == with_hint_of(other)
    }

    pub(super) fn almost_equals(&self, other: &Self, tolerance: f64) -> bool {
        let close = |a: f64, b: f64| almost_equal(a, b, tolerance);
        let buckets = |a: &[Bucket<f64>], b: &[Bucket<f64>]| {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.index == b.index && close(a.count, b.count))
        };
        let (a, b) = (self.clone().compact(), other.clone().compact());
        a.schema == b.schema
            && a.bounds == b.bounds
            && a.zero_threshold == b.zero_threshold
            && close(a.zero_count, b.zero_count)
            && close(a.count, b.count)
            && close(a.sum, b.sum)
            && buckets(&a.positive, &b.positive)
            && buckets(&a.negative, &b.negative)
    }
}

/// `{count:3, sum:4, [-1,-0.5):1, (0.5,1]:2}`: a bucket holds its end that is farther from zero.
impl fmt::Display for NativeHistogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{count:{}, sum:{}", display(self.count), display(self.sum))?;
        for range in self.ranges().filter(|range| range.count != 0.0) {
            let open = if range.sign == Sign::Positive { '(' } else { '[' };
            let close = if range.sign == Sign::Negative { ')' } else { ']' };
            let [lower, upper, count] = [range.lower, range.upper, range.count].map(display);
            write!(f, ", {open}{lower},{upper}{close}:{count}")?;
        }
        f.write_str("}")
    }
}

#[cfg(test)]
mod tests;
