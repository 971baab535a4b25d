//! What can go wrong in alerting, by what the caller can do about it.

use std::path::PathBuf;

use culprit_query::promql::PromqlError;

use crate::template::TemplateError;

/// A hook of the house (explain, write a series, record an incident) failed; the text is for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct HookError {
    pub why: String,
}

impl HookError {
    pub fn new(why: impl std::fmt::Display) -> Self {
        Self { why: why.to_string() }
    }
}

/// The configuration or the rule files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AlertingError {
    #[error("alerting receiver {receiver:?}: {why}")]
    Receiver { receiver: String, why: String },
    #[error("alerting rule path {path:?} is not a valid pattern: {source}")]
    Pattern {
        path: String,
        #[source]
        source: Box<regex::Error>,
    },
    #[error("alerting rule paths name {count} files, more than {limit}")]
    TooManyFiles { count: usize, limit: usize },
    #[error("cannot read {}: {source}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
}

/// One evaluation of one rule failed; the rule's health says so, the next evaluation tries again.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    #[error(transparent)]
    Promql(#[from] PromqlError),
    #[error(transparent)]
    Query(#[from] culprit_query::QueryError),
    #[error("sql and search expressions cannot be evaluated here, there are only series")]
    NoSql,
    #[error("the result is a {kind}, a rule needs a vector or a scalar")]
    NotAVector { kind: &'static str },
    #[error(
        "the query returns no number: name one column \"value\", or return exactly one numeric column (columns: {columns})"
    )]
    NoValueColumn { columns: String },
    #[error("the query returns no time: an inspected one has exactly one column of timestamps (columns: {columns})")]
    NoTimeColumn { columns: String },
    #[error("inspections cannot be evaluated here, there are only series of tests")]
    NoInspection,
    #[error("inspecting: {source}")]
    Inspect {
        #[source]
        source: HookError,
    },
    #[error("vector contains metrics with the same labelset after applying {kind} labels: {labels}")]
    DuplicateLabels { kind: &'static str, labels: String },
    #[error("exceeded limit of {limit} with {count} {things}")]
    Limit { limit: usize, count: usize, things: &'static str },
    #[error(transparent)]
    Labels(#[from] culprit_store::StoreError),
    #[error("writing the result: {source}")]
    Write {
        #[source]
        source: HookError,
    },
    #[error("column {column:?}: {source}")]
    Column {
        column: String,
        #[source]
        source: arrow::error::ArrowError,
    },
    #[error(transparent)]
    Template(#[from] TemplateError),
}
