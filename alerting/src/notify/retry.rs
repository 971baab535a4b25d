//! Tries again with growing pauses while a failure may pass, and says what became of it.

use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;

use super::{Integration, Notification, SendError};
use crate::limits::{REFUSAL_BYTES_MAX, RETRY_TIME_MAX, RETRY_WAIT_MAX, RETRY_WAIT_MIN};
use crate::metrics::Metrics;

/// How long, and how often.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    pub(crate) wait_min: Duration,
    pub(crate) wait_max: Duration,
    /// Sum of all pauses.
    pub(crate) total: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { wait_min: RETRY_WAIT_MIN, wait_max: RETRY_WAIT_MAX, total: RETRY_TIME_MAX }
    }
}

pub(crate) async fn deliver(
    integration: Arc<Integration>,
    notification: &Notification,
    metrics: &Metrics,
    patience: Patience,
) -> Result<(), SendError> {
    let counters = metrics.delivered(integration.channel.kind());
    let (mut pause, mut waited) = (patience.wait_min, Duration::ZERO);
    loop {
        let error = match integration.channel.send(notification).await {
            Ok(()) => {
                counters.sent.add(1);
                return Ok(());
            }
            Err(error) => error,
        };
        let wait = match &error {
            SendError::Passing { after, .. } => after.unwrap_or(pause).min(patience.wait_max),
            SendError::Final { .. } => patience.total,
        };
        if waited + wait >= patience.total {
            counters.failed.add(1);
            tracing::warn!(integration = integration.name, incident = notification.incident.id, %error, "a notification was not delivered");
            return Err(error);
        }
        counters.retried.add(1);
        tokio::time::sleep(wait).await;
        waited += wait;
        pause = (pause * 2).min(patience.wait_max);
    }
}

/// Judges an answer: 429 and 5xx may pass, other refusals will not. Gives the body of an acceptance.
pub(super) async fn accepted(sent: Result<reqwest::Response, reqwest::Error>) -> Result<String, SendError> {
    // The address may carry a token: it must not reach the log or the incident.
    let passing = |error: reqwest::Error| SendError::Passing { why: chain(&error.without_url()), after: None };
    let answer = sent.map_err(passing)?;
    let status = answer.status();
    let after = answer.headers().get(reqwest::header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let body = answer.text().await.map_err(passing)?;
    if status.is_success() {
        return Ok(body);
    }
    let why = format!("answered {status}: {}", shortened(&body, REFUSAL_BYTES_MAX));
    if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
        return Err(SendError::Passing { why, after: after.map(Duration::from_secs) });
    }
    Err(SendError::Final { why })
}

/// The error with its causes, in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

/// At most so many bytes, cut between characters.
pub(super) fn shortened(text: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(bytes_max.saturating_sub(3))])
}
