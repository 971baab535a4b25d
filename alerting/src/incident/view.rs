//! Incidents as `GET /api/incidents` shows them, and as rows of the store.

use std::collections::BTreeMap;

use culprit_store::UnixNanos;
use serde_json::{Value, json};

use super::{CauseState, Delivery, Incident, IncidentAlert};
use crate::alert::Alert;
use crate::rules::Rule;
use crate::slice::{SliceRequest, rfc3339};

fn time(nanos: i64) -> String {
    rfc3339(UnixNanos(nanos))
}

/// Entries that all maps have with the same value.
pub(crate) fn common<'a>(mut maps: impl Iterator<Item = &'a BTreeMap<String, String>>) -> BTreeMap<String, String> {
    let mut common = maps.next().cloned().unwrap_or_default();
    for map in maps {
        common.retain(|name, value| map.get(name) == Some(value));
    }
    common
}

impl Incident {
    pub(crate) fn to_json(&self) -> Value {
        let leading = self.leading_alert();
        let labels = common(self.alerts.iter().map(|alert| &alert.labels));
        let active_at = self.alerts.iter().map(|alert| alert.active_at).min().unwrap_or(self.fired_at);
        json!({
            "id": self.id,
            "rule": self.rule,
            "group": self.group,
            "state": if self.is_firing() { "firing" } else { "resolved" },
            "severity": labels.get("severity"),
            "labels": labels,
            "annotations": common(self.alerts.iter().map(|alert| &alert.annotations)),
            "value": leading.map(|alert| alert.value).filter(|value| value.is_finite()),
            "active_at": time(active_at),
            "fired_at": time(self.fired_at),
            "resolved_at": self.resolved_at.map(time),
            "expression": self.expression,
            "slice": leading.and_then(|alert| alert.slice.as_ref()).map(slice_json),
            "cause": leading.map(|alert| cause_json(&self.cause_of(alert))),
            "investigation": self.investigation.as_ref().map(cause_json),
            "alerts": self.alerts.iter().map(|alert| self.alert_json(alert)).collect::<Vec<_>>(),
            "alerts_left_out": self.alerts_left_out(),
            "notifications": self.deliveries.iter().map(delivery_json).collect::<Vec<_>>(),
        })
    }

    fn alert_json(&self, alert: &IncidentAlert) -> Value {
        json!({
            "fingerprint": alert.fingerprint,
            "state": if alert.resolved_at.is_none() { "firing" } else { "resolved" },
            "labels": alert.labels,
            "annotations": alert.annotations,
            "value": Some(alert.value).filter(|value| value.is_finite()),
            "active_at": time(alert.active_at),
            "fired_at": time(alert.fired_at),
            "resolved_at": alert.resolved_at.map(time),
            "cause": self.cause_of(alert).words(),
        })
    }

    /// The row of logstore `incidents`: searchable columns, and the document from which the incident is read back.
    pub(crate) fn to_row(&self, now: UnixNanos) -> Result<Value, serde_json::Error> {
        let leading = self.leading_alert();
        Ok(json!({
            "_time": rfc3339(now),
            "id": self.id,
            "revision": self.revision,
            "rule": self.rule,
            "rule_group": self.group,
            "state": if self.is_firing() { "firing" } else { "resolved" },
            "cause": leading.map(|alert| self.cause_of(alert).words().to_owned()),
            "document": serde_json::to_string(self)?,
        }))
    }
}

pub(crate) fn slice_json(slice: &SliceRequest) -> Value {
    json!({
        "project": slice.project,
        "store": slice.store,
        "where": slice.filter,
        "baseline": slice.baseline,
        "from": slice.from,
        "to": slice.to,
    })
}

pub(crate) fn cause_json(cause: &CauseState) -> Value {
    match cause {
        CauseState::Pending => json!({"status": "pending", "sentence": null, "why": null, "report": null}),
        CauseState::Ready { sentence, report } => {
            json!({"status": "ready", "sentence": sentence, "why": null, "report": report})
        }
        CauseState::None { why } => json!({"status": "none", "sentence": null, "why": why, "report": null}),
    }
}

fn delivery_json(delivery: &Delivery) -> Value {
    json!({
        "receiver": delivery.receiver,
        "integration": delivery.integration,
        "at": time(delivery.at),
        "ok": delivery.error.is_none(),
        "error": delivery.error,
    })
}

/// An alert that does not fire yet, in the shape of an incident.
pub(crate) fn pending_json(rule: &Rule, group: &str, alert: &Alert) -> Value {
    json!({
        "id": format!("pending-{}", super::fingerprint(&alert.labels)),
        "rule": rule.name(),
        "group": group,
        "state": "pending",
        "severity": alert.labels.get("severity"),
        "labels": alert.labels,
        "annotations": alert.annotations,
        "value": Some(alert.value).filter(|value| value.is_finite()),
        "active_at": rfc3339(alert.active_at),
        "fired_at": null,
        "resolved_at": null,
        "expression": rule.expression.to_string(),
        "slice": null,
        "cause": {"status": "none", "sentence": null, "why": "the alert does not fire yet", "report": null},
        "investigation": null,
        "alerts": [],
        "alerts_left_out": 0,
        "notifications": [],
    })
}
