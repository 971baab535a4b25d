//! A dashboard's variables: what the selectors above the panels offer.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    pub kind: VariableKind,
    /// `label_values(…)` and its like for a query; the choices for custom and interval; the text of the others.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub query: String,
    /// Picks the value out of what a query answers; with slashes around, as in Grafana, or without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regex: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub multi: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub include_all: bool,
    /// Stands for "all" in queries, unescaped; none means an alternation of every choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all_value: Option<String>,
    #[serde(default)]
    pub hide: Hide,
    /// Grafana's number: 0 as answered, then ascending and descending by text (1, 2), number (3, 4), text without
    /// case (5, 6), natural order (7, 8).
    #[serde(default)]
    pub sort: u8,
    /// Its choices, where they do not come from a query.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<Choice>,
    /// The values that are chosen at first; `$__all` is all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub current: Vec<String>,
    /// The datasource variable whose store a query asks; none means the dashboard's first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VariableKind {
    Query,
    Custom,
    Interval,
    Constant,
    Textbox,
    /// A metricstore, as `project/store`.
    Datasource,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hide {
    #[default]
    Nothing,
    Label,
    Variable,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    pub text: String,
    pub value: String,
}
