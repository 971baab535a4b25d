//! Whether the node has room: while it has, a shard may have more than its quota.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};

use super::stopwatch::{Nanos, nanos};
use crate::limits::{PRESSURE_AGE, PRESSURE_EXACT, PRESSURE_FULL, PRESSURE_SOFT};

/// 0 when nothing waits, 1 when no more is taken.
pub type Gauge = Arc<dyn Fn() -> f32 + Send + Sync>;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Room {
    /// Shards share what there is.
    Plenty,
    /// Each shard gets its quota.
    Scarce,
    /// There is nothing left.
    None { percent: u32 },
}

/// Read at most every few milliseconds: the gauge adds up all shards.
pub(crate) struct Pressure {
    gauge: Gauge,
    read_at: AtomicU64,
    /// The bits of an f32.
    value: AtomicU32,
    is_scarce: AtomicBool,
}

impl Pressure {
    pub(crate) fn new(gauge: Gauge) -> Self {
        Self { gauge, read_at: AtomicU64::new(0), value: AtomicU32::new(0), is_scarce: AtomicBool::new(false) }
    }

    /// Between the two marks it stays what it was, so that it does not flutter.
    pub(crate) fn room(&self, now: Nanos) -> Room {
        let value = self.value(now);
        if value >= PRESSURE_EXACT {
            self.is_scarce.store(true, Relaxed);
        } else if value < PRESSURE_SOFT {
            self.is_scarce.store(false, Relaxed);
        }
        if value >= PRESSURE_FULL {
            return Room::None { percent: (value * 100.0) as u32 };
        }
        if self.is_scarce.load(Relaxed) { Room::Scarce } else { Room::Plenty }
    }

    pub(crate) fn value(&self, now: Nanos) -> f32 {
        let read_at = self.read_at.load(Relaxed);
        let is_stale = read_at == 0 || now.0.saturating_sub(read_at) >= nanos(PRESSURE_AGE);
        // Whoever moves the hand reads the gauge; the others take what was read last.
        if is_stale && self.read_at.compare_exchange(read_at, now.0, Relaxed, Relaxed).is_ok() {
            let value = (self.gauge)();
            self.value.store(value.to_bits(), Relaxed);
            return value;
        }
        f32::from_bits(self.value.load(Relaxed))
    }
}

impl fmt::Debug for Pressure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pressure").field("value", &self.value).finish_non_exhaustive()
    }
}
