//! Text into pieces: literal text, and the tokens of each `{{ … }}`.

use super::TemplateError;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    Text(String),
    Action { tokens: Vec<Token>, line: usize },
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Word(String),
    /// `$name`, or `$` alone with an empty name.
    Variable(String),
    /// `.name` that stands by itself or follows a term without a space between.
    Field {
        name: String,
        glued: bool,
    },
    Dot,
    Int(i64),
    Float(f64),
    Text(String),
    Pipe,
    Declare,
    Assign,
    Comma,
    Open,
    Close,
}

pub(super) fn lex(text: &str) -> Result<Vec<Piece>, TemplateError> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut trim_next = false;
    while let Some(start) = rest.find("{{") {
        let line = line_of(text, rest);
        let (mut before, inside) = (&rest[..start], &rest[start + 2..]);
        if trim_next {
            before = before.trim_start();
        }
        let trims_left = inside.starts_with("- ") || inside.starts_with("-\n") || inside.starts_with("-\t");
        if trims_left {
            before = before.trim_end();
        }
        if !before.is_empty() {
            pieces.push(Piece::Text(before.to_owned()));
        }
        let body = if trims_left { &inside[1..] } else { inside };
        let mut action = ActionLexer { text: body, at: 0, line: line + rest[..start].matches('\n').count() };
        let action_line = action.line;
        let (tokens, trims_right) = action.run()?;
        if let Some(tokens) = tokens {
            pieces.push(Piece::Action { tokens, line: action_line });
        }
        trim_next = trims_right;
        rest = &body[action.at..];
    }
    let tail = if trim_next { rest.trim_start() } else { rest };
    if !tail.is_empty() {
        pieces.push(Piece::Text(tail.to_owned()));
    }
    Ok(pieces)
}

fn line_of(text: &str, rest: &str) -> usize {
    1 + text[..text.len() - rest.len()].matches('\n').count()
}

struct ActionLexer<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl<'a> ActionLexer<'a> {
    /// The action's tokens (none for a comment) and whether it trims the text behind it. `at` ends behind `}}`.
    fn run(&mut self) -> Result<(Option<Vec<Token>>, bool), TemplateError> {
        if let Some(trims) = self.comment()? {
            return Ok((None, trims));
        }
        let mut tokens = Vec::new();
        loop {
            let spaced = self.skip_space();
            let rest = self.rest();
            if rest.starts_with("}}") {
                self.at += 2;
                return Ok((Some(tokens), false));
            }
            if spaced && rest.starts_with("-}}") {
                self.at += 3;
                return Ok((Some(tokens), true));
            }
            let Some(first) = rest.chars().next() else { return Err(self.error("unclosed action")) };
            let glued = !spaced && !tokens.is_empty();
            tokens.push(self.token(first, glued)?);
        }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn error(&self, why: impl Into<String>) -> TemplateError {
        let line = self.line + self.text[..self.at.min(self.text.len())].matches('\n').count();
        TemplateError::Parse { line, why: why.into() }
    }

    fn skip_space(&mut self) -> bool {
        let spaces = self.rest().len() - self.rest().trim_start_matches([' ', '\t', '\r', '\n']).len();
        self.at += spaces;
        spaces > 0
    }

    fn comment(&mut self) -> Result<Option<bool>, TemplateError> {
        let trimmed = self.rest().trim_start();
        if !trimmed.starts_with("/*") {
            return Ok(None);
        }
        let Some(end) = self.text.find("*/") else { return Err(self.error("unclosed comment")) };
        self.at = end + 2;
        for (close, trims) in [("}}", false), (" -}}", true)] {
            if self.rest().starts_with(close) {
                self.at += close.len();
                return Ok(Some(trims));
            }
        }
        Err(self.error("comment ends before closing delimiter"))
    }

    fn token(&mut self, first: char, glued: bool) -> Result<Token, TemplateError> {
        let single = match first {
            '|' => Some(Token::Pipe),
            ',' => Some(Token::Comma),
            '(' => Some(Token::Open),
            ')' => Some(Token::Close),
            '=' => Some(Token::Assign),
            _ => None,
        };
        if let Some(token) = single {
            self.at += 1;
            return Ok(token);
        }
        match first {
            ':' if self.rest().starts_with(":=") => {
                self.at += 2;
                Ok(Token::Declare)
            }
            '"' => self.quoted(),
            '`' => self.raw(),
            '\'' => self.character(),
            '$' => {
                self.at += 1;
                Ok(Token::Variable(self.word()))
            }
            '.' if !self.rest()[1..].starts_with(|c: char| c.is_ascii_digit()) => {
                self.at += 1;
                let name = self.word();
                Ok(if name.is_empty() { Token::Dot } else { Token::Field { name, glued } })
            }
            '0'..='9' | '.' | '+' | '-' => self.number(),
            c if c.is_alphabetic() || c == '_' => Ok(Token::Word(self.word())),
            other => Err(self.error(format!("unexpected character {other:?} in action"))),
        }
    }

    fn word(&mut self) -> String {
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        self.at += end;
        rest[..end].to_owned()
    }

    fn number(&mut self) -> Result<Token, TemplateError> {
        let rest = self.rest();
        let mut end = 1;
        for (i, c) in rest.char_indices().skip(1) {
            let after_exponent = matches!(rest.as_bytes()[i - 1], b'e' | b'E') && !rest.starts_with("0x");
            if !(c.is_ascii_alphanumeric() || c == '.' || c == '_' || (matches!(c, '+' | '-') && after_exponent)) {
                break;
            }
            end = i + 1;
        }
        let text = rest[..end].replace('_', "");
        self.at += end;
        if let Some(hex) = text.strip_prefix("0x") {
            return i64::from_str_radix(hex, 16)
                .map(Token::Int)
                .map_err(|_| self.error(format!("bad number {text:?}")));
        }
        if let Ok(int) = text.parse() {
            return Ok(Token::Int(int));
        }
        match text.parse::<f64>() {
            Ok(float) => Ok(Token::Float(float)),
            Err(_) => Err(self.error(format!("bad number syntax: {text:?}"))),
        }
    }

    fn raw(&mut self) -> Result<Token, TemplateError> {
        let inside = &self.rest()[1..];
        let Some(end) = inside.find('`') else { return Err(self.error("unterminated raw quoted string")) };
        self.at += end + 2;
        Ok(Token::Text(inside[..end].to_owned()))
    }

    fn character(&mut self) -> Result<Token, TemplateError> {
        let mut chars = self.rest()[1..].chars();
        match (chars.next(), chars.next()) {
            (Some(c), Some('\'')) if c != '\\' => {
                self.at += 2 + c.len_utf8();
                Ok(Token::Int(i64::from(u32::from(c))))
            }
            _ => Err(self.error("malformed character constant")),
        }
    }

    fn quoted(&mut self) -> Result<Token, TemplateError> {
        let mut out = String::new();
        let mut chars = self.rest()[1..].char_indices();
        while let Some((i, c)) = chars.next() {
            match c {
                '"' => {
                    self.at += i + 2;
                    return Ok(Token::Text(out));
                }
                '\n' => break,
                '\\' => match chars.next() {
                    Some((_, escaped)) => out.push(unescape(escaped).ok_or_else(|| self.error("unknown escape"))?),
                    None => break,
                },
                other => out.push(other),
            }
        }
        Err(self.error("unterminated quoted string"))
    }
}

fn unescape(c: char) -> Option<char> {
    Some(match c {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        '\\' | '"' | '\'' => c,
        _ => return None,
    })
}
