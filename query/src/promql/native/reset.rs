//! Whether a counter histogram began anew between two samples.

use super::{Bucket, NativeHistogram, ResetHint};

impl NativeHistogram {
    /// True when `self` cannot have grown out of `previous`: some count fell, or the buckets are finer than before.
    pub(in super::super) fn is_reset_after(&self, previous: &Self) -> bool {
        match self.hint {
            ResetHint::Reset => return true,
            ResetHint::NotReset => return false,
            ResetHint::Unknown | ResetHint::Gauge => {}
        }
        if self.count < previous.count || self.is_custom() != previous.is_custom() {
            return true;
        }
        let (mut now, mut before) = (self.clone(), previous.clone());
        if self.is_custom() {
            let shared: Vec<f64> = self.bounds.iter().filter(|it| previous.bounds.contains(it)).copied().collect();
            now.rebound(&shared);
            before.rebound(&shared);
            return fell(&now.positive, &before.positive);
        }
        if self.schema > previous.schema || self.zero_threshold < previous.zero_threshold {
            return true;
        }
        before.widen_zero(self.zero_threshold);
        if before.zero_threshold != self.zero_threshold || self.zero_count < before.zero_count {
            return true;
        }
        before.reduce(self.schema);
        fell(&now.positive, &before.positive) || fell(&now.negative, &before.negative)
    }
}

fn fell(now: &[Bucket<f64>], before: &[Bucket<f64>]) -> bool {
    before.iter().any(|bucket| {
        let at = now.binary_search_by_key(&bucket.index, |it| it.index);
        at.map_or(0.0, |at| now[at].count) < bucket.count
    })
}
