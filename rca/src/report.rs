//! What comes out: the explanations with their evidence, in the JSON shape of `POST /api/explain` and `culprit explain`.

use serde::{Deserialize, Serialize};

use crate::dimensions::LeftOut;

/// The answer. No explanation at all is one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What a person reads first.
    pub sentence: String,
    /// What is asserted: significant, none a shadow of another, in the order of the rows that each adds.
    pub explanations: Vec<Explanation>,
    /// The explanations, then what is below significance, then the folded alternates.
    pub ranked: Vec<Evidence>,
    /// What the rows of A say in columns of messages, as patterns; it tells how they ended rather than why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub said: Vec<Evidence>,
    /// What is common in B and missing, or nearly, in A, among the rows that no explanation has; the most telling first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vanished: Vec<Explanation>,
    pub left_out: Vec<LeftOut>,
    /// False when a budget or a bound cut the search; `cuts` says where. What a sample of B rejects (about one true
    /// explanation in a million) does not count as cut.
    pub exact: bool,
    pub cuts: Vec<String>,
    pub rows: u64,
    pub rows_a: u64,
    pub rows_b: u64,
    /// True when B is every row that is not in A.
    pub complement: bool,
    /// The dimensions that were searched.
    pub dimensions: Vec<String>,
    /// Itemsets counted, per order from 1.
    pub counted: Vec<u64>,
    /// The column whose equal rows were not taken for independent.
    pub unit: Option<Unit>,
    /// Of a question about a measure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measure: Option<Measured>,
    /// Filled in by the caller: the engine reads no clock.
    pub elapsed_ms: f64,
}

/// A measure over all rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    pub column: String,
    pub agg: String,
    /// Over slice A.
    pub value_a: Option<f64>,
    /// Over slice B, or as expected.
    pub value_b: Option<f64>,
    /// The part of the change that is there because rows moved between slices (Kitagawa's composition effect).
    pub mix: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unit {
    pub dimension: String,
    /// How many rows weigh as much as one independent row.
    pub design_effect: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    #[serde(flatten)]
    pub evidence: Evidence,
    /// The redundant ones, best first, cut to a readable number.
    pub alternates: Vec<Evidence>,
    pub alternates_total: u64,
}

/// A conjunction with its counts, exact over all rows read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    pub items: Vec<ReportItem>,
    pub rows_a: u64,
    pub rows_b: u64,
    /// Shares of the slices, 0 to 1.
    pub support_a: f64,
    pub support_b: f64,
    /// None when no row of B has the items.
    pub support_ratio: Option<f64>,
    /// How many times likelier a row with the items is anomalous; none unless B is A's complement.
    pub risk_ratio: Option<f64>,
    /// 95 % interval of the risk ratio.
    pub ci: Option<(f64, f64)>,
    /// With a measure: its value over the rows of A, and over those of B or as expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_a: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_b: Option<f64>,
    /// With a measure: the part of the whole deviation that is here; below zero where it goes the other way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contribution: Option<f64>,
    /// Corrected for the whole search, on the rows that no earlier explanation has.
    pub q_value: f64,
    /// Log-likelihood gained on those rows (nats), less the cost of the length.
    pub score: f64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportItem {
    pub dimension: String,
    pub value: String,
    /// As a person writes it: `customer_id = 1002`, `latency_ms >= 812`, `referer IS NULL`.
    pub condition: String,
    /// Values of other dimensions that exactly the same rows have.
    pub aliases: Vec<Alias>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alias {
    pub dimension: String,
    pub value: String,
}

impl Evidence {
    /// The conditions, joined as one conjunction.
    pub fn condition(&self) -> String {
        self.items.iter().map(|item| item.condition.as_str()).collect::<Vec<_>>().join(" and ")
    }
}
