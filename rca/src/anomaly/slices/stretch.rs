//! One slice, cut at its window: what its past lets expect, and stretches of the past to compare the window with.

use super::SliceAnomaly;
use super::expected::Expected;
use super::spread::Spread;
use crate::limits::{SLICE_BLOCKS_MAX, SLICE_HISTORY_MIN};

/// A run of points as sums.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch {
    pub(super) actual: f64,
    pub(super) expected: f64,
    /// What the sum would vary by if its points were independent: Poisson's variance for counts, else points times
    /// the variance of one.
    pub(super) reference: f64,
}

impl Stretch {
    /// Squared distance from what was expected, over the variance of independent points.
    pub(super) fn square(&self) -> f64 {
        if self.reference > 0.0 { (self.actual - self.expected).powi(2) / self.reference } else { 0.0 }
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Point {
    pub(super) time: i64,
    pub(super) value: f64,
    pub(super) expected: f64,
}

pub(super) struct Slice {
    past: Vec<Point>,
    inside: Vec<Point>,
    pub(super) is_count: bool,
    /// Sum of the past's values: how sure the mean of counts is.
    pub(super) past_total: f64,
    /// Sum of the past's squared distances from what was expected.
    squares: f64,
}

impl Slice {
    /// None when there is too little to say anything of it.
    pub(super) fn new(times: &[i64], values: &[f64], window: (i64, i64)) -> Option<Self> {
        let point = |(time, value): (&i64, &f64)| Point { time: *time, value: *value, expected: 0.0 };
        let known = || times.iter().zip(values).filter(|(_, value)| value.is_finite());
        let mut inside: Vec<Point> =
            known().filter(|(time, _)| (window.0..=window.1).contains(time)).map(point).collect();
        let mut past: Vec<Point> = known().filter(|(time, _)| **time < window.0).map(point).collect();
        past.drain(..past.len().saturating_sub(inside.len() * SLICE_BLOCKS_MAX));
        if inside.is_empty() || past.len() < SLICE_HISTORY_MIN {
            return None;
        }
        let is_count = past.iter().chain(&inside).all(|point| point.value >= 0.0 && point.value.fract() == 0.0);
        let expect = Expected::of(&past);
        past.iter_mut().for_each(|point| point.expected = expect.without(point));
        inside.iter_mut().for_each(|point| point.expected = expect.at(point.time));
        let past_total = past.iter().map(|point| point.value).sum();
        let squares = squares(&past);
        Some(Self { past, inside, is_count, past_total, squares })
    }

    /// How the sums of stretches of the past varied, for stretches as long as the `1/2^part` latest of the window.
    pub(super) fn spread(&self, part: usize) -> Option<Spread> {
        let points = self.inside.len() >> part;
        if points == 0 {
            return None;
        }
        let stretches =
            self.past.rchunks_exact(points).take(SLICE_BLOCKS_MAX).map(|points| self.past_stretch(points)).collect();
        let latest = self.stretch(&self.inside[self.inside.len() - points..], self.squares / self.past.len() as f64);
        Spread::of(stretches, latest, points as f64 / self.past.len() as f64)
    }

    /// A stretch of the past is measured by the rest of it: a far one must not widen its own measure.
    fn past_stretch(&self, points: &[Point]) -> Stretch {
        let rest = (self.past.len() - points.len()) as f64;
        self.stretch(points, (self.squares - squares(points)).max(0.0) / rest.max(1.0))
    }

    fn stretch(&self, points: &[Point], variance: f64) -> Stretch {
        let expected = points.iter().map(|point| point.expected).sum();
        let reference = if self.is_count { expected } else { variance * points.len() as f64 };
        Stretch { actual: points.iter().map(|point| point.value).sum(), expected, reference }
    }

    /// The anomaly from its onset: the suffix of the window that stands out most from what was expected.
    pub(super) fn anomaly(&self, index: usize, p_value: f64, q_value: f64, rose: bool) -> SliceAnomaly {
        let sign = if rose { 1.0 } else { -1.0 };
        let (mut excess, mut most, mut onset) = (0.0, f64::NEG_INFINITY, self.inside.len() - 1);
        for (points, (at, point)) in (1..).zip(self.inside.iter().enumerate().rev()) {
            excess += sign * (point.value - point.expected);
            let clear = excess.signum() * excess * excess / f64::from(points);
            if clear > most {
                (most, onset) = (clear, at);
            }
        }
        let jump = &self.inside[onset..];
        SliceAnomaly {
            index,
            onset: jump[0].time,
            p_value,
            q_value,
            expected: mean(jump.iter().map(|point| point.expected)),
            actual: mean(jump.iter().map(|point| point.value)),
        }
    }
}

fn squares(points: &[Point]) -> f64 {
    points.iter().map(|point| (point.value - point.expected).powi(2)).sum()
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    sum / count
}
