//! Puts plain values where a query has variables, to learn whether the rest of it is PromQL. The real values are put in
//! by the console; here a variable whose values nobody knows yet is tried as a word, a number and a duration.

use std::borrow::Cow;
use std::sync::LazyLock;

use culprit_query::promql::{self, PromqlError};
use regex::{Captures, Regex};

use crate::model::{Variable, VariableKind};

/// `${name}`, `${name:format}`, `${name.field}`, `[[name]]`, `[[name:format]]` or `$name`.
static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\$\{(\w+)[^}]*\}|\[\[(\w+)(?::\w+)?\]\]|\$(\w+)").expect("the pattern is a literal that compiles")
});

/// What an unknown value may be where it stands.
const GUESSES: [&str; 3] = ["x", "1", "5m"];

/// Why the query is not PromQL, whatever its variables hold.
pub(crate) fn check_promql(expr: &str, variables: &[Variable]) -> Result<(), String> {
    let mut first = None;
    for guess in GUESSES {
        let plain = REFERENCE.replace_all(expr, |found: &Captures<'_>| value(found, variables, guess).into_owned());
        match promql::parse(&plain) {
            Ok(_) => return Ok(()),
            // The query stands beside the reason wherever it is shown.
            Err(PromqlError::Parse { why, .. }) => first = first.or(Some(why)),
            Err(error) => first = first.or(Some(error.to_string())),
        }
    }
    Err(first.map(|why| one_line(&why)).unwrap_or_default())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn value<'a>(found: &'a Captures<'_>, variables: &'a [Variable], guess: &'a str) -> Cow<'a, str> {
    let name = found.iter().skip(1).flatten().next().map_or("", |name| name.as_str());
    match name {
        "__rate_interval" | "__interval" | "__range" | "__auto" => return "5m".into(),
        "__interval_ms" | "__interval_s" | "__range_ms" | "__range_s" | "__from" | "__to" => return "300".into(),
        _ => {}
    }
    match variables.iter().find(|variable| variable.name == name) {
        Some(variable) => known_value(variable).unwrap_or(guess).into(),
        // `$1` of a label_replace stays, and so does a name that nothing defines: the query shows it as an error.
        None => found[0].to_owned().into(),
    }
}

fn known_value(variable: &Variable) -> Option<&str> {
    match variable.kind {
        VariableKind::Query | VariableKind::Datasource => None,
        VariableKind::Interval => Some("5m"),
        VariableKind::Custom | VariableKind::Constant | VariableKind::Textbox => {
            let current = variable.current.first().map(String::as_str).filter(|value| !value.starts_with("$__"));
            let first = || variable.options.iter().map(|option| option.value.as_str()).find(|v| !v.starts_with("$__"));
            current.or_else(first).filter(|value| !value.is_empty())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Choice, Hide};

    fn variable(name: &str, kind: VariableKind, value: &str) -> Variable {
        let options = vec![Choice { text: value.to_owned(), value: value.to_owned() }];
        Variable {
            name: name.to_owned(),
            label: None,
            kind,
            query: String::new(),
            regex: None,
            multi: false,
            include_all: false,
            all_value: None,
            hide: Hide::Nothing,
            sort: 0,
            options,
            current: Vec::new(),
            source: None,
        }
    }

    #[test]
    fn variables_stand_for_whatever_parses() {
        let variables = [
            variable("job", VariableKind::Query, ""),
            variable("n", VariableKind::Custom, "5"),
            variable("interval", VariableKind::Interval, "1m"),
        ];
        for good in [
            "rate(x{job=~\"$job\"}[$__rate_interval])",
            "topk($n, sum by ($job) (rate(x[${interval}])))",
            "increase(x[$__range]) / ${__range_s}",
            "x{job=~\"[[job]]\"} offset $job",
            "label_replace(x, \"a\", \"$1\", \"b\", \"(.*)\")",
        ] {
            assert_eq!(check_promql(good, &variables), Ok(()), "{good}");
        }
        for bad in ["sum(rate(x[$__rate_interval])", "rate(x[$nobody])", "SELECT 1", ""] {
            assert!(check_promql(bad, &variables).is_err(), "{bad}");
        }
    }
}
