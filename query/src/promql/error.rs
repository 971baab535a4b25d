//! What can go wrong in a query, by what the caller can do about it.

use culprit_store::StoreError;

/// The messages of `TooManyPoints`, `TooManySamples` and of matching errors are those of Prometheus: clients know them.
#[derive(Debug, thiserror::Error)]
pub enum PromqlError {
    /// The text is wrong.
    #[error("invalid promql query {query:?}: {why}")]
    Parse { query: String, why: String },
    /// The times of a range query contradict each other.
    #[error("{0}")]
    BadRange(&'static str),
    #[error(
        "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)"
    )]
    TooManyPoints,
    #[error("query processing would load too many samples into memory in query execution (more than {limit})")]
    TooManySamples { limit: usize },
    #[error("query timed out in expression evaluation after {seconds} s")]
    Timeout { seconds: u64 },
    /// Whoever asked went away.
    #[error("query was canceled in expression evaluation")]
    Canceled,
    /// The data do not allow the operation: ambiguous matching, equal label sets, a bad parameter.
    #[error("{0}")]
    Execution(String),
    #[error("cannot read the series of the query: {0}")]
    Store(#[from] StoreError),
}

impl PromqlError {
    pub(super) fn execution(why: impl Into<String>) -> Self {
        Self::Execution(why.into())
    }

    /// Two series of a result carry the same labels at the same time.
    pub(super) fn same_labels() -> Self {
        Self::execution("vector cannot contain metrics with the same labelset")
    }
}
