//! What comes in: batches of rows, the slice that each row belongs to, and the knobs.

use arrow::array::{BooleanArray, RecordBatch};
use arrow::datatypes::Schema;

use crate::RcaError;
use crate::limits::ORDER_MAX;

/// Rows and their slices. All batches have the same columns.
#[derive(Debug, Clone)]
pub struct Input {
    pub batches: Vec<RecordBatch>,
    /// Per batch and row: true is the anomalous slice A, false the normal slice B, null neither.
    pub slice: Vec<BooleanArray>,
    /// The columns that the predicates name; they and their functions explain nothing.
    pub predicate_columns: Vec<String>,
    pub baseline: Baseline,
}

/// How B relates to A.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Baseline {
    /// B is every row read that is not in A, so that rates of A inside an itemset (and risk ratios) exist.
    Complement,
    /// B is another population, such as an earlier window.
    Other,
}

/// The knobs of `design.md` §7.
#[derive(Debug, Clone)]
pub struct Options {
    /// Columns to search; none means: chosen, and said what was left out.
    pub dimensions: Option<Vec<String>>,
    /// Items per explanation, 1 to 5. Each step up costs about ten times the candidates.
    pub max_order: usize,
    /// Share of A that an explanation must cover, of what the former explanations leave of A; at least five rows in any
    /// case. Lower finds smaller causes, slower.
    pub min_support: f64,
    /// How many times likelier a row with the items must be anomalous than one without.
    pub min_ratio: f64,
    /// Probability that a report without any true cause asserts one.
    pub alpha: f64,
    /// Column whose equal rows are not independent; none means a trace or request id, where there is one.
    pub unit: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { dimensions: None, max_order: 3, min_support: 0.005, min_ratio: 1.25, alpha: 0.05, unit: None }
    }
}

impl Options {
    pub(crate) fn check(&self) -> Result<(), RcaError> {
        if self.max_order == 0 || self.max_order > ORDER_MAX {
            return Err(RcaError::BadOrder { given: self.max_order, max: ORDER_MAX });
        }
        let inside = [
            (
                "min_support",
                self.min_support,
                "above 0 and at most 1",
                self.min_support > 0.0 && self.min_support <= 1.0,
            ),
            ("min_ratio", self.min_ratio, "at least 1", self.min_ratio >= 1.0),
            ("alpha", self.alpha, "above 0 and below 1", self.alpha > 0.0 && self.alpha < 1.0),
        ];
        match inside.into_iter().find(|(.., ok)| !ok) {
            Some((name, given, range, _)) => Err(RcaError::BadOption { name, given, range }),
            None => Ok(()),
        }
    }

    /// The columns that these options name must be there.
    pub(crate) fn check_names(&self, schema: &Schema) -> Result<(), RcaError> {
        let known = || schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>().join(", ");
        let missing = |name: &&String| schema.index_of(name).is_err();
        if let Some(name) = self.unit.iter().find(missing) {
            return Err(RcaError::UnknownUnit { name: name.clone(), known: known() });
        }
        match self.dimensions.iter().flatten().find(missing) {
            Some(name) => Err(RcaError::UnknownDimension { name: name.clone(), known: known() }),
            None => Ok(()),
        }
    }
}
