//! From text to syntax tree: the parser's guard and its error messages.
//!
//! The parser, the planner and the evaluator recurse once per level of a query. So a scan over the text, aware of strings and
//! comments, refuses what is too deep or too long first.

use culprit_store::LabelMatcher;

use super::PromqlError;
use super::limits::{NESTING_MAX, OPERATORS_MAX, PATTERNS_MAX, QUERY_BYTES_MAX};
use super::notes::Place;
use super::syntax::{self, Expr, ExprKind, SyntaxError};

/// Parses and type-checks a query. What it returns may still use a feature that the engine refuses.
pub fn parse(query: &str) -> Result<Expr, PromqlError> {
    let refuse = |why: String| refused(query, why);
    if query.len() > QUERY_BYTES_MAX {
        return Err(refuse(format!("it has {} bytes, more than the {QUERY_BYTES_MAX} allowed", query.len())));
    }
    if let Some(bracket) = scan(query).map_err(refuse)?.last() {
        return Err(refuse(format!("{:?} at {} is never closed", char::from(bracket.sign), place(query, bracket.at))));
    }
    let wrong = |error: SyntaxError| refused(query, format!("{} at {}", error.why, place(query, error.at)));
    let expr = syntax::parse(query).map_err(wrong)?;
    syntax::check(&expr).map_err(|error| refused(query, error.why))?;
    Ok(expr)
}

/// The query laid out as Prometheus does it: on one line if it is short, else indented.
pub fn format(query: &str) -> Result<String, PromqlError> {
    Ok(syntax::format(&parse(query)?))
}

/// The matchers of a series selector, as in the `match[]` parameter: `up{job="a"}` without `@`, `offset` or a range.
pub fn parse_matchers(selector: &str) -> Result<Vec<LabelMatcher>, PromqlError> {
    match parse(selector)?.kind {
        ExprKind::Vector(selector) if selector.shift.at.is_none() && selector.shift.offset.is_none() => {
            Ok(selector.matchers.into_iter().map(|matcher| matcher.compiled).collect())
        }
        _ => Err(PromqlError::Parse {
            query: shortened(selector),
            why: "a series selector like up{job=\"node\"} is wanted here".to_owned(),
        }),
    }
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

/// `line:column`.
fn place(query: &str, at: usize) -> String {
    Place::of(query, at).to_string()
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
            ("sum(foo) by job", "unexpected \"job\" in grouping opts at 1:13"),
            ("sum(foo bar) + 1", "unexpected \"bar\" at 1:9"),
            ("foo\n  select bar", "unexpected \"select\" at 2:3"),
            ("", "no expression found in input at 1:1"),
            ("foo[5m", "'[' at 1:4 is never closed"),
            ("foo[5m] offset", "unexpected end of input in duration expression at 1:15"),
            ("foo{a=b}", "unexpected \"b\" in label matching at 1:7"),
            ("a{__name__=\"b\"}", "metric name must not be set twice: \"a\" or \"b\" at 1:2"),
            ("sum(a) anchored", "anchored and smoothed modifiers must be preceded by a selector at 1:8"),
            ("rated(foo[5m])", "unknown function with name \"rated\" at 1:1"),
            ("rate(foo)", "expected type range vector in call to function \"rate\", got instant vector"),
            ("round(foo, 1, 2)", "expected at most 2 argument(s) in call to \"round\", got 3"),
            ("1 == 1", "comparisons between scalars must use BOOL modifier"),
            ("a + bool b", "bool modifier can only be used on comparison operators"),
            ("a and on(x) group_left b", "no grouping allowed for \"and\" operation"),
            ("{a=\"\"}", "vector selector must contain at least one non-empty matcher"),
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
        assert!(parse("rate(foo[5m] anchored)").is_ok());
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
