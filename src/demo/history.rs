//! The shop's last ten minutes, written at once, so that dashboards and rates have a past when the demo opens.

use std::time::Duration;

use culprit_store::UnixNanos;

use super::meters::Meters;
use super::sender::Sender;
use super::traffic::Traffic;
use crate::error::CliError;

pub(super) const LENGTH: Duration = Duration::from_secs(600);
/// Between the samples of the past; live ones come closer.
const SAMPLE_INTERVAL_NANOS: i64 = 5_000_000_000;
/// Rows of this much time are made and sent together.
const SAMPLES_PER_PART: usize = 24;

/// Writes all from the traffic's beginning to `end`; returns the number of log rows.
pub(super) async fn write(
    traffic: &mut Traffic,
    meters: &mut Meters,
    sender: &Sender,
    end: UnixNanos,
) -> Result<usize, CliError> {
    let mut written = 0;
    let mut at = before(end, LENGTH);
    meters.sample(at, traffic);
    while at < end {
        let mut part = Vec::new();
        for _ in 0..SAMPLES_PER_PART {
            at = UnixNanos(at.0.saturating_add(SAMPLE_INTERVAL_NANOS)).min(end);
            let rows = traffic.until(at);
            rows.iter().for_each(|row| meters.observe(row));
            meters.sample(at, traffic);
            part.extend(rows);
            if at == end {
                break;
            }
        }
        sender.logs(&part).await?;
        sender.samples(&meters.take()).await?;
        written += part.len();
    }
    Ok(written)
}

pub(super) fn before(end: UnixNanos, length: Duration) -> UnixNanos {
    UnixNanos(end.0.saturating_sub(length.as_nanos() as i64))
}
