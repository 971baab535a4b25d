//! Inspections of alerting, answered by rca: which series of a watched query jumped.

use std::sync::Arc;

use culprit_alerting::{HookError, Inspect, Jump, WatchedSeries, Window};
use culprit_rca::{SliceAnomaly, anomalous_slices};
use culprit_store::UnixNanos;
use futures::FutureExt;

/// One look in a thousand at quiet series may wake somebody: windows follow each other all day.
const FALSE_DISCOVERIES: f64 = 0.001;

pub(crate) fn inspect() -> Inspect {
    Arc::new(|series, window| jumps(series, window).boxed())
}

/// A processor's work, which leaves the runtime.
async fn jumps(series: Vec<WatchedSeries>, window: Window) -> Result<Vec<Jump>, HookError> {
    let searched = tokio::task::spawn_blocking(move || {
        let slices: Vec<(&[i64], &[f64])> = series.iter().map(|one| (&one.times[..], &one.values[..])).collect();
        anomalous_slices(&slices, (window.0.0, window.1.0), FALSE_DISCOVERIES)
    });
    let found = searched.await.map_err(HookError::new)?;
    Ok(found.iter().map(jump).collect())
}

fn jump(found: &SliceAnomaly) -> Jump {
    Jump {
        index: found.index,
        onset: UnixNanos(found.onset),
        expected: found.expected,
        actual: found.actual,
        q_value: found.q_value,
    }
}
