//! What can go wrong before an answer; "nothing stands out" is an answer, not an error.

use arrow::error::ArrowError;
use culprit_query::QueryError;
use culprit_store::Fault;

#[derive(Debug, thiserror::Error)]
pub enum RcaError {
    #[error("no row is in the anomalous slice: the predicate holds nowhere in the {rows} rows read")]
    NoAnomalousRows { rows: u64 },
    #[error(
        "no row is in the normal slice: there is nothing to compare the {rows} anomalous rows with; give a baseline"
    )]
    NoNormalRows { rows: u64 },
    #[error("dimension {name:?} is not a column; the columns are: {known}")]
    UnknownDimension { name: String, known: String },
    #[error("unit column {name:?} is not a column; the columns are: {known}")]
    UnknownUnit { name: String, known: String },
    #[error("max_order is {given}; it must be from 1 to {max}")]
    BadOrder { given: usize, max: usize },
    #[error("{name} is {given}; it must be {range}")]
    BadOption { name: &'static str, given: f64, range: &'static str },
    #[error("batch {batch} has {rows} rows but its slice has {flags}")]
    SliceLength { batch: usize, rows: usize, flags: usize },
    #[error("tallies of different columns do not add up: {one} and {other}")]
    UnlikeTallies { one: String, other: String },
    #[error("the tally is of {rows} rows, more than {max}")]
    TooManyRows { rows: u64, max: u64 },
    #[error("column {column:?} cannot be read")]
    Column {
        column: String,
        #[source]
        source: ArrowError,
    },
    #[error("there is no column with the {what} (looked for {wanted}); the columns are: {known}")]
    NoColumn { what: &'static str, wanted: String, known: String },
    #[error("aggregate {given:?} is none of sum, avg, ratio:COLUMN, and percentiles above p0 and below p100")]
    BadAggregate { given: String },
    #[error("measure {name:?} is not a column; the columns are: {known}")]
    UnknownMeasure { name: String, known: String },
    #[error("measure {name:?} is of type {data_type}; it must be a number")]
    NotNumeric { name: String, data_type: String },
    #[error("measure {name:?} has no finite value in the {rows} rows read")]
    NoValues { name: String, rows: u64 },
    #[error("measure {name:?} is below zero in {rows} rows; a ratio is explained by parts of its denominator")]
    NegativeNumerator { name: String, rows: u64 },
    #[error("measure {name:?} has one value in all rows read: nothing deviates")]
    ConstantMeasure { name: String },
    #[error("nothing is asked: give a predicate of the anomalous rows or a measure")]
    NoQuestion,
    #[error("predicate {predicate:?} is not a SQL condition: {why}")]
    BadPredicate { predicate: String, why: String },
    /// What the rows that were read do not allow, all of them might.
    #[error("{error}; {cut}: give more time or a narrower time range")]
    Cut {
        #[source]
        error: Box<RcaError>,
        cut: String,
    },
    #[error(transparent)]
    Query(#[from] QueryError),
}

impl RcaError {
    pub fn fault(&self) -> Fault {
        match self {
            Self::Query(error) => error.fault(),
            Self::Cut { error, .. } => error.fault(),
            Self::SliceLength { .. } | Self::Column { .. } => Fault::Server,
            _ => Fault::Caller,
        }
    }
}
