//! Range vectors: the series behind them and the window of each step.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use culprit_store::{Labels, is_stale};

use super::PromqlError;
use super::blocks::in_blocks;
use super::column::{Column, Sample};
use super::eval::Evaluator;
use super::grid::Grid;
use super::native::{NativeHistogram, ResetHint};
use super::notes::Notes;
use super::plan::{ResetHints, WindowSource};
use super::source::{HistogramPoint, RecordedSeries};
use super::syntax::Edges;

/// The samples of one series in `(start_ms, end_ms]`, at least one; no stale markers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window<'a> {
    pub(super) timestamps: &'a [i64],
    pub(super) values: &'a [f64],
    /// Empty, or one per value; 0 when it is unknown.
    pub(super) starts: &'a [i64],
    pub(super) histograms: &'a [HistogramPoint],
    /// Empty, or one per histogram.
    pub(super) histogram_starts: &'a [i64],
    pub(super) start_ms: i64,
    pub(super) end_ms: i64,
    /// Other than `Plain`, there may be a sample at or before the start, and smoothed one after the end.
    pub(super) edges: Edges,
    /// The step's own time, which `@` and `offset` do not move.
    pub(super) eval_ms: i64,
    pub(super) metric: &'a str,
    /// Of the whole series, of which `values` begins at `first`.
    all_values: &'a [f64],
    first: usize,
    drops: &'a OnceLock<Vec<usize>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NameRule {
    Keep,
    Drop,
}

/// A sample where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) enum Seen<'a> {
    Float(f64),
    Histogram(&'a HistogramPoint),
}

impl<'a> Window<'a> {
    pub(super) fn smoothed(&self) -> bool {
        self.edges == Edges::Smoothed
    }

    /// The places in `values` after which a lower value follows: resets, in a counter. They are looked for once per series, so a window costs what it has of them,
    /// not what it has of samples.
    pub(super) fn drops(&self) -> impl Iterator<Item = usize> {
        let all = self.drops.get_or_init(|| {
            let pairs = self.all_values.windows(2).enumerate();
            pairs.filter(|(_, pair)| pair[1] < pair[0]).map(|(at, _)| at).collect()
        });
        let (first, last) = (self.first, self.values.len().saturating_sub(1));
        let start = all.partition_point(|at| *at < first);
        all[start..].iter().map(move |at| at - first).take_while(move |at| *at < last)
    }

    /// All samples by time, each with its time and its start timestamp.
    pub(super) fn merged(&self) -> Vec<(i64, Seen<'a>, i64)> {
        let start = |starts: &[i64], at: usize| starts.get(at).copied().unwrap_or(0);
        let floats = self.timestamps.iter().zip(self.values).enumerate();
        let floats = floats.map(|(at, (time, value))| (*time, Seen::Float(*value), start(self.starts, at)));
        let histograms = self.histograms.iter().enumerate();
        let histograms =
            histograms.map(|(at, point)| (point.0, Seen::Histogram(point), start(self.histogram_starts, at)));
        let mut all: Vec<_> = floats.chain(histograms).collect();
        all.sort_by_key(|sample| sample.0);
        all
    }

    pub(super) fn last_two(&self) -> Option<[(i64, Seen<'a>, i64); 2]> {
        if self.histograms.is_empty() {
            let before = self.values.len().checked_sub(2)?;
            let start = |at: usize| self.starts.get(at).copied().unwrap_or(0);
            return Some([before, before + 1].map(|at| (self.timestamps[at], Seen::Float(self.values[at]), start(at))));
        }
        let all = self.merged();
        let before = all.len().checked_sub(2)?;
        Some([all[before], all[before + 1]])
    }
}

/// One series of a range vector. Samples from the store are borrowed unless stale markers have to be cut out.
pub(super) struct WindowSeries<'a> {
    pub(super) labels: Labels,
    pub(super) drop_name: bool,
    timestamps: Cow<'a, [i64]>,
    values: Cow<'a, [f64]>,
    starts: Cow<'a, [i64]>,
    histograms: Cow<'a, [HistogramPoint]>,
    histogram_starts: &'a [i64],
    /// Found when a function first asks for them.
    drops: OnceLock<Vec<usize>>,
}

impl<'a> WindowSeries<'a> {
    fn from_store(series: &'a RecordedSeries, hints: ResetHints) -> Self {
        let samples = &series.samples;
        let histograms = match hints {
            ResetHints::Stored => Cow::from(&series.histograms),
            ResetHints::Detected => Cow::from(detected(&series.histograms)),
        };
        let rest = Self {
            labels: series.labels.clone(),
            drop_name: false,
            timestamps: Cow::from(&samples.timestamps_ms),
            values: Cow::from(&samples.values),
            starts: Cow::from(&series.starts),
            histograms,
            histogram_starts: &series.histogram_starts,
            drops: OnceLock::new(),
        };
        if !samples.values.iter().any(|value| is_stale(*value)) {
            return rest;
        }
        let live: Vec<usize> = (0..samples.values.len()).filter(|at| !is_stale(samples.values[*at])).collect();
        Self {
            timestamps: live.iter().map(|at| samples.timestamps_ms[*at]).collect(),
            values: live.iter().map(|at| samples.values[*at]).collect(),
            starts: live.iter().filter_map(|at| series.starts.get(*at).copied()).collect(),
            ..rest
        }
    }

    /// What lies between the steps of a subquery is unknown, resets included.
    fn from_column(column: &Column, grid: &Grid) -> Self {
        let live = grid.times().enumerate().filter_map(|(step, time)| Some((time, column.get(step)?)));
        let (timestamps, values): (Vec<i64>, Vec<f64>) = live.unzip();
        let unhinted = |histogram: &Arc<NativeHistogram>| match histogram.hint {
            ResetHint::Unknown | ResetHint::Gauge => histogram.clone(),
            ResetHint::Reset | ResetHint::NotReset => {
                Arc::new(NativeHistogram { hint: ResetHint::Unknown, ..NativeHistogram::clone(histogram) })
            }
        };
        let histograms: Vec<HistogramPoint> = match column.histograms.is_empty() {
            true => Vec::new(),
            false => {
                let there = grid.times().enumerate();
                there.filter_map(|(step, time)| Some((time, unhinted(column.histogram(step)?)))).collect()
            }
        };
        Self {
            labels: column.labels.clone(),
            drop_name: column.drop_name,
            timestamps: timestamps.into(),
            values: values.into(),
            starts: Cow::from(&[][..]),
            histograms: histograms.into(),
            histogram_starts: &[],
            drops: OnceLock::new(),
        }
    }

    /// Calls `visit` for each step whose window holds a sample. Both ends of the window only move forward, so the whole walk
    /// costs one pass over the samples and one over the steps.
    pub(super) fn visit<E>(
        &self,
        source: &WindowSource,
        grid: &Grid,
        lookback_ms: i64,
        mut visit: impl FnMut(usize, Window<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let (anchor, range_ms, edges) = (source.anchor(), source.range_ms(), source.edges());
        let (before_ms, after_ms) = match edges {
            Edges::Plain => (0, 0),
            Edges::Anchored => (lookback_ms, 0),
            Edges::Smoothed => (lookback_ms, lookback_ms),
        };
        let metric = self.labels.metric_name().unwrap_or("");
        let (mut floats, mut histograms) = (0..0, 0..0);
        for (step, eval_ms) in grid.times().enumerate() {
            let end_ms = anchor.reference(eval_ms);
            let start_ms = end_ms.saturating_sub(range_ms);
            let (from_ms, to_ms) = (start_ms.saturating_sub(before_ms), end_ms.saturating_add(after_ms));
            advance(&mut floats, &self.timestamps, |time| *time, from_ms, to_ms);
            advance(&mut histograms, &self.histograms, |point| point.0, from_ms, to_ms);
            let (f, h) = match edges {
                Edges::Plain => (floats.clone(), histograms.clone()),
                _ => self.trimmed(floats.clone(), histograms.clone(), start_ms, end_ms),
            };
            if f.is_empty() && h.is_empty() {
                continue;
            }
            let window = Window {
                timestamps: &self.timestamps[f.clone()],
                values: &self.values[f.clone()],
                all_values: &self.values,
                first: f.start,
                drops: &self.drops,
                starts: self.starts.get(f).unwrap_or_default(),
                histogram_starts: self.histogram_starts.get(h.clone()).unwrap_or_default(),
                histograms: &self.histograms[h],
                start_ms,
                end_ms,
                edges,
                eval_ms,
                metric,
            };
            visit(step, window)?;
        }
        Ok(())
    }

    /// Of the samples found around a window, the last one at or before its start, those inside, and the first one at or after
    /// its end. Empty when none is after the start.
    fn trimmed(
        &self,
        floats: Range<usize>,
        histograms: Range<usize>,
        start_ms: i64,
        end_ms: i64,
    ) -> (Range<usize>, Range<usize>) {
        let (mut f, f_before) = around(&self.timestamps, |time| *time, floats, start_ms, end_ms);
        let (mut h, h_before) = around(&self.histograms, |point| point.0, histograms, start_ms, end_ms);
        // One anchor is enough: the later of the two.
        if let (Some(float_ms), Some(histogram_ms)) = (f_before, h_before) {
            if float_ms >= histogram_ms { h.start += 1 } else { f.start += 1 }
        }
        let after = |from: i64| from > start_ms;
        let some_after = self.timestamps[f.clone()].last().is_some_and(|time| after(*time))
            || self.histograms[h.clone()].last().is_some_and(|point| after(point.0));
        if some_after { (f, h) } else { (0..0, 0..0) }
    }
}

/// Moves both ends of a range of positions forward, so that it covers the times in `(from_ms, to_ms]`.
fn advance<T>(range: &mut Range<usize>, all: &[T], time: impl Fn(&T) -> i64, from_ms: i64, to_ms: i64) {
    while all.get(range.end).is_some_and(|item| time(item) <= to_ms) {
        range.end += 1;
    }
    while range.start < range.end && time(&all[range.start]) <= from_ms {
        range.start += 1;
    }
}

/// The part of a range of positions from the last one at or before `start_ms` to the first at or after `end_ms`, and the time
/// of the former if there is one.
fn around<T>(
    all: &[T],
    time: impl Fn(&T) -> i64,
    range: Range<usize>,
    start_ms: i64,
    end_ms: i64,
) -> (Range<usize>, Option<i64>) {
    let found = &all[range.clone()];
    let inside = found.partition_point(|item| time(item) <= start_ms);
    let until = (found.partition_point(|item| time(item) < end_ms) + 1).min(found.len());
    let anchor = inside.checked_sub(1);
    let from = anchor.unwrap_or(0);
    (range.start + from..range.start + until.max(from), anchor.map(|at| time(&found[at])))
}

/// Hints as a reader of counts and sums alone has them: where none is known, a sample is compared with the one before it.
pub(super) fn detected(points: &[HistogramPoint]) -> Vec<HistogramPoint> {
    let hinted = |at: usize, point: &HistogramPoint| {
        let hint = match at.checked_sub(1) {
            _ if point.1.hint != ResetHint::Unknown => point.1.hint,
            None => ResetHint::Unknown,
            Some(before) if point.1.is_reset_after(&points[before].1) => ResetHint::Reset,
            Some(_) => ResetHint::NotReset,
        };
        (point.0, Arc::new(NativeHistogram { hint, ..NativeHistogram::clone(&point.1) }))
    };
    points.iter().enumerate().map(|(at, point)| hinted(at, point)).collect()
}

impl<'a> Evaluator<'a> {
    /// The series that the windows of `grid` lie on.
    pub(super) fn windows(&mut self, source: &WindowSource, grid: &Grid) -> Result<Vec<WindowSeries<'a>>, PromqlError> {
        match source {
            WindowSource::Samples { selector, .. } => {
                let hints = selector.hints;
                Ok(self.series(selector).iter().map(|series| WindowSeries::from_store(series, hints)).collect())
            }
            WindowSource::Subquery { inner, anchor, range_ms, step_ms } => {
                let inner_grid = anchor.subquery(grid, *range_ms, *step_ms);
                let columns = self.vector(inner, &inner_grid)?;
                Ok(columns.iter().map(|column| WindowSeries::from_column(column, &inner_grid)).collect())
            }
        }
    }

    /// What `of_window` says of each window, by series. Series are shared out among the cores in blocks; the blocks, and so the order of notes, do not depend
    /// on how many cores there are.
    pub(super) fn over_windows(
        &mut self,
        source: &WindowSource,
        grid: &Grid,
        names: NameRule,
        of_window: impl Fn(&Window<'_>, usize, &mut Notes) -> Result<Option<Sample>, PromqlError> + Sync,
    ) -> Result<Vec<Column>, PromqlError> {
        let (lookback_ms, stop) = (self.lookback_ms, self.stop.clone());
        let of_series = |series: &WindowSeries<'_>, notes: &mut Notes| {
            let drop_name = series.drop_name || names == NameRule::Drop;
            let mut column = Column::empty(series.labels.clone(), drop_name, grid.steps);
            series.visit(source, grid, lookback_ms, |step, window| {
                stop.check()?;
                if let Some(sample) = of_window(&window, step, notes)? {
                    column.put(step, sample);
                }
                Ok::<(), PromqlError>(())
            })?;
            Ok(Some(column).filter(Column::has_values))
        };
        match source {
            WindowSource::Samples { selector, .. } => {
                let (all, hints) = (self.series(selector), selector.hints);
                self.about_argument(0);
                self.check_points(all.len(), grid)?;
                in_blocks(all, &mut self.notes, |series, notes| {
                    of_series(&WindowSeries::from_store(series, hints), notes)
                })
            }
            WindowSource::Subquery { inner, anchor, range_ms, step_ms } => {
                let inner_grid = anchor.subquery(grid, *range_ms, *step_ms);
                let all = self.vector(inner, &inner_grid)?;
                self.about_argument(0);
                self.check_points(all.len(), grid)?;
                in_blocks(&all, &mut self.notes, |column, notes| {
                    of_series(&WindowSeries::from_column(column, &inner_grid), notes)
                })
            }
        }
    }
}
