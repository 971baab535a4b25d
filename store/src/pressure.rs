//! How near the node is to refusing appends, and the numbers that appends are weighed against.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use crate::disk::Space;
use crate::error::Bottleneck;
use crate::limits::{
    DISK_FREE_BYTES_MIN, DISK_FREE_SHARE_MIN, GROUP_BYTES_MAX, LOG_QUEUE_BYTES_MAX, LOG_WAIT_MAX, RECENT_BYTES_MAX,
};
use crate::{Storage, StoreError};

/// Each from 0 to 1; at 1 and above appends are refused: later they will pass.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Pressure {
    /// Recent rows that are not in segments yet.
    pub memory: f32,
    /// What waits for the log, in bytes and in time.
    pub log: f32,
    /// Space on the disk: 1 when no more is left than what segments and the catalog need to get out of it again.
    pub disk: f32,
}

impl Pressure {
    pub fn max(&self) -> f32 {
        self.memory.max(self.log).max(self.disk)
    }
}

impl Storage {
    /// Reads a few atomic numbers.
    pub fn pressure(&self) -> Pressure {
        self.inner.gauges.pressure()
    }
}

/// Each is kept by those who change it and read by every append.
#[derive(Debug, Default)]
pub(crate) struct Gauges {
    /// Arrow bytes of all recent batches.
    pub(crate) recent_bytes: AtomicUsize,
    /// Bytes of bodies that wait for the log.
    waiting_bytes: AtomicUsize,
    /// What a sync of the log takes, as a moving average.
    sync_nanos: AtomicU64,
    /// The bits of an f32.
    disk: AtomicU32,
}

/// A place in the queue of the log, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Ticket {
    gauges: Arc<Gauges>,
    bytes: usize,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.gauges.waiting_bytes.fetch_sub(self.bytes, Relaxed);
    }
}

impl Gauges {
    /// Memory and disk, before anything is encoded.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let held = self.recent_bytes.load(Relaxed);
        if held > RECENT_BYTES_MAX {
            return Err(busy(Bottleneck::RecentBytes, held as u64, RECENT_BYTES_MAX as u64));
        }
        if self.disk_pressure() >= 1.0 {
            return Err(StoreError::DiskFull { source: None });
        }
        Ok(())
    }

    /// An empty queue takes anything, so that neither a large append nor a slow disk is locked out for ever.
    pub(crate) fn queue(self: &Arc<Self>, bytes: usize) -> Result<Ticket, StoreError> {
        let waiting = self.waiting_bytes.fetch_add(bytes, Relaxed);
        let ticket = Ticket { gauges: self.clone(), bytes };
        if waiting == 0 {
            return Ok(ticket);
        }
        if waiting + bytes > LOG_QUEUE_BYTES_MAX {
            return Err(busy(Bottleneck::QueueBytes, waiting as u64, LOG_QUEUE_BYTES_MAX as u64));
        }
        let wait = self.wait(waiting + bytes);
        if wait > LOG_WAIT_MAX {
            return Err(busy(Bottleneck::QueueMillis, wait.as_millis() as u64, LOG_WAIT_MAX.as_millis() as u64));
        }
        Ok(ticket)
    }

    pub(crate) fn waiting_bytes(&self) -> usize {
        self.waiting_bytes.load(Relaxed)
    }

    /// How long so many bytes take to get through the log: a sync for each group.
    fn wait(&self, bytes: usize) -> Duration {
        let groups = bytes.div_ceil(GROUP_BYTES_MAX) as u64;
        Duration::from_nanos(self.sync_nanos.load(Relaxed).saturating_mul(groups))
    }

    /// Weighs the last syncs most: an eighth of the new one, as TCP does for round trips (RFC 6298).
    pub(crate) fn synced(&self, took: Duration) {
        let new = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX / 8);
        let old = self.sync_nanos.load(Relaxed);
        let average = if old == 0 { new } else { old - old / 8 + new / 8 };
        self.sync_nanos.store(average, Relaxed);
    }

    pub(crate) fn set_space(&self, space: Space) {
        let low = DISK_FREE_BYTES_MIN.min((space.total as f64 * DISK_FREE_SHARE_MIN) as u64);
        // From four times the mark on it is felt, at the mark it is 1.
        let pressure = 1.0 - space.free.saturating_sub(low) as f64 / (3 * low.max(1)) as f64;
        self.disk.store((pressure.clamp(0.0, 1.0) as f32).to_bits(), Relaxed);
    }

    /// Until somebody looks at the space again.
    pub(crate) fn set_disk_full(&self) {
        self.disk.store(1f32.to_bits(), Relaxed);
    }

    fn disk_pressure(&self) -> f32 {
        f32::from_bits(self.disk.load(Relaxed))
    }

    fn pressure(&self) -> Pressure {
        let waiting = self.waiting_bytes.load(Relaxed);
        let wait = if waiting == 0 { Duration::ZERO } else { self.wait(waiting) };
        let in_bytes = waiting as f32 / LOG_QUEUE_BYTES_MAX as f32;
        Pressure {
            memory: self.recent_bytes.load(Relaxed) as f32 / RECENT_BYTES_MAX as f32,
            log: in_bytes.max(wait.as_secs_f32() / LOG_WAIT_MAX.as_secs_f32()),
            disk: self.disk_pressure(),
        }
    }
}

fn busy(what: Bottleneck, held: u64, limit: u64) -> StoreError {
    StoreError::Busy { what, held, limit }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_queue_takes_anything_and_a_long_one_nothing() {
        let gauges = Arc::new(Gauges::default());
        let large = gauges.queue(LOG_QUEUE_BYTES_MAX * 2).unwrap();
        let refused = gauges.queue(1).unwrap_err().to_string();
        assert!(refused.contains("wait for the log"), "{refused}");
        assert!(gauges.pressure().log >= 1.0);
        drop(large);
        assert_eq!(gauges.pressure().log, 0.0);
    }

    #[test]
    fn a_slow_disk_is_felt_as_soon_as_something_waits() {
        let gauges = Arc::new(Gauges::default());
        gauges.synced(LOG_WAIT_MAX * 3);
        let first = gauges.queue(10).unwrap();
        let refused = gauges.queue(10).unwrap_err();
        assert!(matches!(refused, StoreError::Busy { what: Bottleneck::QueueMillis, held: 6000, .. }), "{refused:?}");
        drop(first);
        for _ in 0..100 {
            gauges.synced(Duration::from_millis(1));
        }
        let _first = gauges.queue(10).unwrap();
        gauges.queue(10).unwrap();
    }

    #[test]
    fn the_last_space_is_left_to_segments() {
        let gauges = Gauges::default();
        let total = 1 << 40;
        for (free, pressure) in [(total, 0.0), (4 * DISK_FREE_BYTES_MIN, 0.0), (DISK_FREE_BYTES_MIN, 1.0), (0, 1.0)] {
            gauges.set_space(Space { free, total });
            assert_eq!(gauges.pressure().disk, pressure, "{free}");
            assert_eq!(gauges.check().is_err(), pressure >= 1.0, "{free}");
        }
        // A small disk would be full from the start with a fixed mark.
        gauges.set_space(Space { free: 60 << 20, total: 64 << 20 });
        assert_eq!(gauges.pressure().disk, 0.0);
    }
}
