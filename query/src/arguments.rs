//! The arguments of a table function: constants, taken by their place and asked for by what they mean.

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use culprit_store::UnixNanos;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::Expr;

use crate::QueryError;

#[derive(Debug, Clone)]
pub struct Arguments {
    function: &'static str,
    values: Vec<ScalarValue>,
}

impl Arguments {
    pub(crate) fn of(function: &'static str, expressions: &[Expr]) -> Result<Self, QueryError> {
        let value = |(at, expression): (usize, &Expr)| match expression {
            Expr::Literal(value, _) => Ok(value.clone()),
            other => Err(wrong(function, at, format!("must be a constant, which {other} is not"))),
        };
        let values = expressions.iter().enumerate().map(value).collect::<Result<_, _>>()?;
        Ok(Self { function, values })
    }

    pub fn len(&self) -> usize {
        self.values.len()
    }

    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Refuses arguments beyond those that `usage` shows, such as `explain('store', 'A' [, 'B'])`.
    pub fn at_most(&self, count: usize, usage: &str) -> Result<(), QueryError> {
        match self.len() <= count {
            true => Ok(()),
            false => Err(QueryError::Invalid(format!("{} takes at most {count} arguments: {usage}", self.function))),
        }
    }

    /// `what` names the argument in the error when it is missing or no text.
    pub fn text(&self, at: usize, what: &str) -> Result<&str, QueryError> {
        self.optional_text(at, what)?.ok_or_else(|| self.missing(at, what))
    }

    /// None where the argument is missing or NULL.
    pub fn optional_text(&self, at: usize, what: &str) -> Result<Option<&str>, QueryError> {
        match self.values.get(at) {
            None => Ok(None),
            Some(value) if value.is_null() => Ok(None),
            Some(value) => match value.try_as_str() {
                Some(text) => Ok(text),
                None => Err(self.wrong(at, format!("{what}, must be a text, which {value} is not"))),
            },
        }
    }

    pub fn optional_number(&self, at: usize, what: &str) -> Result<Option<f64>, QueryError> {
        let Some(value) = self.values.get(at).filter(|value| !value.is_null()) else { return Ok(None) };
        match (value.data_type().is_numeric(), value.cast_to(&DataType::Float64)) {
            (true, Ok(ScalarValue::Float64(number))) => Ok(number),
            _ => Err(self.wrong(at, format!("{what}, must be a number, which {value} is not"))),
        }
    }

    /// `array['a', 'b']`; none where the argument is missing or NULL.
    pub fn optional_texts(&self, at: usize, what: &str) -> Result<Option<Vec<String>>, QueryError> {
        let Some(value) = self.values.get(at).filter(|value| !value.is_null()) else { return Ok(None) };
        let no_list = || self.wrong(at, format!("{what}, must be an array of texts, which {value} is not"));
        let ScalarValue::List(list) = value else { return Err(no_list()) };
        let texts = cast(list.values(), &DataType::Utf8).map_err(|_not_text| no_list())?;
        let texts = texts.as_string::<i32>();
        Ok(Some(texts.iter().flatten().map(str::to_owned).collect()))
    }

    /// A timestamp, RFC 3339, or seconds since 1970; none where the argument is missing or NULL.
    pub fn optional_time(&self, at: usize, what: &str) -> Result<Option<UnixNanos>, QueryError> {
        let Some(value) = self.values.get(at).filter(|value| !value.is_null()) else { return Ok(None) };
        if value.data_type().is_numeric() {
            let seconds = self.optional_number(at, what)?;
            return Ok(seconds.map(|seconds| UnixNanos((seconds * 1e9) as i64)));
        }
        let nanos = DataType::Timestamp(arrow::datatypes::TimeUnit::Nanosecond, Some("UTC".into()));
        match value.cast_to(&nanos) {
            Ok(ScalarValue::TimestampNanosecond(Some(nanos), _)) => Ok(Some(UnixNanos(nanos))),
            _ => Err(self.wrong(at, format!("{what}, must be a time or seconds since 1970, which {value} is not"))),
        }
    }

    fn missing(&self, at: usize, what: &str) -> QueryError {
        self.wrong(at, format!("{what}, is missing"))
    }

    /// An error that names the argument.
    pub fn wrong(&self, at: usize, why: impl std::fmt::Display) -> QueryError {
        wrong(self.function, at, why)
    }
}

fn wrong(function: &str, at: usize, why: impl std::fmt::Display) -> QueryError {
    QueryError::Invalid(format!("{function}: argument {} {why}", at + 1))
}
