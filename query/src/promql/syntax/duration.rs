//! Durations that are computed: `[5m + step()]`, `offset -(2 * 30s)`.

use super::super::PromqlError;
use super::super::eval::QueryBounds;
use super::ast::{Expr, ExprKind};
use super::lexer::{SyntaxError, TokenKind};
use super::parser::Parser;

/// In seconds.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) enum DurationExpr {
    Seconds(f64),
    Step,
    Range,
    Negate(Box<DurationExpr>),
    Least(Box<[DurationExpr; 2]>),
    Greatest(Box<[DurationExpr; 2]>),
    Binary(DurationOperator, Box<[DurationExpr; 2]>),
    Paren(Box<DurationExpr>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum DurationOperator {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow,
}

impl DurationOperator {
    const ALL: [(Self, &'static str, u8); 6] = [
        (Self::Add, "+", 1),
        (Self::Sub, "-", 1),
        (Self::Mul, "*", 2),
        (Self::Div, "/", 2),
        (Self::Mod, "%", 2),
        (Self::Pow, "^", 3),
    ];

    pub(super) fn sign(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

impl DurationExpr {
    pub(in super::super) fn millis(&self, bounds: &QueryBounds) -> Result<i64, PromqlError> {
        let seconds = self.seconds(bounds)?;
        // Sums in floating point: 0.1 s + 0.2 s are 300 ms.
        let ms = (seconds * 1000.0).round();
        if !ms.is_finite() || ms.abs() >= MILLIS_MAX {
            return Err(PromqlError::execution("duration out of range"));
        }
        Ok(ms as i64)
    }

    /// For a window and a step, which have to be above zero.
    pub(in super::super) fn positive_millis(&self, bounds: &QueryBounds) -> Result<i64, PromqlError> {
        match self.millis(bounds)? {
            ms if ms > 0 => Ok(ms),
            _ => Err(PromqlError::execution("duration must be greater than 0")),
        }
    }

    fn seconds(&self, bounds: &QueryBounds) -> Result<f64, PromqlError> {
        let pair =
            |pair: &[DurationExpr; 2]| Ok::<_, PromqlError>((pair[0].seconds(bounds)?, pair[1].seconds(bounds)?));
        Ok(match self {
            Self::Seconds(seconds) => *seconds,
            Self::Step => bounds.step_ms as f64 / 1000.0,
            Self::Range => (bounds.end_ms - bounds.start_ms) as f64 / 1000.0,
            Self::Negate(inner) => -inner.seconds(bounds)?,
            Self::Paren(inner) => inner.seconds(bounds)?,
            Self::Least(of) => pair(of).map(|(a, b)| a.min(b))?,
            Self::Greatest(of) => pair(of).map(|(a, b)| a.max(b))?,
            Self::Binary(operator, of) => {
                let (a, b) = pair(of)?;
                match operator {
                    DurationOperator::Add => a + b,
                    DurationOperator::Sub => a - b,
                    DurationOperator::Mul => a * b,
                    DurationOperator::Pow => a.powf(b),
                    DurationOperator::Div if b == 0.0 => return Err(PromqlError::execution("division by zero")),
                    DurationOperator::Mod if b == 0.0 => return Err(PromqlError::execution("modulo by zero")),
                    DurationOperator::Div => a / b,
                    DurationOperator::Mod => a % b,
                }
            }
        })
    }
}

/// As in Prometheus, whose durations are 64 bits of nanoseconds: 292 years.
const MILLIS_MAX: f64 = (1_u64 << 63) as f64 / 1_000_000.0;

impl Parser<'_> {
    /// A whole expression, as between brackets.
    pub(super) fn duration(&mut self) -> Result<DurationExpr, SyntaxError> {
        self.duration_above(0)
    }

    /// One operand with at most one sign: what follows `offset` ends before the next operator.
    pub(super) fn offset(&mut self) -> Result<DurationExpr, SyntaxError> {
        if self.accept("-") {
            return self.duration_operand().map(|inner| DurationExpr::Negate(Box::new(inner)));
        }
        self.accept("+");
        self.duration_operand()
    }

    fn duration_above(&mut self, floor: u8) -> Result<DurationExpr, SyntaxError> {
        let mut left = if self.accept("-") {
            DurationExpr::Negate(Box::new(self.duration_above(3)?))
        } else {
            self.accept("+");
            self.duration_operand()?
        };
        loop {
            let sign = self.sign();
            let Some((operator, _, level)) = DurationOperator::ALL.into_iter().find(|(_, text, _)| Some(*text) == sign)
            else {
                return Ok(left);
            };
            if level < floor.max(1) {
                return Ok(left);
            }
            self.advance();
            let right = self.duration_above(if operator == DurationOperator::Pow { level } else { level + 1 })?;
            left = DurationExpr::Binary(operator, Box::new([left, right]));
        }
    }

    fn duration_operand(&mut self) -> Result<DurationExpr, SyntaxError> {
        if let TokenKind::Number(seconds) = self.token().kind {
            self.advance();
            return Ok(DurationExpr::Seconds(seconds));
        }
        if self.accept("(") {
            let inner = self.duration()?;
            self.expect(")", "duration expression")?;
            return Ok(DurationExpr::Paren(Box::new(inner)));
        }
        let word = self.word().map(str::to_ascii_lowercase).unwrap_or_default();
        let nullary = match word.as_str() {
            "step" => Some(DurationExpr::Step),
            "range" => Some(DurationExpr::Range),
            "min_of" | "max_of" => None,
            _ => return Err(self.unexpected("duration expression")),
        };
        self.advance();
        self.expect("(", "duration expression")?;
        if let Some(value) = nullary {
            self.expect(")", "duration expression")?;
            return Ok(value);
        }
        let first = self.duration()?;
        self.expect(",", "duration expression")?;
        let both = Box::new([first, self.duration()?]);
        self.expect(")", "duration expression")?;
        Ok(if word == "min_of" { DurationExpr::Least(both) } else { DurationExpr::Greatest(both) })
    }
}

impl Expr {
    /// `offset` can stand behind a selector, a window or a subquery, once.
    pub(super) fn set_offset(&mut self, offset: DurationExpr) -> Result<(), String> {
        let slot = match &mut self.kind {
            ExprKind::Vector(selector) | ExprKind::Matrix { selector, .. } => &mut selector.shift.offset,
            ExprKind::Subquery { shift, .. } => &mut shift.offset,
            _ => {
                return Err(
                    "offset modifier must be preceded by an instant vector selector or range vector selector or \
                            a subquery"
                        .to_owned(),
                );
            }
        };
        match slot.replace(offset) {
            None => Ok(()),
            Some(_) => Err("offset may not be set multiple times".to_owned()),
        }
    }
}
