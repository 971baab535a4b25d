//! Time: nanoseconds since the Unix epoch, UTC, and where "now" comes from.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::SystemTime;

/// Nanoseconds since the Unix epoch, UTC. Reaches from 1677 to 2262.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct UnixNanos(pub i64);

impl UnixNanos {
    /// Saturates at the ends of the range: a time from outside may be any number.
    pub fn from_millis(ms: i64) -> Self {
        Self(ms.saturating_mul(1_000_000))
    }

    /// Rounds towards the past, so that a sample is never seen before its time.
    pub fn as_millis(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }
}

/// Half-open: `from` is inside, `to` is not. An absent end is unbounded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimeRange {
    pub from: Option<UnixNanos>,
    pub to: Option<UnixNanos>,
}

impl TimeRange {
    pub const ALL: TimeRange = TimeRange { from: None, to: None };

    pub fn new(from: UnixNanos, to: UnixNanos) -> Self {
        Self { from: Some(from), to: Some(to) }
    }

    /// True when some time of the closed range `min..=max` lies inside.
    pub fn overlaps(&self, min: UnixNanos, max: UnixNanos) -> bool {
        self.from.is_none_or(|from| max >= from) && self.to.is_none_or(|to| min < to)
    }
}

/// Where "now" comes from; tests turn the hands themselves.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    #[default]
    System,
    Manual(Arc<AtomicI64>),
}

impl Clock {
    pub fn manual(start: UnixNanos) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(start.0)))
    }

    #[expect(clippy::disallowed_methods, reason = "the one place where the machine's clock is read")]
    pub fn now(&self) -> UnixNanos {
        match self {
            Self::System => match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
                Ok(since) => UnixNanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)),
                Err(before) => UnixNanos(-i64::try_from(before.duration().as_nanos()).unwrap_or(i64::MAX)),
            },
            Self::Manual(hands) => UnixNanos(hands.load(Ordering::Relaxed)),
        }
    }

    /// Moves a manual clock; the machine's clock is not ours to move.
    pub fn set(&self, now: UnixNanos) {
        match self {
            Self::System => panic!("the machine's clock cannot be set"),
            Self::Manual(hands) => hands.store(now.0, Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_half_open() {
        let range = TimeRange::new(UnixNanos(10), UnixNanos(20));
        for (min, max, overlaps) in [(0, 9, false), (0, 10, true), (19, 30, true), (20, 30, false), (0, 99, true)] {
            assert_eq!(range.overlaps(UnixNanos(min), UnixNanos(max)), overlaps, "{min}..={max}");
        }
        assert!(TimeRange::ALL.overlaps(UnixNanos(i64::MIN), UnixNanos(i64::MIN)));
    }

    #[test]
    fn milliseconds_round_down_and_saturate() {
        assert_eq!(UnixNanos(-1).as_millis(), -1);
        assert_eq!(UnixNanos(1_999_999).as_millis(), 1);
        assert_eq!(UnixNanos::from_millis(i64::MAX), UnixNanos(i64::MAX));
    }
}
