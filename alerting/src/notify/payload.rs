//! The body of the webhook: Alertmanager's version 4, to which each alert adds its cause.
//!
//! Receivers that know Alertmanager alone find the sentence in the annotation `culprit_cause`; others read `culprit`.

use serde_json::{Map, Value, json};

use super::Notification;
use crate::incident::{IncidentAlert, cause_json, common, slice_json};
use crate::slice::rfc3339;

pub(super) const CAUSE_ANNOTATION: &str = "culprit_cause";

pub(super) fn webhook(notification: &Notification, max_alerts: usize) -> Value {
    let incident = &notification.incident;
    let all: Vec<&IncidentAlert> = notification.alerts().collect();
    let bound = if max_alerts == 0 { all.len() } else { max_alerts.min(all.len()) };
    let annotations: Vec<_> = all.iter().map(|alert| annotations(notification, alert)).collect();
    json!({
        "version": "4",
        "groupKey": format!("{{}}:{}", braces(&incident.group_labels)),
        "truncatedAlerts": (all.len() - bound) as u64 + incident.alerts_left_out(),
        "status": status(notification.is_firing()),
        "receiver": notification.receiver,
        "groupLabels": incident.group_labels,
        "commonLabels": common(all.iter().map(|alert| &alert.labels)),
        "commonAnnotations": common(annotations.iter()),
        "externalURL": notification.external_url.as_ref(),
        "notification_reason": notification.reason.as_str(),
        "routeLabels": {},
        "culprit": {"incident": incident.id, "url": notification.incident_url(), "group": incident.group},
        "alerts": all[..bound].iter().map(|alert| alert_json(notification, alert)).collect::<Vec<_>>(),
    })
}

fn status(is_firing: bool) -> &'static str {
    if is_firing { "firing" } else { "resolved" }
}

fn annotations(notification: &Notification, alert: &IncidentAlert) -> std::collections::BTreeMap<String, String> {
    let mut annotations = alert.annotations.clone();
    annotations.insert(CAUSE_ANNOTATION.to_owned(), notification.incident.cause_of(alert).words().to_owned());
    annotations
}

fn alert_json(notification: &Notification, alert: &IncidentAlert) -> Value {
    let ends_at = alert.resolved_at.map(|at| rfc3339(culprit_store::UnixNanos(at)));
    json!({
        "status": status(alert.resolved_at.is_none()),
        "labels": alert.labels,
        "annotations": annotations(notification, alert),
        "startsAt": rfc3339(culprit_store::UnixNanos(alert.fired_at)),
        "endsAt": ends_at.unwrap_or_else(|| "0001-01-01T00:00:00Z".to_owned()),
        "generatorURL": generator_url(notification),
        "fingerprint": alert.fingerprint,
        "culprit": culprit(notification, alert),
    })
}

/// Status, sentence or reason, report, and the slice that was explained.
fn culprit(notification: &Notification, alert: &IncidentAlert) -> Value {
    let cause = notification.incident.cause_of(alert);
    let mut object = match cause_json(&cause) {
        Value::Object(object) => object,
        _ => Map::new(),
    };
    if object.get("status").is_some_and(|status| status == "pending") {
        object.insert("why".to_owned(), cause.words().into());
    }
    object.insert("slice".to_owned(), alert.slice.as_ref().map_or(Value::Null, slice_json));
    Value::Object(object)
}

fn generator_url(notification: &Notification) -> String {
    format!("{}{}", notification.external_url.trim_end_matches('/'), notification.incident.console_path)
}

fn braces(labels: &std::collections::BTreeMap<String, String>) -> String {
    let pairs: Vec<_> = labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    format!("{{{}}}", pairs.join(", "))
}
