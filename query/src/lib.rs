//! Questions over the store: SQL on any store, PromQL on metricstores, search words as SQL predicates.
//!
//! - [`SqlEngine`] answers read-only SQL inside one project, within a time range, a time-out and a memory limit.
//! - [`promql::Engine`] answers PromQL over a [`promql::SeriesSource`].
//! - [`search::to_predicate`] turns search words into a SQL predicate; `search | SELECT …` is understood wherever SQL is.
//! - [`logs`] answers what clients of the cloud service ask: rows of a search, their histogram, what stands around a row.
//! - [`FileSql`] answers SQL over files that no server knows.
//! - [`Table`] gives rows of one store, view or set of files without a query, however many columns they have.
//! - [`Extensions`] are functions of SQL that other crates bring.
//!
//! DataFusion lives here (and in the SQL face of rca). This crate writes nothing and opens no port.

mod arguments;
mod coded;
mod error;
mod extensions;
mod files;
mod function_table;
mod functions;
mod index;
pub mod limits;
mod log_columns;
pub mod logs;
mod logs_table;
mod metrics_table;
mod presto;
pub mod promql;
mod promql_table;
mod question;
mod reach;
mod scope;
pub mod search;
mod sql;
mod table;
mod tables;
mod time_filter;
mod union;

pub use arguments::Arguments;
pub use error::QueryError;
pub use extensions::{Asker, Extensions, TableFunction};
pub use files::{FileSql, is_file_name};
pub use index::{IndexConfig, JsonKey, KeyIndex, KeyType, LineIndex};
pub use reach::MayRead;
pub use sql::{Rows, SqlEngine};
pub use table::{Reading, Table};

/// The engine below, for the crates that may name it.
pub use datafusion;
