//! What the shop did since the last line on the terminal, as its customers see it.

use super::row::Row;
use super::shop::Service;

#[derive(Default)]
pub(super) struct Tally {
    failed: usize,
    latencies_ms: Vec<f64>,
}

impl Tally {
    pub(super) fn add(&mut self, rows: &[Row]) {
        for row in rows.iter().filter(|row| row.service == Service::Frontend) {
            self.failed += usize::from(row.failed());
            self.latencies_ms.push(row.latency_ms);
        }
    }

    /// Says it and begins anew.
    pub(super) fn take(&mut self, seconds: u64) -> String {
        let Tally { failed, mut latencies_ms } = std::mem::take(self);
        let requests = latencies_ms.len();
        latencies_ms.sort_unstable_by(f64::total_cmp);
        let share = 100.0 * failed as f64 / requests.max(1) as f64;
        let slow_ms = latencies_ms.get(requests * 99 / 100).copied().unwrap_or(0.0);
        let per_second = requests as u64 / seconds.max(1);
        format!("{per_second} requests/s, {share:.1} % fail, the slowest of a hundred takes {:.1} s", slow_ms / 1_000.0)
    }
}
