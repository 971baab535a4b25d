//! Slices that SQL hands over in arrays, and patterns in the words of SQL: what `pattern_diff` and `diff_patterns` share.

use arrow::array::{BooleanArray, RecordBatch};
use datafusion::error::DataFusionError;

use crate::report::{Evidence, ReportItem};
use crate::{Baseline, Input, Options, RcaError, explain};

/// A pattern that sets the rows of A apart, and its counts.
pub(super) struct Pattern {
    pub(super) condition: String,
    pub(super) evidence: Evidence,
}

/// The patterns that are asserted, each followed by what is folded under it.
pub(super) fn patterns(
    batches: Vec<RecordBatch>,
    slice: Vec<BooleanArray>,
    min_support: f64,
) -> Result<Vec<Pattern>, DataFusionError> {
    let rows: usize = slice.iter().map(|slice| slice.len()).sum();
    let input = Input { batches, slice, predicate_columns: Vec::new(), baseline: Baseline::Complement };
    let options = Options { min_support, ..Options::default() };
    let report = match explain(&input, &options, "rows", &|| false) {
        Ok(report) => report,
        // A slice without rows has no patterns; SQL over no rows is no error.
        Err(RcaError::NoAnomalousRows { .. } | RcaError::NoNormalRows { .. }) if rows == 0 => return Ok(Vec::new()),
        Err(error) => return Err(DataFusionError::External(super::functions::refused(error).into())),
    };
    let told = report.explanations.into_iter().flat_map(|explanation| {
        std::iter::once(explanation.evidence).chain(explanation.alternates).collect::<Vec<_>>()
    });
    Ok(told.map(|evidence| Pattern { condition: condition(&evidence), evidence }).collect())
}

fn condition(evidence: &Evidence) -> String {
    evidence.items.iter().map(as_sql).collect::<Vec<_>>().join(" AND ")
}

/// `"status"='500'`, as clients of the cloud service read it; ranges and NULL as the report writes them.
fn as_sql(item: &ReportItem) -> String {
    let name = super::quoted(&item.dimension);
    let behind = item.condition.strip_prefix(item.dimension.as_str()).map_or("", str::trim_start);
    match behind.strip_prefix("= ") {
        Some(_) => format!("{name}='{}'", item.value.replace('\'', "''")),
        None if behind.starts_with("in [") => between(&name, &item.value),
        None => format!("{name} {behind}"),
    }
}

/// `[from, to)` as two comparisons.
fn between(name: &str, range: &str) -> String {
    let edges = range.trim_start_matches('[').trim_end_matches(')').split_once(", ");
    edges.map_or_else(|| format!("{name} in {range}"), |(from, to)| format!("{name} >= {from} AND {name} < {to}"))
}
