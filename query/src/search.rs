//! Search words as a SQL predicate.
//!
//! `timeout "connection reset" level:error status>=500 NOT path:/health*` means: the message holds both texts, and the fields compare as written.
//! Words stand for text inside `_msg`, whatever its case; neighbours are joined by AND; `OR`, `NOT`, `-` and parentheses do what they say; `*` in a
//! field's value is a wildcard.

use crate::QueryError;
use crate::limits::SEARCH_DEPTH_MAX;

/// An empty search matches everything.
pub fn to_predicate(text: &str) -> Result<String, QueryError> {
    let mut parser = Parser { text, tokens: tokens(text)?, at: 0, depth: 0 };
    if parser.tokens.is_empty() {
        return Ok("true".to_owned());
    }
    let predicate = parser.any()?;
    match parser.peek() {
        None => Ok(predicate),
        Some(_) => Err(parser.error("an operator or a word was expected")),
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Quoted(String),
    /// `:`, `=`, `!=`, `>`, `>=`, `<`, `<=`.
    Compare(&'static str),
    Open,
    Close,
    Minus,
}

fn tokens(text: &str) -> Result<Vec<(usize, Token)>, QueryError> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        let trimmed = rest.trim_start();
        let position = text.len() - trimmed.len();
        let Some(first) = trimmed.chars().next() else { return Ok(tokens) };
        let (token, used) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '"' | '\'' => quoted(trimmed, first).ok_or_else(|| QueryError::Search {
                text: text.to_owned(),
                position: position + 1,
                why: "the quote is never closed",
            })?,
            '-' if trimmed[1..].starts_with(|next: char| !next.is_whitespace() && !next.is_ascii_digit()) => {
                (Token::Minus, 1)
            }
            _ => match comparison(trimmed) {
                Some(operator) => (Token::Compare(operator), operator.len()),
                None => word(trimmed),
            },
        };
        tokens.push((position, token));
        rest = &trimmed[used..];
    }
}

fn comparison(text: &str) -> Option<&'static str> {
    [">=", "<=", "!=", "=", ">", "<", ":"].into_iter().find(|operator| text.starts_with(operator))
}

/// A doubled quote stands for one, as in SQL; a backslash keeps what follows.
fn quoted(text: &str, quote: char) -> Option<(Token, usize)> {
    let mut value = String::new();
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => value.push(characters.next()?.1),
            _ if character == quote && characters.peek().is_some_and(|(_, next)| *next == quote) => {
                characters.next();
                value.push(quote);
            }
            _ if character == quote => return Some((Token::Quoted(value), at + quote.len_utf8())),
            _ => value.push(character),
        }
    }
    None
}

fn word(text: &str) -> (Token, usize) {
    let end = text.find(|c: char| c.is_whitespace() || "()\"':=<>".contains(c) || c == '!').unwrap_or(text.len());
    let end = if end == 0 { text.chars().next().map_or(1, char::len_utf8) } else { end };
    (Token::Word(text[..end].to_owned()), end)
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<(usize, Token)>,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn is_keyword(&self, keyword: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case(keyword))
    }

    fn error(&self, why: &'static str) -> QueryError {
        let position = self.tokens.get(self.at).map_or(self.text.len(), |(position, _)| *position) + 1;
        QueryError::Search { text: self.text.to_owned(), position, why }
    }

    fn any(&mut self) -> Result<String, QueryError> {
        let mut parts = vec![self.all()?];
        while self.is_keyword("or") {
            self.at += 1;
            parts.push(self.all()?);
        }
        Ok(join(parts, " OR "))
    }

    fn all(&mut self) -> Result<String, QueryError> {
        let mut parts = vec![self.one()?];
        loop {
            if self.is_keyword("and") {
                self.at += 1;
            } else if self.peek().is_none() || self.is_keyword("or") || self.peek() == Some(&Token::Close) {
                return Ok(join(parts, " AND "));
            }
            parts.push(self.one()?);
        }
    }

    fn one(&mut self) -> Result<String, QueryError> {
        if self.is_keyword("not") || self.peek() == Some(&Token::Minus) {
            self.at += 1;
            return Ok(format!("NOT ({})", self.one()?));
        }
        match self.peek().cloned() {
            Some(Token::Open) => self.group(),
            Some(Token::Word(name) | Token::Quoted(name)) => {
                let is_quoted = matches!(self.peek(), Some(Token::Quoted(_)));
                self.at += 1;
                match self.peek() {
                    Some(Token::Compare(operator)) => self.field(&name, operator),
                    _ if !is_quoted && ["and", "or"].contains(&name.to_ascii_lowercase().as_str()) => {
                        self.at -= 1;
                        Err(self.error("a word was expected before the operator"))
                    }
                    _ => Ok(format!("_msg ILIKE {}", literal(&format!("%{}%", escape_like(&name))))),
                }
            }
            _ => Err(self.error("a word, a field or a parenthesis was expected")),
        }
    }

    fn group(&mut self) -> Result<String, QueryError> {
        self.depth += 1;
        if self.depth > SEARCH_DEPTH_MAX {
            return Err(self.error("parentheses are nested deeper than 64"));
        }
        self.at += 1;
        let inner = self.any()?;
        if self.peek() != Some(&Token::Close) {
            return Err(self.error("a closing parenthesis was expected"));
        }
        self.at += 1;
        self.depth -= 1;
        Ok(format!("({inner})"))
    }

    fn field(&mut self, name: &str, operator: &'static str) -> Result<String, QueryError> {
        self.at += 1;
        let column = format!("\"{}\"", name.replace('"', "\"\""));
        let sql = match operator {
            ":" => "=",
            "!=" => "<>",
            other => other,
        };
        let predicate = match self.peek() {
            Some(Token::Word(value)) if value == "*" => format!("{column} IS NOT NULL"),
            Some(Token::Word(value)) if value.contains('*') && matches!(sql, "=" | "<>") => {
                let pattern = literal(&escape_like(value).replace('*', "%"));
                let like = if sql == "=" { "LIKE" } else { "NOT LIKE" };
                format!("{column} {like} {pattern}")
            }
            Some(Token::Word(value)) => match value.parse::<f64>() {
                Ok(number) if number.is_finite() => format!("{column} {sql} {value}"),
                _ if matches!(value.to_ascii_lowercase().as_str(), "true" | "false") => {
                    format!("{column} {sql} {value}")
                }
                _ => format!("{column} {sql} {}", literal(value)),
            },
            Some(Token::Quoted(value)) => format!("{column} {sql} {}", literal(value)),
            _ => return Err(self.error("a value was expected after the comparison")),
        };
        self.at += 1;
        Ok(predicate)
    }
}

fn join(mut parts: Vec<String>, with: &str) -> String {
    if parts.len() == 1 { parts.remove(0) } else { format!("({})", parts.join(with)) }
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn escape_like(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(text: &str, expected: Expect) {
        let answer = match to_predicate(text) {
            Ok(predicate) => predicate,
            Err(error) => format!("error: {error}"),
        };
        expected.assert_eq(&answer);
    }

    #[test]
    fn searches_become_predicates() {
        check("", expect!["true"]);
        check("timeout", expect!["_msg ILIKE '%timeout%'"]);
        check("100%_done", expect![[r"_msg ILIKE '%100\%\_done%'"]]);
        check("\"it's\" level:error", expect![[r#"(_msg ILIKE '%it''s%' AND "level" = 'error')"#]]);
        check("status>=500 AND service = 'cart'", expect![[r#"("status" >= 500 AND "service" = 'cart')"#]]);
        check("a OR b c", expect!["(_msg ILIKE '%a%' OR (_msg ILIKE '%b%' AND _msg ILIKE '%c%'))"]);
        check("NOT (a or b)", expect!["NOT (((_msg ILIKE '%a%' OR _msg ILIKE '%b%')))"]);
        check("-path:/health* host:*", expect![[r#"(NOT ("path" LIKE '/health%') AND "host" IS NOT NULL)"#]]);
        check("delta:-5 ok:true", expect![[r#"("delta" = -5 AND "ok" = true)"#]]);
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        check("(a", expect![[r#"error: search "(a", at character 3: a closing parenthesis was expected"#]]);
        check(
            "status>=",
            expect![[r#"error: search "status>=", at character 9: a value was expected after the comparison"#]],
        );
        check("\"open", expect![[r#"error: search "\"open", at character 1: the quote is never closed"#]]);
        check("or b", expect![[r#"error: search "or b", at character 1: a word was expected before the operator"#]]);
        check("a )", expect![[r#"error: search "a )", at character 3: an operator or a word was expected"#]]);
    }
}
