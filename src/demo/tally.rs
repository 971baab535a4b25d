//! What the shop did since the last line on the terminal.

use super::row::Row;
use super::shop::Service;

#[derive(Default)]
pub(super) struct Tally {
    requests: u64,
    failed: u64,
}

impl Tally {
    pub(super) fn add(&mut self, rows: &[Row]) {
        for row in rows.iter().filter(|row| row.service == Service::Frontend) {
            self.requests += 1;
            self.failed += u64::from(row.failed());
        }
    }

    /// Says it and begins anew.
    pub(super) fn take(&mut self, seconds: u64) -> String {
        let Tally { requests, failed } = std::mem::take(self);
        let share = 100.0 * failed as f64 / requests.max(1) as f64;
        format!("{} requests/s, {share:.1} % fail", requests / seconds.max(1))
    }
}
