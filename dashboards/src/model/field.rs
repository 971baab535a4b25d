//! How one field (a series, a column) is written and drawn. The same record serves a panel's defaults and each of its
//! overrides: an absent member says nothing, a present one wins.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FieldOptions {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimals: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// Written where there is no value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<Color>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<Thresholds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mappings: Option<Vec<Mapping>>,

    #[serde(skip_serializing_if = "Option::is_none")]
    pub draw: Option<DrawStyle>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interpolation: Option<Interpolation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line_width: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line_style: Option<LineStyle>,
    /// Percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fill_opacity: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub points: Option<PointsMode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub point_size: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span_nulls: Option<SpanNulls>,
    /// Missing points are drawn as zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub null_as_zero: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stacking: Option<Stacking>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transform: Option<Transform>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub axis: Option<AxisPlacement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub axis_label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub soft_min: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub soft_max: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<Scale>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thresholds_style: Option<ThresholdsStyle>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hide_from: Option<HideFrom>,

    /// Pixels of a table's column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_width: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub align: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cell: Option<CellKind>,
    /// A table's column that is not shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden: Option<bool>,
}

/// `mode`: `palette-classic`, `palette-classic-by-name`, `thresholds`, `fixed`, `shades` or `continuous-…`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Color {
    pub mode: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    #[serde(default)]
    pub mode: ThresholdsMode,
    /// Ascending; the first has no value and holds from minus infinity.
    pub steps: Vec<Step>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ThresholdsMode {
    #[default]
    Absolute,
    /// Of the field's min to max.
    Percentage,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    #[serde(default)]
    pub value: Option<f64>,
    pub color: String,
}

/// Writes `text` (none: the value itself) and takes `color` where the value fits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
pub enum Mapping {
    Value {
        value: String,
        text: Option<String>,
        color: Option<String>,
    },
    Range {
        from: Option<f64>,
        to: Option<f64>,
        text: Option<String>,
        color: Option<String>,
    },
    Regex {
        pattern: String,
        text: Option<String>,
        color: Option<String>,
    },
    /// `matches`: `null`, `nan`, `null+nan`, `true`, `false` or `empty`.
    Special {
        matches: String,
        text: Option<String>,
        color: Option<String>,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    pub matcher: Matcher,
    pub field: FieldOptions,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub enum Matcher {
    Name {
        name: String,
    },
    /// `exclude`: every field but those named.
    Names {
        names: Vec<String>,
        exclude: bool,
    },
    Regexp {
        pattern: String,
    },
    RefId {
        ref_id: String,
    },
    Type {
        field_type: String,
    },
    /// Compares the field's `reducer` with `value` by `op` (`gt`, `gte`, `lt`, `lte`, `eq`, `neq`).
    Value {
        reducer: String,
        op: String,
        value: f64,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DrawStyle {
    Line,
    Bars,
    Points,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Interpolation {
    Linear,
    Smooth,
    StepBefore,
    StepAfter,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineStyle {
    /// `solid`, `dash` or `dot`.
    pub fill: String,
    /// Pixels on, pixels off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dash: Vec<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PointsMode {
    Auto,
    Never,
    Always,
}

/// Whether a line runs over missing points: always, never, or over gaps of at most so many milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SpanNulls {
    All(bool),
    UpToMs(f64),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stacking {
    pub mode: StackingMode,
    /// Series of one group stack on each other.
    #[serde(default)]
    pub group: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StackingMode {
    None,
    Normal,
    Percent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Transform {
    #[serde(rename = "none")]
    None,
    #[serde(rename = "negative-Y")]
    NegativeY,
    #[serde(rename = "constant")]
    Constant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AxisPlacement {
    Auto,
    Left,
    Right,
    Hidden,
}

/// A value axis that is not linear.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    pub log: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ThresholdsStyle {
    #[serde(rename = "off")]
    Off,
    #[serde(rename = "line")]
    Line,
    #[serde(rename = "dashed")]
    Dashed,
    #[serde(rename = "area")]
    Area,
    #[serde(rename = "line+area")]
    LineAndArea,
    #[serde(rename = "dashed+area")]
    DashedAndArea,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct HideFrom {
    pub viz: bool,
    pub legend: bool,
    pub tooltip: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CellKind {
    Auto,
    ColorText,
    ColorBackground,
    Gauge,
}
