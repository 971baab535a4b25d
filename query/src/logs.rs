//! What clients of the cloud service ask of a logstore: the rows of a search, SQL over them, their histogram, what stands around a row, topics.
//!
//! Values are text, whatever their column's type, and each row has `__time__`, `__source__` and `__topic__`.

mod context;
mod histogram;
mod nested;
mod page;
mod text;
mod topics;

use std::time::{Duration, Instant};

use culprit_store::{ProjectName, StoreName, TimeRange, UnixNanos};
use datafusion::logical_expr::LogicalPlan;

pub use context::{ContextAnswer, GetContext, context};
pub use histogram::{Bucket, GetHistogram, Histogram, histogram};
pub use topics::{Topics, topics};

use crate::limits::LOGS_SQL_ROWS_MAX;
use crate::presto::{LOG, prepare};
use crate::question::Question;
use crate::scope::{Face, as_table};
use crate::search::{Operator, Search, Test, Value, parse, terms};
use crate::sql::Rows;
use crate::tables::Stand;
use crate::{QueryError, SqlEngine, log_columns};
use text::ColumnText;

#[derive(Debug, Clone)]
pub struct GetLogs {
    pub from: UnixNanos,
    /// Not itself part of the range.
    pub to: UnixNanos,
    /// `search`, `search | SELECT …` or `search | with_pack_meta`.
    pub query: String,
    /// Rows of one topic; None and the empty text are all.
    pub topic: Option<String>,
    /// Page of a search; SQL has its own LIMIT.
    pub offset: usize,
    pub line: usize,
    /// Newest first.
    pub reverse: bool,
}

/// A log as names and values, in the order of its columns.
pub type LogFields = Vec<(String, String)>;

#[derive(Debug, Clone, PartialEq)]
pub struct LogsAnswer {
    pub rows: Vec<LogFields>,
    pub has_sql: bool,
    /// Of SQL: its columns, and their types by the names of the cloud service.
    pub keys: Vec<String>,
    pub column_types: Vec<&'static str>,
    pub where_query: String,
    pub agg_query: String,
    /// Key (empty: anywhere) and word.
    pub terms: Vec<(String, String)>,
    /// The LIMIT that held, of SQL.
    pub limited: Option<u64>,
    /// Rows that were read for it.
    pub processed_rows: u64,
    pub elapsed: Duration,
}

/// One page of a search, or an answer to SQL.
pub async fn get(
    engine: &SqlEngine,
    project: &ProjectName,
    store: &StoreName,
    request: &GetLogs,
) -> Result<LogsAnswer, QueryError> {
    let begun = Instant::now();
    let range = range(request.from, request.to)?;
    let question = Question::of_search(&request.query)?;
    let search = search_of(question.search, request.topic.as_deref())?;
    let place = Place { engine, project, store, range };
    let mut answer = match question.sql {
        Some(sql) => place.sql(&search, sql).await?,
        None => place.page(&search, request, question.wants_places).await?,
    };
    answer.terms = terms(&parse(question.search.unwrap_or(""))?);
    answer.where_query = question.search.unwrap_or("").trim().to_owned();
    answer.elapsed = begun.elapsed();
    Ok(answer)
}

/// SQL over all logstores of a project; its conditions on `__time__` or `__date__` are the only bounds of time.
pub async fn project_sql(engine: &SqlEngine, project: &ProjectName, query: &str) -> Result<LogsAnswer, QueryError> {
    let begun = Instant::now();
    let question = Question::of_search(query)?;
    let Some(sql) = question.sql else {
        return Err(QueryError::Invalid("a project is asked by SQL: SELECT … FROM a logstore".to_owned()));
    };
    if !matches!(question.search.map(str::trim), None | Some("" | "*")) {
        let why = "SQL over a project has no search before the bar; put its conditions behind WHERE".to_owned();
        return Err(QueryError::Invalid(why));
    }
    let scope = engine.scope(TimeRange::ALL, Face::Sls);
    let run = async {
        let context = engine.context(project, &scope, Stand::new());
        let prepared = prepare(&context.state(), sql, None)?;
        Ok((prepared.limit, engine.run(&context, project, prepared.statement).await?))
    };
    let (limited, rows) = engine.within_limits(sql, run).await?;
    let mut answer = sql_answer(rows, sql).await?;
    answer.limited = limited;
    answer.elapsed = begun.elapsed();
    Ok(answer)
}

/// A store, or a view, within a range.
struct Place<'a> {
    engine: &'a SqlEngine,
    project: &'a ProjectName,
    store: &'a StoreName,
    range: TimeRange,
}

impl Place<'_> {
    /// Rows as they came, with their place in the shard.
    async fn rows(
        &self,
        search: &Search,
        shape: impl FnOnce(LogicalPlan) -> datafusion::error::Result<LogicalPlan>,
    ) -> Result<Rows, QueryError> {
        let scope = self.engine.scope(self.range, Face::Places);
        let run = async {
            let plan = scope.plan(self.project, self.store, search).await?;
            let plan = shape(plan).map_err(|error| self.engine.failed(error))?;
            let context = self.engine.context(self.project, &scope, Stand::new());
            self.engine.execute(&context, plan).await
        };
        self.engine.within_limits("", run).await
    }

    async fn sql(&self, search: &Search, sql: &str) -> Result<LogsAnswer, QueryError> {
        let scope = self.engine.scope(self.range, Face::Sls);
        let run = async {
            let table = as_table(scope.plan(self.project, self.store, search).await?);
            let names = [LOG.to_owned(), self.store.to_string()];
            let stand: Stand = names.map(|name| ((self.project.clone(), name), table.clone())).into();
            let context = self.engine.context(self.project, &scope, stand);
            let prepared = prepare(&context.state(), sql, Some(LOG))?;
            Ok((prepared.limit, self.engine.run(&context, self.project, prepared.statement).await?))
        };
        let (limited, rows) = self.engine.within_limits(sql, run).await?;
        Ok(LogsAnswer { limited, ..sql_answer(rows, sql).await? })
    }
}

async fn sql_answer(rows: Rows, sql: &str) -> Result<LogsAnswer, QueryError> {
    let schema = rows.schema.clone();
    let scanned = rows.scanned();
    let mut texts = Vec::new();
    for batch in rows.collect(LOGS_SQL_ROWS_MAX).await? {
        let columns = ColumnText::of_batch(&batch)?;
        texts.extend((0..batch.num_rows()).map(|row| {
            let fields = columns.iter().map(|column| (column.name().to_owned(), column.sql_text(row)));
            fields.collect::<LogFields>()
        }));
    }
    Ok(LogsAnswer {
        rows: texts,
        has_sql: true,
        keys: schema.fields().iter().map(|field| field.name().clone()).collect(),
        column_types: schema.fields().iter().map(|field| text::type_name(field.data_type())).collect(),
        where_query: String::new(),
        agg_query: sql.trim().to_owned(),
        terms: Vec::new(),
        limited: None,
        processed_rows: scanned.rows(),
        elapsed: Duration::ZERO,
    })
}

fn range(from: UnixNanos, to: UnixNanos) -> Result<TimeRange, QueryError> {
    if from >= to {
        return Err(QueryError::Invalid(format!("the range from {} to {} ns is empty", from.0, to.0)));
    }
    Ok(TimeRange::new(from, to))
}

fn search_of(search: Option<&str>, topic: Option<&str>) -> Result<Search, QueryError> {
    let search = parse(search.unwrap_or(""))?;
    let Some(topic) = topic.filter(|topic| !topic.is_empty()) else { return Ok(search) };
    let value = Value { text: topic.to_owned(), is_quoted: true };
    let of_topic = Search::Field { name: log_columns::TOPIC.to_owned(), test: Test::Compare(Operator::Equal, value) };
    Ok(Search::All(vec![of_topic, search]))
}

#[cfg(test)]
mod tests;
