//! The tokens of a search.

use crate::QueryError;
use crate::search::{Bound, Operator};

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    Word(String),
    Quoted(String),
    Compare(Operator),
    /// `[1 100)`, after the word `in`.
    Range(Bound, Bound),
    Open,
    Close,
    Minus,
}

/// With the byte at which each begins.
pub(crate) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, QueryError> {
    let mut tokens: Vec<(usize, Token)> = Vec::new();
    let mut rest = text;
    loop {
        let trimmed = rest.trim_start();
        let position = text.len() - trimmed.len();
        let Some(first) = trimmed.chars().next() else { return Ok(tokens) };
        let after_in = matches!(tokens.last(), Some((_, Token::Word(word))) if word.eq_ignore_ascii_case("in"));
        let (token, used) = match first {
            '(' | '[' if after_in && range(trimmed).is_some() => range(trimmed).expect("it was there a line above"),
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '"' | '\'' => quoted(trimmed, first).ok_or_else(|| QueryError::Search {
                text: text.to_owned(),
                position: position + 1,
                why: "the quote is never closed",
            })?,
            '#' if trimmed[1..].starts_with('"') => match quoted(&trimmed[1..], '"') {
                Some((phrase, used)) => (phrase, used + 1),
                None => word(trimmed),
            },
            '-' if trimmed[1..].starts_with(|next: char| !next.is_whitespace() && !next.is_ascii_digit()) => {
                (Token::Minus, 1)
            }
            _ => match comparison(trimmed) {
                Some((operator, used)) => (Token::Compare(operator), used),
                None => word(trimmed),
            },
        };
        tokens.push((position, token));
        rest = &trimmed[used..];
    }
}

fn comparison(text: &str) -> Option<(Operator, usize)> {
    const ALL: [(&str, Operator); 7] = [
        (">=", Operator::GreaterOrEqual),
        ("<=", Operator::LessOrEqual),
        ("!=", Operator::NotEqual),
        ("=", Operator::Equal),
        (">", Operator::Greater),
        ("<", Operator::Less),
        (":", Operator::Has),
    ];
    ALL.into_iter().find(|(sign, _)| text.starts_with(sign)).map(|(sign, operator)| (operator, sign.len()))
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

/// Two numbers between brackets, with a comma or a space between them; `*` is an open end.
fn range(text: &str) -> Option<(Token, usize)> {
    let end = text.find([')', ']'])?;
    let inner = text[1..end].trim();
    let (low, high) = inner.split_once([',', ' '])?;
    let bound = |text: &str, is_closed| match text.trim() {
        "*" => Some(Bound { number: None, is_closed }),
        number => {
            number.parse::<f64>().ok().filter(|n| n.is_finite())?;
            Some(Bound { number: Some(number.to_owned()), is_closed })
        }
    };
    let low = bound(low, text.starts_with('['))?;
    let high = bound(high.trim_start_matches([',', ' ']), text[end..].starts_with(']'))?;
    Some((Token::Range(low, high), end + 1))
}
