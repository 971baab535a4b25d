//! The commands that are clients: one file each.

pub(crate) mod admin;
pub(crate) mod anomalies;
pub(crate) mod dashboards;
pub(crate) mod explain;
pub(crate) mod investigate;
pub(crate) mod keys;
pub(crate) mod patterns;
pub(crate) mod promql;
pub(crate) mod rules;
mod scope;
pub(crate) mod search;
pub(crate) mod sql;
pub(crate) mod tail;
