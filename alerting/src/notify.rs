//! Telling people: when, whom, and in which form. One file per kind of receiver.

mod dingtalk;
mod email;
mod needs;
mod payload;
mod receiver;
mod retry;
mod slack;
mod text;
mod webhook;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use culprit_store::UnixNanos;

pub use dingtalk::DingtalkConfig;
pub use email::{EmailConfig, EmailTls};
pub(crate) use needs::{Reason, Wishes, needs_notification};
pub use receiver::ReceiverConfig;
pub(crate) use receiver::{Integration, integrations};
pub(crate) use retry::{Patience, deliver};
pub use slack::SlackConfig;
pub use webhook::WebhookConfig;

use crate::incident::{Incident, IncidentAlert};

/// One message to one receiver. The incident is as it was when the message was decided.
#[derive(Debug, Clone)]
pub(crate) struct Notification {
    pub(crate) incident: Arc<Incident>,
    pub(crate) receiver: String,
    pub(crate) reason: Reason,
    pub(crate) external_url: Arc<str>,
    pub(crate) firing: BTreeSet<String>,
    pub(crate) resolved: BTreeSet<String>,
    pub(crate) at: UnixNanos,
}

impl Notification {
    /// The alerts that the message is about: those that fire first.
    pub(crate) fn alerts(&self) -> impl Iterator<Item = &IncidentAlert> {
        let of = |set: &BTreeSet<String>, alert: &&IncidentAlert| set.contains(&alert.fingerprint);
        let firing = self.incident.alerts.iter().filter(move |alert| of(&self.firing, alert));
        firing.chain(self.incident.alerts.iter().filter(move |alert| of(&self.resolved, alert)))
    }

    pub(crate) fn is_firing(&self) -> bool {
        !self.firing.is_empty()
    }

    pub(crate) fn incident_url(&self) -> String {
        format!("{}/ui/alerts?incident={}", self.external_url.trim_end_matches('/'), self.incident.id)
    }
}

/// Why a message did not arrive, by whether to try again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    #[error("{why}")]
    Passing { why: String, after: Option<Duration> },
    #[error("{why}")]
    Final { why: String },
}

#[cfg(test)]
pub(crate) mod tests;
