//! Pieces into a tree. Unknown functions and undeclared variables are found here, so that a rule file tells them at load.

use std::collections::BTreeMap;

use super::TemplateError;
use super::functions;
use super::lexer::{Piece, Token, lex};
use super::value::Value;

/// Variables that every rule template may use.
pub(super) const PREDECLARED: [&str; 5] = ["", "labels", "externalLabels", "externalURL", "value"];

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parsed {
    pub(super) body: Vec<Node>,
    pub(super) defined: BTreeMap<String, Vec<Node>>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Text(String),
    Output(Pipeline),
    If(Branch),
    With(Branch),
    Range(Branch),
    Call { template: String, argument: Option<Pipeline> },
    Break,
    Continue,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Branch {
    pub(super) pipeline: Pipeline,
    pub(super) then: Vec<Node>,
    pub(super) otherwise: Vec<Node>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pipeline {
    pub(super) variables: Vec<String>,
    /// `=` in place of `:=`: the variables exist already.
    pub(super) assigns: bool,
    pub(super) commands: Vec<Vec<Operand>>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Operand {
    pub(super) term: Term,
    pub(super) fields: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Term {
    Dot,
    Constant(Value),
    Variable(String),
    Function(String),
    Group(Pipeline),
}

pub(super) fn parse(text: &str) -> Result<Parsed, TemplateError> {
    let pieces = if text.contains("{{") { lex(text)? } else { vec![Piece::Text(text.to_owned())] };
    let mut parser = Parser {
        pieces: pieces.into_iter(),
        defined: BTreeMap::new(),
        scope: PREDECLARED.map(str::to_owned).to_vec(),
        line: 1,
        depth: 0,
    };
    let (body, end) = parser.list()?;
    match end {
        ListEnd::Text => Ok(Parsed { body, defined: parser.defined }),
        ListEnd::Close => Err(parser.error("unexpected {{end}}")),
        ListEnd::Else(_) => Err(parser.error("unexpected {{else}}")),
    }
}

/// How a list of nodes ended; `else` carries what follows it (`if …`).
enum ListEnd {
    Text,
    Close,
    Else(Vec<Token>),
}

/// Deeper nesting than this is no rule that anybody wrote, and would exhaust the stack.
const DEPTH_MAX: usize = 100;

struct Parser {
    pieces: std::vec::IntoIter<Piece>,
    defined: BTreeMap<String, Vec<Node>>,
    scope: Vec<String>,
    line: usize,
    depth: usize,
}

impl Parser {
    fn error(&self, why: impl Into<String>) -> TemplateError {
        TemplateError::Parse { line: self.line, why: why.into() }
    }

    fn list(&mut self) -> Result<(Vec<Node>, ListEnd), TemplateError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.error(format!("nested deeper than {DEPTH_MAX}")));
        }
        let mut nodes = Vec::new();
        while let Some(piece) = self.pieces.next() {
            let tokens = match piece {
                Piece::Text(text) => {
                    nodes.push(Node::Text(text));
                    continue;
                }
                Piece::Action { tokens, line } => {
                    self.line = line;
                    tokens
                }
            };
            let keyword = match tokens.first() {
                Some(Token::Word(word)) => word.as_str(),
                _ => "",
            };
            match keyword {
                "end" => {
                    self.depth -= 1;
                    return Ok((nodes, ListEnd::Close));
                }
                "else" => {
                    self.depth -= 1;
                    return Ok((nodes, ListEnd::Else(tokens[1..].to_vec())));
                }
                _ => nodes.extend(self.action(&tokens)?),
            }
        }
        self.depth -= 1;
        Ok((nodes, ListEnd::Text))
    }

    fn action(&mut self, tokens: &[Token]) -> Result<Option<Node>, TemplateError> {
        if let Some(Token::Word(word)) = tokens.first() {
            let rest = &tokens[1..];
            match word.as_str() {
                "if" => return self.branch(rest).map(|branch| Some(Node::If(branch))),
                "with" => return self.branch(rest).map(|branch| Some(Node::With(branch))),
                "range" => return self.branch(rest).map(|branch| Some(Node::Range(branch))),
                "break" => return Ok(Some(Node::Break)),
                "continue" => return Ok(Some(Node::Continue)),
                "template" => return self.call(rest).map(Some),
                "define" => {
                    let (name, _) = self.name(rest)?;
                    let body = self.definition()?;
                    self.defined.insert(name, body);
                    return Ok(None);
                }
                "block" => {
                    let call = self.call(rest)?;
                    let (name, _) = self.name(rest)?;
                    let body = self.definition()?;
                    self.defined.insert(name, body);
                    return Ok(Some(call));
                }
                _ => {}
            }
        }
        self.pipeline(tokens).map(|pipeline| Some(Node::Output(pipeline)))
    }

    /// A template of its own sees none of the variables around it but `$`.
    fn definition(&mut self) -> Result<Vec<Node>, TemplateError> {
        let outer = std::mem::replace(&mut self.scope, vec![String::new()]);
        let (body, end) = self.list()?;
        self.scope = outer;
        match end {
            ListEnd::Close => Ok(body),
            _ => Err(self.error("define is not closed by {{end}}")),
        }
    }

    fn name<'t>(&self, tokens: &'t [Token]) -> Result<(String, &'t [Token]), TemplateError> {
        match tokens.first() {
            Some(Token::Text(name)) => Ok((name.clone(), &tokens[1..])),
            _ => Err(self.error("expected the name of a template in quotes")),
        }
    }

    fn call(&mut self, tokens: &[Token]) -> Result<Node, TemplateError> {
        let (template, rest) = self.name(tokens)?;
        let argument = if rest.is_empty() { None } else { Some(self.pipeline(rest)?) };
        Ok(Node::Call { template, argument })
    }

    fn branch(&mut self, tokens: &[Token]) -> Result<Branch, TemplateError> {
        let visible = self.scope.len();
        let pipeline = self.pipeline(tokens)?;
        let inside = self.scope.len();
        let (then, end) = self.list()?;
        self.scope.truncate(inside);
        let otherwise = match end {
            ListEnd::Close => Vec::new(),
            ListEnd::Text => return Err(self.error("unexpected end of the text, {{end}} is missing")),
            // `else if` and `else with` open a branch that shares this one's end.
            ListEnd::Else(rest) if !rest.is_empty() => self.action(&rest)?.into_iter().collect(),
            ListEnd::Else(_) => match self.list()? {
                (nodes, ListEnd::Close) => nodes,
                _ => return Err(self.error("{{else}} is not closed by {{end}}")),
            },
        };
        self.scope.truncate(visible);
        Ok(Branch { pipeline, then, otherwise })
    }

    fn pipeline(&mut self, tokens: &[Token]) -> Result<Pipeline, TemplateError> {
        let (variables, assigns, rest) = declaration(tokens);
        let mut commands = Vec::new();
        let mut cursor = Cursor { tokens: rest, at: 0 };
        self.commands(&mut cursor, &mut commands)?;
        if cursor.at < rest.len() {
            return Err(self.error("unexpected right parenthesis"));
        }
        if assigns {
            variables.iter().try_for_each(|name| self.check_variable(name))?;
        } else {
            self.scope.extend(variables.iter().cloned());
        }
        Ok(Pipeline { variables, assigns, commands })
    }

    /// Reads up to the end or to the parenthesis that closes the group.
    fn commands(&mut self, cursor: &mut Cursor<'_>, commands: &mut Vec<Vec<Operand>>) -> Result<(), TemplateError> {
        loop {
            let mut operands = Vec::new();
            while let Some(token) = cursor.peek() {
                if matches!(token, Token::Pipe | Token::Close) {
                    break;
                }
                operands.push(self.operand(cursor)?);
            }
            if operands.is_empty() {
                return Err(self.error("missing value for command"));
            }
            if operands.len() > 1 && matches!(operands[0].term, Term::Constant(_)) {
                return Err(self.error("a constant takes no arguments"));
            }
            commands.push(operands);
            if cursor.peek() != Some(&Token::Pipe) {
                return Ok(());
            }
            cursor.at += 1;
        }
    }

    fn operand(&mut self, cursor: &mut Cursor<'_>) -> Result<Operand, TemplateError> {
        let mut fields = Vec::new();
        let token = cursor.next().expect("the caller peeked");
        let term = match token {
            Token::Dot => Term::Dot,
            Token::Field { name, .. } => {
                fields.push(name.clone());
                Term::Dot
            }
            Token::Int(i) => Term::Constant(Value::Int(*i)),
            Token::Float(f) => Term::Constant(Value::Float(*f)),
            Token::Text(text) => Term::Constant(Value::Text(text.clone())),
            Token::Variable(name) => {
                self.check_variable(name)?;
                Term::Variable(name.clone())
            }
            Token::Word(word) => self.word(word)?,
            Token::Open => self.group(cursor)?,
            other => return Err(self.error(format!("unexpected {other:?} in operand"))),
        };
        while let Some(Token::Field { name, glued: true }) = cursor.peek() {
            fields.push(name.clone());
            cursor.at += 1;
        }
        Ok(Operand { term, fields })
    }

    fn group(&mut self, cursor: &mut Cursor<'_>) -> Result<Term, TemplateError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.error(format!("nested deeper than {DEPTH_MAX}")));
        }
        let mut commands = Vec::new();
        self.commands(cursor, &mut commands)?;
        self.depth -= 1;
        if cursor.next() != Some(&Token::Close) {
            return Err(self.error("unclosed left parenthesis"));
        }
        Ok(Term::Group(Pipeline { variables: Vec::new(), assigns: false, commands }))
    }

    fn word(&self, word: &str) -> Result<Term, TemplateError> {
        match word {
            "true" | "false" => Ok(Term::Constant(Value::Bool(word == "true"))),
            "nil" => Ok(Term::Constant(Value::None)),
            _ if functions::exists(word) => Ok(Term::Function(word.to_owned())),
            _ => Err(self.error(format!("function {word:?} not defined"))),
        }
    }

    fn check_variable(&self, name: &str) -> Result<(), TemplateError> {
        if self.scope.iter().any(|known| known == name) {
            return Ok(());
        }
        Err(self.error(format!("undefined variable \"${name}\"")))
    }
}

struct Cursor<'t> {
    tokens: &'t [Token],
    at: usize,
}

impl<'t> Cursor<'t> {
    fn peek(&self) -> Option<&'t Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<&'t Token> {
        self.at += 1;
        self.tokens.get(self.at - 1)
    }
}

/// `$x := …`, `$x = …`, `$i, $x := …`; anything else declares nothing.
fn declaration(tokens: &[Token]) -> (Vec<String>, bool, &[Token]) {
    match tokens {
        [Token::Variable(name), sign @ (Token::Declare | Token::Assign), rest @ ..] => {
            (vec![name.clone()], *sign == Token::Assign, rest)
        }
        [
            Token::Variable(key),
            Token::Comma,
            Token::Variable(value),
            sign @ (Token::Declare | Token::Assign),
            rest @ ..,
        ] => (vec![key.clone(), value.clone()], *sign == Token::Assign, rest),
        _ => (Vec::new(), false, tokens),
    }
}
