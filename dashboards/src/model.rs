//! The dashboard as Culprit keeps and shows it. Every word in here is drawn by the console: what a Grafana file says
//! beyond it stands in `missing`, so the model never promises more than the page shows. Words for closed sets (draw
//! styles, reducers, colour modes) are Grafana's own, people know them from there.

mod field;
mod variable;
mod view;

use serde::{Deserialize, Serialize};

pub use field::{
    AxisPlacement, CellKind, Color, DrawStyle, FieldOptions, HideFrom, Interpolation, LineStyle, Mapping, Matcher,
    Override, PointsMode, Scale, SpanNulls, Stacking, StackingMode, Step, Thresholds, ThresholdsMode, ThresholdsStyle,
    Transform,
};
pub use variable::{Choice, Hide, Variable, VariableKind};
pub use view::{
    BargaugeView, ColorMode, DisplayMode, GaugeView, GraphMode, Legend, LegendMode, Orientation, Placement, Reduce,
    RowView, SortBy, StatView, TableView, TextMode, TextView, TimeseriesView, Tooltip, UnknownView, ValueText, View,
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dashboard {
    /// Its key in the project: letters, digits, `-` and `_`.
    pub uid: String,
    pub title: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    #[serde(default)]
    pub tags: Vec<String>,
    #[serde(default)]
    pub time: TimeWindow,
    /// The pause between two loads, like `30s`; none means by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<String>,
    /// The cursor stands at the same time in all panels.
    #[serde(default)]
    pub shared_cursor: bool,
    #[serde(default)]
    pub variables: Vec<Variable>,
    /// In reading order; a row is followed by its panels. Positions are those of a page with every row open.
    pub panels: Vec<Panel>,
    /// What of the dashboard as a whole is not shown.
    #[serde(default)]
    pub missing: Vec<String>,
}

/// Bounds in Grafana's relative form (`now-1h`, `now`) or RFC 3339.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeWindow {
    pub from: String,
    pub to: String,
}

impl Default for TimeWindow {
    fn default() -> Self {
        Self { from: "now-1h".to_owned(), to: "now".to_owned() }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Panel {
    /// Unique in the dashboard.
    pub id: u32,
    pub title: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    pub grid: Grid,
    /// `kind` and `options` in JSON.
    #[serde(flatten)]
    pub view: View,
    #[serde(default)]
    pub targets: Vec<Target>,
    #[serde(default)]
    pub field: FieldOptions,
    #[serde(default)]
    pub overrides: Vec<Override>,
    #[serde(default)]
    pub transformations: Vec<Transformation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_data_points: Option<u32>,
    /// The least step of its queries, like `1m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_interval: Option<String>,
    /// Its own relative range (`24h`) in place of the page's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_from: Option<String>,
    /// Moves its range back, like `1d`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_shift: Option<String>,
    #[serde(default)]
    pub support: Support,
    #[serde(default)]
    pub missing: Vec<String>,
}

/// Columns of 1/24 of the page's width, lines of 30 px with 8 px between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grid {
    pub x: u32,
    pub y: u32,
    pub w: u32,
    pub h: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Support {
    #[default]
    Full,
    /// Its data is shown, something of how is missing.
    Partial,
    /// Its data is not shown as meant.
    None,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    pub ref_id: String,
    #[serde(default)]
    pub language: Language,
    pub expr: String,
    /// A series' name with `{{label}}` in it; empty or `__auto` means its labels.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub legend: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub instant: bool,
    #[serde(default)]
    pub format: Format,
    /// The least step, like `1m`; may hold a variable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hide: bool,
    /// The datasource variable whose store is asked; none means the dashboard's first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    #[default]
    Promql,
    Sql,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    #[default]
    TimeSeries,
    Table,
    Heatmap,
}

/// One step over the frames of a panel, options as Grafana writes them; only ids that the console knows are here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transformation {
    pub id: String,
    #[serde(default)]
    pub options: serde_json::Value,
}
