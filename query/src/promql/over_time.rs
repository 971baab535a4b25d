//! The `*_over_time` family: one value from all samples of a window.

use std::sync::Arc;

use super::PromqlError;
use super::column::Sample;
use super::native::{Aggregated, Histogram, HistogramMean, NativeHistogram};
use super::notes::Notes;
use super::quantile::{check_quantile, median, quantile_of};
use super::sum::{Mean, Sum};
use super::window::Window;

pub(super) fn avg(window: &Window, notes: &mut Notes) -> Option<Sample> {
    let Some(first) = histograms_alone(window, notes)? else {
        let mut mean = Mean::default();
        window.values.iter().for_each(|value| mean.add(*value));
        return Some(Sample::Float(mean.value()));
    };
    let mut told = Aggregated::default();
    told.hint(first);
    let mut mean = HistogramMean::new(first);
    for (_, next) in &window.histograms[1..] {
        told.hint(next);
        let done = mean.add(next);
        told.note(done, window.metric, notes)?;
    }
    told.tell(notes);
    Some(mean.value().into())
}

pub(super) fn sum(window: &Window, notes: &mut Notes) -> Option<Sample> {
    let Some(first) = histograms_alone(window, notes)? else {
        return Some(Sample::Float(window.values.iter().copied().collect::<Sum>().value()));
    };
    let mut told = Aggregated::default();
    told.hint(first);
    let mut sum = Histogram::<Sum>::from(&**first);
    for (_, next) in &window.histograms[1..] {
        told.hint(next);
        let done = sum.add(next);
        told.note(done, window.metric, notes)?;
    }
    told.tell(notes);
    Some(sum.value().into())
}

/// The first histogram of a window that has nothing else, or None inside for numbers alone. Both together have no sum.
fn histograms_alone<'a>(window: &Window<'a>, notes: &mut Notes) -> Option<Option<&'a Arc<NativeHistogram>>> {
    let first = window.histograms.first().map(|point| &point.1);
    if first.is_some() && !window.values.is_empty() {
        notes.mixed_types(window.metric);
        return None;
    }
    Some(first)
}

pub(super) fn count(window: &Window) -> Option<f64> {
    Some((window.values.len() + window.histograms.len()) as f64)
}

pub(super) fn present(_: &Window) -> Option<f64> {
    Some(1.0)
}

pub(super) fn first(window: &Window) -> Option<Sample> {
    let float = window.timestamps.first().zip(window.values.first());
    match (float, window.histograms.first()) {
        (Some((time, value)), other) if other.is_none_or(|point| *time < point.0) => Some(Sample::Float(*value)),
        (_, histogram) => histogram.map(|point| Sample::Histogram(point.1.clone())),
    }
}

pub(super) fn last(window: &Window) -> Option<Sample> {
    let float = window.timestamps.last().zip(window.values.last());
    match (float, window.histograms.last()) {
        (Some((time, value)), other) if other.is_none_or(|point| *time > point.0) => Some(Sample::Float(*value)),
        (_, histogram) => histogram.map(|point| Sample::Histogram(point.1.clone())),
    }
}

/// NaN only if there is nothing else.
pub(super) fn max(window: &Window) -> Option<f64> {
    window.values.iter().copied().reduce(|max, value| if value > max || max.is_nan() { value } else { max })
}

/// NaN only if there is nothing else.
pub(super) fn min(window: &Window) -> Option<f64> {
    window.values.iter().copied().reduce(|min, value| if value < min || min.is_nan() { value } else { min })
}

pub(super) fn time_of_first(window: &Window) -> Option<f64> {
    let times = window.timestamps.first().into_iter().chain(window.histograms.first().map(|point| &point.0));
    times.min().map(|time| *time as f64 / 1000.0)
}

pub(super) fn time_of_last(window: &Window) -> Option<f64> {
    let times = window.timestamps.last().into_iter().chain(window.histograms.last().map(|point| &point.0));
    times.max().map(|time| *time as f64 / 1000.0)
}

/// Of several equal maxima, the time of the last.
pub(super) fn time_of_max(window: &Window) -> Option<f64> {
    time_of(window, |value, max| value >= max)
}

/// Of several equal minima, the time of the last.
pub(super) fn time_of_min(window: &Window) -> Option<f64> {
    time_of(window, |value, min| value <= min)
}

fn time_of(window: &Window, replaces: fn(f64, f64) -> bool) -> Option<f64> {
    let samples = window.timestamps.iter().zip(window.values);
    let best = samples.reduce(|best, next| if replaces(*next.1, *best.1) || best.1.is_nan() { next } else { best });
    best.map(|(time, _)| *time as f64 / 1000.0)
}

/// Population variance by Welford's recurrence with compensated sums.
pub(super) fn stdvar(window: &Window) -> Option<f64> {
    let (mut mean, mut squares) = (Sum::default(), Sum::default());
    for (i, value) in window.values.iter().enumerate() {
        let delta = value - mean.value();
        mean.add(delta / (i + 1) as f64);
        squares.add(delta * (value - mean.value()));
    }
    Some(squares.value() / window.values.len() as f64)
}

pub(super) fn stddev(window: &Window) -> Option<f64> {
    stdvar(window).map(f64::sqrt)
}

/// Median of the absolute deviations from the median; NaN if any sample is.
pub(super) fn mad(window: &Window) -> Option<f64> {
    if window.values.iter().any(|value| value.is_nan()) {
        return Some(f64::NAN);
    }
    let centre = median(window.values.to_vec());
    Some(median(window.values.iter().map(|value| (value - centre).abs()).collect()))
}

pub(super) fn quantile(window: &Window, scalars: &[f64], notes: &mut Notes) -> Result<Option<f64>, PromqlError> {
    check_quantile(scalars[0], notes);
    Ok(Some(quantile_of(scalars[0], &mut window.values.to_vec())))
}
