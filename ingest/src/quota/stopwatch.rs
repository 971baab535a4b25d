//! Time that never steps back: a quota must not stop refilling because somebody set the machine's clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use culprit_store::Clock;

/// Nanoseconds on a stopwatch; they mean nothing outside of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Nanos(pub(crate) u64);

impl Nanos {
    pub(crate) fn since(self, earlier: Nanos) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    pub(crate) fn after(self, pause: Duration) -> Nanos {
        Nanos(self.0.saturating_add(nanos(pause)))
    }
}

pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[derive(Debug, Clone)]
pub(crate) enum Stopwatch {
    Running(Instant),
    /// The hands of a manual clock.
    Turned(Arc<AtomicI64>),
}

impl Stopwatch {
    pub(crate) fn of(clock: &Clock) -> Self {
        match clock {
            Clock::System => Self::Running(Instant::now()),
            Clock::Manual(hands) => Self::Turned(hands.clone()),
        }
    }

    /// Never 0, which stands for "not yet".
    pub(crate) fn now(&self) -> Nanos {
        match self {
            Self::Running(start) => Nanos(nanos(start.elapsed()).saturating_add(1)),
            Self::Turned(hands) => Nanos(u64::try_from(hands.load(Relaxed)).unwrap_or(0).saturating_add(1)),
        }
    }
}
