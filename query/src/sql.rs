//! SQL inside one project: read-only, bounded in time, in memory and in the time range that it sees.

use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use culprit_store::{ProjectName, Storage, StoreName, TimeRange};
use datafusion::catalog::MemoryCatalogProviderList;
use datafusion::config::Dialect;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{SendableRecordBatchStream, SessionState, SessionStateBuilder};
use datafusion::prelude::{SQLOptions, SessionConfig, SessionContext};
use futures::{Stream, StreamExt, TryStreamExt};
use tokio::time::Instant;

use crate::QueryError;
use crate::limits::{SQL_MEMORY_BYTES, SQL_ROWS_MAX, SQL_TEXT_BYTES_MAX, SQL_TIMEOUT};
use crate::reach::{MayRead, Reach};
use crate::tables::{CATALOG, ProjectCatalog};

/// Under this address the engine finds the segments.
pub(crate) const SEGMENTS_URL: &str = "culprit://segments/";

/// Cheap to clone; all clones share the memory limit.
#[derive(Clone)]
pub struct SqlEngine {
    storage: Storage,
    runtime: Arc<RuntimeEnv>,
    timeout: Duration,
    memory_bytes: usize,
    reach: Reach,
}

/// An answer as it comes.
pub struct Rows {
    pub schema: SchemaRef,
    batches: SendableRecordBatchStream,
    deadline: Instant,
    timeout: Duration,
    memory_bytes: usize,
}

impl SqlEngine {
    pub fn new(storage: Storage) -> Result<Self, QueryError> {
        Self::with_limits(storage, SQL_TIMEOUT, SQL_MEMORY_BYTES)
    }

    pub fn with_limits(storage: Storage, timeout: Duration, memory_bytes: usize) -> Result<Self, QueryError> {
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(memory_bytes)))
            .build_arc()
            .map_err(|error| QueryError::of(error, memory_bytes))?;
        let url = ObjectStoreUrl::parse(SEGMENTS_URL).map_err(|error| QueryError::of(error, memory_bytes))?;
        runtime.register_object_store(url.as_ref(), storage.segment_objects());
        Ok(Self { storage, runtime, timeout, memory_bytes, reach: Reach::default() })
    }

    /// The same engine for somebody who may read some projects alone.
    pub fn within(&self, may_read: MayRead) -> Self {
        Self { reach: Reach::of(may_read), ..self.clone() }
    }

    /// Unqualified names are stores of `project`; rows outside `range` do not exist for this query.
    pub async fn stream(&self, project: &ProjectName, sql: &str, range: TimeRange) -> Result<Rows, QueryError> {
        if sql.len() > SQL_TEXT_BYTES_MAX {
            let why = format!("the query has {} bytes, more than the {SQL_TEXT_BYTES_MAX} allowed", sql.len());
            return Err(QueryError::Invalid(why));
        }
        self.reach.check(project)?;
        let deadline = Instant::now() + self.timeout;
        let context = self.context(project, range);
        let planned = tokio::time::timeout_at(deadline, self.plan(&context, project, sql)).await;
        let batches = planned.map_err(|_| self.timed_out())??;
        let schema = batches.schema();
        Ok(Rows { schema, batches, deadline, timeout: self.timeout, memory_bytes: self.memory_bytes })
    }

    /// The whole answer.
    pub async fn query(
        &self,
        project: &ProjectName,
        sql: &str,
        range: TimeRange,
    ) -> Result<Vec<RecordBatch>, QueryError> {
        self.stream(project, sql, range).await?.collect(SQL_ROWS_MAX).await
    }

    async fn plan(
        &self,
        context: &SessionContext,
        project: &ProjectName,
        sql: &str,
    ) -> Result<SendableRecordBatchStream, QueryError> {
        let failed = |error| QueryError::of(error, self.memory_bytes);
        let state = context.state();
        let plan = match state.create_logical_plan(sql).await {
            Ok(plan) => plan,
            Err(error) => return Err(self.missing_store(&state, project, sql).unwrap_or_else(|| failed(error))),
        };
        SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false)
            .verify_plan(&plan)
            .map_err(|error| QueryError::ReadOnly(error.strip_backtrace()))?;
        let frame = context.execute_logical_plan(plan).await.map_err(failed)?;
        frame.execute_stream().await.map_err(failed)
    }

    /// When a plan fails, the likeliest reason is a name that no store has; this says which, and which there are.
    fn missing_store(&self, state: &SessionState, project: &ProjectName, sql: &str) -> Option<QueryError> {
        let statement = state.sql_to_statement(sql, &Dialect::Generic).ok()?;
        let tables = state.resolve_table_references(&statement).ok()?;
        tables.iter().filter(|table| !state.table_functions().contains_key(table.table())).find_map(|table| {
            let project = ProjectName::parse(table.schema().unwrap_or(project.as_str())).ok()?;
            if let Err(forbidden) = self.reach.check(&project) {
                return Some(forbidden);
            }
            match StoreName::parse(table.table()) {
                Ok(name) => self.storage.expect_store(&project, &name).err().map(QueryError::Store),
                Err(bad_name) => Some(QueryError::Store(bad_name)),
            }
        })
    }

    fn timed_out(&self) -> QueryError {
        QueryError::Timeout { seconds: self.timeout.as_secs() }
    }

    fn context(&self, project: &ProjectName, range: TimeRange) -> SessionContext {
        let catalogs = Arc::new(MemoryCatalogProviderList::new());
        let mut config = session_config().with_default_catalog_and_schema(CATALOG, project.as_str());
        config = config.with_create_default_catalog_and_schema(false).with_information_schema(true);
        let state = SessionStateBuilder::new_with_default_features()
            .with_config(config)
            .with_runtime_env(self.runtime.clone())
            .with_catalog_list(catalogs)
            .build();
        let context = SessionContext::new_with_state(state);
        context.register_catalog(CATALOG, Arc::new(ProjectCatalog::new(self.storage.clone(), self.reach.clone(), range)));
        context
    }
}

/// Field names are matched as they arrived, so that `userId` needs no quotes; times are UTC.
pub(crate) fn session_config() -> SessionConfig {
    let mut config = SessionConfig::new();
    let options = config.options_mut();
    options.sql_parser.enable_ident_normalization = false;
    options.execution.time_zone = Some("UTC".to_owned());
    config
}

impl Rows {
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

#[cfg(test)]
mod tests;
