//! The grammar of PromQL as of Prometheus 3.14: a lexer, a recursive parser that knows where everything stands, types, and
//! the way back to text.
//!
//! promql-parser stops at durations that are computed, `anchored`, `smoothed` and the operators that trim histograms, and
//! its tree has no positions; only its reading of regular expressions is used.

mod ast;
mod check;
mod duration;
mod format;
mod lexer;
mod parser;
mod pin;
mod selector;

pub use self::ast::Expr;
pub(super) use self::ast::{
    AggregateExpr, At, BinaryExpr, Edges, ExprKind, Fill, Matcher, Shift, ValueType, VectorSelector,
};
pub(super) use self::check::check;
pub(super) use self::duration::DurationExpr;
pub(super) use self::format::format;
pub(super) use self::lexer::SyntaxError;
pub(super) use self::parser::parse;
