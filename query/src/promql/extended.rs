//! `anchored` and `smoothed`: windows that know what happened before and after them, so that nothing is extrapolated.
//!
//! The window of such a selector carries, beside the samples inside, the last one at or before its start; a smoothed one
//! also the first after its end. Source of the rules: extendedRate in promql/functions.go.

use culprit_store::is_stale;

use super::PromqlError;
use super::column::Column;
use super::eval::Evaluator;
use super::grid::Grid;
use super::plan::Selector;
use super::rate::Kind;
use super::window::Window;

/// Change over the window, what resets of a counter took away added back.
pub(super) fn change(window: &Window, kind: Kind) -> Option<f64> {
    let (times, values) = (window.timestamps, window.values);
    let last = times.len().checked_sub(1)?;
    if times[0] > window.end_ms {
        return None;
    }
    let left = match times[0] < window.start_ms {
        true if window.smoothed() => between(window, 0, window.start_ms, kind),
        _ => values[0],
    };
    let right = match times[last] > window.end_ms {
        true if last > 0 => between(window, last - 1, window.end_ms, kind),
        _ => values[last],
    };
    if kind == Kind::Gauge {
        return Some(right - left);
    }
    let inside = times.iter().zip(values).filter(|(time, _)| **time > window.start_ms && **time < window.end_ms);
    let mut correction = 0.0;
    let mut previous = left;
    for value in inside.map(|(_, value)| *value).chain([right]) {
        if value < previous {
            correction += previous;
        }
        previous = value;
    }
    Some(right - left + correction)
}

/// On the line between two samples. A counter that was reset between them began at zero.
fn between(window: &Window, before: usize, at_ms: i64, kind: Kind) -> f64 {
    let ([t1, t2], [mut y1, y2]) =
        ([before, before + 1].map(|at| window.timestamps[at]), [before, before + 1].map(|at| window.values[at]));
    if kind == Kind::Counter && y2 < y1 {
        y1 = 0.0;
    }
    y1 + (y2 - y1) * (at_ms - t1) as f64 / (t2 - t1) as f64
}

impl Evaluator<'_> {
    /// `metric smoothed`: the value on the line between the samples around each time. After the last sample, that one stays;
    /// before the first there is nothing.
    pub(super) fn smoothed(&mut self, selector: &Selector, grid: &Grid) -> Result<Vec<Column>, PromqlError> {
        let all = self.series(selector);
        self.check_points(all.len(), grid)?;
        let mut columns = Vec::with_capacity(all.len());
        for series in all {
            self.check_stop()?;
            let samples = &series.samples;
            let live = samples.timestamps_ms.iter().zip(&samples.values).filter(|(_, value)| !is_stale(**value));
            let (times, values): (Vec<i64>, Vec<f64>) = live.unzip();
            let mut column = Column::empty(series.labels.clone(), false, grid.steps);
            for (step, time) in grid.times().enumerate() {
                let at_ms = selector.anchor.reference(time);
                let next = times.partition_point(|time| *time <= at_ms);
                let Some(last) = next.checked_sub(1).filter(|last| times[*last] > at_ms - self.lookback_ms) else {
                    continue;
                };
                let ahead = times.get(next).is_some_and(|time| *time <= at_ms + self.lookback_ms);
                column.values[step] = match ahead && times[last] != at_ms {
                    true => {
                        let share = (at_ms - times[last]) as f64 / (times[next] - times[last]) as f64;
                        values[last] + (values[next] - values[last]) * share
                    }
                    false => values[last],
                };
            }
            if column.has_values() {
                columns.push(column);
            }
        }
        Ok(columns)
    }
}
