//! Presto's functions by what the engine calls them. What is not here is left to the engine, which names what it does not know.

use datafusion::sql::sqlparser::ast::{Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Value};

/// The same as SQL text of the engine; None for what it knows itself.
pub(crate) fn translate(function: &Function) -> Option<Result<String, String>> {
    let name = function.name.to_string().to_ascii_lowercase();
    let arguments = arguments(function)?;
    let texts: Vec<String> = arguments.iter().map(|argument| argument.to_string()).collect();
    let part = |part: &str, of: &str| Some(Ok(format!("CAST(date_part('{part}', to_timestamp({of})) AS BIGINT)")));
    match (name.as_str(), texts.as_slice()) {
        ("count_if", [condition]) => Some(Ok(format!("count(*) FILTER (WHERE {condition})"))),
        ("if", [condition, yes]) => Some(Ok(format!("CASE WHEN {condition} THEN {yes} END"))),
        ("if", [condition, yes, no]) => Some(Ok(format!("CASE WHEN {condition} THEN {yes} ELSE {no} END"))),
        ("approx_percentile", [value, share]) => Some(Ok(format!("approx_percentile_cont({value}, {share})"))),
        ("arbitrary" | "any_value", [value]) => Some(Ok(format!("first_value({value})"))),
        ("max_by", [value, by]) => Some(Ok(format!("last_value({value} ORDER BY {by} NULLS FIRST)"))),
        ("min_by", [value, by]) => Some(Ok(format!("first_value({value} ORDER BY {by})"))),
        ("from_unixtime", [seconds]) => Some(Ok(format!("to_timestamp({seconds})"))),
        ("year" | "month" | "day" | "hour" | "minute" | "second" | "week" | "quarter", [of]) => part(&name, of),
        ("day_of_week" | "dow", [of]) => part("isodow", of),
        ("day_of_year" | "doy", [of]) => part("doy", of),
        ("date", [of]) => Some(Ok(format!("CAST(to_timestamp({of}) AS DATE)"))),
        ("date_trunc", [unit, of]) => {
            is_untouched(arguments[1], "to_timestamp").then(|| Ok(format!("date_trunc({unit}, to_timestamp({of}))")))
        }
        ("date_format", [of, _]) => Some(date_format(of, arguments[1])),
        ("split", [text, by]) => Some(Ok(format!("string_to_array({text}, {by})"))),
        ("regexp_extract", [text, pattern]) => {
            Some(Ok(format!("array_element(regexp_match({text}, '(' || {pattern} || ')'), 1)")))
        }
        ("regexp_extract", [text, pattern, group]) => {
            Some(Ok(format!("array_element(regexp_match({text}, '(' || {pattern} || ')'), {group} + 1)")))
        }
        _ => None,
    }
}

fn arguments(function: &Function) -> Option<Vec<&Expr>> {
    let FunctionArguments::List(list) = &function.args else { return None };
    let is_plain = list.clauses.is_empty() && list.duplicate_treatment.is_none() && function.over.is_none();
    let is_plain = is_plain && function.filter.is_none() && function.within_group.is_empty();
    let arguments = list.args.iter().map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    });
    if is_plain { arguments.collect() } else { None }
}

/// What is translated already must not be translated again.
fn is_untouched(expr: &Expr, function: &str) -> bool {
    !matches!(expr, Expr::Function(inner) if inner.name.to_string() == function)
}

fn date_format(of: &str, format: &Expr) -> Result<String, String> {
    let text = match format {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => text,
            _ => return Err(format!("date_format wants its format as text in single quotes, not {format}")),
        },
        _ => return Err(format!("date_format wants its format as text in single quotes, not {format}")),
    };
    Ok(format!("to_char(to_timestamp({of}), '{}')", strftime(text)?.replace('\'', "''")))
}

/// MySQL's letters for dates, which Presto took over, as those of strftime.
fn strftime(format: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut characters = format.chars();
    while let Some(character) = characters.next() {
        if character != '%' {
            out.push(character);
            continue;
        }
        let letter = characters.next().ok_or_else(|| format!("date_format {format:?} ends in a single %"))?;
        out.push_str(match letter {
            'a' => "%a",
            'b' => "%b",
            'c' => "%-m",
            'd' => "%d",
            'e' => "%-d",
            'f' => "%6f",
            'H' => "%H",
            'h' | 'I' => "%I",
            'i' => "%M",
            'j' => "%j",
            'k' => "%-H",
            'l' => "%-I",
            'M' => "%B",
            'm' => "%m",
            'p' => "%p",
            'r' => "%I:%M:%S %p",
            'S' | 's' => "%S",
            'T' => "%H:%M:%S",
            'v' => "%V",
            'W' => "%A",
            'x' => "%G",
            'Y' => "%Y",
            'y' => "%y",
            '%' => "%%",
            other => return Err(format!("date_format has no %{other}")),
        });
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_dates_are_translated() {
        assert_eq!(strftime("%Y-%m-%d %H:%i:%s 100%%").unwrap(), "%Y-%m-%d %H:%M:%S 100%%");
        assert_eq!(strftime("%Q").unwrap_err(), "date_format has no %Q");
        assert!(strftime("%").is_err());
    }
}
