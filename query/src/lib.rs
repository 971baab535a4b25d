//! Questions over the store: SQL on any store, PromQL on metricstores, search words as SQL predicates.
//!
//! - [`SqlEngine`] answers read-only SQL inside one project, within a time range, a time-out and a memory limit.
//! - [`promql::Engine`] answers PromQL over a [`promql::SeriesSource`].
//! - [`search::to_predicate`] turns search words into a SQL predicate.
//! - [`FileSql`] answers SQL over files that no server knows.
//!
//! DataFusion lives here (and in the SQL face of rca). This crate writes nothing and opens no port.

mod error;
mod files;
pub mod limits;
mod logs_table;
mod metrics_table;
pub mod promql;
mod reach;
pub mod search;
mod sql;
mod tables;

pub use error::QueryError;
pub use files::{FileSql, is_file_name};
pub use reach::MayRead;
pub use sql::{Rows, SqlEngine};

/// The engine below, for the crates that may name it.
pub use datafusion;
