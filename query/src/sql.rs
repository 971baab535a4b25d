//! SQL inside one project: read-only, bounded in time, in memory and in the time range that it sees.

mod rows;

use std::sync::Arc;
use std::time::Duration;

use arrow::record_batch::RecordBatch;
use culprit_store::{ProjectName, Storage, StoreName, TimeRange};
use datafusion::catalog::{MemoryCatalogProviderList, SchemaProvider};
use datafusion::common::TableReference;
use datafusion::config::Dialect;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, ident};
use datafusion::prelude::{SQLOptions, SessionConfig, SessionContext};
use datafusion::sql::parser::Statement;
use tokio::time::Instant;

use crate::QueryError;
use crate::extensions::{Asker, Extensions};
use crate::function_table::register;
use crate::functions::json_text_function;
use crate::limits::{SQL_MEMORY_BYTES, SQL_ROWS_MAX, SQL_TEXT_BYTES_MAX, SQL_TIMEOUT};
use crate::question::Question;
use crate::reach::{MayRead, Reach};
use crate::scope::{Face, Scope, Texts, as_table};
use crate::search::{Search, to_predicate_over};
use crate::table::{Limits, Sessions, Table};
use crate::tables::{CATALOG, ProjectCatalog, Stand};

pub use rows::Rows;

/// Under this address the engine finds the segments.
pub(crate) const SEGMENTS_URL: &str = "culprit://segments/";

/// Cheap to clone; all clones share the memory limit.
#[derive(Clone)]
pub struct SqlEngine {
    pub(crate) storage: Storage,
    runtime: Arc<RuntimeEnv>,
    timeout: Duration,
    memory_bytes: usize,
    reach: Reach,
    texts: Texts,
    extensions: Arc<Extensions>,
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
        let extensions = Arc::new(Extensions::own());
        let (reach, texts) = (Reach::default(), Texts::Plain);
        Ok(Self { storage, runtime, timeout, memory_bytes, reach, texts, extensions })
    }

    /// The same engine with functions that others bring.
    pub fn with_extensions(self, extensions: Extensions) -> Self {
        Self { extensions: Arc::new(self.extensions.and(extensions)), ..self }
    }

    /// The same engine for somebody who may read some projects alone.
    pub fn within(&self, may_read: MayRead) -> Self {
        Self { reach: Reach::of(may_read), ..self.clone() }
    }

    /// The same engine, whose texts come as dictionaries where it can give them without looking at each row. Columns that a
    /// condition is about are better left as they are.
    pub fn with_coded_texts(&self, plain: &[String]) -> Self {
        Self { texts: Texts::Coded { plain: plain.into() }, ..self.clone() }
    }

    /// SQL, or `search | SQL`. Unqualified names are stores and views of `project`; rows outside `range` do not exist for this query.
    pub async fn stream(&self, project: &ProjectName, text: &str, range: TimeRange) -> Result<Rows, QueryError> {
        let (search, sql) = Question::of_sql(text)?;
        self.reach.check(project)?;
        self.within_limits(text, self.native(project, search, sql, range)).await
    }

    /// The rows of one store that search words leave, newest first.
    pub async fn search(
        &self,
        project: &ProjectName,
        store: &StoreName,
        search: &str,
        limit: usize,
        range: TimeRange,
    ) -> Result<Rows, QueryError> {
        let sql = format!("SELECT * FROM \"{store}\" ORDER BY _time DESC LIMIT {limit}");
        self.within_limits(search, self.native(project, Some(search), &sql, range)).await
    }

    /// A store or a view as a table that is read without a query. Rows outside `range` do not exist.
    pub async fn table(&self, project: &ProjectName, store: &StoreName, range: TimeRange) -> Result<Table, QueryError> {
        let scope = self.scope(range, Face::Native);
        let sources = scope.sources(project, store).await?;
        let (engine, project) = (self.clone(), project.clone());
        let whole = move || engine.context(&project, &scope, Stand::new()).state();
        let limits = Limits { timeout: self.timeout, memory_bytes: self.memory_bytes };
        Ok(Table::new(store.as_str(), sources, Sessions::new(self.runtime.clone(), whole), Some(limits)))
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

    async fn native(
        &self,
        project: &ProjectName,
        search: Option<&str>,
        sql: &str,
        range: TimeRange,
    ) -> Result<Rows, QueryError> {
        let mut scope = self.scope(range, Face::Native);
        if search.is_some() {
            // Words are looked for in texts.
            scope.texts = Texts::Plain;
        }
        let context = self.context(project, &scope, Stand::new());
        let state = context.state();
        let statement = state.sql_to_statement(sql, &Dialect::Generic).map_err(|error| self.failed(error))?;
        let Some(search) = search else {
            return self.run(&context, project, statement).await;
        };
        let table = one_table(&state, &statement)?;
        let stand = self.searched(&context, &scope, project, table, search).await?;
        let context = self.context(project, &scope, stand);
        self.run(&context, project, statement).await
    }

    async fn searched(
        &self,
        context: &SessionContext,
        scope: &Scope,
        project: &ProjectName,
        table: TableReference,
        search: &str,
    ) -> Result<Stand, QueryError> {
        let project = ProjectName::parse(table.schema().unwrap_or(project.as_str()))?;
        let store = StoreName::parse(table.table())?;
        let plan = scope.plan(&project, &store, &Search::Everything).await?;
        let plan = left_by(context, plan, search)?;
        Ok(Stand::from([((project, table.table().to_owned()), as_table(plan))]))
    }

    pub(crate) fn scope(&self, range: TimeRange, face: Face) -> Scope {
        let (storage, reach, texts) = (self.storage.clone(), self.reach.clone(), self.texts.clone());
        Scope { storage, reach, range, face, texts }
    }

    /// Bounds the text, and the time that planning takes.
    pub(crate) async fn within_limits<T>(
        &self,
        text: &str,
        planned: impl Future<Output = Result<T, QueryError>>,
    ) -> Result<T, QueryError> {
        if text.len() > SQL_TEXT_BYTES_MAX {
            let why = format!("the query has {} bytes, more than the {SQL_TEXT_BYTES_MAX} allowed", text.len());
            return Err(QueryError::Invalid(why));
        }
        let timed_out = QueryError::Timeout { seconds: self.timeout.as_secs() };
        tokio::time::timeout(self.timeout, planned).await.map_err(|_| timed_out)?
    }

    pub(crate) async fn run(
        &self,
        context: &SessionContext,
        project: &ProjectName,
        statement: Statement,
    ) -> Result<Rows, QueryError> {
        let state = context.state();
        let missing = |state: &SessionState| self.missing_store(state, project, &statement);
        let plan = match state.statement_to_plan(statement.clone()).await {
            Ok(plan) => plan,
            Err(error) => return Err(missing(&state).unwrap_or_else(|| self.failed(error))),
        };
        SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false)
            .verify_plan(&plan)
            .map_err(|error| QueryError::ReadOnly(error.strip_backtrace()))?;
        self.execute(context, plan).await
    }

    pub(crate) async fn execute(&self, context: &SessionContext, plan: LogicalPlan) -> Result<Rows, QueryError> {
        let deadline = Instant::now() + self.timeout;
        let start = async {
            let frame = context.execute_logical_plan(plan).await?;
            let tasks = Arc::new(frame.task_ctx());
            let plan = frame.create_physical_plan().await?;
            let batches = datafusion::physical_plan::execute_stream(plan.clone(), tasks)?;
            Ok((plan, batches))
        };
        let (plan, batches) = start.await.map_err(|error| self.failed(error))?;
        Ok(Rows::new(plan, batches, deadline, self.timeout, self.memory_bytes))
    }

    pub(crate) fn failed(&self, error: DataFusionError) -> QueryError {
        QueryError::of(error, self.memory_bytes)
    }

    /// When a plan fails, the likeliest reason is a name that no store has; this says which, and which there are.
    fn missing_store(&self, state: &SessionState, project: &ProjectName, statement: &Statement) -> Option<QueryError> {
        let tables = state.resolve_table_references(statement).ok()?;
        tables.iter().filter(|table| !state.table_functions().contains_key(table.table())).find_map(|table| {
            let project = ProjectName::parse(table.schema().unwrap_or(project.as_str())).ok()?;
            if let Err(forbidden) = self.reach.check(&project) {
                return Some(forbidden);
            }
            let is_there = |schema: Arc<dyn SchemaProvider>| schema.table_exist(table.table());
            if state.catalog_list().catalog(CATALOG)?.schema(project.as_str()).is_some_and(is_there) {
                return None;
            }
            match StoreName::parse(table.table()) {
                Ok(name) => self.storage.expect_store(&project, &name).err().map(QueryError::Store),
                Err(bad_name) => Some(QueryError::Store(bad_name)),
            }
        })
    }

    pub(crate) fn context(&self, project: &ProjectName, scope: &Scope, stand: Stand) -> SessionContext {
        let catalogs = Arc::new(MemoryCatalogProviderList::new());
        let mut config = session_config().with_default_catalog_and_schema(CATALOG, project.as_str());
        config = config.with_create_default_catalog_and_schema(false).with_information_schema(true);
        let state = SessionStateBuilder::new_with_default_features()
            .with_config(config)
            .with_runtime_env(self.runtime.clone())
            .with_catalog_list(catalogs)
            .build();
        let context = SessionContext::new_with_state(state);
        context.register_udf(json_text_function());
        let (engine, project, range) = (self.clone(), project.clone(), scope.range);
        let asker = move || Asker::Stores { engine: engine.clone(), project: project.clone(), range };
        register(&context, &self.extensions, asker);
        let catalog = ProjectCatalog { scope: scope.clone(), stand: Arc::new(stand) };
        context.register_catalog(CATALOG, Arc::new(catalog));
        context
    }
}

/// A search needs to know whose rows it leaves.
pub(crate) fn one_table(state: &SessionState, statement: &Statement) -> Result<TableReference, QueryError> {
    let mut tables = state.resolve_table_references(statement).map_err(QueryError::plan)?;
    tables.retain(|table| !state.table_functions().contains_key(table.table()));
    match tables.len() {
        1 => Ok(tables.remove(0)),
        0 => Err(QueryError::Invalid("a search before the bar needs a FROM behind it".to_owned())),
        _ => {
            let names: Vec<String> = tables.iter().map(|table| table.table().to_owned()).collect();
            let names = names.join(", ");
            Err(QueryError::Invalid(format!("a search before the bar needs one table behind it, not {names}")))
        }
    }
}

/// The rows of a plan that search words leave.
pub(crate) fn left_by(context: &SessionContext, plan: LogicalPlan, search: &str) -> Result<LogicalPlan, QueryError> {
    let predicate = to_predicate_over(search, plan.schema().as_arrow())?;
    let build = || {
        // The predicate names columns alone, without the table's name.
        let columns: Vec<_> =
            plan.schema().fields().iter().map(|field| ident(field.name()).alias(field.name())).collect();
        let plan = LogicalPlanBuilder::from(plan).project(columns)?;
        let condition = context.parse_sql_expr(&predicate, plan.schema())?;
        plan.filter(condition)?.build()
    };
    build().map_err(QueryError::plan)
}

/// Field names are matched as they arrived, so that `userId` needs no quotes; times are UTC.
pub(crate) fn session_config() -> SessionConfig {
    let mut config = SessionConfig::new();
    let options = config.options_mut();
    options.sql_parser.enable_ident_normalization = false;
    options.execution.time_zone = Some("UTC".to_owned());
    config
}

#[cfg(test)]
mod tests;
