//! Series selectors, and the modifiers that follow them.

use culprit_store::{LabelMatcher, METRIC_NAME, MatchValue};
use promql_parser::label::{MatchOp, Matcher as LenientMatcher};
use promql_parser::parser::token::{T_EQL_REGEX, T_NEQ_REGEX};

use super::ast::{At, Edges, Expr, ExprKind, Matcher, Shift, VectorSelector};
use super::lexer::{SyntaxError, TokenKind};
use super::parser::Parser;

const OPERATORS: [&str; 4] = ["=~", "!~", "!=", "="];

impl Parser<'_> {
    /// The braces, if there are any, after a name, if there was one.
    pub(super) fn selector(&mut self, name: Option<String>) -> Result<VectorSelector, SyntaxError> {
        let start = self.token().start;
        let mut selector = VectorSelector {
            matchers: name.iter().map(|name| named(name)).collect(),
            name,
            shift: Shift::default(),
            edges: Edges::Plain,
        };
        if self.accept("{") {
            while !self.accept("}") {
                let matcher = self.matcher()?;
                selector.matchers.push(matcher);
                if self.sign() != Some("}") {
                    self.expect(",", "label matching")?;
                }
            }
        }
        let mut names = selector.matchers.iter().filter(|matcher| matcher.name == METRIC_NAME);
        if let (Some(first), Some(second)) = (names.next(), names.next())
            && selector.name.is_some()
        {
            let why = format!("metric name must not be set twice: {:?} or {:?}", first.text, second.text);
            return Err(self.error(start, why));
        }
        Ok(selector)
    }

    /// `name="value"`, `"quoted name"="value"`, or a quoted metric name alone.
    fn matcher(&mut self) -> Result<Matcher, SyntaxError> {
        const WITHIN: &str = "label matching";
        let start = self.token().start;
        let name = match (&self.token().kind, self.word()) {
            (TokenKind::Text(text), _) => {
                let text = text.clone();
                self.advance();
                if matches!(self.sign(), Some("," | "}")) {
                    return Ok(named(&text));
                }
                text
            }
            (_, Some(word)) if !word.contains(':') => {
                self.advance();
                word.to_owned()
            }
            _ => return Err(self.unexpected("label matching, expected identifier or \"}\"")),
        };
        let operator = self.sign().and_then(|sign| OPERATORS.into_iter().find(|operator| *operator == sign));
        let operator = operator.ok_or_else(|| self.unexpected("label matching, expected label matching operator"))?;
        self.advance();
        let TokenKind::Text(text) = self.token().kind.clone() else { return Err(self.unexpected(WITHIN)) };
        self.advance();
        let compiled = compile(&name, operator, &text).map_err(|why| self.error(start, why))?;
        Ok(Matcher { name, operator, text, compiled })
    }

    /// One of `[…]`, `offset`, `@`, `anchored` and `smoothed`, if it stands here.
    pub(super) fn modifier(&mut self, expr: &mut Expr) -> Result<bool, SyntaxError> {
        let at = self.token().start;
        if self.accept("[") {
            let span = expr.span;
            let inner = std::mem::replace(expr, Expr { kind: ExprKind::Number(0.0), span });
            expr.kind = self.window(inner, span.start)?;
        } else if self.accept("@") {
            let time = self.at_time()?;
            expr.set_at(time).map_err(|why| self.error(at, why))?;
        } else if self.accept_word("offset") {
            let offset = self.offset()?;
            expr.set_offset(offset).map_err(|why| self.error(at, why))?;
        } else if self.accept_word("anchored") {
            expr.set_edges(Edges::Anchored).map_err(|why| self.error(at, why))?;
        } else if self.accept_word("smoothed") {
            expr.set_edges(Edges::Smoothed).map_err(|why| self.error(at, why))?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn at_time(&mut self) -> Result<At, SyntaxError> {
        for (word, time) in [("start", At::Start), ("end", At::End)] {
            if self.accept_word(word) {
                self.expect("(", "@ modifier")?;
                self.expect(")", "@ modifier")?;
                return Ok(time);
            }
        }
        let start = self.token().start;
        match self.signed_number()? {
            // 64 bits of milliseconds.
            seconds if seconds.abs() < i64::MAX as f64 / 1000.0 => Ok(At::Seconds(seconds)),
            seconds => Err(self.error(start, format!("timestamp out of bounds for @ modifier: {seconds}"))),
        }
    }
}

impl Expr {
    fn set_at(&mut self, at: At) -> Result<(), &'static str> {
        let slot = match &mut self.kind {
            ExprKind::Vector(selector) | ExprKind::Matrix { selector, .. } => &mut selector.shift.at,
            ExprKind::Subquery { shift, .. } => &mut shift.at,
            _ => {
                return Err("@ modifier must be preceded by an instant vector selector or range vector selector or a \
                            subquery");
            }
        };
        if slot.replace(at).is_some() { Err("@ <timestamp> may not be set multiple times") } else { Ok(()) }
    }

    fn set_edges(&mut self, edges: Edges) -> Result<(), &'static str> {
        match &mut self.kind {
            ExprKind::Vector(_) if edges == Edges::Anchored => {
                Err("anchored modifier must be preceded by a range vector selector")
            }
            ExprKind::Vector(selector) | ExprKind::Matrix { selector, .. } if selector.edges == Edges::Plain => {
                selector.edges = edges;
                Ok(())
            }
            ExprKind::Vector(_) | ExprKind::Matrix { .. } => {
                Err("anchored and smoothed modifiers may be set once, and not together")
            }
            _ => Err("anchored and smoothed modifiers must be preceded by a selector"),
        }
    }
}

fn named(name: &str) -> Matcher {
    let compiled = LabelMatcher::equal(METRIC_NAME, name);
    Matcher { name: METRIC_NAME.to_owned(), operator: "=", text: name.to_owned(), compiled }
}

/// The store's own compilation lets a dot match a line break, as Prometheus does; the parser's knows some patterns of Go
/// that Rust's syntax refuses, such as an unescaped brace.
fn compile(name: &str, operator: &str, text: &str) -> Result<LabelMatcher, String> {
    let lenient = |token| match LenientMatcher::new_matcher(token, name.to_owned(), text.to_owned())?.op {
        MatchOp::Re(regex) => Ok(MatchValue::Regex(regex)),
        MatchOp::NotRe(regex) => Ok(MatchValue::NotRegex(regex)),
        MatchOp::Equal | MatchOp::NotEqual => Err(format!("{text:?} is no regular expression")),
    };
    let with = |value| LabelMatcher { name: name.to_owned(), value };
    match operator {
        "=" => Ok(LabelMatcher::equal(name, text)),
        "!=" => Ok(LabelMatcher::not_equal(name, text)),
        "=~" => LabelMatcher::regex(name, text).or_else(|_| lenient(T_EQL_REGEX).map(with)),
        _ => LabelMatcher::not_regex(name, text).or_else(|_| lenient(T_NEQ_REGEX).map(with)),
    }
}
