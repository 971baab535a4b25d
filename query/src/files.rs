//! SQL over files, for people who have no server: `SELECT … FROM "access.parquet"`.

mod csv;

use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};

use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use datafusion::catalog::{CatalogProvider, MemoryCatalogProviderList, SchemaProvider, TableProvider};
use datafusion::common::TableReference;
use datafusion::config::Dialect;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::csv::CsvFormat;
use datafusion::datasource::file_format::json::JsonFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::prelude::{DataFrame, SQLOptions, SessionContext};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{TableFactor, Visit, Visitor};

use crate::QueryError;
use crate::extensions::{Asker, Extensions};
use crate::function_table::register;
use crate::question::Question;
use crate::scope::as_table;
use crate::sql::{left_by, one_table, session_config};
use crate::table::{Sessions, Source, Table};

const FILES: &str = "files";
/// CSV and NDJSON carry no types; this many rows are looked at to find them.
const INFERENCE_ROWS: usize = 100_000;

/// True for what is a file and not a store: it has a slash or a known extension.
pub fn is_file_name(name: &str) -> bool {
    name.contains('/') || format_of(name).is_some()
}

/// The extension decides; `.log` and other text is imported, not queried.
fn format_of(name: &str) -> Option<(Arc<dyn FileFormat>, &'static str)> {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase())?;
    match extension.as_str() {
        "parquet" => Some((Arc::new(ParquetFormat::default().with_force_view_types(false)), ".parquet")),
        "csv" => Some((Arc::new(CsvFormat::default().with_schema_infer_max_rec(INFERENCE_ROWS)), ".csv")),
        "ndjson" | "jsonl" | "json" => {
            Some((Arc::new(JsonFormat::default().with_schema_infer_max_rec(INFERENCE_ROWS)), ""))
        }
        _ => None,
    }
}

/// SQL in which every table is a file.
#[derive(Clone)]
pub struct FileSql {
    /// Made when the first query comes.
    context: Arc<OnceLock<SessionContext>>,
    extensions: Arc<Extensions>,
}

impl Default for FileSql {
    fn default() -> Self {
        Self::new()
    }
}

impl FileSql {
    pub fn new() -> Self {
        Self::knowing(Arc::new(Extensions::own()))
    }

    /// The same with functions that others bring.
    pub fn with_extensions(&self, extensions: Extensions) -> Self {
        Self::knowing(Arc::new(self.extensions.and(extensions)))
    }

    fn knowing(extensions: Arc<Extensions>) -> Self {
        Self { context: Arc::default(), extensions }
    }

    fn context(&self) -> &SessionContext {
        self.context.get_or_init(|| {
            let config = session_config()
                .with_default_catalog_and_schema(FILES, FILES)
                .with_create_default_catalog_and_schema(false);
            let context = SessionContext::new_with_config(config);
            register(&context, &self.extensions, || Asker::Files(FileSql::new()));
            with_files(context, HashMap::new())
        })
    }

    /// Files as one table that is read without a query; columns are matched by name.
    pub async fn table(&self, paths: &[String]) -> Result<Table, QueryError> {
        let files = self.clone();
        let sessions = Sessions::new(Arc::default(), move || files.context().state());
        let mut sources = Vec::with_capacity(paths.len());
        for path in paths {
            let provider = opened(path, sessions.plain()).await.map_err(QueryError::plan)?;
            sources.push(Source::Rows(provider, None));
        }
        Ok(Table::new(FILES, sources, sessions, None))
    }

    /// Whether the query's tables are files rather than stores. A query without tables needs no server either.
    pub fn is_about_files(&self, text: &str) -> Result<bool, QueryError> {
        let state = self.context().state();
        let (_, sql) = Question::of_sql(text)?;
        let statement = state.sql_to_statement(sql, &Dialect::Generic).map_err(failed)?;
        let tables = state.resolve_table_references(&statement).map_err(failed)?;
        let mut sources = Sources { extensions: &self.extensions, are_files: true };
        if let Statement::Statement(statement) = &statement {
            let visited = statement.visit(&mut sources);
            debug_assert!(visited.is_continue(), "nothing breaks off the visit");
        }
        let is_function = |name: &str| state.table_functions().contains_key(name);
        let is_file = |table: &TableReference| is_file_name(table.table()) || is_function(table.table());
        Ok(sources.are_files && tables.iter().all(is_file))
    }

    /// The whole answer of SQL, or of `search | SQL`. Files are read and never written.
    pub async fn query(&self, text: &str) -> Result<Vec<RecordBatch>, QueryError> {
        let frame = self.frame(text).await?;
        let schema = Arc::new(frame.schema().as_arrow().clone());
        let mut batches = frame.collect().await.map_err(failed)?;
        if batches.is_empty() {
            batches.push(RecordBatch::new_empty(schema));
        }
        Ok(batches)
    }

    async fn frame(&self, text: &str) -> Result<DataFrame, QueryError> {
        let (search, sql) = Question::of_sql(text)?;
        let context = match search {
            Some(search) => self.left_by(search, sql).await?,
            None => self.context().clone(),
        };
        context.sql_with_options(sql, read_only()).await.map_err(failed)
    }

    /// A context in which the query's one file has the rows alone that the search leaves.
    async fn left_by(&self, search: &str, sql: &str) -> Result<SessionContext, QueryError> {
        let state = self.context().state();
        let statement = state.sql_to_statement(sql, &Dialect::Generic).map_err(QueryError::plan)?;
        let table = one_table(&state, &statement)?;
        let frame = self.context().table(table.clone()).await.map_err(QueryError::plan)?;
        let plan = left_by(self.context(), frame.into_parts().1, search)?;
        Ok(self.holding(HashMap::from([(table.table().to_owned(), as_table(plan))])))
    }

    /// The context with tables in the place of the files of their names.
    fn holding(&self, open: HashMap<String, Arc<dyn TableProvider>>) -> SessionContext {
        let state = SessionStateBuilder::new_from_existing(self.context().state())
            .with_catalog_list(Arc::new(MemoryCatalogProviderList::new()))
            .build();
        with_files(SessionContext::new_with_state(state), open)
    }
}

fn read_only() -> SQLOptions {
    SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false)
}

/// Files are read without a limit on memory.
fn failed(error: DataFusionError) -> QueryError {
    QueryError::of(error, 0)
}

/// What the table functions of a statement read. One that reads no source asks a server.
struct Sources<'a> {
    extensions: &'a Extensions,
    are_files: bool,
}

impl Visitor for Sources<'_> {
    type Break = ();

    fn pre_visit_table_factor(&mut self, table: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, args: Some(arguments), .. } = table
            && let Some(function) = self.extensions.tables.iter().find(|function| function.name() == name.to_string())
        {
            let first = arguments.args.first().map(ToString::to_string);
            let source = first.filter(|_| function.first_argument_is_source());
            self.are_files &= source.is_some_and(|source| is_file_name(source.trim_matches('\'')));
        }
        ControlFlow::Continue(())
    }
}

/// What is `open` stands for the file of its name.
fn with_files(context: SessionContext, open: HashMap<String, Arc<dyn TableProvider>>) -> SessionContext {
    let tables = Arc::new(FileTables { state: context.state(), open });
    context.register_catalog(FILES, Arc::new(FileCatalog { tables }));
    context
}

#[derive(Debug)]
struct FileCatalog {
    tables: Arc<FileTables>,
}

impl CatalogProvider for FileCatalog {
    fn schema_names(&self) -> Vec<String> {
        vec![FILES.to_owned()]
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        (name == FILES).then(|| self.tables.clone() as Arc<dyn SchemaProvider>)
    }
}

#[derive(Debug)]
struct FileTables {
    state: SessionState,
    open: HashMap<String, Arc<dyn TableProvider>>,
}

#[async_trait]
impl SchemaProvider for FileTables {
    fn table_names(&self) -> Vec<String> {
        Vec::new()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        if let Some(open) = self.open.get(name) {
            return Ok(Some(open.clone()));
        }
        // The planner asks for table functions too.
        if self.state.table_functions().contains_key(name) {
            return Ok(None);
        }
        opened(name, &self.state).await.map(Some)
    }

    fn table_exist(&self, name: &str) -> bool {
        is_file_name(name)
    }
}

async fn opened(name: &str, state: &SessionState) -> Result<Arc<dyn TableProvider>> {
    let cannot = |why: String| DataFusionError::Plan(format!("cannot read {name}: {why}"));
    let (format, extension) =
        format_of(name).ok_or_else(|| cannot("known are .parquet, .csv, .ndjson, .jsonl and .json".to_owned()))?;
    let path = std::path::absolute(name).map_err(|error| cannot(error.to_string()))?;
    let file = File::open(&path).map_err(|error| cannot(error.to_string()))?;
    let types = tokio::task::spawn_blocking(move || plain_schema(file, extension));
    let plain = types.await.map_err(|error| DataFusionError::External(error.into()))?;
    let url = ListingTableUrl::parse(path.to_string_lossy())?;
    let options = ListingOptions::new(format).with_file_extension(extension);
    let config = ListingTableConfig::new(url).with_listing_options(options);
    let config = match plain.map_err(|error| cannot(error.to_string()))? {
        Some(schema) => config.with_schema(Arc::new(schema)),
        None => config.infer_schema(state).await.map_err(|error| cannot(error.strip_backtrace()))?,
    };
    Ok(Arc::new(ListingTable::try_new(config)?))
}

fn plain_schema(file: File, extension: &str) -> std::io::Result<Option<Schema>> {
    match extension == ".csv" && file.metadata()?.is_file() {
        true => csv::plain_schema(BufReader::with_capacity(1 << 16, file), INFERENCE_ROWS),
        false => Ok(None),
    }
}
