//! What can go wrong with a dashboard, by what the caller can do about it.

use culprit_store::StoreError;

#[derive(Debug, thiserror::Error)]
pub enum DashboardError {
    #[error("the dashboard is not JSON: line {line}, column {column}: {source}")]
    NotJson { line: usize, column: usize, source: serde_json::Error },
    #[error("this JSON is not a Grafana dashboard: {why}")]
    NotADashboard { why: &'static str },
    #[error(
        "\"{version}\" is Grafana's dashboard schema v2, which is not supported; export the dashboard as \"Classic\" \
         (schema v1) JSON"
    )]
    SchemaV2 { version: String },
    #[error("the dashboard has {found} {thing}, the limit is {limit}")]
    TooMany { thing: &'static str, found: usize, limit: usize },
    #[error("the uid \"{uid}\" belongs to a built-in dashboard, which can be neither replaced nor deleted")]
    BuiltIn { uid: String },
    #[error("there is no dashboard \"{uid}\" in project \"{project}\"")]
    NotFound { project: String, uid: String },
    #[error("the built-in dashboard \"{name}\" is broken: {source}")]
    Library { name: &'static str, source: serde_json::Error },
    #[error("the stored dashboard \"{uid}\" cannot be read: {source}")]
    Stored { uid: String, source: Box<DashboardError> },
    #[error(transparent)]
    Store(#[from] StoreError),
}
