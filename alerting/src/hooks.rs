//! What alerting asks of the rest of the house without knowing it: the binary connects these.

use std::sync::Arc;

use culprit_store::{ProjectName, Series};
use futures::future::BoxFuture;

use crate::error::HookError;
use crate::investigation::InvestigationRequest;
use crate::slice::SliceRequest;

/// Why it happened: the sentence for people, and the report behind it (the shape of `POST /api/explain`).
#[derive(Debug, Clone, PartialEq)]
pub struct Cause {
    pub sentence: String,
    pub report: serde_json::Value,
}

pub type Explain = Arc<dyn Fn(SliceRequest) -> BoxFuture<'static, Result<Cause, HookError>> + Send + Sync>;

/// What else moved when an incident began: slower than the cause, and nobody waits for it.
pub type Investigate = Arc<dyn Fn(InvestigationRequest) -> BoxFuture<'static, Result<Cause, HookError>> + Send + Sync>;

/// Writes series into the project's metricstore; they are visible to queries when it returns.
pub type WriteSeries = Arc<dyn Fn(ProjectName, Vec<Series>) -> BoxFuture<'static, Result<(), HookError>> + Send + Sync>;

/// Appends one row (an object) to logstore `incidents` of project `system`.
pub type RecordIncident = Arc<dyn Fn(serde_json::Value) -> BoxFuture<'static, Result<(), HookError>> + Send + Sync>;

#[derive(Clone)]
pub struct Hooks {
    pub explain: Explain,
    pub investigate: Investigate,
    pub write_series: WriteSeries,
    pub record_incident: RecordIncident,
}
