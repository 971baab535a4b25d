//! How fast and how often a series changes: rate, increase, delta, irate, idelta, resets, changes.

use super::extended;
use super::syntax::Edges;
use super::window::Window;

/// Per-second increase of a counter.
pub(super) fn rate(window: &Window) -> Option<f64> {
    let range_s = (window.end_ms - window.start_ms) as f64 / 1000.0;
    if window.edges != Edges::Plain {
        return Some(extended::change(window, Kind::Counter)? / range_s);
    }
    let increase = corrected_increase(window);
    Some(increase * (stretch(window, increase, Kind::Counter)? / range_s))
}

/// Increase of a counter over the window.
pub(super) fn increase(window: &Window) -> Option<f64> {
    if window.edges != Edges::Plain {
        return extended::change(window, Kind::Counter);
    }
    let increase = corrected_increase(window);
    Some(increase * stretch(window, increase, Kind::Counter)?)
}

/// Change of a gauge over the window.
pub(super) fn delta(window: &Window) -> Option<f64> {
    if window.edges != Edges::Plain {
        return extended::change(window, Kind::Gauge);
    }
    let change = window.values[window.values.len() - 1] - window.values[0];
    Some(change * stretch(window, change, Kind::Gauge)?)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
}

/// Last minus first, plus what every reset of the counter took away.
fn corrected_increase(window: &Window) -> f64 {
    let values = window.values;
    let mut increase = values[values.len() - 1] - values[0];
    for pair in values.windows(2) {
        if pair[1] < pair[0] {
            increase += pair[0];
        }
    }
    increase
}

/// The factor that stretches a change between the first and the last sample to the whole window, by the rules of Prometheus 3
/// (`extrapolatedRate` in promql/functions.go). None with fewer than two samples. A series is taken to go on to the window's end if its sample there is no
/// farther than 1.1 average intervals away, and by half an interval otherwise. A counter is never followed back beyond the
/// time at which it would have been zero.
fn stretch(window: &Window, change: f64, kind: Kind) -> Option<f64> {
    let (times, values) = (window.timestamps, window.values);
    if times.len() < 2 {
        return None;
    }
    let (first, last) = (times[0], times[times.len() - 1]);
    let sampled = (last - first) as f64 / 1000.0;
    let average_interval = sampled / (times.len() - 1) as f64;
    let within_reach = |distance: f64| {
        if distance >= average_interval * 1.1 { average_interval / 2.0 } else { distance }
    };
    let mut to_start = within_reach((first - window.start_ms) as f64 / 1000.0);
    if kind == Kind::Counter && change > 0.0 && values[0] >= 0.0 {
        to_start = to_start.min(sampled * (values[0] / change));
    }
    let to_end = within_reach((window.end_ms - last) as f64 / 1000.0);
    Some((sampled + to_start + to_end) / sampled)
}

/// Per-second increase of a counter between the last two samples.
pub(super) fn irate(window: &Window) -> Option<f64> {
    let [before, last] = last_two(window)?;
    let increase = if last.1 < before.1 { last.1 } else { last.1 - before.1 };
    let interval_ms = last.0 - before.0;
    (interval_ms > 0).then(|| increase / (interval_ms as f64 / 1000.0))
}

/// Difference of the last two samples.
pub(super) fn idelta(window: &Window) -> Option<f64> {
    let [before, last] = last_two(window)?;
    Some(last.1 - before.1)
}

fn last_two(window: &Window) -> Option<[(i64, f64); 2]> {
    let before = window.values.len().checked_sub(2)?;
    Some([before, before + 1].map(|at| (window.timestamps[at], window.values[at])))
}

pub(super) fn resets(window: &Window) -> Option<f64> {
    Some(window.values.windows(2).filter(|pair| pair[1] < pair[0]).count() as f64)
}

pub(super) fn changes(window: &Window) -> Option<f64> {
    let changed = |pair: &&[f64]| pair[1] != pair[0] && !(pair[0].is_nan() && pair[1].is_nan());
    Some(window.values.windows(2).filter(changed).count() as f64)
}
