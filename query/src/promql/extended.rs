//! `anchored` and `smoothed`: windows that know what happened before and after them, so that nothing is extrapolated.
//!
//! The window of such a selector carries, beside the samples inside, the last one at or before its start; a smoothed one
//! also the first after its end. Source of the rules: extendedRate in promql/functions.go.

use std::sync::Arc;

use culprit_store::is_stale;

use super::PromqlError;
use super::column::{Column, Sample};
use super::eval::Evaluator;
use super::grid::Grid;
use super::native::{self, NativeHistogram};
use super::notes::Notes;
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
    /// `metric smoothed`: what lies on the line between the samples around each time. After the last sample, that one stays;
    /// before the first there is nothing.
    pub(super) fn smoothed(&mut self, selector: &Selector, grid: &Grid) -> Result<Vec<Column>, PromqlError> {
        let all = self.series(selector);
        self.notes.at(selector.place);
        self.check_points(all.len(), grid)?;
        let mut columns = Vec::with_capacity(all.len());
        for series in all {
            self.check_stop()?;
            let samples = &series.samples;
            let live = samples.timestamps_ms.iter().zip(&samples.values).filter(|(_, value)| !is_stale(**value));
            let floats: Vec<(i64, f64)> = live.map(|(time, value)| (*time, *value)).collect();
            let metric = series.labels.metric_name().unwrap_or("");
            let mut column = Column::empty(series.labels.clone(), false, grid.steps);
            for (step, time) in grid.times().enumerate() {
                let at_ms = selector.anchor.reference(time);
                let sample = match (
                    Around::find(&floats, at_ms, self.lookback_ms),
                    Around::find(&series.histograms, at_ms, self.lookback_ms),
                ) {
                    (None, None) => None,
                    (Some(_), Some(_)) => {
                        self.notes.mixed_types(metric);
                        None
                    }
                    (Some(around), None) => around.float(at_ms).map(Sample::Float),
                    (None, Some(around)) => around.histogram(at_ms, metric, &mut self.notes),
                };
                if let Some(sample) = sample {
                    column.put(step, sample);
                }
            }
            if column.has_values() {
                columns.push(column);
            }
        }
        Ok(columns)
    }
}

/// The samples beside a time, at most the look-back away from it; at least one.
struct Around<'a, T> {
    before: Option<&'a (i64, T)>,
    after: Option<&'a (i64, T)>,
}

impl<'a, T> Around<'a, T> {
    fn find(samples: &'a [(i64, T)], at_ms: i64, lookback_ms: i64) -> Option<Self> {
        let next = samples.partition_point(|sample| sample.0 <= at_ms);
        let before = next.checked_sub(1).map(|at| &samples[at]).filter(|sample| sample.0 > at_ms - lookback_ms);
        let after = samples.get(next).filter(|sample| sample.0 <= at_ms + lookback_ms);
        (before.is_some() || after.is_some()).then_some(Self { before, after })
    }
}

impl Around<'_, f64> {
    fn float(&self, at_ms: i64) -> Option<f64> {
        let (before_ms, before) = self.before?;
        match self.after {
            Some((after_ms, after)) if *before_ms != at_ms => {
                Some(before + (after - before) * (at_ms - before_ms) as f64 / (after_ms - before_ms) as f64)
            }
            _ => Some(*before),
        }
    }
}

impl Around<'_, Arc<NativeHistogram>> {
    fn histogram(&self, at_ms: i64, metric: &str, notes: &mut Notes) -> Option<Sample> {
        let before = self.before?;
        match self.after {
            Some(after) if before.0 != at_ms => {
                native::smoothed_at(before, after, at_ms, metric, notes).map(Sample::from)
            }
            _ => Some(Sample::Histogram(before.1.clone())),
        }
    }
}
