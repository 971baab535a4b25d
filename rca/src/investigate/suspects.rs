//! From an alarm to the series behind it: which of many series of the same kind moved when the alarm was raised, and, where
//! it is known who calls whom, whose movement is not that of somebody it calls.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::anomaly::{Direction, MetricSeries, Shift, shifts};
use crate::investigate::calls::{Calls, own_excess};
use crate::investigate::finding::{Label, Span, rfc3339};
use crate::investigate::words;
use crate::limits::SUSPECT_ALPHA;

/// A series with its labels; times ascend.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledSeries {
    pub labels: Vec<Label>,
    pub times: Vec<i64>,
    pub values: Vec<f64>,
}

/// What is known of the alarm.
#[derive(Debug, Clone)]
pub struct Alarm {
    /// The time of the trouble (ns).
    pub window: (i64, i64),
    /// Labels of the series that raised it: the first names the node, the others what is measured there. Empty: every
    /// series is a suspect.
    pub target: Vec<Label>,
    /// Labels of the series that count what the others are means over, such as requests.
    pub counts: Vec<Label>,
    pub calls: Calls,
    /// Which way is bad; `Either` is read from the target's own movement.
    pub direction: Direction,
}

/// One series, judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Suspect {
    pub labels: Vec<Label>,
    pub before: f64,
    pub after: f64,
    /// Sum of the deviations, times what each point stands for.
    pub excess: f64,
    /// What is left of it without that of the nodes that it calls.
    pub own_excess: f64,
    pub onset: String,
    pub p_value: f64,
    pub q_value: f64,
    /// Beyond chance, after the correction for all series.
    pub significant: bool,
}

/// The report on series alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SuspectReport {
    pub sentence: String,
    /// The significant ones by their own excess, then the others by their p-value.
    pub suspects: Vec<Suspect>,
    pub window: Span,
    pub series: usize,
    pub points: usize,
    /// Filled in by the caller: the pure part reads no clock.
    pub elapsed_ms: f64,
}

pub fn suspects(series: &[LabelledSeries], alarm: &Alarm) -> SuspectReport {
    let meant: Vec<&LabelledSeries> = alarm.meant(series);
    let weights: Vec<Vec<f64>> = meant.iter().map(|one| alarm.weights(one, series)).collect();
    let judged: Vec<MetricSeries<'_>> = meant
        .iter()
        .zip(&weights)
        .map(|(one, weights)| MetricSeries { times: &one.times, values: &one.values, weights })
        .collect();
    let direction = alarm.direction(&meant, &judged);
    let found = shifts(&judged, alarm.window, direction);
    let own = own(&found, &meant, alarm);
    let mut suspects: Vec<Suspect> = found.iter().map(|shift| suspect(shift, &meant, &own, alarm)).collect();
    suspects.sort_by(|a, b| {
        let by_own = b.own_excess.total_cmp(&a.own_excess).then(b.excess.total_cmp(&a.excess));
        let by_chance = a.p_value.total_cmp(&b.p_value).then(by_own);
        b.significant.cmp(&a.significant).then(if a.significant { by_own } else { by_chance })
    });
    SuspectReport {
        sentence: sentence(&suspects, meant.len()),
        suspects,
        window: Span::new(alarm.window.0, alarm.window.1),
        series: meant.len(),
        points: meant.iter().map(|one| one.times.len()).sum(),
        elapsed_ms: 0.0,
    }
}

impl Alarm {
    /// Series of the target's kind at nodes that it reaches by calls.
    fn meant<'a>(&self, series: &'a [LabelledSeries]) -> Vec<&'a LabelledSeries> {
        let Some((node, kind)) = self.target.split_first() else { return series.iter().collect() };
        let reached = (!self.calls.is_empty()).then(|| self.calls.reached_from(&node.value));
        let is_meant = |one: &&LabelledSeries| {
            let is_reached = |at: &str| reached.as_ref().is_none_or(|reached| reached.contains(at));
            self.node(one).is_some_and(is_reached) && kind.iter().all(|label| one.labels.contains(label))
        };
        series.iter().filter(is_meant).collect()
    }

    fn node<'a>(&self, series: &'a LabelledSeries) -> Option<&'a str> {
        let name = &self.target.first()?.name;
        series.labels.iter().find(|label| label.name == *name).map(|label| label.value.as_str())
    }

    /// What the points of a series stand for: the counts of the same node at the same times; one each where none are.
    fn weights(&self, of: &LabelledSeries, series: &[LabelledSeries]) -> Vec<f64> {
        let is_count = |one: &&LabelledSeries| {
            !self.counts.is_empty()
                && self.node(one) == self.node(of)
                && self.counts.iter().all(|label| one.labels.contains(label))
        };
        let Some(counts) = series.iter().find(is_count) else { return Vec::new() };
        let at: BTreeMap<i64, f64> = counts.times.iter().copied().zip(counts.values.iter().copied()).collect();
        let weight = |time| at.get(time).copied().filter(|weight: &f64| weight.is_finite()).unwrap_or(0.0);
        of.times.iter().map(weight).collect()
    }

    /// The way in which the target moved; where it did not, both ways count.
    fn direction(&self, meant: &[&LabelledSeries], judged: &[MetricSeries<'_>]) -> Direction {
        let is_target = |one: &&LabelledSeries| self.target.iter().all(|label| one.labels.contains(label));
        if self.direction != Direction::Either || self.target.is_empty() {
            return self.direction;
        }
        let Some(at) = meant.iter().position(is_target) else { return Direction::Either };
        match shifts(&judged[at..=at], self.window, Direction::Either).first() {
            Some(shift) if shift.after > shift.before => Direction::Up,
            Some(shift) if shift.after < shift.before => Direction::Down,
            _ => Direction::Either,
        }
    }
}

/// Own excess by node, of the nodes whose excess is beyond chance.
fn own(found: &[Shift], meant: &[&LabelledSeries], alarm: &Alarm) -> BTreeMap<String, f64> {
    let mut excess: BTreeMap<String, f64> = BTreeMap::new();
    for shift in found.iter().filter(|shift| shift.q_value <= SUSPECT_ALPHA) {
        if let Some(node) = alarm.node(meant[shift.index]) {
            *excess.entry(node.to_owned()).or_default() += shift.excess;
        }
    }
    own_excess(&alarm.calls, &excess)
}

fn suspect(shift: &Shift, meant: &[&LabelledSeries], own: &BTreeMap<String, f64>, alarm: &Alarm) -> Suspect {
    let series = meant[shift.index];
    let own_excess = alarm.node(series).and_then(|node| own.get(node)).copied();
    Suspect {
        labels: series.labels.clone(),
        before: shift.before,
        after: shift.after,
        excess: shift.excess,
        own_excess: own_excess.unwrap_or(shift.excess),
        onset: rfc3339(shift.onset),
        p_value: shift.p_value,
        q_value: shift.q_value,
        significant: shift.q_value <= SUSPECT_ALPHA,
    }
}

fn sentence(suspects: &[Suspect], series: usize) -> String {
    let significant = suspects.iter().filter(|suspect| suspect.significant).count();
    let Some(first) = suspects.first().filter(|suspect| suspect.significant) else {
        return format!("Nothing stands out: none of {series} series left its level by more than chance.");
    };
    let verb = if first.after > first.before { "rose" } else { "fell" };
    let others = match significant - 1 {
        0 => String::new(),
        1 => " One more moved with it.".to_owned(),
        more => format!(" {more} more moved with it."),
    };
    format!(
        "{} {verb} from {} to {}, from {} on.{others}",
        words::series_name(&first.labels),
        words::number(first.before),
        words::number(first.after),
        first.onset
    )
}

#[cfg(test)]
mod tests;
