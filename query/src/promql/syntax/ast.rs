//! The syntax tree of a query. Every expression knows where it stands in the text.

use culprit_store::LabelMatcher;

use super::super::aggregate::AggregationKind;
use super::super::binary::Operator;
use super::super::functions::Function;
use super::duration::DurationExpr;

#[derive(Debug)]
pub struct Expr {
    pub(in super::super) kind: ExprKind,
    pub(in super::super) span: Span,
}

/// Bytes of the text, the end excluded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in super::super) struct Span {
    pub(in super::super) start: usize,
    pub(in super::super) end: usize,
}

#[derive(Debug)]
pub(in super::super) enum ExprKind {
    Number(f64),
    Text(String),
    /// A string that is no UTF-8, escaped.
    Garbled(String),
    Paren(Box<Expr>),
    Vector(VectorSelector),
    Matrix {
        selector: VectorSelector,
        range: DurationExpr,
    },
    Subquery {
        inner: Box<Expr>,
        range: DurationExpr,
        step: Option<DurationExpr>,
        shift: Shift,
    },
    Negate(Box<Expr>),
    Call {
        function: &'static Function,
        args: Vec<Expr>,
    },
    Aggregate(Box<AggregateExpr>),
    Binary(Box<BinaryExpr>),
}

#[derive(Debug)]
pub(in super::super) struct VectorSelector {
    /// Written before the braces; also the first of the matchers.
    pub(in super::super) name: Option<String>,
    pub(in super::super) matchers: Vec<Matcher>,
    pub(in super::super) shift: Shift,
    pub(in super::super) edges: Edges,
}

/// A matcher as it was written, and ready to use.
#[derive(Debug)]
pub(in super::super) struct Matcher {
    pub(in super::super) name: String,
    pub(in super::super) operator: &'static str,
    pub(in super::super) text: String,
    pub(in super::super) compiled: LabelMatcher,
}

/// What `@` and `offset` do to the time at which a selector or a subquery looks.
#[derive(Debug, Default)]
pub(in super::super) struct Shift {
    pub(in super::super) at: Option<At>,
    pub(in super::super) offset: Option<DurationExpr>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(in super::super) enum At {
    Start,
    End,
    Seconds(f64),
}

/// Where the values at the ends of a window come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in super::super) enum Edges {
    /// From the samples inside alone.
    #[default]
    Plain,
    /// `anchored`: at the start, from the last sample before it.
    Anchored,
    /// `smoothed`: at both ends, from a line between the samples around it.
    Smoothed,
}

#[derive(Debug)]
pub(in super::super) struct AggregateExpr {
    pub(in super::super) aggregation: &'static AggregationKind,
    pub(in super::super) grouping: Option<GroupingExpr>,
    pub(in super::super) args: Vec<Expr>,
}

#[derive(Debug)]
pub(in super::super) struct GroupingExpr {
    pub(in super::super) without: bool,
    pub(in super::super) labels: Vec<String>,
}

#[derive(Debug)]
pub(in super::super) struct BinaryExpr {
    pub(in super::super) operator: Operator,
    pub(in super::super) left: Expr,
    pub(in super::super) right: Expr,
    pub(in super::super) returns_bool: bool,
    pub(in super::super) matching: Option<MatchingExpr>,
    pub(in super::super) group: Option<GroupSide>,
    pub(in super::super) fill: Fill,
}

/// `on (…)` or `ignoring (…)`.
#[derive(Debug)]
pub(in super::super) struct MatchingExpr {
    pub(in super::super) on: bool,
    pub(in super::super) labels: Vec<String>,
}

/// `group_left (…)` or `group_right (…)`.
#[derive(Debug)]
pub(in super::super) struct GroupSide {
    pub(in super::super) left: bool,
    pub(in super::super) include: Vec<String>,
}

/// What stands for a sample that one side lacks.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(in super::super) struct Fill {
    pub(in super::super) left: Option<f64>,
    pub(in super::super) right: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum ValueType {
    Scalar,
    Vector,
    Matrix,
    Text,
}

impl std::fmt::Display for ValueType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Scalar => "scalar",
            Self::Vector => "instant vector",
            Self::Matrix => "range vector",
            Self::Text => "string",
        })
    }
}

impl Expr {
    pub(in super::super) fn value_type(&self) -> ValueType {
        match &self.kind {
            ExprKind::Number(_) => ValueType::Scalar,
            ExprKind::Text(_) | ExprKind::Garbled(_) => ValueType::Text,
            ExprKind::Paren(inner) | ExprKind::Negate(inner) => inner.value_type(),
            ExprKind::Vector(_) | ExprKind::Aggregate(_) => ValueType::Vector,
            ExprKind::Matrix { .. } | ExprKind::Subquery { .. } => ValueType::Matrix,
            ExprKind::Call { function, .. } => function.signature.returns,
            ExprKind::Binary(binary) => match (binary.left.value_type(), binary.right.value_type()) {
                (ValueType::Scalar, ValueType::Scalar) => ValueType::Scalar,
                _ => ValueType::Vector,
            },
        }
    }
}
