//! How fast and how often a series changes: rate, increase, delta, irate, idelta, resets, changes.

use super::column::Sample;
use super::extended;
use super::native::{self, NativeHistogram};
use super::notes::Notes;
use super::start_time::StartTimes;
use super::syntax::Edges;
use super::window::{Seen, Window};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
}

/// Per-second increase of a counter.
pub(super) fn rate(window: &Window, notes: &mut Notes) -> Option<Sample> {
    let range_s = (window.end_ms - window.start_ms) as f64 / 1000.0;
    over_window(window, Kind::Counter, range_s, notes)
}

/// Increase of a counter over the window.
pub(super) fn increase(window: &Window, notes: &mut Notes) -> Option<Sample> {
    over_window(window, Kind::Counter, 1.0, notes)
}

/// Change of a gauge over the window.
pub(super) fn delta(window: &Window, notes: &mut Notes) -> Option<Sample> {
    over_window(window, Kind::Gauge, 1.0, notes)
}

/// The change over the window, divided by `per`.
fn over_window(window: &Window, kind: Kind, per: f64, notes: &mut Notes) -> Option<Sample> {
    if window.histograms.is_empty() {
        if window.edges != Edges::Plain {
            return Some(Sample::Float(extended::change(window, kind)? / per));
        }
        return float_change(window, kind, per, notes).map(Sample::Float);
    }
    if !window.values.is_empty() {
        notes.mixed_types(window.metric);
        return None;
    }
    let mut change = match window.edges {
        Edges::Plain => return histogram_change(window, kind, per, notes).map(Sample::from),
        _ => native::extended_change(window, kind, notes)?,
    };
    if per != 1.0 {
        change.divide(per);
    }
    Some(change.into())
}

fn float_change(window: &Window, kind: Kind, per: f64, notes: &mut Notes) -> Option<f64> {
    let values = window.values;
    let starts = match kind {
        Kind::Counter => StartTimes::new(window.timestamps.iter().copied(), window.starts),
        Kind::Gauge => StartTimes::default(),
    };
    starts.tell(window.metric, notes);
    let mut change = values[values.len() - 1] - values[0];
    if kind == Kind::Counter && window.starts.is_empty() {
        window.drops().for_each(|at| change += values[at]);
    } else if kind == Kind::Counter {
        for (at, pair) in values.windows(2).enumerate() {
            if pair[1] < pair[0] || starts.reset_between(at) {
                change += pair[0];
            }
        }
    }
    let span = Span::of(window.timestamps.first(), window.timestamps.last(), values.len())?;
    let zero = starts.zero_inside(window.start_ms);
    if zero.is_some() {
        change += values[0];
    }
    let share = (kind == Kind::Counter && change > 0.0 && values[0] >= 0.0).then(|| values[0] / change);
    Some(change * (span.stretch(window, zero, share)? / per))
}

fn histogram_change(window: &Window, kind: Kind, per: f64, notes: &mut Notes) -> Option<NativeHistogram> {
    let points = window.histograms;
    let times = || points.iter().map(|point| point.0);
    let starts = match kind {
        Kind::Counter => StartTimes::new(times(), window.histogram_starts),
        Kind::Gauge => StartTimes::default(),
    };
    starts.tell(window.metric, notes);
    let first = &points[0].1;
    let mut change = match points.len() {
        1 => None,
        _ => Some(native::increase(window, kind, &starts, notes)?),
    };
    let span = Span::of(points.first().map(|point| &point.0), points.last().map(|point| &point.0), points.len())?;
    let zero = starts.zero_inside(window.start_ms);
    if zero.is_some() {
        match &mut change {
            None => change = Some(NativeHistogram::clone(first)),
            Some(change) => {
                if change.add(first).is_err() {
                    notes.mixed_schemas(window.metric);
                    return None;
                }
            }
        }
    }
    let mut change = change?;
    let share = (kind == Kind::Counter && change.count > 0.0 && first.count >= 0.0).then(|| first.count / change.count);
    change.multiply(span.stretch(window, zero, share)? / per);
    Some(change)
}

/// Where the samples of a window lie.
struct Span {
    first_ms: i64,
    last_ms: i64,
    samples: usize,
}

impl Span {
    fn of(first: Option<&i64>, last: Option<&i64>, samples: usize) -> Option<Self> {
        Some(Self { first_ms: *first?, last_ms: *last?, samples })
    }

    /// The factor that stretches a change between the first and the last sample to the whole window, by the rules of
    /// Prometheus 3 (`extrapolatedRate` in promql/functions.go). A series is taken to go on to the window's end if its sample
    /// there is no farther than 1.1 average intervals away, and by half an interval otherwise. A counter is never followed
    /// back beyond the time at which it would have been zero: `share` is how much of the change it had at the first sample.
    /// Where it is known to have been zero, at `zero_ms`, nothing is guessed. None with a single sample otherwise.
    fn stretch(&self, window: &Window, zero_ms: Option<i64>, share: Option<f64>) -> Option<f64> {
        let mut sampled = (self.last_ms - self.first_ms) as f64 / 1000.0;
        let intervals = self.samples - 1;
        let average_interval = if intervals > 0 { sampled / intervals as f64 } else { 0.0 };
        let within_reach = |distance: f64| {
            if distance >= average_interval * 1.1 { average_interval / 2.0 } else { distance }
        };
        let to_start = match zero_ms {
            Some(zero_ms) => {
                sampled = (self.last_ms - zero_ms) as f64 / 1000.0;
                0.0
            }
            None if intervals == 0 => return None,
            None => {
                let to_start = within_reach((self.first_ms - window.start_ms) as f64 / 1000.0);
                share.map_or(to_start, |share| to_start.min(sampled * share))
            }
        };
        let to_end = within_reach((window.end_ms - self.last_ms) as f64 / 1000.0);
        Some(if sampled == 0.0 { 1.0 } else { (sampled + to_start + to_end) / sampled })
    }
}

/// Per-second increase of a counter between the last two samples.
pub(super) fn irate(window: &Window, notes: &mut Notes) -> Option<Sample> {
    between_last_two(window, Kind::Counter, notes)
}

/// Difference of the last two samples.
pub(super) fn idelta(window: &Window, notes: &mut Notes) -> Option<Sample> {
    between_last_two(window, Kind::Gauge, notes)
}

fn between_last_two(window: &Window, kind: Kind, notes: &mut Notes) -> Option<Sample> {
    let seen = window.last_two()?;
    let [(before_ms, before, before_start), (last_ms, last, last_start)] = seen;
    let interval_ms = last_ms - before_ms;
    if interval_ms <= 0 {
        return None;
    }
    let starts = match window.starts.is_empty() && window.histogram_starts.is_empty() {
        true => StartTimes::default(),
        false => StartTimes::new([before_ms, last_ms].into_iter(), &[before_start, last_start]),
    };
    let reset = starts.reset_between(0);
    match (before, last) {
        (Seen::Float(before), Seen::Float(last)) if kind == Kind::Counter => {
            let increase = if last < before || reset { last } else { last - before };
            Some(Sample::Float(increase / (interval_ms as f64 / 1000.0)))
        }
        (Seen::Float(before), Seen::Float(last)) => Some(Sample::Float(last - before)),
        (Seen::Histogram(before), Seen::Histogram(last)) => {
            native::instant_change(before, last, kind, reset, window, notes).map(Sample::from)
        }
        _ => {
            notes.mixed_types(window.metric);
            None
        }
    }
}

/// A sample of another type than the one before counts as a reset too.
pub(super) fn resets(window: &Window) -> Option<f64> {
    let mixed = !window.histograms.is_empty() || !window.starts.is_empty();
    if !mixed {
        return Some(window.drops().count() as f64);
    }
    let seen = window.merged();
    let reset = |pair: &&[(i64, Seen<'_>, i64)]| {
        let [(before_ms, before, before_start), (last_ms, last, last_start)] = [pair[0], pair[1]];
        let starts = StartTimes::new([before_ms, last_ms].into_iter(), &[before_start, last_start]);
        match (before, last) {
            (Seen::Float(before), Seen::Float(last)) => last < before || starts.reset_between(0),
            (Seen::Histogram(before), Seen::Histogram(last)) => {
                starts.reset_between(0) || last.1.is_reset_after(&before.1)
            }
            _ => true,
        }
    };
    Some(seen.windows(2).filter(reset).count() as f64)
}

/// A sample of another type than the one before counts as a change too.
pub(super) fn changes(window: &Window) -> Option<f64> {
    let differ = |a: f64, b: f64| a != b && !(a.is_nan() && b.is_nan());
    if window.histograms.is_empty() {
        return Some(window.values.windows(2).filter(|pair| differ(pair[0], pair[1])).count() as f64);
    }
    let changed = |pair: &&[(i64, Seen<'_>, i64)]| match (pair[0].1, pair[1].1) {
        (Seen::Float(before), Seen::Float(last)) => differ(before, last),
        (Seen::Histogram(before), Seen::Histogram(last)) => !last.1.same_as(&before.1),
        _ => true,
    };
    Some(window.merged().windows(2).filter(changed).count() as f64)
}
