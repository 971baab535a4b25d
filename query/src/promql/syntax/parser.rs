//! Expressions: operators by precedence, calls, aggregations, and what can stand between two operands.

use super::super::aggregate::{AGGREGATIONS, AggregationKind};
use super::super::binary::Operator;
use super::super::functions;
use super::ast::{
    AggregateExpr, BinaryExpr, Expr, ExprKind, Fill, GroupSide, GroupingExpr, MatchingExpr, Shift, Span, ValueType,
};
use super::lexer::{SyntaxError, Token, TokenKind, tokens};

/// Whoever calls bounds the nesting and the number of operators: each level is a call.
pub(super) struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    at: usize,
}

/// How tightly `^` binds; a sign binds less, `*` less than that.
const POWER: u8 = 6;

pub(in super::super) fn parse(text: &str) -> Result<Expr, SyntaxError> {
    let mut parser = Parser { text, tokens: tokens(text)?, at: 0 };
    if parser.token().kind == TokenKind::End {
        return Err(SyntaxError { at: 0, why: "no expression found in input".to_owned() });
    }
    let expr = parser.expr(0)?;
    match parser.token().kind {
        TokenKind::End => Ok(expr),
        _ => Err(parser.unexpected("")),
    }
}

impl<'a> Parser<'a> {
    pub(super) fn token(&self) -> &Token {
        &self.tokens[self.at]
    }

    pub(super) fn advance(&mut self) -> Token {
        let token = self.token().clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    pub(super) fn sign(&self) -> Option<&'static str> {
        match self.token().kind {
            TokenKind::Sign(sign) => Some(sign),
            _ => None,
        }
    }

    /// The sign `ahead` tokens after this one.
    fn sign_at(&self, ahead: usize) -> Option<&'static str> {
        match self.tokens.get(self.at + ahead)?.kind {
            TokenKind::Sign(sign) => Some(sign),
            _ => None,
        }
    }

    pub(super) fn word(&self) -> Option<&'a str> {
        let token = self.token();
        (token.kind == TokenKind::Word).then(|| &self.text[token.start..token.end])
    }

    pub(super) fn accept(&mut self, sign: &str) -> bool {
        let there = self.sign() == Some(sign);
        if there {
            self.advance();
        }
        there
    }

    pub(super) fn accept_word(&mut self, keyword: &str) -> bool {
        let there = self.word().is_some_and(|word| word.eq_ignore_ascii_case(keyword));
        if there {
            self.advance();
        }
        there
    }

    /// Which of two keywords was there: true for the second.
    fn accept_either(&mut self, first: &str, second: &str) -> Option<bool> {
        if self.accept_word(first) {
            return Some(false);
        }
        self.accept_word(second).then_some(true)
    }

    pub(super) fn expect(&mut self, sign: &str, within: &str) -> Result<(), SyntaxError> {
        if self.accept(sign) { Ok(()) } else { Err(self.unexpected(within)) }
    }

    /// This token does not continue what was begun; `within` says what that is, when it helps.
    pub(super) fn unexpected(&self, within: &str) -> SyntaxError {
        let token = self.token();
        let mut why = match token.kind {
            TokenKind::End => "unexpected end of input".to_owned(),
            _ => format!("unexpected {:?}", &self.text[token.start..token.end]),
        };
        if !within.is_empty() {
            why = format!("{why} in {within}");
        }
        SyntaxError { at: token.start, why }
    }

    pub(super) fn error(&self, at: usize, why: impl Into<String>) -> SyntaxError {
        SyntaxError { at, why: why.into() }
    }

    pub(super) fn previous_end(&self) -> usize {
        self.at.checked_sub(1).map_or(0, |before| self.tokens[before].end)
    }

    pub(super) fn span(&self, start: usize) -> Span {
        Span { start, end: self.previous_end() }
    }

    /// An expression whose operators all bind at least as tightly as `floor`.
    fn expr(&mut self, floor: u8) -> Result<Expr, SyntaxError> {
        let mut left = self.signed()?;
        while let Some((operator, level)) = self.operator().filter(|(_, level)| *level >= floor) {
            self.advance();
            let returns_bool = self.accept_word("bool");
            let matching = self.matching()?;
            let group = self.group_side()?;
            let fill = self.fill()?;
            let right = self.expr(if level == POWER { level } else { level + 1 })?;
            let span = self.span(left.span.start);
            let binary = BinaryExpr { operator, left, right, returns_bool, matching, group, fill };
            left = Expr { kind: ExprKind::Binary(Box::new(binary)), span };
        }
        Ok(left)
    }

    fn operator(&self) -> Option<(Operator, u8)> {
        let operator = Operator::parse(self.sign().or(self.word())?)?;
        Some((operator, operator.precedence()))
    }

    /// Signs bind less than `^`. They are taken in a loop: hundreds of them are no reason to go deep.
    fn signed(&mut self) -> Result<Expr, SyntaxError> {
        let mut signs: Vec<(usize, bool)> = Vec::new();
        while let Some(sign @ ("+" | "-")) = self.sign() {
            signs.push((self.advance().start, sign == "-"));
        }
        if signs.is_empty() {
            return self.operand();
        }
        let mut expr = self.expr(POWER)?;
        self.want_number(&expr)?;
        for (start, negative) in signs.into_iter().rev() {
            let span = self.span(start);
            let kind = match expr.kind {
                kind if !negative => kind,
                ExprKind::Number(value) => ExprKind::Number(-value),
                kind => ExprKind::Negate(Box::new(Expr { kind, span: expr.span })),
            };
            expr = Expr { kind, span };
        }
        Ok(expr)
    }

    fn want_number(&self, inner: &Expr) -> Result<(), SyntaxError> {
        match inner.value_type() {
            ValueType::Scalar | ValueType::Vector => Ok(()),
            other => Err(self.error(
                inner.span.start,
                format!("unary expression only allowed on expressions of type scalar or instant vector, got {other}"),
            )),
        }
    }

    fn operand(&mut self) -> Result<Expr, SyntaxError> {
        let start = self.token().start;
        let mut kind = match &self.token().kind {
            TokenKind::Number(value) => {
                let kind = ExprKind::Number(*value);
                self.advance();
                kind
            }
            TokenKind::Text(_) | TokenKind::Garbled(_) => match self.advance().kind {
                TokenKind::Text(text) => ExprKind::Text(text),
                TokenKind::Garbled(escaped) => ExprKind::Garbled(escaped),
                _ => return Err(self.unexpected("")),
            },
            TokenKind::Sign("(") => {
                self.advance();
                let inner = self.expr(0)?;
                self.expect(")", "")?;
                ExprKind::Paren(Box::new(inner))
            }
            TokenKind::Sign("{") => ExprKind::Vector(self.selector(None)?),
            TokenKind::Word => self.named()?,
            _ => return Err(self.unexpected("")),
        };
        loop {
            let mut expr = Expr { kind, span: self.span(start) };
            if !self.modifier(&mut expr)? {
                return Ok(expr);
            }
            kind = expr.kind;
        }
    }

    /// What begins with a word: a number, an aggregation, a call or a metric.
    fn named(&mut self) -> Result<ExprKind, SyntaxError> {
        const NO_METRICS: [&str; 6] = ["bool", "on", "ignoring", "group_left", "group_right", "atan2"];
        let start = self.token().start;
        let word = self.word().unwrap_or_default();
        for (name, value) in [("inf", f64::INFINITY), ("nan", f64::NAN)] {
            if word.eq_ignore_ascii_case(name) {
                self.advance();
                return Ok(ExprKind::Number(value));
            }
        }
        let called = self.sign_at(1) == Some("(");
        if let Some(aggregation) = AGGREGATIONS.iter().find(|it| word.eq_ignore_ascii_case(it.name)) {
            let next = self.tokens.get(self.at + 1).map_or("", |token| &self.text[token.start..token.end]);
            if called || next.eq_ignore_ascii_case("by") || next.eq_ignore_ascii_case("without") {
                self.advance();
                return self.aggregate(aggregation, start);
            }
        }
        if called {
            self.advance();
            // Some functions share their name with a keyword, which has no case.
            let function = functions::find(word).or_else(|| {
                let lower = word.to_ascii_lowercase();
                functions::find(&lower).filter(|_| ["start", "end", "step", "range"].contains(&lower.as_str()))
            });
            let function = function.ok_or_else(|| self.error(start, format!("unknown function with name {word:?}")))?;
            let args = self.arguments()?;
            return Ok(ExprKind::Call { function, args });
        }
        if NO_METRICS.iter().any(|keyword| word.eq_ignore_ascii_case(keyword)) {
            return Err(self.unexpected(""));
        }
        self.advance();
        Ok(ExprKind::Vector(self.selector(Some(word.to_owned()))?))
    }

    fn arguments(&mut self) -> Result<Vec<Expr>, SyntaxError> {
        self.expect("(", "")?;
        let mut args = Vec::new();
        if self.accept(")") {
            return Ok(args);
        }
        loop {
            args.push(self.expr(0)?);
            if self.accept(")") {
                return Ok(args);
            }
            self.expect(",", "")?;
            if self.sign() == Some(")") {
                return Err(self.error(self.token().start, "trailing commas not allowed in function call args"));
            }
        }
    }

    fn aggregate(&mut self, aggregation: &'static AggregationKind, start: usize) -> Result<ExprKind, SyntaxError> {
        let mut grouping = self.grouping()?;
        let args = self.arguments()?;
        if grouping.is_none() {
            grouping = self.grouping()?;
        }
        if args.is_empty() {
            return Err(self.error(start, "no arguments for aggregate expression provided"));
        }
        Ok(ExprKind::Aggregate(Box::new(AggregateExpr { aggregation, grouping, args })))
    }

    fn grouping(&mut self) -> Result<Option<GroupingExpr>, SyntaxError> {
        let Some(without) = self.accept_either("by", "without") else { return Ok(None) };
        Ok(Some(GroupingExpr { without, labels: self.label_names()? }))
    }

    /// `(a, "b c")`.
    fn label_names(&mut self) -> Result<Vec<String>, SyntaxError> {
        self.expect("(", "grouping opts")?;
        let mut names = Vec::new();
        while !self.accept(")") {
            let name = match (&self.token().kind, self.word()) {
                (TokenKind::Text(text), _) => text.clone(),
                (_, Some(word)) if !word.contains(':') => word.to_owned(),
                _ => return Err(self.unexpected("grouping opts, expected label")),
            };
            self.advance();
            names.push(name);
            if self.sign() != Some(")") {
                self.expect(",", "grouping opts")?;
            }
        }
        Ok(names)
    }

    fn matching(&mut self) -> Result<Option<MatchingExpr>, SyntaxError> {
        let Some(on) = self.accept_either("ignoring", "on") else { return Ok(None) };
        Ok(Some(MatchingExpr { on, labels: self.label_names()? }))
    }

    fn group_side(&mut self) -> Result<Option<GroupSide>, SyntaxError> {
        let Some(left) = self.accept_either("group_right", "group_left") else { return Ok(None) };
        let include = if self.sign() == Some("(") { self.label_names()? } else { Vec::new() };
        Ok(Some(GroupSide { left, include }))
    }

    /// `fill (0)`, or `fill_left (0) fill_right (1)`. Without the number in parentheses, the word is a metric.
    fn fill(&mut self) -> Result<Fill, SyntaxError> {
        let mut fill = Fill::default();
        while let Some(word) = self.word().map(str::to_ascii_lowercase) {
            if !["fill", "fill_left", "fill_right"].contains(&word.as_str()) || self.sign_at(1) != Some("(") {
                break;
            }
            self.advance();
            self.advance();
            let value = self.signed_number()?;
            self.expect(")", "fill modifier")?;
            if word != "fill_right" {
                fill.left = Some(value);
            }
            if word != "fill_left" {
                fill.right = Some(value);
            }
        }
        Ok(fill)
    }

    /// A number that is no expression: of `@` and of `fill`.
    pub(super) fn signed_number(&mut self) -> Result<f64, SyntaxError> {
        let negative = self.accept("-");
        if !negative {
            self.accept("+");
        }
        let value = match (&self.token().kind, self.word()) {
            (TokenKind::Number(value), _) => *value,
            (_, Some(word)) if word.eq_ignore_ascii_case("inf") => f64::INFINITY,
            (_, Some(word)) if word.eq_ignore_ascii_case("nan") => f64::NAN,
            _ => return Err(self.unexpected("")),
        };
        self.advance();
        Ok(if negative { -value } else { value })
    }

    /// The parts of a window or a subquery, the bracket being open.
    pub(super) fn window(&mut self, inner: Expr, start: usize) -> Result<ExprKind, SyntaxError> {
        let range = self.duration()?;
        if self.accept(":") {
            let step = if self.sign() == Some("]") { None } else { Some(self.duration()?) };
            self.expect("]", "subquery selector")?;
            return Ok(ExprKind::Subquery { inner: Box::new(inner), range, step, shift: Shift::default() });
        }
        self.expect("]", "range selector")?;
        match inner.kind {
            ExprKind::Vector(selector) if selector.shift.offset.is_some() => {
                Err(self.error(start, "no offset modifiers allowed before range"))
            }
            ExprKind::Vector(selector) if selector.shift.at.is_some() => {
                Err(self.error(start, "no @ modifiers allowed before range"))
            }
            ExprKind::Vector(selector) => Ok(ExprKind::Matrix { selector, range }),
            _ => Err(self.error(start, "ranges only allowed for vector selectors")),
        }
    }
}
