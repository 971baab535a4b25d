//! Range vectors: the series behind them and the window of each step.

use std::borrow::Cow;

use culprit_store::{Labels, Series, is_stale};

use super::PromqlError;
use super::column::Column;
use super::eval::Evaluator;
use super::grid::Grid;
use super::notes::Notes;
use super::plan::WindowSource;
use super::syntax::Edges;

/// The samples of one series in `(start_ms, end_ms]`, at least one; no stale markers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window<'a> {
    pub(super) timestamps: &'a [i64],
    pub(super) values: &'a [f64],
    pub(super) start_ms: i64,
    pub(super) end_ms: i64,
    /// Other than `Plain`, there may be a sample at or before the start, and smoothed one after the end.
    pub(super) edges: Edges,
    /// The step's own time, which `@` and `offset` do not move.
    pub(super) eval_ms: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NameRule {
    Keep,
    Drop,
}

/// One series of a range vector. Samples from the store are borrowed unless stale markers have to be cut out.
pub(super) struct WindowSeries<'a> {
    pub(super) labels: Labels,
    pub(super) drop_name: bool,
    pub(super) timestamps: Cow<'a, [i64]>,
    pub(super) values: Cow<'a, [f64]>,
}

impl<'a> WindowSeries<'a> {
    fn from_store(series: &'a Series) -> Self {
        let samples = &series.samples;
        let (labels, drop_name) = (series.labels.clone(), false);
        if !samples.values.iter().any(|value| is_stale(*value)) {
            let (timestamps, values) = (Cow::from(&samples.timestamps_ms), Cow::from(&samples.values));
            return Self { labels, drop_name, timestamps, values };
        }
        let live = samples.timestamps_ms.iter().zip(&samples.values).filter(|(_, value)| !is_stale(**value));
        let (timestamps, values): (Vec<i64>, Vec<f64>) = live.unzip();
        Self { labels, drop_name, timestamps: timestamps.into(), values: values.into() }
    }

    fn from_column(column: &Column, grid: &Grid) -> Self {
        let live = grid.times().enumerate().filter_map(|(step, time)| Some((time, column.get(step)?)));
        let (timestamps, values): (Vec<i64>, Vec<f64>) = live.unzip();
        let (labels, drop_name) = (column.labels.clone(), column.drop_name);
        Self { labels, drop_name, timestamps: timestamps.into(), values: values.into() }
    }

    /// Of the samples found around a window, the last one at or before its start, those inside, and the first one at or after
    /// its end. Empty when none is after the start.
    fn trimmed(&self, first: usize, end: usize, start_ms: i64, end_ms: i64) -> (usize, usize) {
        let times = &self.timestamps[first..end];
        let inside = times.partition_point(|time| *time <= start_ms);
        if inside == times.len() {
            return (first, first);
        }
        let until = (times.partition_point(|time| *time < end_ms) + 1).min(times.len());
        (first + inside.saturating_sub(1), first + until)
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
        let (mut first, mut end) = (0, 0);
        for (step, eval_ms) in grid.times().enumerate() {
            let end_ms = anchor.reference(eval_ms);
            let start_ms = end_ms.saturating_sub(range_ms);
            while self.timestamps.get(end).is_some_and(|time| *time <= end_ms + after_ms) {
                end += 1;
            }
            while first < end && self.timestamps[first] <= start_ms - before_ms {
                first += 1;
            }
            let (from, to) = match edges {
                Edges::Plain => (first, end),
                _ => self.trimmed(first, end, start_ms, end_ms),
            };
            if from < to {
                let (timestamps, values) = (&self.timestamps[from..to], &self.values[from..to]);
                visit(step, Window { timestamps, values, start_ms, end_ms, edges, eval_ms })?;
            }
        }
        Ok(())
    }
}

impl Window<'_> {
    pub(super) fn smoothed(&self) -> bool {
        self.edges == Edges::Smoothed
    }
}

impl<'a> Evaluator<'a> {
    /// The series that the windows of `grid` lie on.
    pub(super) fn windows(&mut self, source: &WindowSource, grid: &Grid) -> Result<Vec<WindowSeries<'a>>, PromqlError> {
        match source {
            WindowSource::Samples { selector, .. } => {
                Ok(self.series(selector).iter().map(WindowSeries::from_store).collect())
            }
            WindowSource::Subquery { inner, anchor, range_ms, step_ms } => {
                let inner_grid = anchor.subquery(grid, *range_ms, *step_ms);
                let columns = self.vector(inner, &inner_grid)?;
                Ok(columns.iter().map(|column| WindowSeries::from_column(column, &inner_grid)).collect())
            }
        }
    }

    pub(super) fn over_windows(
        &mut self,
        source: &WindowSource,
        grid: &Grid,
        names: NameRule,
        mut of_window: impl FnMut(&Window<'_>, usize, &mut Notes) -> Result<Option<f64>, PromqlError>,
    ) -> Result<Vec<Column>, PromqlError> {
        let all = self.windows(source, grid)?;
        self.check_points(all.len(), grid)?;
        let mut columns = Vec::with_capacity(all.len());
        for series in &all {
            self.check_stop()?;
            let drop_name = series.drop_name || names == NameRule::Drop;
            let mut column = Column::empty(series.labels.clone(), drop_name, grid.steps);
            let stop = self.stop.clone();
            let notes = &mut self.notes;
            series.visit(source, grid, self.lookback_ms, |step, window| {
                stop.check()?;
                if let Some(value) = of_window(&window, step, notes)? {
                    column.values[step] = value;
                }
                Ok::<(), PromqlError>(())
            })?;
            if column.has_values() {
                columns.push(column);
            }
        }
        Ok(columns)
    }
}
