//! What is told of an incident to whoever investigates it.

use std::collections::BTreeMap;

use crate::incident::{CauseState, Incident, common};
use crate::slice::SliceRequest;

/// An incident at the time when its first cause is known, or known not to come. Times are nanoseconds since the epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct InvestigationRequest {
    pub incident: String,
    pub rule: String,
    pub group: String,
    /// The project of the rule's data.
    pub project: String,
    pub expression: String,
    /// Labels that all of its alerts have.
    pub labels: BTreeMap<String, String>,
    pub active_at: i64,
    pub fired_at: i64,
    /// The rows that the rule calls anomalous, and the report on them (the shape of `POST /api/explain`).
    pub slice: Option<SliceRequest>,
    pub report: Option<serde_json::Value>,
}

impl Incident {
    /// None while the cause of the leading alert is still being searched: the investigation begins with it.
    pub(crate) fn to_investigate(&self) -> Option<InvestigationRequest> {
        let leading = self.leading_alert()?;
        let report = match self.cause_of(leading) {
            CauseState::Pending => return None,
            CauseState::Ready { report, .. } => Some(report),
            CauseState::None { .. } => None,
        };
        Some(InvestigationRequest {
            incident: self.id.clone(),
            rule: self.rule.clone(),
            group: self.group.clone(),
            project: self.project.clone(),
            expression: self.expression.clone(),
            labels: common(self.alerts.iter().map(|alert| &alert.labels)),
            active_at: self.alerts.iter().map(|alert| alert.active_at).min().unwrap_or(self.fired_at),
            fired_at: self.fired_at,
            slice: leading.slice.clone(),
            report,
        })
    }
}
