//! An incident in words: title, sentence and facts that e-mail and chat share.

use super::Notification;
use crate::incident::IncidentAlert;
use crate::limits::ALERTS_PER_MESSAGE_MAX;

/// `[FIRING:2] HighErrorRate (critical)`.
pub(super) fn title(notification: &Notification) -> String {
    let state =
        if notification.is_firing() { format!("FIRING:{}", notification.firing.len()) } else { "RESOLVED".to_owned() };
    let severity = notification.incident.group_labels.get("severity");
    let severity = severity.map_or_else(String::new, |severity| format!(" ({severity})"));
    format!("[{state}] {}{severity}", notification.incident.rule)
}

/// The sentence that the whole message is about; the causes of several slices one after the other.
pub(super) fn sentences(notification: &Notification) -> Vec<String> {
    let mut sentences: Vec<String> = Vec::new();
    for alert in notification.alerts() {
        let words = notification.incident.cause_of(alert).words().to_owned();
        if !sentences.contains(&words) {
            sentences.push(words);
        }
    }
    sentences
}

/// One line per alert: its labels beyond those of the incident, its summary, its value.
pub(super) fn alert_lines(notification: &Notification) -> Vec<String> {
    let total = notification.alerts().count();
    let mut lines: Vec<String> =
        notification.alerts().take(ALERTS_PER_MESSAGE_MAX).map(|alert| alert_line(notification, alert)).collect();
    let more = total.saturating_sub(ALERTS_PER_MESSAGE_MAX) as u64 + notification.incident.alerts_left_out();
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines
}

fn alert_line(notification: &Notification, alert: &IncidentAlert) -> String {
    let own = alert.labels.iter().filter(|(name, _)| !notification.incident.group_labels.contains_key(*name));
    let labels: Vec<_> = own.map(|(name, value)| format!("{name}={value}")).collect();
    let summary = ["summary", "description", "message"].iter().find_map(|name| alert.annotations.get(*name));
    let mut parts = Vec::new();
    if alert.resolved_at.is_some() && notification.is_firing() {
        parts.push("resolved".to_owned());
    }
    parts.extend(summary.cloned());
    if !labels.is_empty() {
        parts.push(labels.join(" "));
    }
    parts.push(format!("value {}", alert.value));
    parts.join(" · ")
}
