//! The shape in which every crate hands out its own numbers, and the store's counters.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    Counter,
    Gauge,
}

/// One sample of the server's own telemetry, ready for `/metrics` and for the self-scrape.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    pub name: &'static str,
    pub help: &'static str,
    pub kind: MetricKind,
    pub labels: Vec<(&'static str, String)>,
    pub value: f64,
}

impl Metric {
    pub fn counter(name: &'static str, help: &'static str, value: u64) -> Self {
        Self { name, help, kind: MetricKind::Counter, labels: Vec::new(), value: value as f64 }
    }

    pub fn gauge(name: &'static str, help: &'static str, value: f64) -> Self {
        Self { name, help, kind: MetricKind::Gauge, labels: Vec::new(), value }
    }

    pub fn label(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.labels.push((name, value.into()));
        self
    }
}

/// Counted where it happens; only ever added to.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) appended_rows: AtomicU64,
    pub(crate) appended_bytes: AtomicU64,
    pub(crate) groups: AtomicU64,
    pub(crate) log_bytes: AtomicU64,
    pub(crate) fsync_micros: AtomicU64,
    pub(crate) refused_busy: AtomicU64,
    pub(crate) refused_disk_full: AtomicU64,
    pub(crate) replay_micros: AtomicU64,
    pub(crate) replayed_bytes: AtomicU64,
    pub(crate) replayed_rows: AtomicU64,
    pub(crate) quarantined_groups: AtomicU64,
    pub(crate) torn_bytes: AtomicU64,
    pub(crate) overflow_values: AtomicU64,
    pub(crate) flushes: AtomicU64,
    pub(crate) flush_failures: AtomicU64,
    pub(crate) flushed_rows: AtomicU64,
    pub(crate) expired_segments: AtomicU64,
    pub(crate) duplicate_samples: AtomicU64,
    pub(crate) splits: AtomicU64,
    pub(crate) merges: AtomicU64,
    pub(crate) cold_loads: AtomicU64,
    pub(crate) cold_bytes: AtomicU64,
}

impl Counters {
    pub(crate) fn add(counter: &AtomicU64, by: u64) {
        counter.fetch_add(by, Relaxed);
    }

    pub(crate) fn metrics(&self) -> Vec<Metric> {
        let count = |name, help, counter: &AtomicU64| Metric::counter(name, help, counter.load(Relaxed));
        vec![
            count("culprit_store_appended_rows_total", "Rows acknowledged.", &self.appended_rows),
            count("culprit_store_appended_bytes_total", "Arrow bytes acknowledged.", &self.appended_bytes),
            count("culprit_store_log_groups_total", "Groups committed to the log.", &self.groups),
            count("culprit_store_log_bytes_total", "Bytes written to the log.", &self.log_bytes),
            Metric {
                value: self.fsync_micros.load(Relaxed) as f64 / 1e6,
                ..Metric::counter("culprit_store_log_fsync_seconds_total", "Time spent in fsync of the log.", 0)
            },
            count("culprit_store_refused_busy_total", "Appends refused because too much waits.", &self.refused_busy),
            count(
                "culprit_store_refused_disk_full_total",
                "Appends refused for want of space.",
                &self.refused_disk_full,
            ),
            Metric::gauge(
                "culprit_store_replay_seconds",
                "What reading the log back took at the start.",
                self.replay_micros.load(Relaxed) as f64 / 1e6,
            ),
            count("culprit_store_replayed_bytes_total", "Bytes of log read back at the start.", &self.replayed_bytes),
            count("culprit_store_replayed_rows_total", "Rows taken from the log at the start.", &self.replayed_rows),
            count("culprit_store_quarantined_groups_total", "Damaged log groups set aside.", &self.quarantined_groups),
            count("culprit_store_torn_bytes_total", "Bytes cut from torn log tails.", &self.torn_bytes),
            count("culprit_store_overflow_values_total", "Values kept in the overflow map.", &self.overflow_values),
            count("culprit_store_flushes_total", "Segments written.", &self.flushes),
            count("culprit_store_flush_failures_total", "Segments that could not be written.", &self.flush_failures),
            count("culprit_store_flushed_rows_total", "Rows written to segments.", &self.flushed_rows),
            count("culprit_store_expired_segments_total", "Segments dropped by age.", &self.expired_segments),
            count(
                "culprit_store_duplicate_samples_total",
                "Samples at a time at which their series had one already, which stands.",
                &self.duplicate_samples,
            ),
            count("culprit_store_shard_splits_total", "Shards split.", &self.splits),
            count("culprit_store_shard_merges_total", "Pairs of shards merged.", &self.merges),
            count("culprit_store_cold_loads_total", "Segments loaded for consumers.", &self.cold_loads),
            count("culprit_store_cold_bytes_total", "Arrow bytes loaded for consumers.", &self.cold_bytes),
        ]
    }
}
