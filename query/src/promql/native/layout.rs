//! Which buckets two histograms have in common: the lower resolution, the wider zero bucket, the shared custom bounds.

use super::{Bucket, Count, Histogram, NativeHistogram, ResetHint};

/// Exponential and custom buckets have nothing in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct IncompatibleSchemas;

/// What had to be given up for a common layout.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in super::super) struct Reconciled {
    /// The custom bounds differed; those that both have are left.
    pub(in super::super) bounds: bool,
    /// One said that there was a reset, the other that there was none.
    pub(in super::super) resets: bool,
}

impl<N: Count> Histogram<N> {
    /// Gives both the same layout. `other` counts in plain numbers.
    pub(super) fn align(&mut self, other: &mut NativeHistogram) -> Result<Reconciled, IncompatibleSchemas> {
        if self.is_custom() != other.is_custom() {
            return Err(IncompatibleSchemas);
        }
        let mut reconciled = Reconciled { bounds: false, resets: self.join_hint(other.hint) };
        if self.is_custom() {
            if self.bounds != other.bounds {
                let shared: Vec<f64> = self.bounds.iter().filter(|it| other.bounds.contains(it)).copied().collect();
                self.rebound(&shared);
                other.rebound(&shared);
                reconciled.bounds = true;
            }
            return Ok(reconciled);
        }
        while self.zero_threshold != other.zero_threshold {
            let wider = self.zero_threshold.max(other.zero_threshold);
            self.widen_zero(wider);
            other.widen_zero(self.zero_threshold);
        }
        let schema = self.schema.min(other.schema);
        self.reduce(schema);
        other.reduce(schema);
        Ok(reconciled)
    }

    /// True on a contradiction.
    fn join_hint(&mut self, other: ResetHint) -> bool {
        let (joined, contradiction) = match (self.hint, other) {
            (a, b) if a == b => (a, false),
            (ResetHint::Gauge, _) | (_, ResetHint::Gauge) => (ResetHint::Gauge, false),
            (ResetHint::Unknown, _) | (_, ResetHint::Unknown) => (ResetHint::Unknown, false),
            _ => (ResetHint::Unknown, true),
        };
        self.hint = joined;
        contradiction
    }

    /// To exponential buckets that are 2^(schema - target) times as many.
    pub(super) fn reduce(&mut self, target: i32) {
        if self.is_custom() || self.schema <= target {
            return;
        }
        let shift = self.schema - target;
        // Bucket i ends where bucket 2i of the next schema ends.
        let merged = |index: i32| ((index - 1) >> shift) + 1;
        self.positive = merge(&self.positive, merged);
        self.negative = merge(&self.negative, merged);
        self.schema = target;
    }

    /// Puts what lies below `threshold` into the zero bucket. A threshold inside a populated bucket moves to that one's end.
    pub(super) fn widen_zero(&mut self, mut threshold: f64) {
        if threshold <= self.zero_threshold {
            return;
        }
        loop {
            let cut = |bucket: &&Bucket<N>| {
                bucket.count.into() != 0.0
                    && self.bound(bucket.index - 1) < threshold
                    && self.bound(bucket.index) > threshold
            };
            let Some(bucket) = self.positive.iter().find(cut).or_else(|| self.negative.iter().find(cut)) else { break };
            threshold = self.bound(bucket.index);
        }
        let (mut swallowed, schema_bound) = (self.zero_count, self.clone());
        for side in [&mut self.positive, &mut self.negative] {
            side.retain(|bucket| {
                let inside = schema_bound.bound(bucket.index - 1) < threshold;
                if inside {
                    swallowed += bucket.count;
                }
                !inside
            });
        }
        self.zero_count = swallowed;
        self.zero_threshold = threshold;
    }

    /// To custom bounds that are a part of its own.
    pub(super) fn rebound(&mut self, shared: &[f64]) {
        let target = |index: i32| {
            let upper = self.bound(index);
            shared.partition_point(|bound| *bound < upper) as i32
        };
        self.positive = merge(&self.positive, target);
        self.bounds = shared.to_vec();
    }
}

fn merge<N: Count>(buckets: &[Bucket<N>], target: impl Fn(i32) -> i32) -> Vec<Bucket<N>> {
    let mut merged: Vec<Bucket<N>> = Vec::with_capacity(buckets.len());
    for bucket in buckets {
        let index = target(bucket.index);
        match merged.last_mut() {
            Some(last) if last.index == index => last.count += bucket.count,
            _ => merged.push(Bucket { index, count: bucket.count }),
        }
    }
    merged
}
