//! What comes out: findings of all kinds in one shape, and the report that holds them.

use arrow::temporal_conversions::timestamp_ns_to_datetime;
use serde::{Deserialize, Serialize};

use crate::report::Evidence;

/// The report of an incident or of a marked window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Investigation {
    /// What a person reads first.
    pub sentence: String,
    /// Ranked, the strongest first; empty when nothing stands out.
    pub findings: Vec<Finding>,
    /// What happened when, the earliest first.
    pub timeline: Vec<Moment>,
    /// The time that is looked at, and the calm before it.
    pub window: Span,
    pub baseline: Span,
    /// What was read, one line each.
    pub looked_at: Vec<String>,
    /// What was not, or not to its end, with the reason.
    pub left_out: Vec<String>,
    /// Filled in by the caller: the pure part reads no clock.
    pub elapsed_ms: f64,
}

/// A stretch of time; both ends RFC 3339.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    pub from: String,
    pub to: String,
}

impl Span {
    pub fn new(from: i64, to: i64) -> Self {
        Self { from: rfc3339(from), to: rfc3339(to) }
    }
}

/// One piece of evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    #[serde(flatten)]
    pub detail: Detail,
    /// The finding in words, with its numbers.
    pub sentence: String,
    /// When it began, RFC 3339, where that is known.
    pub onset: Option<String>,
    /// Probability of such a finding by chance, corrected for all that were tried beside it. None for what is no
    /// question of chance, such as an earlier incident.
    pub q_value: Option<f64>,
    /// What the ranking goes by (nats).
    pub score: f64,
    /// The values that it shares with the explanations or with the alert's own labels: why it belongs here.
    pub shares: Vec<Label>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Detail {
    /// Dimension values that set the anomalous rows apart; `told` is the sentence of the explanation.
    Explanation { store: String, rows_a: u64, rows_b: u64, told: String, evidence: Evidence },
    /// A series that left its level.
    MetricShift { store: String, labels: Vec<Label>, before: f64, after: f64 },
    /// A message pattern that the time before did not have, or hardly.
    NewPattern { store: String, field: String, pattern: String, template: String, rows: u64, rows_before: u64 },
    /// A message pattern that stopped.
    VanishedPattern { store: String, field: String, pattern: String, template: String, rows: u64, rows_before: u64 },
    /// A version, build or the like that the time before did not have.
    ChangedLabel {
        store: String,
        label: String,
        value: String,
        previous: Vec<String>,
        /// Share of the rows (or series) of the window that have the new value.
        share: f64,
    },
    /// The same rule fired before.
    EarlierIncident { id: String, fired_at: String, cause: String, same_cause: bool },
}

/// A name with its value: a label of a series, a dimension with its value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Label {
    pub name: String,
    pub value: String,
}

impl Label {
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

/// One entry of the time line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    pub at: String,
    pub what: String,
    /// Its place among the findings; none for the alert itself.
    pub finding: Option<usize>,
}

/// RFC 3339 in UTC; times outside of what a calendar holds as the number they are.
pub(crate) fn rfc3339(nanos: i64) -> String {
    let time = timestamp_ns_to_datetime(nanos).map(|time| time.and_utc().to_rfc3339());
    time.map_or_else(|| nanos.to_string(), |text| text.replace("+00:00", "Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_people_send_them() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(1_500_000_000), "1970-01-01T00:00:01.500Z");
    }

    #[test]
    fn a_finding_is_flat_json_with_its_kind() {
        let finding = Finding {
            detail: Detail::MetricShift {
                store: "metrics".to_owned(),
                labels: vec![Label::new("service", "cart")],
                before: 1.0,
                after: 3.0,
            },
            sentence: "it rose".to_owned(),
            onset: None,
            q_value: Some(0.01),
            score: 4.0,
            shares: Vec::new(),
        };
        let json = serde_json::to_value(&finding).unwrap();
        assert_eq!((json["kind"].as_str(), json["before"].as_f64()), (Some("metric_shift"), Some(1.0)));
        assert_eq!(serde_json::from_value::<Finding>(json).unwrap(), finding);
    }
}
