//! What can go wrong in a query, by what the caller can do about it.

use culprit_store::{Fault, StoreError};
use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;

#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The text is wrong, or names what is not there.
    #[error("{0}")]
    Invalid(String),
    #[error("only SELECT, SHOW and EXPLAIN are allowed here: {0}")]
    ReadOnly(String),
    #[error("this access key may not read in project {project}, which the query names")]
    Forbidden { project: String },
    #[error("search {text:?}, at character {position}: {why}")]
    Search { text: String, position: usize, why: &'static str },
    #[error("index: {why}")]
    Index { why: String },
    #[error("the query took longer than {seconds} s and was stopped; narrow its time range or ask for less")]
    Timeout { seconds: u64 },
    #[error("the query needs more than the {limit_bytes} bytes of memory that queries may use: {detail}")]
    Memory { limit_bytes: usize, detail: String },
    #[error("the answer has more than {limit} rows; add a LIMIT or ask for NDJSON, which has no such bound")]
    TooManyRows { limit: usize },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("cannot read {path}: {why}")]
    File { path: String, why: String },
    /// Ours: not the query's fault.
    #[error("the query failed: {0}")]
    Failed(#[source] Box<DataFusionError>),
}

impl QueryError {
    pub fn fault(&self) -> Fault {
        match self {
            Self::Invalid(_)
            | Self::ReadOnly(_)
            | Self::Forbidden { .. }
            | Self::Search { .. }
            | Self::Index { .. }
            | Self::TooManyRows { .. }
            | Self::Memory { .. }
            | Self::File { .. } => Fault::Caller,
            Self::Timeout { .. } => Fault::Later,
            Self::Store(error) => error.fault(),
            Self::Failed(_) => Fault::Server,
        }
    }

    /// An error of planning, where memory is not yet used.
    pub(crate) fn plan(error: DataFusionError) -> Self {
        Self::of(error, 0)
    }

    /// What our tables told the engine comes back as it was.
    fn ours(inner: &(dyn std::error::Error + Send + Sync + 'static)) -> Option<Self> {
        if let Some(store) = inner.downcast_ref::<StoreError>() {
            return Some(Self::Store(store.clone()));
        }
        match inner.downcast_ref::<Self>()? {
            Self::Store(store) => Some(Self::Store(store.clone())),
            Self::Forbidden { project } => Some(Self::Forbidden { project: project.clone() }),
            Self::Index { why } => Some(Self::Index { why: why.clone() }),
            other => Some(Self::Invalid(other.to_string())),
        }
    }

    /// Sorts an engine's error by whose fault it is, and puts its text into one line.
    pub(crate) fn of(error: DataFusionError, memory_limit: usize) -> Self {
        match error.find_root() {
            DataFusionError::ResourcesExhausted(detail) => {
                Self::Memory { limit_bytes: memory_limit, detail: first_line(detail) }
            }
            DataFusionError::SchemaError(inner, _) => Self::Invalid(schema_text(inner)),
            DataFusionError::SQL(parser, _) => {
                Self::Invalid(format!("SQL syntax: {}", first_line(&parser.to_string())))
            }
            DataFusionError::Plan(text) | DataFusionError::NotImplemented(text) => Self::Invalid(first_line(text)),
            DataFusionError::Execution(text) => Self::Invalid(first_line(text)),
            DataFusionError::ArrowError(arrow, _) => Self::Invalid(first_line(&arrow.to_string())),
            DataFusionError::External(inner) => match Self::ours(inner.as_ref()) {
                Some(ours) => ours,
                None => Self::Failed(Box::new(error)),
            },
            _ => Self::Failed(Box::new(error)),
        }
    }
}

fn schema_text(error: &SchemaError) -> String {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            let mut names: Vec<&str> = valid_fields.iter().map(|field| field.name()).collect();
            names.sort_unstable();
            names.dedup();
            format!("there is no column {:?}; there are: {}", field.name(), names.join(", "))
        }
        other => first_line(&other.to_string()),
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or(text).trim().to_owned()
}
