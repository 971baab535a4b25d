//! What this crate brings to SQL: one file and one line per function.

use std::sync::Arc;

use culprit_query::{Extensions, QueryError};
use culprit_store::Fault;
use datafusion::error::DataFusionError;

use super::anomalies::AnomaliesTable;
use super::anomalous_slices::AnomalousSlicesTable;
use super::diff_patterns::diff_patterns;
use super::explain::ExplainTable;
use super::pattern::pattern_functions;
use super::pattern_diff::pattern_diff;
use super::patterns::PatternsTable;
use crate::RcaError;

/// The functions of this crate, for an engine of SQL.
pub fn sql_functions() -> Extensions {
    let [pattern, pattern_id] = pattern_functions();
    Extensions {
        scalars: vec![diff_patterns(), pattern, pattern_id],
        aggregates: vec![pattern_diff()],
        tables: vec![
            Arc::new(ExplainTable),
            Arc::new(AnomaliesTable),
            Arc::new(AnomalousSlicesTable),
            Arc::new(PatternsTable),
        ],
    }
}

/// An error of ours, as SQL tells it.
pub(super) fn refused(error: RcaError) -> QueryError {
    match error {
        RcaError::Query(error) => error,
        error if error.fault() == Fault::Server => {
            QueryError::Failed(Box::new(DataFusionError::External(error.into())))
        }
        error => QueryError::Invalid(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
