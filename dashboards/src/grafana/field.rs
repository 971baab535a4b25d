//! `fieldConfig`: defaults and overrides. Defaults are a tree and overrides a list of paths into the same tree, so both
//! go through one table of properties. A property that is in no table is reported.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::gaps::Gaps;
use super::json::Json;
use super::mapping;
use crate::model::{
    CellKind, Color, FieldOptions, HideFrom, LineStyle, Matcher, Override, Scale, SpanNulls, Stacking, StackingMode,
    Step, Thresholds, ThresholdsMode,
};

/// Which `custom` properties have a meaning: panels keep those of the kind that they had before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Custom {
    Series,
    Cells,
    Nothing,
}

/// The colour modes that the console draws.
const COLOR_MODES: [&str; 16] = [
    "palette-classic",
    "palette-classic-by-name",
    "thresholds",
    "fixed",
    "shades",
    "continuous-GrYlRd",
    "continuous-RdYlGr",
    "continuous-BlYlRd",
    "continuous-YlRd",
    "continuous-BlPu",
    "continuous-YlBl",
    "continuous-blues",
    "continuous-reds",
    "continuous-greens",
    "continuous-purples",
    "continuous-viridis",
];

/// No visible effect here: editor state, browser hints and fine print of the drawing.
const SILENT: [&str; 22] = [
    "unitScale",
    "fieldMinMax",
    "description",
    "displayNameFromDS",
    "writeable",
    "path",
    "filterable",
    "custom.axisBorderShow",
    "custom.axisColorMode",
    "custom.axisGridShow",
    "custom.axisWidth",
    "custom.barAlignment",
    "custom.barWidthFactor",
    "custom.barMaxWidth",
    "custom.gradientMode",
    "custom.insertNulls",
    "custom.pointSymbol",
    "custom.inspect",
    "custom.filterable",
    "custom.wrapText",
    "custom.width.auto",
    "custom.displayName",
];

/// The panel's defaults and overrides.
pub(crate) fn read(config: Option<Json<'_>>, custom: Custom, gaps: &mut Gaps) -> (FieldOptions, Vec<Override>) {
    let mut field = FieldOptions::default();
    let Some(config) = config else { return (field, Vec::new()) };
    if let Some(defaults) = config.get("defaults") {
        for (name, value) in defaults.entries() {
            if name == "custom" {
                value
                    .entries()
                    .for_each(|(name, value)| set(&mut field, &format!("custom.{name}"), value, custom, gaps));
            } else {
                set(&mut field, name, value, custom, gaps);
            }
        }
    }
    let overrides = config.items("overrides").filter_map(|one| read_override(one, custom, gaps)).collect();
    (field, overrides)
}

fn read_override(json: Json<'_>, custom: Custom, gaps: &mut Gaps) -> Option<Override> {
    let mut field = FieldOptions::default();
    for property in json.items("properties") {
        let Some(id) = property.text("id") else { continue };
        if let Some(value) = property.get("value") {
            set(&mut field, id, value, custom, gaps);
        }
    }
    if field == FieldOptions::default() {
        return None;
    }
    let matcher = json.get("matcher").and_then(read_matcher);
    if matcher.is_none() {
        let id = json.path(&["matcher", "id"]).and_then(Json::as_text).unwrap_or("none");
        gaps.add(format!("override by matcher \"{id}\""));
    }
    Some(Override { matcher: matcher?, field })
}

fn read_matcher(json: Json<'_>) -> Option<Matcher> {
    let text = || json.text("options").map(str::to_owned);
    match json.text("id")? {
        "byName" => Some(Matcher::Name { name: text()? }),
        "byRegexp" => Some(Matcher::Regexp { pattern: text()? }),
        "byFrameRefID" => Some(Matcher::RefId { ref_id: text()? }),
        "byType" => Some(Matcher::Type { field_type: text()? }),
        "byNames" => {
            let options = json.get("options")?;
            Some(Matcher::Names { names: options.texts("names"), exclude: options.text("mode") == Some("exclude") })
        }
        "byValue" => {
            let options = json.get("options")?;
            Some(Matcher::Value {
                reducer: options.text("reducer")?.to_owned(),
                op: options.text("op").unwrap_or("gte").to_owned(),
                value: options.number("value").unwrap_or(0.0),
            })
        }
        _ => None,
    }
}

fn set(field: &mut FieldOptions, property: &str, value: Json<'_>, custom: Custom, gaps: &mut Gaps) {
    if property.starts_with("custom.") && custom == Custom::Nothing || value.0.is_null() {
        return;
    }
    let known = set_common(field, property, value, gaps)
        || custom == Custom::Series && set_series(field, property, value, gaps)
        || custom == Custom::Cells && set_cell(field, property, value, gaps);
    if !known && !SILENT.contains(&property) && !value.says_nothing() {
        gaps.add(format!("field option \"{property}\""));
    }
}

/// What every kind of panel has. Answers whether the property is one of these.
fn set_common(field: &mut FieldOptions, property: &str, value: Json<'_>, gaps: &mut Gaps) -> bool {
    match property {
        "displayName" => field.display_name = filled_text(value),
        "unit" => field.unit = filled_text(value),
        "decimals" => field.decimals = value.as_whole().map(|digits| digits.min(20) as u8),
        "min" => field.min = value.as_number(),
        "max" => field.max = value.as_number(),
        "noValue" => field.no_value = value.as_words().filter(|text| !text.is_empty()),
        "color" => field.color = read_color(value, gaps),
        "thresholds" => field.thresholds = Some(read_thresholds(value)),
        "mappings" => field.mappings = Some(mapping::read(value, gaps)),
        "links" if !value.says_nothing() => gaps.add("data links"),
        "links" => {}
        _ => return false,
    }
    true
}

fn set_series(field: &mut FieldOptions, property: &str, value: Json<'_>, gaps: &mut Gaps) -> bool {
    match property {
        "custom.drawStyle" => field.draw = word(property, value, gaps),
        "custom.lineInterpolation" => field.interpolation = word(property, value, gaps),
        "custom.lineWidth" => field.line_width = value.as_number(),
        "custom.lineStyle" => field.line_style = read_line_style(value),
        "custom.fillOpacity" => field.fill_opacity = value.as_number(),
        "custom.showPoints" if value.says_nothing() => {}
        "custom.showPoints" => field.points = word(property, value, gaps),
        "custom.pointSize" => field.point_size = value.as_number(),
        "custom.spanNulls" => {
            field.span_nulls = match value.0 {
                Value::Bool(all) => Some(SpanNulls::All(*all)),
                _ => value.as_number().map(SpanNulls::UpToMs),
            }
        }
        "custom.stacking" => field.stacking = read_stacking(value, gaps),
        "custom.transform" => field.transform = word(property, value, gaps),
        "custom.axisPlacement" => field.axis = word(property, value, gaps),
        "custom.axisLabel" => field.axis_label = filled_text(value),
        "custom.axisSoftMin" => field.soft_min = value.as_number(),
        "custom.axisSoftMax" => field.soft_max = value.as_number(),
        "custom.scaleDistribution" => field.scale = read_scale(value, gaps),
        "custom.thresholdsStyle" => {
            field.thresholds_style = value.get("mode").and_then(|mode| word(property, mode, gaps));
        }
        "custom.hideFrom" => field.hide_from = Some(read_hide_from(value)),
        _ => return false,
    }
    true
}

fn set_cell(field: &mut FieldOptions, property: &str, value: Json<'_>, gaps: &mut Gaps) -> bool {
    match property {
        "custom.width" => field.width = value.as_number(),
        "custom.minWidth" => field.min_width = value.as_number(),
        "custom.align" => field.align = filled_text(value).filter(|align| align != "auto"),
        "custom.hidden" => field.hidden = Some(value.0 == &Value::Bool(true)),
        "custom.hideFrom" => field.hidden = Some(read_hide_from(value).viz),
        "custom.hideFrom.viz" => field.hidden = Some(value.0 == &Value::Bool(true)),
        "custom.cellOptions" | "custom.displayMode" => field.cell = read_cell(value, gaps),
        // Left by a time series that became a table.
        "custom.drawStyle" | "custom.lineWidth" | "custom.fillOpacity" | "custom.showPoints" | "custom.stacking" => {}
        _ => return false,
    }
    true
}

pub(crate) fn filled_text(value: Json<'_>) -> Option<String> {
    value.as_text().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A word of a closed set of the model, whose serde names are Grafana's.
pub(crate) fn word<T: DeserializeOwned>(property: &str, value: Json<'_>, gaps: &mut Gaps) -> Option<T> {
    let read = T::deserialize(value.0);
    if read.is_err() && !value.says_nothing() {
        gaps.add(format!("{property} {}", value.0));
    }
    read.ok()
}

fn read_color(value: Json<'_>, gaps: &mut Gaps) -> Option<Color> {
    let mode = value.text("mode")?;
    if !COLOR_MODES.contains(&mode) {
        gaps.add(format!("colour mode \"{mode}\""));
        return None;
    }
    Some(Color { mode: mode.to_owned(), fixed: value.text("fixedColor").map(str::to_owned) })
}

fn read_thresholds(value: Json<'_>) -> Thresholds {
    let mode =
        if value.text("mode") == Some("percentage") { ThresholdsMode::Percentage } else { ThresholdsMode::Absolute };
    let mut steps: Vec<Step> = value
        .items("steps")
        .map(|step| Step { value: step.number("value"), color: step.text("color").unwrap_or("green").to_owned() })
        .collect();
    if let Some(first) = steps.first_mut() {
        // Grafana treats the first step as the base whatever value stands there.
        first.value = None;
    }
    Thresholds { mode, steps }
}

fn read_line_style(value: Json<'_>) -> Option<LineStyle> {
    let fill = value.text("fill").unwrap_or("solid").to_owned();
    Some(LineStyle { fill, dash: value.items("dash").filter_map(Json::as_number).collect() })
}

fn read_stacking(value: Json<'_>, gaps: &mut Gaps) -> Option<Stacking> {
    let mode = match value.0 {
        // Written by hand, or by the migration of old boards: `"stacking": false`.
        Value::Bool(false) => Some(StackingMode::None),
        _ => value.get("mode").and_then(|mode| word("custom.stacking", mode, gaps)),
    };
    let group = value.get("group").and_then(Json::as_words).unwrap_or_else(|| "A".to_owned());
    Some(Stacking { mode: mode?, group })
}

fn read_scale(value: Json<'_>, gaps: &mut Gaps) -> Option<Scale> {
    match value.text("type")? {
        "linear" => None,
        "log" => Some(Scale { log: value.whole("log").unwrap_or(2).clamp(2, 10) }),
        other => {
            gaps.add(format!("value axis of type \"{other}\""));
            None
        }
    }
}

fn read_hide_from(value: Json<'_>) -> HideFrom {
    HideFrom { viz: value.flag("viz"), legend: value.flag("legend"), tooltip: value.flag("tooltip") }
}

fn read_cell(value: Json<'_>, gaps: &mut Gaps) -> Option<CellKind> {
    match value.as_text().or_else(|| value.text("type"))? {
        "auto" | "" => Some(CellKind::Auto),
        "color-text" => Some(CellKind::ColorText),
        "color-background" | "color-background-solid" => Some(CellKind::ColorBackground),
        "gauge" | "basic" | "gradient-gauge" | "lcd-gauge" => Some(CellKind::Gauge),
        other => {
            gaps.add(format!("table cell of type \"{other}\""));
            None
        }
    }
}
