//! Alertmanager's webhook, version 4, with the cause beside each alert.

use serde::{Deserialize, Serialize};

use super::receiver::{parse_url, yes};
use super::{Notification, SendError, payload, retry};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    pub url: String,
    #[serde(default = "yes")]
    pub send_resolved: bool,
    /// Sent as `Authorization: Bearer …`.
    #[serde(default, skip_serializing)]
    pub bearer_token: Option<String>,
    /// Alerts beyond this are left out and counted in `truncatedAlerts`; 0 is no bound.
    #[serde(default)]
    pub max_alerts: usize,
}

pub(crate) struct Webhook {
    url: url::Url,
    bearer_token: Option<String>,
    max_alerts: usize,
    client: reqwest::Client,
}

impl Webhook {
    pub(crate) fn new(config: &WebhookConfig, client: &reqwest::Client) -> Result<Self, String> {
        Ok(Self {
            url: parse_url(&config.url)?,
            bearer_token: config.bearer_token.clone(),
            max_alerts: config.max_alerts,
            client: client.clone(),
        })
    }

    pub(crate) async fn send(&self, notification: &Notification) -> Result<(), SendError> {
        let mut request = self.client.post(self.url.clone()).json(&payload::webhook(notification, self.max_alerts));
        if let Some(token) = &self.bearer_token {
            request = request.bearer_auth(token);
        }
        retry::accepted(request.send().await).await.map(|_| ())
    }
}
