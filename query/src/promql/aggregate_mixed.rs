//! Aggregations of groups that have native histograms.

use std::sync::Arc;

use super::aggregate::{Cell, Fold, Group};
use super::column::{Column, Sample};
use super::grid::Grid;
use super::native::{Aggregated, Histogram, HistogramMean, NativeHistogram};
use super::notes::Notes;
use super::sum::Sum;

/// Sums and means take numbers or histograms, at one step only one of both. Counting takes everything; the rest, numbers alone.
pub(super) fn fold(fold: Fold, columns: &[Column], group: Group, grid: &Grid, notes: &mut Notes) -> Column {
    let members: Vec<&Column> = group.members.iter().map(|member| &columns[*member]).collect();
    let mut result = Column::empty(group.labels, group.drop_name, grid.steps);
    for step in 0..grid.steps {
        let mut cell = Cell::default();
        members.iter().filter_map(|column| column.get(step)).for_each(|value| cell.add(fold, value));
        let histograms: Vec<(&str, &Arc<NativeHistogram>)> = members
            .iter()
            .filter_map(|column| Some((column.labels.metric_name().unwrap_or(""), column.histogram(step)?)))
            .collect();
        if histograms.is_empty() {
            if cell.count > 0.0 {
                result.values[step] = cell.value(fold);
            }
            continue;
        }
        let sample = match fold {
            Fold::Count => Some(Sample::Float(cell.count + histograms.len() as f64)),
            Fold::Group => Some(Sample::Float(1.0)),
            Fold::Sum | Fold::Avg if cell.count > 0.0 => {
                notes.warn("encountered a mix of histograms and floats for aggregation");
                None
            }
            Fold::Sum => sum(&histograms, notes).map(Sample::from),
            Fold::Avg => mean(&histograms, notes).map(Sample::from),
            Fold::Min | Fold::Max | Fold::Stddev | Fold::Stdvar => {
                ignored(fold.name(), notes);
                (cell.count > 0.0).then(|| Sample::Float(cell.value(fold)))
            }
        };
        if let Some(sample) = sample {
            result.put(step, sample);
        }
    }
    result
}

impl Fold {
    fn name(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Avg => "avg",
            Self::Min => "min",
            Self::Max => "max",
            Self::Count => "count",
            Self::Group => "group",
            Self::Stddev => "stddev",
            Self::Stdvar => "stdvar",
        }
    }
}

fn sum(histograms: &[(&str, &Arc<NativeHistogram>)], notes: &mut Notes) -> Option<NativeHistogram> {
    let mut told = Aggregated::default();
    let mut sum = Histogram::<Sum>::from(&**histograms[0].1);
    told.hint(histograms[0].1);
    for (metric, next) in &histograms[1..] {
        told.hint(next);
        let done = sum.add(next);
        told.note(done, metric, notes)?;
    }
    told.tell(notes);
    Some(sum.value().compact())
}

fn mean(histograms: &[(&str, &Arc<NativeHistogram>)], notes: &mut Notes) -> Option<NativeHistogram> {
    let mut told = Aggregated::default();
    let mut mean = HistogramMean::new(histograms[0].1);
    told.hint(histograms[0].1);
    for (metric, next) in &histograms[1..] {
        told.hint(next);
        let done = mean.add(next);
        told.note(done, metric, notes)?;
    }
    told.tell(notes);
    Some(mean.value().compact())
}

fn ignored(aggregation: &str, notes: &mut Notes) {
    notes.info(format_args!("ignored histogram in {aggregation} aggregation"));
}

/// For aggregations that see numbers alone.
pub(super) fn tell_ignored(columns: &[Column], aggregation: &str, notes: &mut Notes) {
    if columns.iter().any(|column| column.histograms.iter().any(Option::is_some)) {
        ignored(aggregation, notes);
    }
}
