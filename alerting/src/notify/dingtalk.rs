//! DingTalk's robot: a signed address, a markdown message, and refusals that come with status 200.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::Sha256;

use super::receiver::{parse_url, yes};
use super::retry::shortened;
use super::{Notification, SendError, retry, text};
use crate::limits::DINGTALK_TEXT_BYTES_MAX;

/// The robot's rate limit; it passes within a minute.
const RATE_LIMITED: [i64; 2] = [130_101, 410_100];

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DingtalkConfig {
    /// With its `access_token`.
    #[serde(skip_serializing)]
    pub url: String,
    /// Absent: a robot that checks keywords or addresses instead of signatures.
    #[serde(default, skip_serializing)]
    pub secret: Option<String>,
    #[serde(default = "yes")]
    pub send_resolved: bool,
}

pub(crate) struct Dingtalk {
    url: url::Url,
    secret: Option<String>,
    client: reqwest::Client,
}

#[derive(Deserialize)]
struct Answer {
    errcode: i64,
    #[serde(default)]
    errmsg: String,
}

impl Dingtalk {
    pub(crate) fn new(config: &DingtalkConfig, client: &reqwest::Client) -> Result<Self, String> {
        Ok(Self { url: parse_url(&config.url)?, secret: config.secret.clone(), client: client.clone() })
    }

    pub(crate) async fn send(&self, notification: &Notification) -> Result<(), SendError> {
        let url = self.signed(notification.at.as_millis());
        let request = self.client.post(url).json(&body(notification));
        let answer = retry::accepted(request.send().await).await?;
        let answer: Answer = serde_json::from_str(&answer)
            .map_err(|_| SendError::Final { why: format!("answered no errcode: {}", shortened(&answer, 200)) })?;
        match answer.errcode {
            0 => Ok(()),
            code if RATE_LIMITED.contains(&code) => {
                Err(SendError::Passing { why: format!("errcode {code}: {}", answer.errmsg), after: None })
            }
            code => Err(SendError::Final { why: format!("errcode {code}: {}", answer.errmsg) }),
        }
    }

    /// Adds `timestamp` and `sign`; the server refuses a clock that is an hour off.
    fn signed(&self, now_ms: i64) -> url::Url {
        let mut url = self.url.clone();
        if let Some(secret) = &self.secret {
            let sign = signature(secret, now_ms);
            url.query_pairs_mut().append_pair("timestamp", &now_ms.to_string()).append_pair("sign", &sign);
        }
        url
    }
}

fn signature(secret: &str, now_ms: i64) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(format!("{now_ms}\n{secret}").as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

fn body(notification: &Notification) -> serde_json::Value {
    let title = text::title(notification);
    let sentences = text::sentences(notification).join("\n\n");
    let lines: Vec<_> = text::alert_lines(notification).iter().map(|line| format!("- {line}")).collect();
    let link = format!("[{}]({})", notification.incident.id, notification.incident_url());
    let text = format!("### {title}\n\n**{sentences}**\n\n{}\n\n{link}", lines.join("\n"));
    json!({"msgtype": "markdown", "markdown": {"title": title, "text": shortened(&text, DINGTALK_TEXT_BYTES_MAX)}})
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf '1700000000000\nSEC1' | openssl dgst -sha256 -hmac SEC1 -binary | base64`
    #[test]
    fn the_signature_is_that_of_openssl() {
        assert_eq!(signature("SEC1", 1_700_000_000_000), "ukR4+WoOOBTGaOauYqugxVrMSFyr92q4hPxJxuOkiio=");
    }
}
