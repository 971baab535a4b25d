//! What a store is asked to be: its kind, its first shards, and the settings that may change later.

use std::time::Duration;

use crate::StoreError;
use crate::limits::{STORE_SHARDS_DEFAULT, STORE_SHARDS_MAX, STORE_SHARDS_SPLIT_MAX, STORE_TTL_DEFAULT};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreKind {
    Logs,
    Metrics,
}

impl StoreKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Logs => "logs",
            Self::Metrics => "metrics",
        }
    }

    /// As in the words of the design: logstore, metricstore.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Logs => "logstore",
            Self::Metrics => "metricstore",
        }
    }

    pub fn parse(name: &str) -> Result<Self, StoreError> {
        match name {
            "logs" => Ok(Self::Logs),
            "metrics" => Ok(Self::Metrics),
            other => Err(StoreError::OutOfRange {
                what: "store kind",
                given: format!("{other:?}"),
                limit: "logs or metrics",
            }),
        }
    }
}

/// What may be changed while the store is in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSettings {
    /// Rows are dropped this long after their receipt; none keeps them for ever.
    pub ttl: Option<Duration>,
    /// Whether a shard that is overloaded for long is split without being asked.
    pub auto_split: bool,
    /// Splits end at this many read-write shards.
    pub shards_max: u16,
    /// Whether anybody may write by web tracking, without a key.
    pub web_tracking: bool,
    /// A text that the protocol in front of the store owns; empty when there is none.
    pub attributes: String,
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self {
            ttl: Some(STORE_TTL_DEFAULT),
            auto_split: true,
            shards_max: STORE_SHARDS_SPLIT_MAX,
            web_tracking: false,
            attributes: String::new(),
        }
    }
}

impl StoreSettings {
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        if (1..=STORE_SHARDS_MAX).contains(&self.shards_max) {
            return Ok(());
        }
        let given = self.shards_max.to_string();
        Err(StoreError::OutOfRange { what: "shards_max", given, limit: "1 to 256 shards a store" })
    }

    pub(crate) fn ttl_ns(&self) -> Option<i64> {
        self.ttl.map(ttl_ns)
    }
}

pub(crate) fn ttl_ns(ttl: Duration) -> i64 {
    i64::try_from(ttl.as_nanos()).unwrap_or(i64::MAX)
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSpec {
    pub kind: StoreKind,
    /// Read-write shards at its creation.
    pub shards: u16,
    pub settings: StoreSettings,
}

impl StoreSpec {
    pub fn new(kind: StoreKind) -> Self {
        Self { kind, shards: STORE_SHARDS_DEFAULT, settings: StoreSettings::default() }
    }

    pub(crate) fn check(&self) -> Result<(), StoreError> {
        self.settings.check()?;
        if (1..=STORE_SHARDS_MAX).contains(&self.shards) {
            return Ok(());
        }
        let given = self.shards.to_string();
        Err(StoreError::OutOfRange { what: "shard count", given, limit: "1 to 256 shards a store" })
    }
}
