//! Predicates as SQL: checked to be one expression and nothing else, and asked which columns they name. Below, what this
//! crate brings to SQL.

mod anomalies;
mod anomalous_slices;
mod buckets;
mod contrast;
mod diff_parameters;
mod diff_patterns;
mod explain;
mod functions;
mod pattern;
mod pattern_diff;
mod patterns;

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Ident, visit_expressions};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;

use crate::RcaError;

pub use functions::sql_functions;

/// A SQL expression that can stand inside a query of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Predicate {
    /// As the parser read it, so that nothing in it can end the expression early.
    pub(crate) sql: String,
    names: Vec<String>,
}

impl Predicate {
    pub(crate) fn parse(text: &str) -> Result<Self, RcaError> {
        let bad = |why: String| RcaError::BadPredicate { predicate: text.to_owned(), why };
        let dialect = GenericDialect {};
        let mut parser = Parser::new(&dialect).try_with_sql(text).map_err(|error| bad(error.to_string()))?;
        let expression = parser.parse_expr().map_err(|error| bad(error.to_string()))?;
        let next = parser.peek_token();
        if next.token != Token::EOF {
            return Err(bad(format!("it is complete before {:?}", next.to_string())));
        }
        let mut names = Vec::new();
        let subquery = visit_expressions(&expression, |part| match part {
            Expr::Identifier(Ident { value, .. }) => {
                names.push(value.clone());
                ControlFlow::Continue(())
            }
            Expr::CompoundIdentifier(path) => {
                names.extend(path.iter().map(|ident| ident.value.clone()));
                ControlFlow::Continue(())
            }
            Expr::Subquery(_) | Expr::InSubquery { .. } | Expr::Exists { .. } => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        });
        if subquery.is_break() {
            return Err(bad("a predicate looks at one row at a time; subqueries are not taken".to_owned()));
        }
        Ok(Self { sql: expression.to_string(), names })
    }

    /// Those of the columns that the predicate names.
    pub(crate) fn columns<'a>(&'a self, columns: impl Iterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
        columns.filter(|column| self.names.iter().any(|name| name == column))
    }
}

/// A name as SQL takes it, whatever is in it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as SQL takes it.
pub(crate) fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_predicate_names_its_columns() {
        let all = ["status", "Path", "user.id", "region", "t"];
        for (text, named) in [
            ("status >= 500", &["status"][..]),
            ("\"user.id\" IS NULL OR lower(Path) LIKE '/a%'", &["Path", "user.id"]),
            ("t.status IN (500, 503) AND NOT (region = 'status')", &["status", "region", "t"]),
            ("CASE WHEN status = 200 THEN Path = '/' ELSE true END", &["status", "Path"]),
            ("failed", &[]),
        ] {
            let predicate = Predicate::parse(text).unwrap();
            assert_eq!(predicate.columns(all.into_iter()).collect::<Vec<_>>(), named, "{text}");
        }
    }

    #[test]
    fn what_is_no_single_expression_is_refused() {
        for (text, why) in [
            ("status >=", "status >="),
            ("status = 500) OR (true", "complete before"),
            ("status = 500; DROP TABLE x", "complete before"),
            ("status = 500 AS bad FROM other", "complete before"),
            ("status = (SELECT max(status) FROM other)", "one row at a time"),
            ("", "\"\""),
        ] {
            let error = Predicate::parse(text).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn quotes_in_names_are_doubled() {
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
    }
}
