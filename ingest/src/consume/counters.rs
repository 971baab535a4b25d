//! What consumption counts about itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use culprit_store::Metric;

#[derive(Debug, Default)]
pub(super) struct CacheCounters {
    pub(super) hits: AtomicU64,
    /// Each one a block that was read, encoded and compressed.
    pub(super) misses: AtomicU64,
    pub(super) evicted: AtomicU64,
    pub(super) held: AtomicU64,
}

impl CacheCounters {
    pub(super) fn add(counter: &AtomicU64, by: u64) {
        counter.fetch_add(by, Relaxed);
    }

    pub(super) fn set(gauge: &AtomicU64, value: u64) {
        gauge.store(value, Relaxed);
    }

    fn metrics(&self, cache: &'static str) -> [Metric; 4] {
        let count = |name, help, counter: &AtomicU64| Metric::counter(name, help, counter.load(Relaxed));
        let held = self.held.load(Relaxed) as f64;
        [
            count("culprit_ingest_consume_hits_total", "Blocks given to readers from a cache.", &self.hits),
            count("culprit_ingest_consume_misses_total", "Blocks encoded for readers.", &self.misses),
            count("culprit_ingest_consume_evicted_total", "Blocks pushed out of a cache.", &self.evicted),
            Metric::gauge("culprit_ingest_consume_held_bytes", "Bytes that a cache holds.", held),
        ]
        .map(|metric| metric.label("cache", cache))
    }
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    /// Encoded blocks of recent rows.
    pub(super) tail: Arc<CacheCounters>,
    /// Encoded blocks of rows from segments.
    pub(super) cold: Arc<CacheCounters>,
    /// Segments read back.
    pub(super) segments: Arc<CacheCounters>,
    pub(super) pulls: AtomicU64,
    pub(super) empty_pulls: AtomicU64,
    /// As sent to readers.
    pub(super) bytes: AtomicU64,
    pub(super) followers: AtomicU64,
    pub(super) delivered: AtomicU64,
    pub(super) delivered_again: AtomicU64,
}

impl Counters {
    pub(super) fn metrics(&self) -> Vec<Metric> {
        let count = |name, help, counter: &AtomicU64| Metric::counter(name, help, counter.load(Relaxed));
        let caches = [(&self.tail, "tail"), (&self.cold, "cold"), (&self.segments, "segments")];
        let mut metrics: Vec<Metric> = caches.iter().flat_map(|(counters, name)| counters.metrics(name)).collect();
        metrics.extend([
            count("culprit_ingest_consume_pulls_total", "Pulls by cursor that found something.", &self.pulls),
            count("culprit_ingest_consume_empty_pulls_total", "Pulls at the end of a shard.", &self.empty_pulls),
            count("culprit_ingest_consume_bytes_total", "Bytes given to readers, as sent.", &self.bytes),
            count("culprit_ingest_consume_delivered_total", "Batches leased to fanout readers.", &self.delivered),
            count(
                "culprit_ingest_consume_delivered_again_total",
                "Batches leased again after a timeout.",
                &self.delivered_again,
            ),
        ]);
        let followers = self.followers.load(Relaxed) as f64;
        metrics.push(Metric::gauge("culprit_ingest_consume_followers", "Open push tails.", followers));
        metrics
    }
}
