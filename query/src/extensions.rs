//! Functions that other crates bring to SQL, so that this one need not know them.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use culprit_store::{ProjectName, TimeRange};
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

use crate::arguments::Arguments;
use crate::promql_table::PromqlTable;
use crate::{FileSql, QueryError, SqlEngine};

/// What is known beside the engine's own functions. Names are matched as they are written here.
#[derive(Clone, Default)]
pub struct Extensions {
    pub scalars: Vec<ScalarUDF>,
    pub aggregates: Vec<AggregateUDF>,
    pub tables: Vec<Arc<dyn TableFunction>>,
}

/// A function that stands behind FROM. Its arguments are constants.
#[async_trait]
pub trait TableFunction: Send + Sync {
    fn name(&self) -> &'static str;

    /// Whether the first argument names what is read: a store or a file. What reads neither is asked of a server.
    fn first_argument_is_source(&self) -> bool {
        true
    }

    /// The columns of the answer, told before anything is read. Wrong arguments are found here.
    fn schema(&self, arguments: &Arguments) -> Result<SchemaRef, QueryError>;

    /// The rows, with the columns of `schema`. They are computed when the query runs.
    async fn rows(&self, asker: &Asker, arguments: &Arguments) -> Result<Vec<RecordBatch>, QueryError>;
}

/// In whose place a table function reads: what its query may see, and nothing else.
#[derive(Clone)]
pub enum Asker {
    Stores {
        /// Reaches no further than the asker's rights.
        engine: SqlEngine,
        project: ProjectName,
        range: TimeRange,
    },
    Files(FileSql),
}

impl Extensions {
    /// With the functions that this crate brings itself.
    pub(crate) fn own() -> Self {
        Self { tables: vec![Arc::new(PromqlTable)], ..Self::default() }
    }

    pub(crate) fn and(&self, more: Self) -> Self {
        let mut all = self.clone();
        all.scalars.extend(more.scalars);
        all.aggregates.extend(more.aggregates);
        all.tables.extend(more.tables);
        all
    }
}
