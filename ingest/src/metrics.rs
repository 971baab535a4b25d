//! What ingest counts about itself.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use culprit_store::Metric;

use crate::rejection::{RejectionKind, Rejections};

/// Counted where it happens; only ever added to.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    requests: AtomicU64,
    refused_requests: AtomicU64,
    bytes: AtomicU64,
    rows: AtomicU64,
    samples: AtomicU64,
    repaired_values: AtomicU64,
    rejected: [AtomicU64; RejectionKind::ALL.len()],
}

impl Counters {
    /// A request as it arrived, still compressed.
    pub(crate) fn request(&self, bytes: usize) {
        self.requests.fetch_add(1, Relaxed);
        self.bytes.fetch_add(bytes as u64, Relaxed);
    }

    pub(crate) fn refused_request(&self) {
        self.refused_requests.fetch_add(1, Relaxed);
    }

    pub(crate) fn rows(&self, accepted: u64) {
        self.rows.fetch_add(accepted, Relaxed);
    }

    pub(crate) fn samples(&self, accepted: u64) {
        self.samples.fetch_add(accepted, Relaxed);
    }

    /// Values of which bytes that are no UTF-8 were replaced.
    pub(crate) fn repaired(&self, values: u64) {
        self.repaired_values.fetch_add(values, Relaxed);
    }

    pub(crate) fn rejections(&self, rejections: &Rejections) {
        for kind in RejectionKind::ALL {
            self.rejected[kind as usize].fetch_add(rejections.of(kind), Relaxed);
        }
    }

    pub(crate) fn metrics(&self) -> Vec<Metric> {
        let count = |name, help, counter: &AtomicU64| Metric::counter(name, help, counter.load(Relaxed));
        let mut metrics = vec![
            count("culprit_ingest_requests_total", "Ingest requests received.", &self.requests),
            count("culprit_ingest_refused_requests_total", "Requests refused as a whole.", &self.refused_requests),
            count("culprit_ingest_bytes_total", "Bytes of bodies received, as sent.", &self.bytes),
            count("culprit_ingest_rows_total", "Log rows stored.", &self.rows),
            count("culprit_ingest_samples_total", "Samples of metrics stored.", &self.samples),
            count(
                "culprit_ingest_repaired_values_total",
                "Values of LogGroups in which bytes that are no UTF-8 were replaced.",
                &self.repaired_values,
            ),
        ];
        metrics.extend(RejectionKind::ALL.map(|kind| {
            count(
                "culprit_ingest_rejected_rows_total",
                "Rows and samples refused, by reason.",
                &self.rejected[kind as usize],
            )
            .label("reason", kind.name())
        }));
        metrics
    }
}
