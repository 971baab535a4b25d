//! The state machine of one alerting rule: Prometheus' `rules/alerting.go`, state for state.
//!
//! Pure: results and times go in, states come out. Times are always those of the evaluation, never the clock's.

use std::collections::BTreeMap;
use std::time::Duration;

use culprit_store::{Labels, UnixNanos};

use crate::error::EvalError;
use crate::limits::{INSTANCES_PER_RULE_MAX, RESOLVED_RETENTION};
use crate::slice::SliceRequest;

/// The label that names an alert's rule.
pub(crate) const ALERT_NAME: &str = "alertname";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum AlertState {
    Inactive,
    Pending,
    Firing,
}

impl AlertState {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::Pending => "pending",
            Self::Firing => "firing",
        }
    }
}

/// Which rows an alert asks to be explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SliceChoice {
    /// The rule names none.
    Absent,
    Given(SliceRequest),
    /// The rule names one, but its template failed for this alert.
    Failed(String),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Alert {
    pub labels: Labels,
    pub annotations: BTreeMap<String, String>,
    pub value: f64,
    pub state: AlertState,
    pub active_at: UnixNanos,
    pub fired_at: Option<UnixNanos>,
    pub resolved_at: Option<UnixNanos>,
    pub keep_firing_since: Option<UnixNanos>,
    pub last_sent_at: Option<UnixNanos>,
    /// Set when the alert begins to fire: the slice ends there, however long the alert lasts.
    pub slice: Option<SliceChoice>,
}

/// What an evaluation found, with the rule's labels applied.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Instance {
    pub labels: Labels,
    pub annotations: BTreeMap<String, String>,
    pub value: f64,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Timing {
    pub hold: Duration,
    pub keep_firing_for: Duration,
    /// Of the group; 0 is none.
    pub limit: usize,
}

/// All instances of one rule, by their labels.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct AlertBook {
    alerts: BTreeMap<Labels, Alert>,
}

/// How long `from` is before `to`, zero when it is not.
fn elapsed(from: UnixNanos, to: UnixNanos) -> Duration {
    Duration::from_nanos(u64::try_from(to.0.saturating_sub(from.0)).unwrap_or(0))
}

impl AlertBook {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Alert> {
        self.alerts.values()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Alert> {
        self.alerts.values_mut()
    }

    pub(crate) fn active(&self) -> impl Iterator<Item = &Alert> {
        self.iter().filter(|alert| alert.state != AlertState::Inactive)
    }

    /// Takes the result of an evaluation at `ts`. Over a limit, all alerts of the rule are forgotten.
    pub(crate) fn update(&mut self, instances: Vec<Instance>, ts: UnixNanos, timing: Timing) -> Result<(), EvalError> {
        let mut found: BTreeMap<Labels, Instance> = BTreeMap::new();
        for instance in instances {
            if let Some(twice) = found.insert(instance.labels.clone(), instance) {
                return Err(EvalError::DuplicateLabels { kind: "alert", labels: twice.labels.to_string() });
            }
        }
        let mut present = Vec::with_capacity(found.len());
        for (labels, instance) in found {
            present.push(labels.clone());
            self.see(labels, instance, ts);
        }
        self.alerts.retain(|labels, alert| {
            let is_present = present.binary_search(labels).is_ok();
            if is_present { meet(alert, ts, timing.hold) } else { miss(alert, ts, timing.keep_firing_for) }
        });
        let active = self.active().count();
        let limit = if timing.limit == 0 { INSTANCES_PER_RULE_MAX } else { timing.limit.min(INSTANCES_PER_RULE_MAX) };
        if active > limit {
            self.alerts.clear();
            return Err(EvalError::Limit { limit, count: active, things: "alerts" });
        }
        Ok(())
    }

    fn see(&mut self, labels: Labels, instance: Instance, ts: UnixNanos) {
        match self.alerts.get_mut(&labels).filter(|alert| alert.state != AlertState::Inactive) {
            Some(alert) => {
                alert.value = instance.value;
                alert.annotations = instance.annotations;
            }
            None => {
                self.alerts.insert(labels, new_alert(instance, ts));
            }
        }
    }

    /// The alerts to tell the dispatcher of, which count as told from here on. Pending ones never are.
    pub(crate) fn take_due(&mut self, ts: UnixNanos, resend_delay: Duration) -> Vec<Alert> {
        let mut due = Vec::new();
        for alert in self.alerts.values_mut().filter(|alert| needs_sending(alert, ts, resend_delay)) {
            alert.last_sent_at = Some(ts);
            due.push(alert.clone());
        }
        due
    }
}

fn new_alert(instance: Instance, ts: UnixNanos) -> Alert {
    Alert {
        labels: instance.labels,
        annotations: instance.annotations,
        value: instance.value,
        state: AlertState::Pending,
        active_at: ts,
        fired_at: None,
        resolved_at: None,
        keep_firing_since: None,
        last_sent_at: None,
        slice: None,
    }
}

/// The sample is there. Always kept.
fn meet(alert: &mut Alert, ts: UnixNanos, hold: Duration) -> bool {
    alert.keep_firing_since = None;
    let held = elapsed(alert.active_at, ts) >= hold;
    match alert.state {
        AlertState::Pending if held => {
            alert.state = AlertState::Firing;
            alert.fired_at = Some(ts);
        }
        // A reload made `for` longer than this alert has lasted.
        AlertState::Firing if !held => {
            alert.state = AlertState::Pending;
            alert.fired_at = None;
        }
        _ => {}
    }
    true
}

/// The sample is gone. False: the alert is forgotten.
fn miss(alert: &mut Alert, ts: UnixNanos, keep_firing_for: Duration) -> bool {
    match alert.state {
        AlertState::Pending => false,
        AlertState::Inactive => alert.resolved_at.is_none_or(|at| elapsed(at, ts) <= RESOLVED_RETENTION),
        AlertState::Firing => {
            if !keep_firing_for.is_zero() {
                let since = *alert.keep_firing_since.get_or_insert(ts);
                if elapsed(since, ts) < keep_firing_for {
                    return true;
                }
            }
            alert.state = AlertState::Inactive;
            alert.resolved_at = Some(ts);
            true
        }
    }
}

fn needs_sending(alert: &Alert, ts: UnixNanos, resend_delay: Duration) -> bool {
    if alert.state == AlertState::Pending {
        return false;
    }
    let Some(sent) = alert.last_sent_at else { return true };
    alert.resolved_at.is_some_and(|resolved| resolved > sent) || elapsed(sent, ts) > resend_delay
}

#[cfg(test)]
mod tests;
