//! The real binary over real protocols, with the clients people use; a module per area.
//!
//! Every test starts servers of its own on free ports, with a data folder that goes with the test. What needs a corpus
//! reads it below `CULPRIT_SHARED`; what needs a program of the system says so when it is missing and is skipped,
//! unless `CI` or `CULPRIT_SHARED` is set: who has those wants everything tested.

#![expect(clippy::unwrap_used, reason = "a test stops at its first surprise")]
#![expect(clippy::print_stderr, reason = "what is skipped is said")]

mod access;
mod apache;
mod browser;
mod crash;
mod crash_shards;
mod demo;
mod explain;
mod harness;
mod inspection;
mod investigate;
mod isolation;
mod malformed;
mod mistakes;
mod notify;
mod prometheus;
mod query;
mod quota_service;
mod sls;
mod tail;
