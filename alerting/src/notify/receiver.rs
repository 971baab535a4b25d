//! Receivers as the configuration names them, and the channels that they make.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::dingtalk::{Dingtalk, DingtalkConfig};
use super::email::{Email, EmailConfig};
use super::slack::{Slack, SlackConfig};
use super::webhook::{Webhook, WebhookConfig};
use super::{Notification, SendError};
use crate::error::AlertingError;
use crate::limits::SEND_TIMEOUT;

/// `[[alerting.receivers]]`: every receiver hears of every incident.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiverConfig {
    pub name: String,
    /// Alertmanager's webhook payload (version 4) with the cause.
    #[serde(default)]
    pub webhook: Vec<WebhookConfig>,
    #[serde(default)]
    pub email: Vec<EmailConfig>,
    /// Slack's incoming webhooks, and what understands them (Mattermost, Rocket.Chat).
    #[serde(default)]
    pub slack: Vec<SlackConfig>,
    #[serde(default)]
    pub dingtalk: Vec<DingtalkConfig>,
}

/// One way to one receiver, with a name of its own for what it was told: `oncall/webhook/0`.
pub(crate) struct Integration {
    pub(crate) name: String,
    pub(crate) receiver: String,
    pub(crate) channel: Channel,
    pub(crate) send_resolved: bool,
}

pub(crate) enum Channel {
    Webhook(Webhook),
    Email(Box<Email>),
    Slack(Slack),
    Dingtalk(Dingtalk),
}

impl Channel {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Webhook(_) => "webhook",
            Self::Email(_) => "email",
            Self::Slack(_) => "slack",
            Self::Dingtalk(_) => "dingtalk",
        }
    }

    pub(crate) async fn send(&self, notification: &Notification) -> Result<(), SendError> {
        match self {
            Self::Webhook(webhook) => webhook.send(notification).await,
            Self::Email(email) => email.send(notification).await,
            Self::Slack(slack) => slack.send(notification).await,
            Self::Dingtalk(dingtalk) => dingtalk.send(notification).await,
        }
    }
}

/// Every channel of every receiver; a wrong address is told here, at start, and not when the first alert fires.
pub(crate) fn integrations(receivers: &[ReceiverConfig]) -> Result<Vec<Arc<Integration>>, AlertingError> {
    let client = reqwest::Client::builder()
        .timeout(SEND_TIMEOUT)
        .user_agent(concat!("culprit/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| AlertingError::Receiver { receiver: "(all)".to_owned(), why: error.to_string() })?;
    let mut all = Vec::new();
    let mut names = std::collections::BTreeSet::new();
    for receiver in receivers {
        let wrong = |why: String| AlertingError::Receiver { receiver: receiver.name.clone(), why };
        if receiver.name.is_empty() || !names.insert(&receiver.name) {
            return Err(wrong("each receiver needs a name of its own".to_owned()));
        }
        let mut channels = Vec::new();
        for config in &receiver.webhook {
            channels.push((config.send_resolved, Channel::Webhook(Webhook::new(config, &client).map_err(wrong)?)));
        }
        for config in &receiver.email {
            channels.push((config.send_resolved, Channel::Email(Box::new(Email::new(config).map_err(wrong)?))));
        }
        for config in &receiver.slack {
            channels.push((config.send_resolved, Channel::Slack(Slack::new(config, &client).map_err(wrong)?)));
        }
        for config in &receiver.dingtalk {
            channels.push((config.send_resolved, Channel::Dingtalk(Dingtalk::new(config, &client).map_err(wrong)?)));
        }
        for (i, (send_resolved, channel)) in channels.into_iter().enumerate() {
            let name = format!("{}/{}/{i}", receiver.name, channel.kind());
            all.push(Arc::new(Integration { name, receiver: receiver.name.clone(), channel, send_resolved }));
        }
    }
    Ok(all)
}

pub(super) fn yes() -> bool {
    true
}

/// Checks an address of the configuration.
pub(super) fn parse_url(text: &str) -> Result<url::Url, String> {
    let url = url::Url::parse(text).map_err(|error| format!("url {text:?}: {error}"))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(format!("url {text:?} has scheme {other:?}, expected http or https")),
    }
}
