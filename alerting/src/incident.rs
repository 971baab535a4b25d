//! An incident: the alerts of one rule that fire together, their causes, and who was told. Its document is what the store keeps.

mod view;

use std::collections::{BTreeMap, BTreeSet};

use culprit_store::{Labels, UnixNanos};
use serde::{Deserialize, Serialize};

use crate::alert::{ALERT_NAME, Alert, AlertState, SliceChoice};
use crate::dispatch::RuleInfo;
use crate::limits::{ALERTS_PER_INCIDENT_MAX, NOTIFICATIONS_PER_INCIDENT_MAX};
use crate::slice::SliceRequest;

pub(crate) use view::pending_json;
pub(crate) use view::{cause_json, common, slice_json};

pub(crate) const NO_SLICE: &str = "no slice given";
pub(crate) const TOO_LATE: &str = "explanation took longer than 3 s";

/// Times are nanoseconds since the epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Incident {
    pub id: String,
    /// Grows with each change; of two documents the larger one counts.
    pub revision: u64,
    /// Rule and group labels: an incident with the same key is the same trouble.
    pub key: String,
    pub rule_id: String,
    pub rule: String,
    pub group: String,
    /// Of the rule's data. Incidents that were recorded without it are of the default project.
    #[serde(default)]
    pub project: String,
    pub expression: String,
    /// Where the console shows the expression.
    pub console_path: String,
    pub group_labels: BTreeMap<String, String>,
    pub alerts: Vec<IncidentAlert>,
    /// Alerts beyond the bound that fire: counted, not kept.
    #[serde(skip)]
    pub left_out: BTreeSet<String>,
    pub causes: Vec<Explained>,
    /// What else moved; none before it began.
    #[serde(default)]
    pub investigation: Option<CauseState>,
    pub fired_at: i64,
    pub resolved_at: Option<i64>,
    pub deliveries: Vec<Delivery>,
    /// Per integration what it was told last.
    pub told: BTreeMap<String, Told>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct IncidentAlert {
    pub fingerprint: String,
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    pub value: f64,
    pub active_at: i64,
    pub fired_at: i64,
    pub resolved_at: Option<i64>,
    pub slice: Option<SliceRequest>,
    /// Why there is no slice.
    pub slice_failure: Option<String>,
    /// Everybody was told that it is over: later messages leave it out.
    pub closed: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Explained {
    pub slice: SliceRequest,
    pub cause: CauseState,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub(crate) enum CauseState {
    Pending,
    Ready { sentence: String, report: serde_json::Value },
    None { why: String },
}

/// One attempt (with its retries) to tell a receiver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Delivery {
    pub receiver: String,
    pub integration: String,
    pub at: i64,
    pub error: Option<String>,
}

/// What an integration was told successfully: the entry of Alertmanager's notification log.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Told {
    pub firing: BTreeSet<String>,
    pub resolved: BTreeSet<String>,
    pub at: i64,
}

pub(crate) fn fingerprint(labels: &Labels) -> String {
    format!("{:016x}", labels.series_id().0)
}

fn texts(labels: &Labels) -> BTreeMap<String, String> {
    labels.iter().map(|label| (label.name.to_string(), label.value.to_string())).collect()
}

/// `alertname` and the labels that the rule itself sets.
pub(crate) fn group_labels(rule: &RuleInfo, alert: &Labels) -> BTreeMap<String, String> {
    let names = rule.label_names.iter().map(String::as_str).chain([ALERT_NAME]);
    names.filter_map(|name| alert.get(name).map(|value| (name.to_owned(), value.to_owned()))).collect()
}

pub(crate) fn incident_key(rule: &RuleInfo, labels: &BTreeMap<String, String>) -> String {
    format!("{}:{labels:?}", rule.id.0)
}

impl Incident {
    pub(crate) fn open(rule: &RuleInfo, alert: &Alert, now: UnixNanos) -> Self {
        let group_labels = group_labels(rule, &alert.labels);
        let key = incident_key(rule, &group_labels);
        let fired_at = alert.fired_at.unwrap_or(now).0;
        let id = xxhash_rust::xxh3::xxh3_64(format!("{key}@{fired_at}").as_bytes());
        Self {
            id: format!("{id:016x}"),
            revision: 0,
            key,
            rule_id: rule.id.0.clone(),
            rule: rule.name.clone(),
            group: rule.group.clone(),
            project: rule.project.clone(),
            expression: rule.expression.clone(),
            console_path: rule.console_path.clone(),
            group_labels,
            alerts: Vec::new(),
            left_out: BTreeSet::new(),
            causes: Vec::new(),
            investigation: None,
            fired_at,
            resolved_at: None,
            deliveries: Vec::new(),
            told: BTreeMap::new(),
        }
    }

    pub(crate) fn is_firing(&self) -> bool {
        self.resolved_at.is_none()
    }

    /// Takes an alert's news. False: the incident is full and the alert was only counted, for the first time.
    pub(crate) fn take(&mut self, alert: &Alert, now: UnixNanos) -> bool {
        let fingerprint = fingerprint(&alert.labels);
        let resolved_at = (alert.state == AlertState::Inactive).then(|| alert.resolved_at.unwrap_or(now).0);
        let known = self.alerts.iter_mut().find(|known| known.fingerprint == fingerprint);
        match known {
            Some(known) => {
                if resolved_at.is_none() && known.resolved_at.is_some() {
                    known.fired_at = alert.fired_at.unwrap_or(now).0;
                    known.active_at = alert.active_at.0;
                    known.closed = false;
                }
                known.value = alert.value;
                known.annotations = alert.annotations.clone();
                known.resolved_at = resolved_at;
            }
            // What ended before the incident heard of it is no part of it.
            None if resolved_at.is_some() => {
                self.left_out.remove(&fingerprint);
            }
            None => return self.add(fingerprint, alert, now),
        }
        self.settle(now);
        true
    }

    /// A full incident forgets what everybody knows to be over; when there is no such alert, the new one is only counted.
    fn add(&mut self, fingerprint: String, alert: &Alert, now: UnixNanos) -> bool {
        if self.alerts.len() >= ALERTS_PER_INCIDENT_MAX {
            let Some(closed) = self.alerts.iter().position(|alert| alert.closed) else {
                return !self.left_out.insert(fingerprint);
            };
            self.alerts.remove(closed);
        }
        self.left_out.remove(&fingerprint);
        self.alerts.push(new_alert(fingerprint, alert, now));
        self.settle(now);
        true
    }

    pub(crate) fn alerts_left_out(&self) -> u64 {
        self.left_out.len() as u64
    }

    /// Ends every firing alert that `is_firing` does not know any more.
    pub(crate) fn end_alerts(&mut self, now: UnixNanos, is_firing: impl Fn(&IncidentAlert) -> bool) -> bool {
        let mut changed = false;
        for alert in self.alerts.iter_mut().filter(|alert| alert.resolved_at.is_none()) {
            if !is_firing(alert) {
                alert.resolved_at = Some(now.0);
                changed = true;
            }
        }
        self.settle(now);
        changed
    }

    fn settle(&mut self, now: UnixNanos) {
        if self.alerts.iter().any(|alert| alert.resolved_at.is_none()) {
            self.resolved_at = None;
        } else if self.resolved_at.is_none() {
            self.resolved_at = Some(now.0);
        }
    }

    pub(crate) fn firing(&self) -> BTreeSet<String> {
        let firing = self.alerts.iter().filter(|alert| alert.resolved_at.is_none());
        firing.map(|alert| alert.fingerprint.clone()).collect()
    }

    /// Resolved, and not everybody knows it.
    pub(crate) fn resolved(&self) -> BTreeSet<String> {
        let resolved = self.alerts.iter().filter(|alert| alert.resolved_at.is_some() && !alert.closed);
        resolved.map(|alert| alert.fingerprint.clone()).collect()
    }

    pub(crate) fn add_delivery(&mut self, delivery: Delivery) {
        if self.deliveries.len() >= NOTIFICATIONS_PER_INCIDENT_MAX {
            self.deliveries.remove(0);
        }
        self.deliveries.push(delivery);
    }

    /// Why this alert fires, as far as it is known.
    pub(crate) fn cause_of(&self, alert: &IncidentAlert) -> CauseState {
        if let Some(why) = &alert.slice_failure {
            return CauseState::None { why: format!("the slice's template failed: {why}") };
        }
        let Some(slice) = &alert.slice else { return CauseState::None { why: NO_SLICE.to_owned() } };
        let explained = self.causes.iter().find(|explained| same_rows(&explained.slice, slice));
        match explained {
            Some(explained) => explained.cause.clone(),
            None => CauseState::None { why: "the incident has more slices than are explained".to_owned() },
        }
    }

    /// The cause that stands for the whole incident: of the first alert that has one ready, else of the first alert.
    pub(crate) fn leading_alert(&self) -> Option<&IncidentAlert> {
        let ready = |alert: &&IncidentAlert| matches!(self.cause_of(alert), CauseState::Ready { .. });
        self.alerts.iter().find(ready).or_else(|| self.alerts.first())
    }
}

/// Alerts of one incident that begin to fire a little later ask for the same rows a little later: one explanation does.
pub(crate) fn same_rows(a: &SliceRequest, b: &SliceRequest) -> bool {
    (&a.project, &a.store, &a.filter, &a.baseline, &a.dimensions)
        == (&b.project, &b.store, &b.filter, &b.baseline, &b.dimensions)
}

impl CauseState {
    /// The sentence, or why there is none: what a message carries.
    pub(crate) fn words(&self) -> &str {
        match self {
            Self::Ready { sentence, .. } => sentence,
            Self::None { why } => why,
            Self::Pending => TOO_LATE,
        }
    }
}

fn new_alert(fingerprint: String, alert: &Alert, now: UnixNanos) -> IncidentAlert {
    let (slice, slice_failure) = match &alert.slice {
        Some(SliceChoice::Given(slice)) => (Some(slice.clone()), None),
        Some(SliceChoice::Failed(why)) => (None, Some(why.clone())),
        Some(SliceChoice::Absent) | None => (None, None),
    };
    IncidentAlert {
        fingerprint,
        labels: texts(&alert.labels),
        annotations: alert.annotations.clone(),
        value: alert.value,
        active_at: alert.active_at.0,
        fired_at: alert.fired_at.unwrap_or(now).0,
        resolved_at: None,
        slice,
        slice_failure,
        closed: false,
    }
}
