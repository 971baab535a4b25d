//! Adding histograms up, subtracting, and means that do not overflow.

use super::super::sum::Sum;
use super::{Bucket, Count, Histogram, IncompatibleSchemas, NativeHistogram, Reconciled, ResetHint};

impl<N: Count> Histogram<N> {
    pub(in super::super) fn add(&mut self, other: &NativeHistogram) -> Result<Reconciled, IncompatibleSchemas> {
        let mut other = other.clone();
        let reconciled = self.align(&mut other)?;
        self.count += other.count;
        self.sum += other.sum;
        self.zero_count += other.zero_count;
        self.positive = union(&self.positive, &other.positive);
        self.negative = union(&self.negative, &other.negative);
        Ok(reconciled)
    }
}

fn union<N: Count>(own: &[Bucket<N>], other: &[Bucket<f64>]) -> Vec<Bucket<N>> {
    let mut all = Vec::with_capacity(own.len().max(other.len()));
    let (mut own, mut other) = (own.iter().peekable(), other.iter().peekable());
    loop {
        let index = match (own.peek(), other.peek()) {
            (Some(a), Some(b)) => a.index.min(b.index),
            (Some(a), None) => a.index,
            (None, Some(b)) => b.index,
            (None, None) => return all,
        };
        let mut count = own.next_if(|bucket| bucket.index == index).map_or(N::default(), |bucket| bucket.count);
        if let Some(bucket) = other.next_if(|bucket| bucket.index == index) {
            count += bucket.count;
        }
        all.push(Bucket { index, count });
    }
}

impl NativeHistogram {
    /// What is left may be negative, and is no counter.
    pub(in super::super) fn subtract(&mut self, other: &Self) -> Result<Reconciled, IncompatibleSchemas> {
        let mut negated = other.clone();
        negated.scale(|value| -value);
        let reconciled = self.add(&negated)?;
        self.hint = ResetHint::Gauge;
        Ok(reconciled)
    }

    fn overflows(&self) -> bool {
        let counts = self.positive.iter().chain(&self.negative).map(|bucket| bucket.count);
        counts.chain([self.count, self.sum, self.zero_count]).any(f64::is_infinite)
    }
}

impl From<&NativeHistogram> for Histogram<Sum> {
    fn from(plain: &NativeHistogram) -> Self {
        plain.counted(Sum::from)
    }
}

impl Histogram<Sum> {
    pub(in super::super) fn value(&self) -> NativeHistogram {
        self.counted(f64::from)
    }

    fn scaled(&self, factor: f64) -> Self {
        self.counted(|sum| Sum { sum: sum.sum * factor, lost: sum.lost * factor })
    }
}

impl<N: Count> Histogram<N> {
    fn counted<M>(&self, change: impl Fn(N) -> M) -> Histogram<M> {
        let buckets = |buckets: &[Bucket<N>]| {
            buckets.iter().map(|bucket| Bucket { index: bucket.index, count: change(bucket.count) }).collect()
        };
        Histogram {
            hint: self.hint,
            schema: self.schema,
            zero_threshold: self.zero_threshold,
            zero_count: change(self.zero_count),
            count: change(self.count),
            sum: change(self.sum),
            positive: buckets(&self.positive),
            negative: buckets(&self.negative),
            bounds: self.bounds.clone(),
        }
    }
}

/// The sum divided at the end, or, from the sample on at which the sum would overflow, a running mean; as for plain numbers.
#[derive(Debug, Clone)]
pub(in super::super) struct HistogramMean {
    acc: Histogram<Sum>,
    count: f64,
    incremental: bool,
}

impl HistogramMean {
    pub(in super::super) fn new(first: &NativeHistogram) -> Self {
        Self { acc: first.into(), count: 1.0, incremental: false }
    }

    pub(in super::super) fn add(&mut self, next: &NativeHistogram) -> Result<Reconciled, IncompatibleSchemas> {
        self.count += 1.0;
        if !self.incremental {
            let mut direct = self.acc.clone();
            let reconciled = direct.add(next)?;
            if !direct.value().overflows() {
                self.acc = direct;
                return Ok(reconciled);
            }
            self.incremental = true;
            self.acc = self.acc.scaled(1.0 / (self.count - 1.0));
        }
        self.acc = self.acc.scaled((self.count - 1.0) / self.count);
        let mut share = next.clone();
        share.scale(|value| value / self.count);
        self.acc.add(&share)
    }

    pub(in super::super) fn value(&self) -> NativeHistogram {
        if self.incremental {
            return self.acc.value();
        }
        self.acc.counted(|sum| sum.sum / self.count + sum.lost / self.count)
    }
}
