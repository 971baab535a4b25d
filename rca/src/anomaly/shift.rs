//! Which series left their level in a window, and by how much: one question, asked of the window and of every earlier
//! moment of the same series, so that the series itself says what is usual.
//!
//! The excess of a stretch is the sum of its points' deviations, each times its weight, from two levels: the points just
//! before the stretch, and the median of the whole history. The smaller excess counts, and none where the two disagree:
//! a series that was elsewhere yesterday has not moved now, and one that swings back to its usual level has not either.
//! The probability of the window's excess is its rank among the excesses of all earlier stretches of the same length,
//! which keeps the series' own noise, cycles and memory; beyond the largest of them the tail falls with the square, as
//! that of Student's t with two degrees of freedom, since no history is long enough to promise more.

use super::median::median;
use crate::limits::{SHIFT_HISTORY_MIN, SHIFT_RECENT_MAX};

/// Values of one thing over time, in order. Missing points are left out or NaN.
#[derive(Debug, Clone, Copy)]
pub struct MetricSeries<'a> {
    /// Nanoseconds since the epoch, ascending.
    pub times: &'a [i64],
    pub values: &'a [f64],
    /// How much each point stands for, such as the requests that a mean latency is over; empty means one each.
    pub weights: &'a [f64],
}

/// Which way is bad, where that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Either,
    Up,
    Down,
}

/// One series that was judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Shift {
    /// Which of the series given.
    pub index: usize,
    /// Level before the window, and (weighted) mean inside.
    pub before: f64,
    pub after: f64,
    /// Sum of the deviations in the bad direction, times their weights; below zero when it went the other way.
    pub excess: f64,
    /// The excess, in units of the largest that the history has by itself.
    pub beyond: f64,
    /// Time of the first point of the window's worst run.
    pub onset: i64,
    pub p_value: f64,
    /// Corrected for all series judged together (Benjamini and Hochberg).
    pub q_value: f64,
}

/// Judges all series that have a history and points in `from..to`, in the order given. What is before `from` is history.
pub fn shifts(series: &[MetricSeries<'_>], window: (i64, i64), direction: Direction) -> Vec<Shift> {
    let judged = series.iter().enumerate();
    let mut found: Vec<Shift> =
        judged.filter_map(|(index, one)| Judge::of(one, window)?.shift(index, direction)).collect();
    let q_values = false_discovery(&found.iter().map(|shift| shift.p_value).collect::<Vec<_>>());
    found.iter_mut().zip(q_values).for_each(|(shift, q)| shift.q_value = q);
    found
}

/// A series cut into history and window, without its missing points.
#[derive(Debug, Default)]
struct Judge {
    values: Vec<f64>,
    weights: Vec<f64>,
    times: Vec<i64>,
    /// Points of history; the window follows.
    history: usize,
    /// Points right before a stretch that tell its level.
    recent: usize,
    median: f64,
    /// Running sums of values times weights, and of weights.
    totals: Vec<f64>,
    weight_sums: Vec<f64>,
}

impl Judge {
    fn of(series: &MetricSeries<'_>, (from, to): (i64, i64)) -> Option<Self> {
        let mut judge = Self::default();
        for (at, (time, value)) in series.times.iter().zip(series.values).enumerate() {
            let weight = series.weights.get(at).copied().unwrap_or(1.0);
            if *time >= to || !value.is_finite() || !weight.is_finite() {
                continue;
            }
            judge.values.push(*value);
            judge.weights.push(weight.max(0.0));
            judge.times.push(*time);
            judge.history += usize::from(*time < from);
        }
        judge.even_out(series.weights.is_empty());
        let window = judge.values.len() - judge.history;
        if window == 0 || judge.history < SHIFT_HISTORY_MIN {
            return None;
        }
        judge.median = median(&judge.values[..judge.history]);
        judge.recent = judge.contiguous(from, window);
        let weighted = judge.values.iter().zip(&judge.weights).map(|(value, weight)| value * weight);
        judge.totals = running(weighted);
        judge.weight_sums = running(judge.weights.iter().copied());
        Some(judge)
    }

    /// Where points of the window lie closer than those of the history, several become one: stretches of as many points are then as long. A scrape that was
    /// made more frequent leaves such series, and so does a history that was written afterwards.
    fn even_out(&mut self, one_each: bool) {
        let (before, inside) = self.times.split_at(self.history);
        let (Some(usual), Some(close)) = (step(before), step(inside)) else { return };
        if usual < 2 * close {
            return;
        }
        let begin = inside[0];
        let mut bins: Vec<(i64, f64, f64, f64)> = Vec::new();
        for at in self.history..self.times.len() {
            let (time, value, weight) = (self.times[at], self.values[at], self.weights[at]);
            let start = begin + (time - begin).div_euclid(usual) * usual;
            match bins.last_mut().filter(|bin| bin.0 == start) {
                Some((_, sum, weights, points)) => {
                    *sum += value * weight;
                    *weights += weight;
                    *points += 1.0;
                }
                None => bins.push((start, value * weight, weight, 1.0)),
            }
        }
        self.times.truncate(self.history);
        self.values.truncate(self.history);
        self.weights.truncate(self.history);
        for (time, sum, weights, points) in bins.into_iter().filter(|bin| bin.2 > 0.0) {
            self.times.push(time);
            self.values.push(sum / weights);
            self.weights.push(if one_each { weights / points } else { weights });
        }
    }

    /// How many points lie in the window's own length right before it: after a gap there are fewer, or one.
    fn contiguous(&self, from: i64, window: usize) -> usize {
        let last = *self.times.last().expect("a window has a point");
        let length = last.saturating_sub(from).max(1);
        let near = self.times[..self.history].iter().rev().take_while(|time| from - **time <= length).count();
        near.clamp(1, window.min(SHIFT_RECENT_MAX))
    }

    fn shift(&self, index: usize, direction: Direction) -> Option<Shift> {
        let up = self.verdict(1.0);
        let down = self.verdict(-1.0);
        let (verdict, sign, sides) = match direction {
            Direction::Up => (up, 1.0, 1.0),
            Direction::Down => (down, -1.0, 1.0),
            Direction::Either if up.p_value <= down.p_value => (up, 1.0, 2.0),
            Direction::Either => (down, -1.0, 2.0),
        };
        let window = self.history..self.values.len();
        let weight: f64 = self.weights[window.clone()].iter().sum();
        let total: f64 = window.clone().map(|at| self.values[at] * self.weights[at]).sum();
        (weight > 0.0).then(|| Shift {
            index,
            before: self.level(self.history),
            after: total / weight,
            excess: verdict.excess,
            beyond: verdict.beyond,
            onset: self.times[self.worst_run(sign)],
            p_value: (verdict.p_value * sides).min(1.0),
            q_value: 1.0,
        })
    }

    /// Mean of the points right before `at`.
    fn level(&self, at: usize) -> f64 {
        let recent = &self.values[at.saturating_sub(self.recent)..at];
        recent.iter().sum::<f64>() / recent.len().max(1) as f64
    }

    fn deviation(&self, at: usize, level: f64, sign: f64) -> f64 {
        smaller(sign * (self.values[at] - level), sign * (self.values[at] - self.median))
    }

    /// Sums over the whole stretch, so that its noise cancels before the two levels are compared.
    fn excess(&self, start: usize, end: usize, sign: f64) -> f64 {
        let sum = |sums: &[f64]| sums[end] - sums[start];
        let (total, weight) = (sum(&self.totals), sum(&self.weight_sums));
        smaller(sign * (total - weight * self.level(start)), sign * (total - weight * self.median))
    }

    fn verdict(&self, sign: f64) -> Verdict {
        let end = self.values.len();
        let window = end - self.history;
        let excess = self.excess(self.history, end, sign);
        let starts = self.recent..(self.history + 1).saturating_sub(window).max(self.recent);
        let usual: Vec<f64> = starts.map(|start| self.excess(start, start + window, sign)).collect();
        if excess <= 0.0 || usual.is_empty() {
            return Verdict { excess, beyond: 0.0, p_value: 1.0 };
        }
        let largest = usual.iter().copied().fold(0.0, f64::max);
        // Stretches that overlap are not independent: as many count as lie side by side.
        let independent = 1.0 + usual.len() as f64 / window as f64;
        if largest <= 0.0 {
            let p_value = self.never_before(sign).unwrap_or(1.0 / independent).max(f64::MIN_POSITIVE);
            return Verdict { excess, beyond: 1.0 / p_value.sqrt(), p_value };
        }
        let reached = usual.iter().filter(|usual| **usual >= excess).count() as f64 / usual.len() as f64;
        let beyond = excess / largest;
        Verdict { excess, beyond, p_value: reached.max(1.0 / independent / beyond.max(1.0).powi(2)) }
    }

    /// A history of which no point ever moved: the chance that all points which did are in the window, were they anywhere.
    fn never_before(&self, sign: f64) -> Option<f64> {
        let level = self.level(self.history);
        if (0..self.history).any(|at| self.deviation(at, level, sign) > 0.0) {
            return None;
        }
        let window = self.history..self.values.len();
        let (moved, length) =
            (window.clone().filter(|at| self.deviation(*at, level, sign) > 0.0).count(), window.len());
        let all = self.values.len();
        Some((0..moved).map(|taken| (length - taken) as f64 / (all - taken) as f64).product())
    }

    /// Where the stretch of the window with the largest excess begins (Kadane).
    fn worst_run(&self, sign: f64) -> usize {
        let level = self.level(self.history);
        // Half of the mean deviation is the bar: a run has to be worse than half of the whole.
        let window = self.history..self.values.len();
        let mean = window.clone().map(|at| self.deviation(at, level, sign)).sum::<f64>() / window.len() as f64;
        let (mut best, mut best_start) = (f64::MIN, self.history);
        let (mut sum, mut start) = (0.0, self.history);
        for at in window {
            if sum <= 0.0 {
                (sum, start) = (0.0, at);
            }
            sum += self.deviation(at, level, sign) - mean.max(0.0) / 2.0;
            if sum > best {
                (best, best_start) = (sum, start);
            }
        }
        best_start
    }
}

/// The usual time between two points.
fn step(times: &[i64]) -> Option<i64> {
    let mut steps: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let middle = steps.len() / 2;
    (!steps.is_empty()).then(|| *steps.select_nth_unstable(middle).1)
}

struct Verdict {
    excess: f64,
    beyond: f64,
    p_value: f64,
}

/// Benjamini and Hochberg's correction: among findings kept at `q`, that share is false on average.
fn false_discovery(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*b].total_cmp(&p_values[*a]));
    let mut q_values = vec![1.0; p_values.len()];
    let mut least: f64 = 1.0;
    for (above, at) in order.into_iter().enumerate() {
        let rank = p_values.len() - above;
        least = least.min(p_values[at] * p_values.len() as f64 / rank as f64);
        q_values[at] = least;
    }
    q_values
}

/// The smaller of two deviations; none where they disagree about the way.
fn smaller(near: f64, far: f64) -> f64 {
    if near.signum() != far.signum() {
        0.0
    } else if near.abs() < far.abs() {
        near
    } else {
        far
    }
}

/// Sums of the first 0, 1, 2, ... values.
fn running(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut sum = 0.0;
    let sums = values.map(|value| {
        sum += value;
        sum
    });
    std::iter::once(0.0).chain(sums).collect()
}

#[cfg(test)]
mod tests;
