//! From text to syntax tree: the parser's guard, its error messages, and label matchers.
//!
//! promql-parser recurses without a bound and needs time quadratic in the text; both would let a query end the process. So a
//! scan over the text, aware of strings and comments, refuses what is too deep or too long first.

use culprit_store::{LabelMatcher, METRIC_NAME, MatchValue};
use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{Expr, VectorSelector};

use super::PromqlError;
use super::limits::{LOCATING_ATTEMPTS_MAX, NESTING_MAX, OPERATORS_MAX, PATTERNS_MAX, QUERY_BYTES_MAX};

/// Parses and type-checks a query. What it returns may still use a feature that the engine refuses.
pub fn parse(query: &str) -> Result<Expr, PromqlError> {
    let refuse = |why: String| refused(query, why);
    if query.len() > QUERY_BYTES_MAX {
        return Err(refuse(format!("it has {} bytes, more than the {QUERY_BYTES_MAX} allowed", query.len())));
    }
    if let Some(bracket) = scan(query).map_err(refuse)?.last() {
        return Err(refuse(format!("{:?} at {} is never closed", char::from(bracket.sign), place(query, bracket.at))));
    }
    promql_parser::parser::parse(query).map_err(|said| explain(query, &said))
}

/// The matchers of a series selector, as in the `match[]` parameter: `up{job="a"}` without `@`, `offset` or a range.
pub fn parse_matchers(selector: &str) -> Result<Vec<LabelMatcher>, PromqlError> {
    match parse(selector)? {
        Expr::VectorSelector(selector) if selector.at.is_none() && selector.offset.is_none() => matchers(&selector),
        _ => Err(PromqlError::Parse {
            query: shortened(selector),
            why: "a series selector like up{job=\"node\"} is wanted here".to_owned(),
        }),
    }
}

pub(super) fn matchers(selector: &VectorSelector) -> Result<Vec<LabelMatcher>, PromqlError> {
    if !selector.matchers.or_matchers.is_empty() {
        return Err(PromqlError::feature("\"or\" between label matchers"));
    }
    let name = selector.name.iter().map(|name| Ok(LabelMatcher::equal(METRIC_NAME, name.as_str())));
    name.chain(selector.matchers.matchers.iter().map(matcher)).collect()
}

fn matcher(parsed: &Matcher) -> Result<LabelMatcher, PromqlError> {
    let (name, value) = (parsed.name.as_str(), parsed.value.as_str());
    // The store's own compilation lets a dot match a line break, as Prometheus does; the parser's knows some patterns of Go
    // that Rust's syntax refuses, such as an unescaped brace.
    Ok(match &parsed.op {
        MatchOp::Equal => LabelMatcher::equal(name, value),
        MatchOp::NotEqual => LabelMatcher::not_equal(name, value),
        MatchOp::Re(lenient) => LabelMatcher::regex(name, value)
            .unwrap_or_else(|_| LabelMatcher { name: name.to_owned(), value: MatchValue::Regex(lenient.clone()) }),
        MatchOp::NotRe(lenient) => LabelMatcher::not_regex(name, value)
            .unwrap_or_else(|_| LabelMatcher { name: name.to_owned(), value: MatchValue::NotRegex(lenient.clone()) }),
    })
}

fn refused(query: &str, why: String) -> PromqlError {
    PromqlError::Parse { query: shortened(query), why }
}

/// An error message repeats the query, but not a megabyte of it.
fn shortened(query: &str) -> String {
    const SHOWN: usize = 200;
    match query.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &query[..end]),
        None => query.to_owned(),
    }
}

struct OpenBracket {
    sign: u8,
    at: usize,
}

/// Brackets must pair, and neither nest too deep nor stand between too many operators. Gives those that are still open at
/// the end.
fn scan(query: &str) -> Result<Vec<OpenBracket>, String> {
    let mut open: Vec<OpenBracket> = Vec::new();
    let (mut operators, mut patterns) = (0, 0);
    let bytes = query.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        match byte {
            b'"' | b'\'' | b'`' => at = string_end(query, at)?,
            b'#' => at += bytes[at..].iter().position(|b| *b == b'\n').unwrap_or(bytes.len() - at - 1),
            b'(' | b'[' | b'{' => {
                open.push(OpenBracket { sign: byte, at });
                if open.len() > NESTING_MAX {
                    return Err(format!("brackets nest deeper than {NESTING_MAX} levels at {}", place(query, at)));
                }
            }
            b')' | b']' | b'}' => close(query, &mut open, at)?,
            b'~' => patterns += 1,
            _ if open.last().is_some_and(|bracket| bracket.sign == b'{') => {}
            b'+' | b'-' | b'*' | b'/' | b'%' | b'^' | b'=' | b'!' | b'<' | b'>' => operators += 1,
            b'a' | b'A' | b'o' | b'O' | b'u' | b'U' if word_operator(bytes, at) => operators += 1,
            _ => {}
        }
        if operators > OPERATORS_MAX {
            return Err(format!("it has more than {OPERATORS_MAX} operators"));
        }
        if patterns > PATTERNS_MAX {
            return Err(format!("it has more than {PATTERNS_MAX} regular expressions"));
        }
        at += 1;
    }
    Ok(open)
}

fn string_end(query: &str, start: usize) -> Result<usize, String> {
    let bytes = query.as_bytes();
    let quote = bytes[start];
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if quote != b'`' => at += 1,
            byte if byte == quote => return Ok(at),
            _ => {}
        }
        at += 1;
    }
    Err(format!("the string that begins at {} has no end", place(query, start)))
}

fn close(query: &str, open: &mut Vec<OpenBracket>, at: usize) -> Result<(), String> {
    let byte = query.as_bytes()[at];
    match open.pop() {
        Some(bracket) if closing(bracket.sign) == byte => Ok(()),
        Some(bracket) => Err(format!(
            "unexpected {:?} at {}, {:?} of {} is still open",
            char::from(byte),
            place(query, at),
            char::from(bracket.sign),
            place(query, bracket.at)
        )),
        None => Err(format!("unexpected {:?} at {}", char::from(byte), place(query, at))),
    }
}

fn closing(bracket: u8) -> u8 {
    match bracket {
        b'(' => b')',
        b'[' => b']',
        _ => b'}',
    }
}

fn word_operator(bytes: &[u8], at: usize) -> bool {
    let inside_a_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':');
    if at > 0 && inside_a_name(&bytes[at - 1]) {
        return false;
    }
    let length = bytes[at..].iter().take_while(|byte| inside_a_name(byte)).count();
    let word = &bytes[at..at + length];
    ["and", "or", "unless", "atan2"].iter().any(|operator| word.eq_ignore_ascii_case(operator.as_bytes()))
}

/// `line:column`, in characters, as Prometheus counts them.
fn place(query: &str, at: usize) -> String {
    let before = &query[..at];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    format!("{}:{}", before.matches('\n').count() + 1, query[line_start..at].chars().count() + 1)
}

/// The parser says only that a text is invalid. The longest beginning that is a query once its brackets are closed shows where
/// it stops being one.
fn explain(query: &str, said: &str) -> PromqlError {
    const VAGUE: &str = "invalid promql query";
    if said != VAGUE {
        return refused(query, said.to_owned());
    }
    if query.trim().is_empty() {
        return refused(query, "no expression found in input".to_owned());
    }
    let ends: Vec<usize> = token_ends(query).collect();
    match ends.iter().rev().take(LOCATING_ATTEMPTS_MAX).find(|end| parses_when_closed(&query[..**end])) {
        Some(valid) => unexpected(query, query[*valid..].trim_start()),
        None => refused(query, "it does not follow the grammar".to_owned()),
    }
}

/// `rest` is the part of the query that the grammar does not continue with.
fn unexpected(query: &str, rest: &str) -> PromqlError {
    for (modifier, feature) in [("anchored", "modifier \"anchored\""), ("smoothed", "modifier \"smoothed\"")] {
        if rest.starts_with(modifier) {
            return PromqlError::feature(feature);
        }
    }
    refused(query, format!("unexpected {:?} at {}", shortened(rest), place(query, query.len() - rest.len())))
}

fn parses_when_closed(beginning: &str) -> bool {
    let Ok(open) = scan(beginning) else { return false };
    let closed: String =
        beginning.chars().chain(open.iter().rev().map(|bracket| char::from(closing(bracket.sign)))).collect();
    promql_parser::parser::parse(&closed).is_ok()
}

/// Ends of words and of single signs: the places where a beginning can stop without cutting a token in two.
fn token_ends(query: &str) -> impl Iterator<Item = usize> {
    let in_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '.');
    query.char_indices().zip(query.chars().skip(1)).filter_map(move |((at, c), next)| {
        let inside = c.is_whitespace() || (in_word(c) && in_word(next));
        (!inside).then_some(at + c.len_utf8())
    })
}

#[cfg(test)]
mod tests {
    use culprit_store::Labels;

    use super::*;

    fn why(query: &str) -> String {
        match parse(query) {
            Err(PromqlError::Parse { why, .. }) => why,
            other => panic!("{query}: {other:?}"),
        }
    }

    #[test]
    fn errors_name_the_place() {
        for (query, wanted) in [
            ("sum(rate(foo[5m)", "unexpected ')' at 1:16, '[' of 1:13 is still open"),
            ("sum(rate(foo[5m])", "'(' at 1:4 is never closed"),
            ("foo)", "unexpected ')' at 1:4"),
            ("foo{a=\"b}", "the string that begins at 1:7 has no end"),
            ("sum(foo) by job", "unexpected \"by job\" at 1:10"),
            ("sum(foo bar) + 1", "unexpected \"bar) + 1\" at 1:9"),
            ("foo\n  select bar", "unexpected \"select bar\" at 2:3"),
            ("", "no expression found in input"),
            ("rated(foo[5m])", "unknown function with name 'rated'"),
            ("rate(foo)", "expected type matrix in call to function 'rate', got vector"),
        ] {
            assert_eq!(why(query), wanted, "{query}");
        }
    }

    #[test]
    fn hostile_texts_are_refused_and_the_largest_allowed_ones_parse() {
        let nested = |depth| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
        let chain = |terms| vec!["a"; terms].join(" and ");
        assert!(parse(&nested(NESTING_MAX)).is_ok());
        assert!(parse(&chain(OPERATORS_MAX + 1)).is_ok());
        assert!(parse(&format!("{}a", "-".repeat(OPERATORS_MAX))).is_ok());
        assert!(why(&nested(NESTING_MAX + 1)).contains("deeper than 200"));
        assert!(matches!(parse("rate(foo[5m] anchored)"), Err(PromqlError::Unsupported(_))));
        assert!(why(&"sum(".repeat(5_000)).contains("deeper than 200"));
        assert!(why(&chain(OPERATORS_MAX + 2)).contains("more than 500 operators"));
        assert!(why(&"-".repeat(OPERATORS_MAX + 1)).contains("operators"));
        assert!(why(&"a{b=~\"c\"} or ".repeat(PATTERNS_MAX + 1)).contains("regular expressions"));
        assert!(why(&"a".repeat(QUERY_BYTES_MAX + 1)).contains("32768"));
    }

    #[test]
    fn strings_comments_and_matchers_are_no_operators() {
        let strings = format!("count({{a=\"{}\"}}) # {}", "-".repeat(600), "(".repeat(300));
        assert!(parse(&strings).is_ok());
        assert!(parse("sum(order_total) and android").is_ok());
    }

    #[test]
    fn selectors_become_matchers() {
        let labels = Labels::new([("__name__", "up"), ("job", "a\nb"), ("zone", "a{b}")]).unwrap();
        let matching = parse_matchers(r#"up{job=~"a.b", zone=~"a{b}", host="", dc!="x"}"#).unwrap();
        assert_eq!(matching.len(), 5);
        assert!(matching.iter().all(|matcher| matcher.matches(&labels)));
        for bad in ["up offset 5m", "up[5m]", "1", "sum(up)", "{}", "{a=\"\"}"] {
            assert!(parse_matchers(bad).is_err(), "{bad}");
        }
    }
}
