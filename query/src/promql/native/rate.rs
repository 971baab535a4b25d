//! Increases of counter histograms and changes of gauge histograms over a window.

use std::sync::Arc;

use super::super::notes::Notes;
use super::super::rate::Kind;
use super::super::start_time::StartTimes;
use super::super::syntax::Edges;
use super::super::window::Window;
use super::{IncompatibleSchemas, NativeHistogram, Reconciled, ResetHint};

/// Says what a window's histograms should be read with.
struct Told<'a> {
    metric: &'a str,
    notes: &'a mut Notes,
}

impl Told<'_> {
    /// The result of adding or subtracting, with what there is to say about it. Contradicting hints are nothing to tell: resets
    /// are counted here.
    fn note(&mut self, done: Result<Reconciled, IncompatibleSchemas>, what: &str) -> Option<()> {
        match done {
            Ok(reconciled) => {
                if reconciled.bounds {
                    self.notes.reconciled_bounds(what);
                }
                Some(())
            }
            Err(IncompatibleSchemas) => {
                self.notes.mixed_schemas(self.metric);
                None
            }
        }
    }

    fn add(&mut self, to: &mut NativeHistogram, other: &NativeHistogram) -> Option<()> {
        let done = to.add(other);
        self.note(done, "addition")
    }

    fn subtract(&mut self, from: &mut NativeHistogram, other: &NativeHistogram) -> Option<()> {
        let done = from.subtract(other);
        self.note(done, "subtraction")
    }
}

type Points = [(i64, Arc<NativeHistogram>)];

/// Last minus first, plus what every reset took away: not yet stretched to the window. Needs two samples.
pub(in super::super) fn increase(
    window: &Window,
    kind: Kind,
    starts: &StartTimes,
    notes: &mut Notes,
) -> Option<NativeHistogram> {
    let points = window.histograms;
    let mut told = Told { metric: window.metric, notes };
    let (first, last) = (&points.first()?.1, &points.last()?.1);
    let counter = kind == Kind::Counter;
    let is_gauge = |it: &NativeHistogram| it.hint == ResetHint::Gauge;
    if counter && points.iter().any(|point| is_gauge(&point.1)) {
        told.notes.not_a_counter(told.metric);
    }
    if !(counter || is_gauge(first) && is_gauge(last)) {
        told.notes.not_a_gauge(told.metric);
    }
    let mut previous = first.clone();
    // Nothing of a first sample that was reset away matters, not even its buckets.
    if counter && (starts.reset_between(0) || points[1].1.is_reset_after(&previous)) {
        let empty =
            NativeHistogram { schema: points[1].1.schema, bounds: points[1].1.bounds.clone(), ..Default::default() };
        previous = Arc::new(empty);
    }
    let custom = previous.is_custom();
    let middle = if counter { &points[1..] } else { &points[points.len() - 1..] };
    if middle.iter().any(|point| point.1.is_custom() != custom) {
        told.notes.mixed_schemas(told.metric);
        return None;
    }
    let mut change = NativeHistogram::clone(last);
    change.reduce(middle.iter().map(|point| point.1.schema).min().unwrap_or(change.schema).min(previous.schema));
    told.subtract(&mut change, &previous)?;
    if counter {
        for (i, (_, current)) in points[1..].iter().enumerate() {
            if starts.reset_between(i) || current.is_reset_after(&previous) {
                told.add(&mut change, &previous)?;
            }
            previous = current.clone();
        }
    }
    change.hint = ResetHint::Gauge;
    Some(change.compact())
}

/// Between the last two samples of the window, which have to be histograms both; per second if `kind` is a counter's.
pub(in super::super) fn instant_change(
    before: &(i64, Arc<NativeHistogram>),
    last: &(i64, Arc<NativeHistogram>),
    kind: Kind,
    reset: bool,
    window: &Window,
    notes: &mut Notes,
) -> Option<NativeHistogram> {
    let mut told = Told { metric: window.metric, notes };
    let gauges = [before, last].map(|point| point.1.hint == ResetHint::Gauge);
    match kind {
        Kind::Counter if gauges.contains(&true) => told.notes.not_a_counter(told.metric),
        Kind::Gauge if gauges.contains(&false) => told.notes.not_a_gauge(told.metric),
        _ => {}
    }
    let mut change = NativeHistogram::clone(&last.1);
    if kind == Kind::Gauge || !(reset || last.1.is_reset_after(&before.1)) {
        told.subtract(&mut change, &before.1)?;
    }
    change.hint = ResetHint::Gauge;
    let mut change = change.compact();
    if kind == Kind::Counter {
        change.divide((last.0 - before.0) as f64 / 1000.0);
    }
    Some(change)
}

/// As `extended::change` does it for numbers: the window knows the samples around it.
pub(in super::super) fn extended_change(window: &Window, kind: Kind, notes: &mut Notes) -> Option<NativeHistogram> {
    let points = window.histograms;
    let mut told = Told { metric: window.metric, notes };
    let last = points.len().checked_sub(1)?;
    if window.edges == Edges::Smoothed && points[0].0 > window.end_ms {
        return None;
    }
    if points.iter().any(|point| point.1.is_custom() != points[0].1.is_custom()) {
        told.notes.mixed_schemas(told.metric);
        return None;
    }
    let is_gauge = |it: &NativeHistogram| it.hint == ResetHint::Gauge;
    if kind == Kind::Counter && points.iter().any(|point| is_gauge(&point.1)) {
        told.notes.not_a_counter(told.metric);
    }
    let smoothed_start = window.edges == Edges::Smoothed && points[0].0 < window.start_ms;
    let left = match smoothed_start {
        true => between(&points[0], &points[1], window.start_ms, kind, &mut told)?,
        false => NativeHistogram::clone(&points[0].1),
    };
    let right = match last > 0 && points[last].0 > window.end_ms {
        true => between(&points[last - 1], &points[last], window.end_ms, kind, &mut told)?,
        false => NativeHistogram::clone(&points[last].1),
    };
    if kind == Kind::Gauge && !(is_gauge(&left) && is_gauge(&right)) {
        told.notes.not_a_gauge(told.metric);
    }
    let mut change = right.clone();
    told.subtract(&mut change, &left)?;
    if kind == Kind::Counter {
        for lost in lost_in_resets(points, &left, &right, smoothed_start) {
            told.add(&mut change, lost)?;
        }
    }
    change.hint = ResetHint::Gauge;
    Some(change.compact())
}

/// What stood before each reset between the ends. `right` inherits its hint from the last sample, so that one is left out; a
/// reset that the line to the left end crosses is part of that line.
fn lost_in_resets<'a>(
    points: &'a Points,
    left: &'a NativeHistogram,
    right: &'a NativeHistogram,
    smoothed_start: bool,
) -> Vec<&'a NativeHistogram> {
    let mut lost = Vec::new();
    let (mut previous, mut first) = (left, 1);
    if smoothed_start && points[1].1.is_reset_after(&points[0].1) {
        previous = &points[1].1;
        first = 2;
    }
    if first > points.len().max(1) || points.len() < 2 || first > points.len() - 1 {
        return lost;
    }
    for (_, current) in &points[first..points.len() - 1] {
        if current.is_reset_after(previous) {
            lost.push(previous);
        }
        previous = current;
    }
    if right.is_reset_after(previous) {
        lost.push(previous);
    }
    lost
}

/// On the line between two samples. A counter that was reset between them began at zero.
fn between(
    before: &(i64, Arc<NativeHistogram>),
    after: &(i64, Arc<NativeHistogram>),
    at_ms: i64,
    kind: Kind,
    told: &mut Told<'_>,
) -> Option<NativeHistogram> {
    if at_ms == before.0 {
        return Some(NativeHistogram::clone(&before.1));
    }
    if before.1.is_custom() != after.1.is_custom() {
        told.notes.mixed_schemas(told.metric);
        return None;
    }
    let mut point = NativeHistogram::clone(&after.1);
    let share = (at_ms - before.0) as f64 / (after.0 - before.0) as f64;
    if share == 1.0 {
        return Some(point);
    }
    if kind == Kind::Counter && after.1.is_reset_after(&before.1) {
        point.multiply(share);
        return Some(point);
    }
    let hint = point.hint;
    told.subtract(&mut point, &before.1)?;
    point.multiply(share);
    told.add(&mut point, &before.1)?;
    point.hint = hint;
    Some(point)
}

/// `metric smoothed` at one time.
pub(in super::super) fn smoothed_at(
    before: &(i64, Arc<NativeHistogram>),
    after: &(i64, Arc<NativeHistogram>),
    at_ms: i64,
    metric: &str,
    notes: &mut Notes,
) -> Option<NativeHistogram> {
    let kind = if after.1.hint == ResetHint::Gauge { Kind::Gauge } else { Kind::Counter };
    between(before, after, at_ms, kind, &mut Told { metric, notes })
}
