//! `SELECT pattern_diff(…)` as clients of the cloud service know it: a row per pattern with four columns, where the engine's function is an aggregate
//! with one list.

use datafusion::sql::sqlparser::ast::{Expr, Ident, Select, SelectItem, SetExpr, TableFactor};

use super::example;
use crate::QueryError;

const FUNCTION: &str = "pattern_diff";

/// None where the select asks for something else.
pub(super) fn of(select: &Select) -> Option<Result<SetExpr, QueryError>> {
    let [
        SelectItem::UnnamedExpr(Expr::Function(function))
        | SelectItem::ExprWithAlias { expr: Expr::Function(function), .. },
    ] = select.projection.as_slice()
    else {
        return None;
    };
    (function.name.to_string() == FUNCTION).then(|| rows(select))
}

fn rows(select: &Select) -> Result<SetExpr, QueryError> {
    let (_, mut outer) = example(
        "SELECT pattern['possupport'] AS possupport, pattern['posconfidence'] AS posconfidence, pattern['negsupport'] AS negsupport, \
         pattern['diffpattern'] AS diffpattern FROM (SELECT unnest(patterns) AS pattern FROM (SELECT 1))",
    )?;
    let mut inner = select.clone();
    for item in &mut inner.projection {
        if let SelectItem::UnnamedExpr(call) | SelectItem::ExprWithAlias { expr: call, .. } = item {
            *item = SelectItem::ExprWithAlias { expr: call.clone(), alias: Ident::new("patterns") };
        }
    }
    let SetExpr::Select(middle) = derived(&mut outer)? else { return Err(unlike()) };
    *derived(middle)? = SetExpr::Select(Box::new(inner));
    Ok(SetExpr::Select(Box::new(outer)))
}

/// What stands in parentheses behind FROM.
fn derived(select: &mut Select) -> Result<&mut SetExpr, QueryError> {
    match select.from.first_mut().map(|from| &mut from.relation) {
        Some(TableFactor::Derived { subquery, .. }) => Ok(subquery.body.as_mut()),
        _ => Err(unlike()),
    }
}

fn unlike() -> QueryError {
    QueryError::Invalid(format!("{FUNCTION} cannot be asked like that"))
}
