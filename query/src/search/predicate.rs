//! A search as a SQL predicate in text, for the language of this server: words are parts of the message, whatever their case.

use arrow::datatypes::{DataType, Schema};

use crate::QueryError;
use crate::search::{Bound, Operator, Search, Test, Value, parse};

/// The column that holds the line as it came, where a decoder knows one.
const MESSAGE: &str = "_msg";

/// An empty search matches everything. Words look into `_msg`.
pub fn to_predicate(text: &str) -> Result<String, QueryError> {
    Ok(predicate(&parse(text)?, &[MESSAGE]))
}

/// Like [`to_predicate`] for one table: words look into every text column when it has no `_msg`.
pub(crate) fn to_predicate_over(text: &str, schema: &Schema) -> Result<String, QueryError> {
    if schema.column_with_name(MESSAGE).is_some() {
        return to_predicate(text);
    }
    let texts = schema.fields().iter().filter(|field| *field.data_type() == DataType::Utf8);
    let names: Vec<&str> = texts.map(|field| field.name().as_str()).collect();
    Ok(predicate(&parse(text)?, &names))
}

fn predicate(search: &Search, texts: &[&str]) -> String {
    match search {
        Search::Everything => "true".to_owned(),
        Search::Text(value) => {
            let pattern = literal(&format!("%{}%", escape_like(&value.text)));
            let holds = texts.iter().map(|column| format!("{} ILIKE {pattern}", quoted(column))).collect();
            join(holds, " OR ")
        }
        Search::Field { name, test } => field(name, test),
        Search::All(parts) => join(parts.iter().map(|part| predicate(part, texts)).collect(), " AND "),
        Search::Any(parts) => join(parts.iter().map(|part| predicate(part, texts)).collect(), " OR "),
        Search::Not(inner) => format!("NOT ({})", predicate(inner, texts)),
    }
}

fn field(name: &str, test: &Test) -> String {
    let column = format!("\"{}\"", name.replace('"', "\"\""));
    match test {
        Test::Exists => format!("{column} IS NOT NULL"),
        Test::Compare(operator, value) => compare(&column, *operator, value),
        Test::Range { low, high } => {
            let side = |bound: &Bound, open: &str, closed: &str| {
                let sign = if bound.is_closed { closed } else { open };
                bound.number.as_ref().map(|number| format!("{column} {sign} {number}"))
            };
            let sides: Vec<String> = side(low, ">", ">=").into_iter().chain(side(high, "<", "<=")).collect();
            if sides.is_empty() { format!("{column} IS NOT NULL") } else { join(sides, " AND ") }
        }
    }
}

fn compare(column: &str, operator: Operator, value: &Value) -> String {
    let sign = operator.sql();
    let text = value.text.as_str();
    let is_equality = matches!(operator, Operator::Has | Operator::Equal | Operator::NotEqual);
    if value.is_quoted {
        return format!("{column} {sign} {}", literal(text));
    }
    if text.contains('*') && is_equality {
        let like = if operator == Operator::NotEqual { "NOT LIKE" } else { "LIKE" };
        return format!("{column} {like} {}", literal(&escape_like(text).replace('*', "%")));
    }
    let is_bool = matches!(text.to_ascii_lowercase().as_str(), "true" | "false");
    if value.number().is_some() || is_bool {
        return format!("{column} {sign} {text}");
    }
    format!("{column} {sign} {}", literal(text))
}

/// No column at all holds no word.
fn join(mut parts: Vec<String>, with: &str) -> String {
    match parts.len() {
        0 => "false".to_owned(),
        1 => parts.remove(0),
        _ => format!("({})", parts.join(with)),
    }
}

/// Names that need no quotes stay as they are, for the eye.
fn quoted(column: &str) -> String {
    if column == MESSAGE { column.to_owned() } else { format!("\"{}\"", column.replace('"', "\"\"")) }
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn escape_like(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}
