//! How near the node is to refusing appends.

use std::sync::atomic::Ordering::Relaxed;

use crate::Storage;
use crate::limits::RECENT_BYTES_MAX;

/// Each from 0 to 1; at 1 and above appends are refused as busy.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Pressure {
    /// Recent rows that are not in segments yet.
    pub memory: f32,
    /// What waits for the log, in bytes and in time.
    pub log: f32,
    /// Space on the disk.
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
        let memory = self.inner.recent_bytes.load(Relaxed) as f32 / RECENT_BYTES_MAX as f32;
        Pressure { memory, log: 0.0, disk: 0.0 }
    }
}
