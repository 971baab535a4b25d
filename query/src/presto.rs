//! SQL as clients of the cloud service write it: no FROM, at most a hundred rows unless they say otherwise, and Presto's names of functions.

mod functions;
mod pattern_rows;

use std::ops::ControlFlow;

use datafusion::config::Dialect;
use datafusion::execution::SessionState;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    ExcludeSelectItem, Expr, GroupByExpr, Ident, LimitClause, ObjectName, Query, Select, SelectItem, SetExpr,
    Statement as Sql, TableFactor, Value, VisitMut, VisitorMut,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;

use crate::QueryError;
use crate::limits::LOGS_SQL_LIMIT_DEFAULT;
use crate::log_columns::UNLISTED;

/// The table of a request: what a query without FROM reads.
pub(crate) const LOG: &str = "log";

pub(crate) struct Prepared {
    pub(crate) statement: Statement,
    /// The LIMIT that holds, if it is a plain number.
    pub(crate) limit: Option<u64>,
}

/// `table` is read where no FROM is.
pub(crate) fn prepare(state: &SessionState, sql: &str, table: Option<&str>) -> Result<Prepared, QueryError> {
    let sql = sql.trim().trim_end_matches(';');
    let mut statement = state.sql_to_statement(sql, &Dialect::Generic).map_err(QueryError::plan)?;
    let mut limit = None;
    if let Statement::Statement(inner) = &mut statement {
        if let Sql::Query(query) = inner.as_mut() {
            limit = adapt(query, table)?;
        }
        match inner.visit(&mut Rewrite) {
            ControlFlow::Continue(()) => {}
            ControlFlow::Break(why) => return Err(QueryError::Invalid(why)),
        }
    }
    Ok(Prepared { statement, limit })
}

fn adapt(query: &mut Query, table: Option<&str>) -> Result<Option<u64>, QueryError> {
    if let (Some(table), SetExpr::Select(select)) = (table, query.body.as_mut())
        && select.from.is_empty()
        && reads(select)
    {
        let quoted = Ident::with_quote('"', table);
        select.from = example(&format!("SELECT 1 FROM {quoted}"))?.1.from;
    }
    if let SetExpr::Select(select) = query.body.as_mut()
        && let Some(rows) = pattern_rows::of(select)
    {
        *query.body = rows?;
    }
    if query.limit_clause.is_none() && query.fetch.is_none() {
        query.limit_clause = example(&format!("SELECT 1 LIMIT {LOGS_SQL_LIMIT_DEFAULT}"))?.0.limit_clause;
    }
    Ok(limit(query))
}

/// `SELECT 1` is answered without any table.
fn reads(select: &Select) -> bool {
    let is_grouped = !matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty());
    let is_constant = |item: &SelectItem| {
        matches!(item, SelectItem::UnnamedExpr(Expr::Value(_)) | SelectItem::ExprWithAlias { expr: Expr::Value(_), .. })
    };
    is_grouped || select.selection.is_some() || !select.projection.iter().all(is_constant)
}

/// Parts of a query are taken from one that was parsed: shorter and safer than to build them.
fn example(sql: &str) -> Result<(Query, Select), QueryError> {
    let parsed = Parser::new(&GenericDialect).try_with_sql(sql).and_then(|mut parser| parser.parse_query());
    let query = parsed.map_err(|error| QueryError::Invalid(format!("SQL syntax: {error}")))?;
    match query.body.as_ref() {
        SetExpr::Select(select) => Ok((*query.clone(), select.as_ref().clone())),
        _ => Err(QueryError::Invalid(format!("{sql} is no SELECT"))),
    }
}

fn limit(query: &Query) -> Option<u64> {
    let limit = match query.limit_clause.as_ref()? {
        LimitClause::LimitOffset { limit, .. } => limit.as_ref()?,
        LimitClause::OffsetCommaLimit { limit, .. } => limit,
    };
    match limit {
        Expr::Value(value) => match &value.value {
            Value::Number(number, _) => number.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

struct Rewrite;

impl VisitorMut for Rewrite {
    type Break = String;

    /// `SELECT *` over a store lists what its log groups have, not what we keep beside it.
    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<String> {
        let derived: Vec<String> = match &query.with {
            Some(with) => with.cte_tables.iter().map(|table| table.alias.name.value.clone()).collect(),
            None => Vec::new(),
        };
        if let SetExpr::Select(select) = query.body.as_mut()
            && let [from] = select.from.as_slice()
            && from.joins.is_empty()
            && let TableFactor::Table { name, args: None, .. } = &from.relation
            && last_name(name).is_some_and(|name| !derived.contains(name))
        {
            for item in &mut select.projection {
                if let SelectItem::Wildcard(options) = item
                    && options.opt_exclude.is_none()
                {
                    let names = UNLISTED.map(|name| ObjectName::from(vec![Ident::with_quote('"', name)]));
                    options.opt_exclude = Some(ExcludeSelectItem::Multiple(names.to_vec()));
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<String> {
        if let Expr::Function(function) = expr
            && let Some(text) = functions::translate(function)
        {
            let parsed = text.and_then(|text| {
                let parsed =
                    Parser::new(&GenericDialect).try_with_sql(&text).and_then(|mut parser| parser.parse_expr());
                parsed.map_err(|error| format!("SQL syntax: {error}"))
            });
            match parsed {
                Ok(translated) => *expr = translated,
                Err(why) => return ControlFlow::Break(why),
            }
        }
        ControlFlow::Continue(())
    }
}

fn last_name(name: &ObjectName) -> Option<&String> {
    name.0.last().and_then(|part| part.as_ident()).map(|ident| &ident.value)
}
