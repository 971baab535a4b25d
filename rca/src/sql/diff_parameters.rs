//! The parameters of `diff_patterns`, as JSON: `minimum_support_fraction`, `agg_op`; `allow_sample` is understood, nothing is ever sampled.

use datafusion::error::{DataFusionError, Result};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Parameters {
    pub(super) minimum_support_fraction: f64,
    pub(super) agg_op: Aggregation,
    /// Clients send it, and all rows are always read.
    #[serde(rename = "allow_sample")]
    _allow_sample: bool,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Aggregation {
    Avg,
    Sum,
    Min,
    Max,
    Count,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { minimum_support_fraction: 0.05, agg_op: Aggregation::Avg, _allow_sample: true }
    }
}

impl Parameters {
    pub(super) fn parse(text: Option<&str>) -> Result<Self> {
        let Some(text) = text else { return Ok(Self::default()) };
        let wrong =
            |why: String| DataFusionError::Plan(format!("diff_patterns: its parameters {text} are wrong: {why}"));
        let parameters: Self = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        let support = parameters.minimum_support_fraction;
        match support > 0.0 && support < 1.0 {
            true => Ok(parameters),
            false => Err(wrong(format!("minimum_support_fraction is above 0 and below 1, which {support} is not"))),
        }
    }
}

impl Aggregation {
    /// None of no values, but for their count.
    pub(super) fn of(self, values: impl Iterator<Item = f64>) -> Option<f64> {
        let (mut count, mut sum, mut least, mut most) = (0u64, 0.0, f64::INFINITY, f64::NEG_INFINITY);
        for value in values {
            count += 1;
            sum += value;
            least = f64::min(least, value);
            most = f64::max(most, value);
        }
        let of_some = match self {
            Self::Count => return Some(count as f64),
            Self::Avg => sum / count as f64,
            Self::Sum => sum,
            Self::Min => least,
            Self::Max => most,
        };
        (count > 0).then_some(of_some)
    }
}
