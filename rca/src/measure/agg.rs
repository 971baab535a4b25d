//! The measure asked about: a column and the way in which its values become one number.

use std::fmt;
use std::str::FromStr;

use arrow::datatypes::Schema;

use crate::RcaError;
use crate::input::Options;
use crate::limits::ORDER_MAX;

/// A numeric column to be explained.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    pub column: String,
    pub agg: Agg,
    /// Column with the value that each row was expected to have; it takes the place of slice B.
    pub expected: Option<String>,
}

impl Measure {
    /// Without an aggregate: what was expected adds up, and of single rows the mean is asked.
    pub fn new(column: impl Into<String>, agg: Option<Agg>, expected: Option<String>) -> Self {
        let agg = agg.unwrap_or(if expected.is_some() { Agg::Sum } else { Agg::Avg });
        Self { column: column.into(), agg, expected }
    }

    /// Items per explanation unless asked otherwise. Against an expectation each leaf has evidence of its own, so a
    /// cause may be as narrow as a leaf; rates need counts, which narrow slices lack.
    pub fn default_order(&self) -> usize {
        if self.expected.is_some() { ORDER_MAX } else { Options::default().max_order }
    }

    /// Its columns, which have to be there.
    pub(crate) fn columns_in(&self, schema: &Schema) -> Result<Vec<String>, RcaError> {
        let known = || schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>().join(", ");
        match self.columns().find(|name| schema.index_of(name).is_err()) {
            Some(name) => Err(RcaError::UnknownMeasure { name: name.clone(), known: known() }),
            None => Ok(self.columns().cloned().collect()),
        }
    }

    /// The columns that it is made of.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &String> {
        let denominator = match &self.agg {
            Agg::Ratio { denominator } => Some(denominator),
            _ => None,
        };
        std::iter::once(&self.column).chain(denominator).chain(&self.expected)
    }
}

/// How the values of many rows become one.
#[derive(Debug, Clone, PartialEq)]
pub enum Agg {
    Sum,
    Avg,
    /// The sum over the sum of another column, such as failures over requests.
    Ratio {
        denominator: String,
    },
    /// 0 to 100, both excluded.
    Percentile(f64),
}

impl FromStr for Agg {
    type Err = RcaError;

    fn from_str(text: &str) -> Result<Self, RcaError> {
        let percentile = |rank: &str| rank.parse::<f64>().ok().filter(|rank| *rank > 0.0 && *rank < 100.0);
        match (text, text.strip_prefix("ratio:"), text.strip_prefix('p').and_then(percentile)) {
            ("sum", ..) => Ok(Agg::Sum),
            ("avg", ..) => Ok(Agg::Avg),
            (_, Some(denominator), _) if !denominator.is_empty() => Ok(Agg::Ratio { denominator: denominator.into() }),
            (_, _, Some(rank)) => Ok(Agg::Percentile(rank)),
            _ => Err(RcaError::BadAggregate { given: text.to_owned() }),
        }
    }
}

impl fmt::Display for Agg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Agg::Sum => f.write_str("sum"),
            Agg::Avg => f.write_str("avg"),
            Agg::Ratio { denominator } => write!(f, "ratio:{denominator}"),
            Agg::Percentile(rank) => write!(f, "p{rank}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_aggregate_reads_as_it_prints_and_anything_else_is_refused() {
        for text in ["sum", "avg", "ratio:requests", "ratio:a:b", "p99", "p99.9", "p0.5"] {
            assert_eq!(text.parse::<Agg>().unwrap().to_string(), text);
        }
        for text in ["", "mean", "ratio:", "ratio", "p0", "p100", "p", "pNaN", "p-1"] {
            let error = text.parse::<Agg>().unwrap_err().to_string();
            assert!(error.contains(&format!("{text:?}")), "{error}");
        }
    }

    #[test]
    fn what_was_expected_adds_up_and_single_rows_have_a_mean() {
        assert_eq!(Measure::new("real", None, Some("predict".into())).agg, Agg::Sum);
        assert_eq!(Measure::new("latency_ms", None, None).agg, Agg::Avg);
    }
}
