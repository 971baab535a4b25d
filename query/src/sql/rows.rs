//! An answer as it comes.

use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::ExecutionPlan;
use futures::{Stream, StreamExt, TryStreamExt};
use tokio::time::Instant;

use crate::QueryError;

pub struct Rows {
    pub schema: SchemaRef,
    plan: Arc<dyn ExecutionPlan>,
    batches: SendableRecordBatchStream,
    deadline: Instant,
    timeout: Duration,
    memory_bytes: usize,
}

/// What a query has read so far.
#[derive(Clone)]
pub(crate) struct Scanned(Arc<dyn ExecutionPlan>);

impl Scanned {
    /// Rows that the scans gave, before any filter looked at them.
    pub(crate) fn rows(&self) -> u64 {
        fn of(plan: &Arc<dyn ExecutionPlan>) -> u64 {
            let children = plan.children();
            if children.is_empty() {
                let measured = plan.metrics().and_then(|metrics| metrics.output_rows());
                return measured.or_else(|| in_memory(plan)).map_or(0, |rows| rows as u64);
            }
            children.into_iter().map(of).sum()
        }
        of(&self.0)
    }
}

/// Rows in memory are not measured, but known.
fn in_memory(plan: &Arc<dyn ExecutionPlan>) -> Option<usize> {
    let statistics = plan.downcast_ref::<DataSourceExec>()?.data_source().partition_statistics(None);
    statistics.ok()?.num_rows.get_value().copied()
}

impl Rows {
    pub(crate) fn new(
        plan: Arc<dyn ExecutionPlan>,
        batches: SendableRecordBatchStream,
        deadline: Instant,
        timeout: Duration,
        memory_bytes: usize,
    ) -> Self {
        Self { schema: batches.schema(), plan, batches, deadline, timeout, memory_bytes }
    }

    pub(crate) fn scanned(&self) -> Scanned {
        Scanned(self.plan.clone())
    }

    /// Ends with an error at the deadline.
    pub fn into_stream(self) -> impl Stream<Item = Result<RecordBatch, QueryError>> + Send {
        let Self { batches, deadline, timeout, memory_bytes, .. } = self;
        futures::stream::try_unfold(batches, move |mut batches| async move {
            match tokio::time::timeout_at(deadline, batches.next()).await {
                Err(_) => Err(QueryError::Timeout { seconds: timeout.as_secs() }),
                Ok(None) => Ok(None),
                Ok(Some(Ok(batch))) => Ok(Some((batch, batches))),
                Ok(Some(Err(error))) => Err(QueryError::of(error, memory_bytes)),
            }
        })
    }

    pub async fn collect(self, rows_max: usize) -> Result<Vec<RecordBatch>, QueryError> {
        let schema = self.schema.clone();
        let mut stream = std::pin::pin!(self.into_stream());
        let mut batches = Vec::new();
        let mut rows = 0;
        while let Some(batch) = stream.try_next().await? {
            rows += batch.num_rows();
            if rows > rows_max {
                return Err(QueryError::TooManyRows { limit: rows_max });
            }
            batches.push(batch);
        }
        if batches.is_empty() {
            batches.push(RecordBatch::new_empty(schema));
        }
        Ok(batches)
    }
}
