//! Quotas: who may write and read how much, and what is said to whoever wants more.
//!
//! Two levels. A *project's* quota is hard: it is checked at the edge, before a body is read, in bytes and requests per second, and a
//! [`QuotaService`] adds up what all front ends let through. A *shard's* quota is soft: while the node has room it is only counted, then it is exact.
//! A [`Refusal`] says which it was, and whose doing; the protocols turn it into their own answer.

mod bars;
mod bucket;
mod edge;
mod keys;
mod meter;
mod outbox;
mod overrides;
mod pressure;
mod refusal;
mod scaling;
mod service;
mod settings;
mod shards;
mod stopwatch;
mod telemetry;
mod usage;
mod window;
mod wire;

pub use edge::{Charge, Quotas};
pub use pressure::Gauge;
pub use refusal::{Counted, Flow, Measure, Over, Refusal};
pub use scaling::{Outcome, Scaler};
pub use service::QuotaService;
pub use settings::{ProjectLimits, ProjectOverride, QuotaConfig, ShardLimits};
pub use usage::{FlowUsage, ProjectUsage, ShardFlowUsage, ShardUsage, UsageReport};
pub use window::FlowRate;
pub use wire::{Bar, BarChanges, Report, Usage};
