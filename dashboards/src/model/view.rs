//! The kinds of panels, each with its own options.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "options", rename_all = "lowercase")]
pub enum View {
    Timeseries(TimeseriesView),
    Stat(StatView),
    Gauge(GaugeView),
    Bargauge(BargaugeView),
    Table(TableView),
    Text(TextView),
    Row(RowView),
    /// A kind that the console does not draw: it shows the panel's queries and their values in a table.
    Unknown(UnknownView),
}

impl View {
    /// The kind's word; that of an unknown kind is its source's.
    pub fn name(&self) -> &str {
        match self {
            View::Timeseries(_) => "timeseries",
            View::Stat(_) => "stat",
            View::Gauge(_) => "gauge",
            View::Bargauge(_) => "bargauge",
            View::Table(_) => "table",
            View::Text(_) => "text",
            View::Row(_) => "row",
            View::Unknown(unknown) => &unknown.source_type,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TimeseriesView {
    pub legend: Legend,
    pub tooltip: Tooltip,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Legend {
    pub show: bool,
    pub mode: LegendMode,
    pub placement: Placement,
    /// Reducers, by Grafana's names.
    pub calcs: Vec<String>,
    /// The heading of the column that orders a table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort_by: Option<String>,
    pub sort_desc: bool,
}

impl Default for Legend {
    fn default() -> Self {
        Self {
            show: true,
            mode: LegendMode::List,
            placement: Placement::Bottom,
            calcs: Vec::new(),
            sort_by: None,
            sort_desc: false,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LegendMode {
    List,
    Table,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Placement {
    Bottom,
    Right,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tooltip {
    #[default]
    Single,
    Multi,
    None,
}

/// How a series becomes one value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reduce {
    pub calc: String,
    /// Every row is a value of its own, `limit` at most.
    pub all_values: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// A field's name or `/regex/`; none means the numeric ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<String>,
}

impl Default for Reduce {
    fn default() -> Self {
        Self { calc: "lastNotNull".to_owned(), all_values: false, limit: None, fields: None }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Orientation {
    #[default]
    Auto,
    Horizontal,
    Vertical,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StatView {
    pub reduce: Reduce,
    pub color_mode: ColorMode,
    pub graph: GraphMode,
    pub text: ValueText,
    pub orientation: Orientation,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub postfix: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColorMode {
    #[default]
    Value,
    Background,
    BackgroundSolid,
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GraphMode {
    #[default]
    None,
    Area,
    Line,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueText {
    #[default]
    Auto,
    Value,
    ValueAndName,
    Name,
    None,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GaugeView {
    pub reduce: Reduce,
    pub orientation: Orientation,
    pub threshold_markers: bool,
    pub threshold_labels: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub postfix: String,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BargaugeView {
    pub reduce: Reduce,
    pub orientation: Orientation,
    pub display: DisplayMode,
    pub show_unfilled: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DisplayMode {
    #[default]
    Gradient,
    Lcd,
    Basic,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TableView {
    pub show_header: bool,
    pub sort_by: Vec<SortBy>,
    /// The reducer of the line below the rows, over `footer_fields` (empty: every numeric one).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub footer: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub footer_fields: Vec<String>,
}

impl Default for TableView {
    fn default() -> Self {
        Self { show_header: true, sort_by: Vec::new(), footer: None, footer_fields: Vec::new() }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SortBy {
    pub field: String,
    #[serde(default)]
    pub desc: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextView {
    #[serde(default)]
    pub mode: TextMode,
    pub content: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TextMode {
    #[default]
    Markdown,
    Html,
    Code,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RowView {
    pub collapsed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnknownView {
    /// The kind's name where it came from.
    #[serde(rename = "type")]
    pub source_type: String,
}
