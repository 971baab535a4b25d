//! A group at work: its rules in order, what they write, what they tell the dispatcher, what the API shows of them.

mod rule_state;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use culprit_store::{Clock, Labels, ProjectName, Samples, Series, UnixNanos, stale_nan};
use tokio::sync::mpsc;

pub(crate) use rule_state::{Health, RuleState};

use crate::dispatch::Event;
use crate::error::{EvalError, HookError};
use crate::evaluator::{Evaluator, before};
use crate::hooks::WriteSeries;
use crate::metrics::Metrics;
use crate::rules::{GroupSpec, RuleKind};

/// What every group needs from its surroundings. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub evaluator: Evaluator,
    pub write_series: WriteSeries,
    pub clock: Clock,
    pub metrics: Arc<Metrics>,
    pub external_url: Arc<str>,
    pub default_interval: Duration,
    pub resend_delay: Duration,
    pub for_outage_tolerance: Duration,
    pub for_grace_period: Duration,
    pub(crate) events: mpsc::Sender<Event>,
}

pub(crate) struct Group {
    pub spec: Arc<GroupSpec>,
    pub rules: Vec<RuleState>,
    /// A group of a server that has just started gets its `for` states back after its first evaluation.
    is_restored: bool,
    last_evaluation: Option<UnixNanos>,
    evaluation_time: Duration,
}

/// What the API shows of a group; made after each evaluation.
#[derive(Debug, Clone)]
pub(crate) struct GroupView {
    pub spec: Arc<GroupSpec>,
    pub interval: Duration,
    pub rules: Vec<RuleState>,
    pub last_evaluation: Option<UnixNanos>,
    pub evaluation_time: Duration,
}

impl Group {
    /// A group of a server that starts; its `for` states are restored.
    pub(crate) fn fresh(spec: GroupSpec) -> Self {
        Self { is_restored: false, ..Self::added(spec) }
    }

    /// A group that a reload adds: there is nothing to restore.
    pub(crate) fn added(spec: GroupSpec) -> Self {
        let rules = spec.rules.iter().cloned().map(RuleState::new).collect();
        Self { spec: Arc::new(spec), rules, is_restored: true, last_evaluation: None, evaluation_time: Duration::ZERO }
    }

    /// Takes over the states of those rules that are in both groups; gives back the series of those that are gone.
    pub(crate) fn take_over(&mut self, mut old: Group) -> Vec<(ProjectName, BTreeSet<Labels>)> {
        self.is_restored = old.is_restored;
        self.last_evaluation = old.last_evaluation;
        for rule in &mut self.rules {
            if let Some(at) = old.rules.iter().position(|other| other.rule.id == rule.rule.id) {
                rule.take_over(old.rules.remove(at));
            }
        }
        old.into_written()
    }

    /// The series that its rules wrote the last time.
    pub(crate) fn into_written(self) -> Vec<(ProjectName, BTreeSet<Labels>)> {
        self.rules.into_iter().map(|rule| (rule.rule.expression.project().clone(), rule.written)).collect()
    }

    pub(crate) fn interval(&self, surroundings: &Surroundings) -> Duration {
        self.spec.interval.unwrap_or(surroundings.default_interval)
    }

    pub(crate) fn view(&self, surroundings: &Surroundings) -> GroupView {
        GroupView {
            spec: self.spec.clone(),
            interval: self.interval(surroundings),
            rules: self.rules.clone(),
            last_evaluation: self.last_evaluation,
            evaluation_time: self.evaluation_time,
        }
    }

    /// Evaluates all rules at `ts`. What a rule writes is visible to the rules behind it.
    pub(crate) async fn evaluate(&mut self, ts: UnixNanos, surroundings: &Surroundings) {
        let begun = surroundings.clock.now();
        let at = before(ts, self.spec.query_offset);
        for i in 0..self.rules.len() {
            self.evaluate_rule(i, ts, at, surroundings).await;
        }
        if self.is_restored {
            self.settle(surroundings).await;
        } else {
            self.restore(ts, surroundings).await;
            self.is_restored = true;
        }
        surroundings.metrics.iterations.add(1);
        self.last_evaluation = Some(ts);
        self.evaluation_time = since(begun, &surroundings.clock);
    }

    async fn evaluate_rule(&mut self, i: usize, ts: UnixNanos, at: UnixNanos, surroundings: &Surroundings) {
        let begun = surroundings.clock.now();
        let is_restored = self.is_restored;
        let limit = self.spec.limit;
        let rule = &mut self.rules[i];
        let evaluated = match &rule.rule.clone().kind {
            RuleKind::Recording { .. } => rule.record(at, limit, surroundings).await,
            RuleKind::Alerting { .. } => rule.alert(ts, at, limit, surroundings).await,
        };
        let result = match evaluated {
            Ok(series) if is_restored => write(rule, series, at, surroundings).await,
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        let took = since(begun, &surroundings.clock);
        surroundings.metrics.evaluations.add(1);
        surroundings.metrics.evaluation_nanos.add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
        if result.is_err() {
            surroundings.metrics.evaluation_failures.add(1);
        }
        rule.finish(ts, took, result, &self.spec);
        rule.tell(ts, surroundings, &self.spec.name).await;
    }

    /// Brings back since when alerts are active, from the series that the server wrote before it stopped.
    async fn restore(&mut self, ts: UnixNanos, surroundings: &Surroundings) {
        for rule in &mut self.rules {
            if let Err(error) = rule.restore(ts, surroundings).await {
                tracing::warn!(rule = rule.rule.name(), %error, "the state of \"for\" could not be restored");
            }
        }
    }

    /// Tells once, for each rule that could be evaluated, which alerts fire now that the past is restored: old incidents
    /// of all others are over. Not before the second evaluation, in which restored alerts fire again.
    async fn settle(&mut self, surroundings: &Surroundings) {
        for rule in self.rules.iter_mut().filter(|rule| !rule.is_settled && rule.health == Health::Ok) {
            rule.is_settled = true;
            if rule.is_alerting() {
                surroundings.send(Event::Settled { rule: rule.rule.id.clone(), firing: rule.firing() }).await;
            }
        }
    }
}

impl Surroundings {
    pub(crate) async fn send(&self, event: Event) {
        if self.events.send(event).await.is_err() {
            tracing::debug!("the dispatcher has stopped, an event is dropped");
        }
    }
}

fn since(begun: UnixNanos, clock: &Clock) -> Duration {
    Duration::from_nanos(u64::try_from(clock.now().0.saturating_sub(begun.0)).unwrap_or(0))
}

/// Writes what a rule made, and a staleness marker for each series that it made the last time only.
async fn write(
    rule: &mut RuleState,
    series: Vec<(Labels, f64)>,
    at: UnixNanos,
    surroundings: &Surroundings,
) -> Result<(), EvalError> {
    let written: BTreeSet<Labels> = series.iter().map(|(labels, _)| labels.clone()).collect();
    let stale = rule.written.difference(&written).map(|labels| (labels.clone(), stale_nan()));
    let all: Vec<Series> = series.into_iter().chain(stale).map(|(labels, value)| one(labels, value, at)).collect();
    if all.is_empty() {
        return Ok(());
    }
    let project = rule.rule.expression.project().clone();
    match (surroundings.write_series)(project, all).await {
        Ok(()) => {
            rule.written = written;
            Ok(())
        }
        Err(source) => {
            surroundings.metrics.series_write_failures.add(1);
            Err(EvalError::Write { source })
        }
    }
}

/// Ends the series of rules that a reload removed.
pub(crate) async fn write_stale(
    project: ProjectName,
    gone: BTreeSet<Labels>,
    surroundings: &Surroundings,
) -> Result<(), HookError> {
    if gone.is_empty() {
        return Ok(());
    }
    let at = surroundings.clock.now();
    let series = gone.into_iter().map(|labels| one(labels, stale_nan(), at)).collect();
    (surroundings.write_series)(project, series).await
}

fn one(labels: Labels, value: f64, at: UnixNanos) -> Series {
    Series { labels, samples: Samples { timestamps_ms: vec![at.as_millis()], values: vec![value] } }
}

#[cfg(test)]
mod tests;
