//! Alerting: rules are evaluated, alerts become incidents, incidents are told with their cause.
//!
//! - A **rule** ([`rules`]) is Prometheus' rule, whose expression may also be SQL or a search. Files are checked when they are
//!   loaded; a broken one leaves the former rules in force.
//! - An **alert** ([`alert`]) is one instance of a rule, with Prometheus' states. Alerts of one rule are evaluated by one task.
//! - An **incident** ([`incident`]) is the alerts of one rule that fire together. One task, the dispatcher, owns all of them,
//!   asks for their causes, decides what is told to whom, and records every change.
//! - A **receiver** ([`ReceiverConfig`]) is whom to tell: webhook, e-mail, Slack, DingTalk, one file each in `notify/`.
//!
//! What it does not do: it knows no explanation method and writes no series itself; [`Hooks`] are connected by the binary.
//! All state that outlives a restart goes through the store: `ALERTS_FOR_STATE` series, and rows of logstore `incidents`.

mod alert;
mod alerting;
mod api;
mod config;
mod dispatch;
mod duration;
mod error;
mod evaluator;
mod expand;
mod files;
mod group;
mod hooks;
mod incident;
mod investigation;
mod limits;
mod manager;
mod metrics;
mod notify;
mod rules;
mod slice;
mod template;

pub use alerting::Alerting;
pub use api::RuleFilter;
pub use config::AlertingConfig;
pub use dispatch::INCIDENT_STORE;
pub use duration::{DurationError, format_duration, parse_duration};
pub use error::{AlertingError, HookError};
pub use evaluator::{Evaluator, MetricSource};
pub use hooks::{
    Cause, Explain, Hooks, Inspect, Investigate, Jump, RecordIncident, WatchedSeries, Window, WriteSeries,
};
pub use investigation::InvestigationRequest;
pub use manager::ReloadReport;
pub use metrics::Metrics;
pub use notify::{DingtalkConfig, EmailConfig, EmailTls, ReceiverConfig, SlackConfig, WebhookConfig};
pub use rules::{FileReport, RuleReport, check_rule_file};
pub use slice::SliceRequest;
