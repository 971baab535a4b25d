//! What alerting asks of the rest of the house without knowing it: the binary connects these.

use std::sync::Arc;

use culprit_store::{ProjectName, Series, UnixNanos};
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

/// A series of an inspected query: times in nanoseconds, ascending, and as many values.
#[derive(Debug, Clone, PartialEq)]
pub struct WatchedSeries {
    pub times: Vec<i64>,
    pub values: Vec<f64>,
}

/// A series that left what its past lets expect.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Jump {
    /// Place among the series given.
    pub index: usize,
    pub onset: UnixNanos,
    /// Means per point since the onset.
    pub expected: f64,
    pub actual: f64,
    /// Rate of false discoveries at which it is one.
    pub q_value: f64,
}

/// From and to, both inclusive.
pub type Window = (UnixNanos, UnixNanos);

/// Which of the series jumped between two times.
pub type Inspect =
    Arc<dyn Fn(Vec<WatchedSeries>, Window) -> BoxFuture<'static, Result<Vec<Jump>, HookError>> + Send + Sync>;

#[derive(Clone)]
pub struct Hooks {
    pub explain: Explain,
    pub investigate: Investigate,
    pub write_series: WriteSeries,
    pub record_incident: RecordIncident,
}
