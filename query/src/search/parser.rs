//! From tokens to the tree: OR binds least, then AND, which may stay unsaid, then NOT.

use crate::QueryError;
use crate::limits::SEARCH_DEPTH_MAX;
use crate::search::syntax::{Token, tokens};
use crate::search::{Operator, Search, Test, Value};

/// Tags of a log group have a colon in their name: `__tag__:host:web-1`.
const TAG: &str = "__tag__";

/// An empty search is every row.
pub(crate) fn parse(text: &str) -> Result<Search, QueryError> {
    let mut parser = Parser { text, tokens: tokens(text)?, at: 0, depth: 0 };
    if parser.tokens.is_empty() {
        return Ok(Search::Everything);
    }
    let search = parser.any()?;
    match parser.peek() {
        None => Ok(search),
        Some(_) => Err(parser.error("an operator or a word was expected")),
    }
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

    fn after(&self, ahead: usize) -> Option<&Token> {
        self.tokens.get(self.at + ahead).map(|(_, token)| token)
    }

    fn is_keyword(&self, keyword: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case(keyword))
    }

    fn error(&self, why: &'static str) -> QueryError {
        let position = self.tokens.get(self.at).map_or(self.text.len(), |(position, _)| *position) + 1;
        QueryError::Search { text: self.text.to_owned(), position, why }
    }

    fn any(&mut self) -> Result<Search, QueryError> {
        let mut parts = vec![self.all()?];
        while self.is_keyword("or") {
            self.at += 1;
            parts.push(self.all()?);
        }
        Ok(join(parts, Search::Any))
    }

    fn all(&mut self) -> Result<Search, QueryError> {
        let mut parts = vec![self.one()?];
        loop {
            if self.is_keyword("and") {
                self.at += 1;
            } else if self.peek().is_none() || self.is_keyword("or") || self.peek() == Some(&Token::Close) {
                return Ok(join(parts, Search::All));
            }
            parts.push(self.one()?);
        }
    }

    fn one(&mut self) -> Result<Search, QueryError> {
        let is_negated = (self.is_keyword("not") && !matches!(self.after(1), Some(Token::Compare(_))))
            || self.peek() == Some(&Token::Minus);
        if is_negated {
            self.at += 1;
            return self.nested(|parser| Ok(Search::Not(Box::new(parser.one()?))));
        }
        match self.peek().cloned() {
            Some(Token::Open) => self.group(),
            Some(Token::Word(name)) => self.word(name),
            Some(Token::Quoted(name)) => {
                self.at += 1;
                match self.peek() {
                    Some(Token::Compare(operator)) => self.compare(name, *operator),
                    _ => Ok(Search::Text(Value { text: name, is_quoted: true })),
                }
            }
            _ => Err(self.error("a word, a field or a parenthesis was expected")),
        }
    }

    fn word(&mut self, name: String) -> Result<Search, QueryError> {
        match (self.after(1).cloned(), self.after(2).cloned()) {
            (Some(Token::Compare(operator)), _) => {
                self.at += 1;
                self.compare(name, operator)
            }
            (Some(Token::Word(within)), Some(Token::Range(low, high))) if within.eq_ignore_ascii_case("in") => {
                self.at += 3;
                Ok(Search::Field { name, test: Test::Range { low, high } })
            }
            _ if ["and", "or"].contains(&name.to_ascii_lowercase().as_str()) => {
                Err(self.error("a word was expected before the operator"))
            }
            _ => {
                self.at += 1;
                Ok(match name.as_str() {
                    "*" => Search::Everything,
                    _ => Search::Text(Value { text: name, is_quoted: false }),
                })
            }
        }
    }

    /// Also bounds how deep NOTs nest: the parser recurses with them.
    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, QueryError>) -> Result<T, QueryError> {
        self.depth += 1;
        if self.depth > SEARCH_DEPTH_MAX {
            return Err(self.error("parentheses are nested deeper than 64"));
        }
        let inner = inner(self)?;
        self.depth -= 1;
        Ok(inner)
    }

    fn group(&mut self) -> Result<Search, QueryError> {
        self.nested(|parser| {
            parser.at += 1;
            let inner = parser.any()?;
            if parser.peek() != Some(&Token::Close) {
                return Err(parser.error("a closing parenthesis was expected"));
            }
            parser.at += 1;
            Ok(inner)
        })
    }

    /// Stands on the operator.
    fn compare(&mut self, mut name: String, operator: Operator) -> Result<Search, QueryError> {
        self.at += 1;
        if name == TAG
            && operator == Operator::Has
            && let (Some(Token::Word(tag)), Some(Token::Compare(operator))) =
                (self.peek().cloned(), self.after(1).cloned())
        {
            name = format!("{TAG}:{tag}");
            self.at += 1;
            return self.compare(name, operator);
        }
        let (text, is_quoted) = match self.peek() {
            Some(Token::Word(value)) => (value.clone(), false),
            Some(Token::Quoted(value)) => (value.clone(), true),
            _ => return Err(self.error("a value was expected after the comparison")),
        };
        self.at += 1;
        let test =
            if text == "*" && !is_quoted { Test::Exists } else { Test::Compare(operator, Value { text, is_quoted }) };
        Ok(Search::Field { name, test })
    }
}

fn join(mut parts: Vec<Search>, with: fn(Vec<Search>) -> Search) -> Search {
    if parts.len() == 1 { parts.remove(0) } else { with(parts) }
}
