//! Every bound of this crate, in one place.

use std::time::Duration;

/// A rule file is text that people write; a larger one is a mistake.
pub(crate) const RULE_FILE_BYTES_MAX: u64 = 1 << 20;
/// Files below the configured paths; more is a wrong pattern.
pub(crate) const RULE_FILES_MAX: usize = 1_000;

/// An annotation longer than this fits into no message.
pub(crate) const TEMPLATE_OUTPUT_BYTES_MAX: usize = 64 << 10;
pub(crate) const TEMPLATE_CALL_DEPTH_MAX: usize = 100;
/// Queries that one template may run while it expands.
pub(crate) const TEMPLATE_QUERIES_MAX: usize = 20;

/// Alert instances of one rule; past it the rule fails, as with a group's own `limit`.
pub(crate) const INSTANCES_PER_RULE_MAX: usize = 10_000;
/// Rows that a `sql:` rule may return.
pub(crate) const SQL_ROWS_MAX: usize = 10_000;

/// Points of all series together that one inspection fetches, 16 bytes each; 1,000 series of half a day by the minute.
pub(crate) const INSPECTED_POINTS_MAX: usize = 1_000_000;
/// Points of one series of an inspection; as many as a range query of PromQL may have.
pub(crate) const INSPECTED_STEPS_MAX: u128 = 11_000;

/// A resolved instance is remembered (and sent again) for this long.
pub(crate) const RESOLVED_RETENTION: Duration = Duration::from_secs(15 * 60);

/// Incidents kept in memory; the oldest resolved ones go first.
pub(crate) const INCIDENTS_MAX: usize = 1_000;
/// Incidents older than this are not read back at start.
pub(crate) const INCIDENTS_RELOAD: Duration = Duration::from_secs(7 * 24 * 3600);
/// Alerts that one incident lists; further ones are counted.
pub(crate) const ALERTS_PER_INCIDENT_MAX: usize = 500;
/// Different slices of one incident that are explained; each costs a scan.
pub(crate) const SLICES_PER_INCIDENT_MAX: usize = 8;
/// Delivery results that one incident remembers.
pub(crate) const NOTIFICATIONS_PER_INCIDENT_MAX: usize = 50;

/// A receiver that cannot be told for this long that an incident is over will not be told.
pub(crate) const RESOLVED_TOLD_FOR: Duration = Duration::from_secs(3600);

/// Explanations that run at the same time: they scan the store that is being written.
pub(crate) const EXPLANATIONS_AT_ONCE: usize = 2;
/// An explanation that takes longer is given up for good.
pub(crate) const EXPLANATION_TIME_MAX: Duration = Duration::from_secs(60);

/// Investigations that run at the same time: each reads all stores of a project.
pub(crate) const INVESTIGATIONS_AT_ONCE: usize = 1;
/// An investigation that takes longer is given up for good.
pub(crate) const INVESTIGATION_TIME_MAX: Duration = Duration::from_secs(120);

/// Evaluations waiting for the dispatcher; a full queue slows evaluation down, it loses nothing.
pub(crate) const DISPATCH_QUEUE: usize = 256;
/// Incident revisions waiting to be written; a later revision holds all of an earlier one, so a full queue drops.
pub(crate) const RECORD_QUEUE: usize = 1_024;

/// One attempt to deliver a notification.
pub(crate) const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// Retries end after this; the next flush of the incident tries anew.
pub(crate) const RETRY_TIME_MAX: Duration = Duration::from_secs(300);
pub(crate) const RETRY_WAIT_MIN: Duration = Duration::from_millis(500);
pub(crate) const RETRY_WAIT_MAX: Duration = Duration::from_secs(30);
/// What is kept of a receiver's refusal.
pub(crate) const REFUSAL_BYTES_MAX: usize = 500;

/// DingTalk refuses longer markdown.
pub(crate) const DINGTALK_TEXT_BYTES_MAX: usize = 20_000;
/// Slack cuts longer attachment texts.
pub(crate) const SLACK_TEXT_BYTES_MAX: usize = 3_000;
/// Alerts that one message shows one by one.
pub(crate) const ALERTS_PER_MESSAGE_MAX: usize = 20;
