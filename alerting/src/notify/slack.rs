//! Slack's incoming webhooks: one attachment with the sentence on top.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::receiver::{parse_url, yes};
use super::retry::shortened;
use super::{Notification, SendError, retry, text};
use crate::limits::SLACK_TEXT_BYTES_MAX;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlackConfig {
    /// Whoever knows it can write to the channel.
    #[serde(skip_serializing)]
    pub url: String,
    /// Absent: the channel that the webhook was made for.
    #[serde(default)]
    pub channel: Option<String>,
    #[serde(default)]
    pub username: Option<String>,
    #[serde(default = "yes")]
    pub send_resolved: bool,
}

pub(crate) struct Slack {
    url: url::Url,
    channel: Option<String>,
    username: Option<String>,
    client: reqwest::Client,
}

impl Slack {
    pub(crate) fn new(config: &SlackConfig, client: &reqwest::Client) -> Result<Self, String> {
        Ok(Self {
            url: parse_url(&config.url)?,
            channel: config.channel.clone(),
            username: config.username.clone(),
            client: client.clone(),
        })
    }

    pub(crate) async fn send(&self, notification: &Notification) -> Result<(), SendError> {
        let request = self.client.post(self.url.clone()).json(&self.body(notification));
        let answer = retry::accepted(request.send().await).await?;
        // chat.postMessage answers 200 with `{"ok":false,"error":…}`, incoming webhooks answer `ok`.
        match serde_json::from_str::<serde_json::Value>(&answer) {
            Ok(value) if value.get("ok") == Some(&false.into()) => {
                Err(SendError::Final { why: format!("refused: {}", shortened(&answer, 200)) })
            }
            _ => Ok(()),
        }
    }

    fn body(&self, notification: &Notification) -> serde_json::Value {
        let sentence = escape(&text::sentences(notification).join("\n"));
        let lines = escape(&text::alert_lines(notification).join("\n"));
        let title = text::title(notification);
        let mut body = json!({
            "text": escape(&title),
            "attachments": [{
                "fallback": escape(&format!("{title}: {sentence}")),
                "color": if notification.is_firing() { "danger" } else { "good" },
                "title": escape(&notification.incident.rule),
                "title_link": notification.incident_url(),
                "text": shortened(&format!("*{sentence}*\n{lines}"), SLACK_TEXT_BYTES_MAX),
                "mrkdwn_in": ["text"],
                "ts": notification.at.0 / 1_000_000_000,
            }],
        });
        if let Some(channel) = &self.channel {
            body["channel"] = channel.as_str().into();
        }
        if let Some(username) = &self.username {
            body["username"] = username.as_str().into();
        }
        body
    }
}

/// The three characters that Slack's markup wants escaped.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
