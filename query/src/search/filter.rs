//! A search as a filter over the columns that a store has: words are words, numbers are compared as numbers, and a field that no row has is in no row.

use arrow::datatypes::{DataType, Schema};
use culprit_store::{OVERFLOW, TIME, is_hidden};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator as SqlOperator, cast, ident, lit, try_cast};

use crate::functions::{Words, has_words, json_text, overflow_text};
use crate::index::{IndexConfig, KeyType};
use crate::search::{Bound, Operator, Search, Test, Value};

pub(crate) struct FilterColumns<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) index: Option<&'a IndexConfig>,
}

pub(crate) fn filter(search: &Search, columns: &FilterColumns<'_>) -> Expr {
    match search {
        Search::Everything => lit(true),
        Search::Text(value) => columns.anywhere(value),
        Search::Field { name, test } => columns.field(name, test),
        Search::All(parts) => joined(parts.iter().map(|part| filter(part, columns)), Expr::and, true),
        Search::Any(parts) => joined(parts.iter().map(|part| filter(part, columns)), Expr::or, false),
        // A row without the field has not the value either.
        Search::Not(inner) => Expr::IsNotTrue(Box::new(filter(inner, columns))),
    }
}

fn joined(parts: impl Iterator<Item = Expr>, with: fn(Expr, Expr) -> Expr, nothing: bool) -> Expr {
    parts.reduce(with).unwrap_or_else(|| lit(nothing))
}

/// A field as an expression, and how it is compared.
struct Field {
    expr: Expr,
    is_text: bool,
    /// Set by the index.
    typed: Option<DataType>,
}

impl FilterColumns<'_> {
    fn anywhere(&self, value: &Value) -> Expr {
        let line = self.index.and_then(|index| index.line.as_ref());
        let separators = line.map(|line| line.token.as_slice());
        let words = Words::new(value, separators, line.is_some_and(|line| line.case_sensitive));
        let searched = self.schema.fields().iter().filter(|field| {
            let name = field.name().as_str();
            let is_ours = is_hidden(name) || matches!(name, TIME | OVERFLOW);
            !is_ours && line.is_none_or(|line| line.covers(name))
        });
        let overflow = self.schema.column_with_name(OVERFLOW).map(|_| overflow_text());
        let texts = searched.map(|field| as_text(ident(field.name()), field.data_type())).chain(overflow);
        joined(texts.map(|text| has_words(text, &words)), Expr::or, false)
    }

    fn field(&self, name: &str, test: &Test) -> Expr {
        let field = self.resolve(name);
        match test {
            Test::Exists => field.expr.is_not_null(),
            Test::Compare(operator, value) => self.compare(name, field, *operator, value),
            Test::Range { low, high } => {
                let number = field.number();
                let side = |bound: &Bound, open, closed| {
                    let literal = number_literal(bound.number.as_deref()?)?;
                    Some(binary(number.clone(), if bound.is_closed { closed } else { open }, literal))
                };
                let low = side(low, SqlOperator::Gt, SqlOperator::GtEq);
                let high = side(high, SqlOperator::Lt, SqlOperator::LtEq);
                low.into_iter().chain(high).reduce(Expr::and).unwrap_or_else(|| number.is_not_null())
            }
        }
    }

    fn compare(&self, name: &str, field: Field, operator: Operator, value: &Value) -> Expr {
        let number = value.number().and_then(|_| number_literal(&value.text));
        let is_order = !matches!(operator, Operator::Has | Operator::Equal | Operator::NotEqual);
        let is_numeric = !field.is_text || field.typed.is_some();
        match number {
            Some(number) if is_numeric || is_order => binary(field.number(), sql_operator(operator), number),
            _ if operator == Operator::Has && value.text.is_empty() => field.text().eq(lit("")),
            _ if operator == Operator::Has => {
                let key = self.index.and_then(|index| index.key(name));
                let separators = key.map(|(_, key)| key.token.as_slice());
                has_words(field.text(), &Words::new(value, separators, key.is_some_and(|(_, key)| key.case_sensitive)))
            }
            _ => binary(field.text(), sql_operator(operator), lit(value.text.as_str())),
        }
    }

    /// By its name or by its alias in the index; a field without a column may stand in the overflow map.
    fn resolve(&self, name: &str) -> Field {
        let key = self.index.and_then(|index| index.key(name));
        let typed = key.and_then(|(_, key)| key.key_type.arrow());
        let column = key.map_or(name, |(name, _)| name);
        if let Some((_, field)) = self.schema.column_with_name(column) {
            let is_text = *field.data_type() == DataType::Utf8;
            return Field { expr: ident(column), is_text, typed: typed.filter(|_| is_text) };
        }
        let json = self.index.and_then(|index| index.json_parent(column));
        if let Some((parent, path)) = json.filter(|(parent, _)| self.schema.column_with_name(parent).is_some()) {
            let typed = self.index.and_then(|index| index.json_type(parent, path)).and_then(KeyType::arrow);
            return Field { expr: json_text(ident(parent), path), is_text: true, typed };
        }
        Field { expr: crate::functions::overflow_value(column), is_text: true, typed }
    }
}

impl Field {
    fn text(self) -> Expr {
        if self.is_text { self.expr } else { cast(self.expr, DataType::Utf8) }
    }

    fn number(&self) -> Expr {
        match (&self.typed, self.is_text) {
            (Some(typed), _) => try_cast(self.expr.clone(), typed.clone()),
            (None, true) => try_cast(self.expr.clone(), DataType::Float64),
            (None, false) => self.expr.clone(),
        }
    }
}

fn as_text(expr: Expr, data_type: &DataType) -> Expr {
    if *data_type == DataType::Utf8 { expr } else { cast(expr, DataType::Utf8) }
}

fn number_literal(text: &str) -> Option<Expr> {
    match text.parse::<i64>() {
        Ok(integer) => Some(lit(integer)),
        Err(_) => text.parse::<f64>().ok().map(lit),
    }
}

fn binary(left: Expr, operator: SqlOperator, right: Expr) -> Expr {
    Expr::BinaryExpr(BinaryExpr::new(Box::new(left), operator, Box::new(right)))
}

fn sql_operator(operator: Operator) -> SqlOperator {
    match operator {
        Operator::Has | Operator::Equal => SqlOperator::Eq,
        Operator::NotEqual => SqlOperator::NotEq,
        Operator::Greater => SqlOperator::Gt,
        Operator::GreaterOrEqual => SqlOperator::GtEq,
        Operator::Less => SqlOperator::Lt,
        Operator::LessOrEqual => SqlOperator::LtEq,
    }
}
