//! A series and its samples, decoded: what the metrics face hands to PromQL and takes from remote write.

use crate::Labels;

/// The payload that marks a series as gone, told apart from every other NaN by its bits.
pub const STALE_NAN_BITS: u64 = 0x7ff0_0000_0000_0002;

pub fn stale_nan() -> f64 {
    f64::from_bits(STALE_NAN_BITS)
}

pub fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE_NAN_BITS
}

/// Two columns of equal length, ascending and unique in time. Milliseconds since the epoch.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Samples {
    pub timestamps_ms: Vec<i64>,
    pub values: Vec<f64>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    pub labels: Labels,
    pub samples: Samples,
}

/// Closed on both sides, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleRange {
    pub start_ms: i64,
    pub end_ms: i64,
}

impl SampleRange {
    pub const ALL: SampleRange = SampleRange { start_ms: i64::MIN, end_ms: i64::MAX };

    pub fn contains(&self, timestamp_ms: i64) -> bool {
        (self.start_ms..=self.end_ms).contains(&timestamp_ms)
    }
}
