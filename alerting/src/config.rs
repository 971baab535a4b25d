//! Section `[alerting]` of the configuration.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::duration::text;
use crate::notify::ReceiverConfig;

/// Durations are written as Prometheus writes them: `"15s"`, `"4h"`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AlertingConfig {
    /// Rule files: paths whose last part may hold `*` and `?`, or folders (all `*.yml` and `*.yaml` in them).
    pub rules: Vec<String>,
    /// Where people reach this server; links in messages begin with it.
    pub external_url: String,
    /// For groups that name none. Shorter finds trouble sooner and costs as many more queries.
    #[serde(with = "text")]
    pub evaluation_interval: Duration,
    /// How often rule files are looked at for changes.
    #[serde(with = "text")]
    pub reload_interval: Duration,
    /// How often a firing alert is told to the dispatcher again.
    #[serde(with = "text")]
    pub resend_delay: Duration,
    /// From an incident's first alert to its first message; longer gathers more alerts into one message.
    #[serde(with = "text")]
    pub group_wait: Duration,
    /// At least this much between two messages about changes of one incident.
    #[serde(with = "text")]
    pub group_interval: Duration,
    /// An unchanged incident is told again after this.
    #[serde(with = "text")]
    pub repeat_interval: Duration,
    /// After a longer outage, `for` starts anew.
    #[serde(with = "text")]
    pub for_outage_tolerance: Duration,
    /// A pending alert that is restored waits at least this long (or its `for`, if that is shorter).
    #[serde(with = "text")]
    pub for_grace_period: Duration,
    pub receivers: Vec<ReceiverConfig>,
}

impl Default for AlertingConfig {
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            external_url: "http://127.0.0.1:6700".to_owned(),
            evaluation_interval: Duration::from_secs(15),
            reload_interval: Duration::from_secs(5),
            resend_delay: Duration::from_secs(60),
            group_wait: Duration::from_secs(1),
            group_interval: Duration::from_secs(15),
            repeat_interval: Duration::from_secs(4 * 3600),
            for_outage_tolerance: Duration::from_secs(3600),
            for_grace_period: Duration::from_secs(600),
            receivers: Vec::new(),
        }
    }
}
