//! What a service of the shop writes of a request.

use culprit_store::UnixNanos;
use serde::Serialize;

use super::shop::Service;

/// A log row, in the order in which its fields are written.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Row {
    #[serde(rename = "_time")]
    pub(super) time: UnixNanos,
    #[serde(rename = "_msg")]
    pub(super) message: String,
    #[serde(serialize_with = "name_of")]
    pub(super) service: Service,
    pub(super) version: &'static str,
    pub(super) host: String,
    pub(super) zone: &'static str,
    pub(super) region: &'static str,
    pub(super) customer_id: i64,
    pub(super) plan: &'static str,
    pub(super) tenant_tier: &'static str,
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) status: u16,
    pub(super) latency_ms: f64,
    pub(super) upstream: &'static str,
    pub(super) bytes: i64,
    pub(super) user_agent: &'static str,
    pub(super) device: &'static str,
    pub(super) country: &'static str,
    pub(super) currency: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) payment_provider: Option<&'static str>,
    pub(super) feature_flag: &'static str,
    pub(super) cache: &'static str,
    pub(super) retries: i64,
    pub(super) trace_id: String,
    /// True of the service that asks the upstream itself.
    #[serde(skip)]
    pub(super) asks_upstream: bool,
}

fn name_of<S: serde::Serializer>(service: &Service, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(service.name())
}

impl Row {
    pub(super) fn failed(&self) -> bool {
        self.status >= 500
    }
}
