//! One rule at work: its alerts, its health, the series it wrote.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use culprit_store::{Labels, METRIC_NAME, SampleRange, UnixNanos, is_stale};

use super::Surroundings;
use crate::alert::{ALERT_NAME, Alert, AlertBook, AlertState, Instance, SliceChoice, Timing};
use crate::dispatch::{Event, RuleInfo};
use crate::error::EvalError;
use crate::evaluator::{Measured, before};
use crate::expand::Expander;
use crate::rules::{GroupSpec, Rule, RuleKind, Templated};
use crate::slice::{SliceRequest, SliceTemplate, rfc3339};

const ALERTS: &str = "ALERTS";
const ALERTS_FOR_STATE: &str = "ALERTS_FOR_STATE";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    Unknown,
    Ok,
    Err,
}

impl Health {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Ok => "ok",
            Self::Err => "err",
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct RuleState {
    pub rule: Arc<Rule>,
    pub alerts: AlertBook,
    pub health: Health,
    pub last_error: Option<String>,
    pub last_evaluation: Option<UnixNanos>,
    pub evaluation_time: Duration,
    /// Series of the last evaluation: those that do not come again are marked stale.
    pub(super) written: BTreeSet<Labels>,
    pub(super) is_settled: bool,
}

impl RuleState {
    pub(super) fn new(rule: Arc<Rule>) -> Self {
        Self {
            rule,
            alerts: AlertBook::default(),
            health: Health::Unknown,
            last_error: None,
            last_evaluation: None,
            evaluation_time: Duration::ZERO,
            written: BTreeSet::new(),
            is_settled: false,
        }
    }

    pub(super) fn take_over(&mut self, old: RuleState) {
        *self = RuleState { rule: self.rule.clone(), ..old };
    }

    pub(crate) fn is_alerting(&self) -> bool {
        matches!(self.rule.kind, RuleKind::Alerting { .. })
    }

    /// The strongest state of its alerts.
    pub(crate) fn state(&self) -> AlertState {
        self.alerts.iter().map(|alert| alert.state).max().unwrap_or(AlertState::Inactive)
    }

    pub(super) fn firing(&self) -> BTreeSet<Labels> {
        self.alerts.iter().filter(|a| a.state == AlertState::Firing).map(|a| a.labels.clone()).collect()
    }

    pub(super) fn finish(&mut self, ts: UnixNanos, took: Duration, result: Result<(), EvalError>, group: &GroupSpec) {
        self.last_evaluation = Some(ts);
        self.evaluation_time = took;
        let error = result.err().map(|error| error.to_string());
        if let Some(error) = error.as_ref().filter(|error| self.last_error.as_ref() != Some(error)) {
            tracing::warn!(rule = self.rule.name(), group = group.name, file = group.file, error, "a rule failed");
        }
        self.health = if error.is_some() { Health::Err } else { Health::Ok };
        self.last_error = error;
    }

    /// The series of a recording rule.
    pub(super) async fn record(
        &mut self,
        at: UnixNanos,
        limit: usize,
        surroundings: &Surroundings,
    ) -> Result<Vec<(Labels, f64)>, EvalError> {
        let rule = self.rule.clone();
        let found = surroundings.evaluator.evaluate(&rule.expression, at).await?;
        if limit > 0 && found.len() > limit {
            return Err(EvalError::Limit { limit, count: found.len(), things: "series" });
        }
        let mut series = BTreeMap::new();
        for Measured { labels, value, .. } in found {
            let named = labels.with(METRIC_NAME, rule.name());
            let labels = rule.labels.iter().fold(named, |labels, label| labels.with(&label.name, &label.text));
            if series.insert(labels.clone(), value).is_some() {
                return Err(EvalError::DuplicateLabels { kind: "rule", labels: labels.to_string() });
            }
        }
        Ok(series.into_iter().collect())
    }

    /// Evaluates an alerting rule; gives the series that show its alerts.
    pub(super) async fn alert(
        &mut self,
        ts: UnixNanos,
        at: UnixNanos,
        limit: usize,
        surroundings: &Surroundings,
    ) -> Result<Vec<(Labels, f64)>, EvalError> {
        let rule = self.rule.clone();
        let RuleKind::Alerting { hold, keep_firing_for, annotations, slice, .. } = &rule.kind else {
            return Ok(Vec::new());
        };
        let found = surroundings.evaluator.evaluate(&rule.expression, at).await?;
        let mut instances = Vec::with_capacity(found.len());
        for measured in found {
            instances.push(instance(&rule, annotations, measured, at, surroundings).await);
        }
        let timing = Timing { hold: *hold, keep_firing_for: *keep_firing_for, limit };
        self.alerts.update(instances, ts, timing)?;
        for alert in self.alerts.iter_mut().filter(|alert| alert.state == AlertState::Firing && alert.slice.is_none()) {
            alert.slice = Some(choose_slice(&rule, slice.as_deref(), alert, ts, surroundings).await);
        }
        Ok(self.alerts.active().flat_map(alert_series).collect())
    }

    pub(super) async fn tell(&mut self, ts: UnixNanos, surroundings: &Surroundings, group: &str) {
        let due = self.alerts.take_due(ts, surroundings.resend_delay);
        if due.is_empty() {
            return;
        }
        let rule = Arc::new(RuleInfo {
            id: self.rule.id.clone(),
            name: self.rule.name().to_owned(),
            group: group.to_owned(),
            project: self.rule.expression.project().to_string(),
            expression: self.rule.expression.to_string(),
            console_path: self.rule.expression.console_path(),
            label_names: self.rule.labels.iter().map(|label| label.name.clone()).collect(),
        });
        surroundings.send(Event::Alerts { rule, alerts: due }).await;
    }

    /// Prometheus' restoration, with one difference: an alert that was firing when the server stopped fires on, even when
    /// its `for` is shorter than the grace period; Prometheus starts it anew and so resolves it for nothing.
    pub(super) async fn restore(&mut self, ts: UnixNanos, surroundings: &Surroundings) -> Result<(), EvalError> {
        let rule = self.rule.clone();
        let RuleKind::Alerting { hold, .. } = rule.kind else { return Ok(()) };
        if hold.is_zero() || self.alerts.active().next().is_none() {
            return Ok(());
        }
        let oldest = before(ts, surroundings.for_outage_tolerance);
        let range = SampleRange { start_ms: oldest.as_millis(), end_ms: ts.as_millis() };
        let project = rule.expression.project();
        let past = surroundings.evaluator.select(project, ALERTS_FOR_STATE, rule.name(), range).await?;
        let last: BTreeMap<Labels, (i64, f64)> = past
            .into_iter()
            .filter_map(|series| {
                let at = *series.samples.timestamps_ms.last()?;
                let value = *series.samples.values.last()?;
                Some((series.labels.without_metric_name(), (at, value)))
            })
            .collect();
        for alert in self.alerts.iter_mut().filter(|alert| alert.state == AlertState::Pending) {
            let Some((down_ms, active_seconds)) = last.get(&alert.labels).filter(|(_, value)| !is_stale(*value)) else {
                continue;
            };
            let was_active = UnixNanos::from_millis((*active_seconds * 1e3) as i64);
            alert.active_at = restored(was_active, UnixNanos::from_millis(*down_ms), ts, hold, surroundings);
        }
        Ok(())
    }
}

fn restored(
    was_active: UnixNanos,
    down: UnixNanos,
    ts: UnixNanos,
    hold: Duration,
    surroundings: &Surroundings,
) -> UnixNanos {
    let pending = Duration::from_nanos(u64::try_from(down.0.saturating_sub(was_active.0)).unwrap_or(0));
    let remaining = hold.saturating_sub(pending);
    if remaining.is_zero() {
        return was_active;
    }
    let grace = surroundings.for_grace_period.min(hold);
    if remaining < grace {
        // It fires when the grace period is over, not before: the data of the outage may still be missing.
        return before(UnixNanos(ts.0.saturating_add(grace.as_nanos() as i64)), hold);
    }
    UnixNanos(was_active.0.saturating_add(ts.0 - down.0))
}

/// The annotation in which an inspection says what was expected and what came.
const ANOMALY: &str = "anomaly";

async fn instance(
    rule: &Rule,
    annotations: &[Templated],
    measured: Measured,
    at: UnixNanos,
    surroundings: &Surroundings,
) -> Instance {
    let Measured { labels, value, note } = measured;
    let data = (labels.clone(), value);
    let project = rule.expression.project();
    let mut expander = Expander::new(&surroundings.evaluator, project, &surroundings.external_url, data, at);
    let mut labels = labels.without_metric_name();
    for label in &rule.labels {
        labels = labels.with(&label.name, &expander.expand_or_say(&label.template).await);
    }
    let mut expanded: BTreeMap<String, String> = note.map(|note| (ANOMALY.to_owned(), note)).into_iter().collect();
    for annotation in annotations {
        expanded.insert(annotation.name.clone(), expander.expand_or_say(&annotation.template).await);
    }
    Instance { labels: labels.with(ALERT_NAME, rule.name()), annotations: expanded, value }
}

async fn choose_slice(
    rule: &Rule,
    template: Option<&SliceTemplate>,
    alert: &Alert,
    ts: UnixNanos,
    surroundings: &Surroundings,
) -> SliceChoice {
    let Some(template) = template else { return SliceChoice::Absent };
    // Label values end up between the quotes of a SQL predicate.
    let quoted = alert.labels.iter().map(|label| (label.name.clone(), label.value.replace('\'', "''")));
    let labels = match Labels::new(quoted) {
        Ok(labels) => labels,
        Err(error) => return SliceChoice::Failed(error.to_string()),
    };
    let data = (labels, alert.value);
    let project = rule.expression.project();
    let mut expander = Expander::new(&surroundings.evaluator, project, &surroundings.external_url, data, ts);
    let filter = match expander.expand(&template.filter).await {
        Ok(filter) => filter,
        Err(error) => return SliceChoice::Failed(error.to_string()),
    };
    let mut baseline = None;
    if let Some(template) = &template.baseline {
        match expander.expand(template).await {
            Ok(text) => baseline = Some(text),
            Err(error) => return SliceChoice::Failed(error.to_string()),
        }
    }
    SliceChoice::Given(SliceRequest {
        project: template.project.to_string(),
        store: template.store.to_string(),
        filter,
        baseline,
        noun: template.noun.clone(),
        dimensions: template.dimensions.clone(),
        from: rfc3339(before(ts, template.window)),
        to: rfc3339(ts),
    })
}

fn alert_series(alert: &Alert) -> [(Labels, f64); 2] {
    let shown = alert.labels.with(METRIC_NAME, ALERTS).with("alertstate", alert.state.as_str());
    let since = alert.labels.with(METRIC_NAME, ALERTS_FOR_STATE);
    [(shown, 1.0), (since, alert.active_at.0.div_euclid(1_000_000_000) as f64)]
}
