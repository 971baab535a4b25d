//! Binary operators: their arithmetic, and the cases with a scalar. Two vectors are matched in `matching`, sets in `set`.

use super::PromqlError;
use super::aggregate::Grouping;
use super::column::{Column, Output, Sample, absent};
use super::eval::Evaluator;
use super::grid::Grid;
use super::notes::Place;
use super::plan::Node;
use super::syntax::Fill;
use super::{matching, set};

#[derive(Debug)]
pub(super) struct Binary {
    pub(super) operator: Operator,
    /// `bool`: a comparison gives 0 or 1 instead of filtering.
    pub(super) returns_bool: bool,
    pub(super) matching: Matching,
    pub(super) place: Place,
    pub(super) left: Node,
    pub(super) right: Node,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Arithmetic(Arithmetic),
    Comparison(Comparison),
    Set(SetOperator),
    /// Cuts the observations of a histogram off above (`</`) or below (`>/`) a value.
    Trim(Trim),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trim {
    Above,
    Below,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow,
    Atan2,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SetOperator {
    And,
    Or,
    Unless,
}

impl Operator {
    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(match text.to_ascii_lowercase().as_str() {
            "+" => Self::Arithmetic(Arithmetic::Add),
            "-" => Self::Arithmetic(Arithmetic::Sub),
            "*" => Self::Arithmetic(Arithmetic::Mul),
            "/" => Self::Arithmetic(Arithmetic::Div),
            "%" => Self::Arithmetic(Arithmetic::Mod),
            "^" => Self::Arithmetic(Arithmetic::Pow),
            "atan2" => Self::Arithmetic(Arithmetic::Atan2),
            "==" => Self::Comparison(Comparison::Equal),
            "!=" => Self::Comparison(Comparison::NotEqual),
            "<" => Self::Comparison(Comparison::Less),
            "<=" => Self::Comparison(Comparison::LessEqual),
            ">" => Self::Comparison(Comparison::Greater),
            ">=" => Self::Comparison(Comparison::GreaterEqual),
            "and" => Self::Set(SetOperator::And),
            "or" => Self::Set(SetOperator::Or),
            "unless" => Self::Set(SetOperator::Unless),
            "</" => Self::Trim(Trim::Above),
            ">/" => Self::Trim(Trim::Below),
            _ => return None,
        })
    }

    /// From 1, the loosest, to 6.
    pub(super) fn precedence(self) -> u8 {
        match self {
            Self::Set(SetOperator::Or) => 1,
            Self::Set(SetOperator::And | SetOperator::Unless) => 2,
            Self::Comparison(_) | Self::Trim(_) => 3,
            Self::Arithmetic(Arithmetic::Add | Arithmetic::Sub) => 4,
            Self::Arithmetic(Arithmetic::Mul | Arithmetic::Div | Arithmetic::Mod | Arithmetic::Atan2) => 5,
            Self::Arithmetic(Arithmetic::Pow) => 6,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Set(operator) => operator.name(),
            Self::Comparison(operator) => match operator {
                Comparison::Equal => "==",
                Comparison::NotEqual => "!=",
                Comparison::Less => "<",
                Comparison::LessEqual => "<=",
                Comparison::Greater => ">",
                Comparison::GreaterEqual => ">=",
            },
            Self::Trim(Trim::Above) => "</",
            Self::Trim(Trim::Below) => ">/",
            Self::Arithmetic(operator) => match operator {
                Arithmetic::Add => "+",
                Arithmetic::Sub => "-",
                Arithmetic::Mul => "*",
                Arithmetic::Div => "/",
                Arithmetic::Mod => "%",
                Arithmetic::Pow => "^",
                Arithmetic::Atan2 => "atan2",
            },
        }
    }
}

impl SetOperator {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::And => "and",
            Self::Or => "or",
            Self::Unless => "unless",
        }
    }
}

impl Arithmetic {
    fn apply(self, left: f64, right: f64) -> f64 {
        match self {
            Self::Add => left + right,
            Self::Sub => left - right,
            Self::Mul => left * right,
            Self::Div => left / right,
            Self::Mod => left % right,
            Self::Pow => left.powf(right),
            Self::Atan2 => left.atan2(right),
        }
    }
}

impl Comparison {
    fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Less => left < right,
            Self::LessEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterEqual => left >= right,
        }
    }
}

/// Which series of the two sides belong together.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Matching {
    pub(super) by: Grouping,
    pub(super) cardinality: Cardinality,
    /// Labels that the result takes from the "one" side.
    pub(super) include: Vec<String>,
    pub(super) fill: Fill,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Cardinality {
    #[default]
    OneToOne,
    /// Many on the left, `group_left`.
    ManyToOne,
    /// Many on the right, `group_right`.
    OneToMany,
}

/// Where the vector stands in an operation with a scalar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

impl Side {
    fn order<T>(self, vector: T, scalar: T) -> (T, T) {
        match self {
            Self::Left => (vector, scalar),
            Self::Right => (scalar, vector),
        }
    }
}

impl Binary {
    pub(super) fn eval(&self, evaluator: &mut Evaluator<'_>, grid: &Grid) -> Result<Output, PromqlError> {
        let left = evaluator.eval(&self.left, grid)?;
        let right = evaluator.eval(&self.right, grid)?;
        evaluator.notes.at(self.place);
        match (left, right) {
            (Output::Scalar(left), Output::Scalar(right)) => {
                let pairs = left.into_iter().zip(right);
                Ok(Output::Scalar(pairs.map(|(left, right)| self.of_scalars(left, right)).collect()))
            }
            (Output::Vector(left), Output::Scalar(right)) => Ok(self.with_scalar(left, &right, Side::Left, evaluator)),
            (Output::Scalar(left), Output::Vector(right)) => Ok(self.with_scalar(right, &left, Side::Right, evaluator)),
            (Output::Vector(left), Output::Vector(right)) => match self.operator {
                Operator::Set(operator) => set::combine(operator, &self.matching.by, left, right),
                _ => matching::combine(self, left, right, evaluator, grid),
            }
            .map(Output::Vector),
            _ => Err(PromqlError::execution("a string cannot be an operand")),
        }
    }

    /// True when the result is no longer what the metric's name says.
    pub(super) fn drops_name(&self) -> bool {
        self.returns_bool || matches!(self.operator, Operator::Arithmetic(_))
    }

    /// The value for two samples, or None where a comparison filters. `kept` is what a comparison that holds gives: always
    /// the side that is a vector.
    pub(super) fn combine(&self, left: f64, right: f64, kept: f64) -> Option<f64> {
        match self.operator {
            Operator::Arithmetic(operator) => Some(operator.apply(left, right)),
            Operator::Comparison(operator) if self.returns_bool => {
                Some(f64::from(u8::from(operator.holds(left, right))))
            }
            Operator::Comparison(operator) => operator.holds(left, right).then_some(kept),
            Operator::Set(_) | Operator::Trim(_) => None,
        }
    }

    /// Between scalars the parser demands `bool`, so nothing is filtered.
    fn of_scalars(&self, left: f64, right: f64) -> f64 {
        self.combine(left, right, left).unwrap_or(f64::NAN)
    }

    /// `side` is that of the vector.
    fn with_scalar(
        &self,
        mut columns: Vec<Column>,
        scalars: &[f64],
        side: Side,
        evaluator: &mut Evaluator<'_>,
    ) -> Output {
        for column in &mut columns {
            let mut values = absent(column.values.len());
            for (step, slot) in values.iter_mut().enumerate() {
                let Some(value) = column.get(step) else { continue };
                let (left, right) = side.order(value, scalars[step]);
                if let Some(value) = self.combine(left, right, value) {
                    *slot = value;
                }
            }
            column.values = values;
            column.drop_name |= self.drops_name();
            let histograms = std::mem::take(&mut column.histograms);
            for (step, histogram) in histograms.into_iter().enumerate() {
                let Some(histogram) = histogram else { continue };
                let (left, right) = side.order(Sample::Histogram(histogram), Sample::Float(scalars[step]));
                if let Some(sample) = self.combine_samples(left, right, &mut evaluator.notes) {
                    column.put(step, sample);
                }
            }
        }
        columns.retain(Column::has_values);
        Output::Vector(columns)
    }
}
