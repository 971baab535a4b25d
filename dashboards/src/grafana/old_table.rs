//! The table of Grafana before 7: `styles` by column in place of overrides, `transform` and `columns` in place of
//! transformations.

use serde_json::json;

use super::gaps::Gaps;
use super::json::Json;
use super::mapping;
use super::view::reducer;
use crate::model::{CellKind, Color, FieldOptions, Matcher, Override, Step, TableView, Thresholds, Transformation};

/// Whether a panel is such a table: today's carry `fieldConfig` and may keep the old members beside it.
pub(crate) fn is_old(panel: Json<'_>) -> bool {
    panel.get("fieldConfig").is_none() && (panel.get("styles").is_some() || panel.get("transform").is_some())
}

pub(crate) fn read(panel: Json<'_>, gaps: &mut Gaps) -> (TableView, Vec<Override>, Vec<Transformation>) {
    let overrides = panel.items("styles").filter_map(|style| read_style(style, gaps)).collect();
    let view = TableView { show_header: panel.unless_off("showHeader"), ..TableView::default() };
    (view, overrides, transformations(panel, gaps))
}

fn transformations(panel: Json<'_>, gaps: &mut Gaps) -> Vec<Transformation> {
    let step = |id: &str, options| vec![Transformation { id: id.to_owned(), options }];
    match panel.text("transform") {
        Some("table") | None if panel.list("targets").len() > 1 => step("merge", json!({})),
        Some("table") | None => Vec::new(),
        Some("timeseries_aggregations") => {
            let columns = panel.items("columns").filter_map(|column| column.text("value"));
            let reducers: Vec<String> = columns.filter_map(|name| reducer(name, gaps)).collect();
            step("reduce", json!({ "reducers": reducers }))
        }
        Some("timeseries_to_rows") => step("seriesToRows", json!({})),
        Some("timeseries_to_columns") => step("joinByField", json!({ "byField": "Time", "mode": "outer" })),
        Some(other) => {
            gaps.block(format!("table transform \"{other}\""));
            Vec::new()
        }
    }
}

fn read_style(style: Json<'_>, gaps: &mut Gaps) -> Option<Override> {
    let pattern = style.text("pattern")?;
    let matcher = match pattern.strip_prefix('/') {
        Some(_) => Matcher::Regexp { pattern: pattern.to_owned() },
        None => Matcher::Name { name: pattern.to_owned() },
    };
    let mut field = FieldOptions {
        display_name: style.text("alias").filter(|alias| !alias.is_empty()).map(str::to_owned),
        align: style.text("align").filter(|align| *align != "auto" && !align.is_empty()).map(str::to_owned),
        ..FieldOptions::default()
    };
    match style.text("type") {
        Some("hidden") => field.hidden = Some(true),
        Some("date") => {
            let format = style.text("dateFormat").unwrap_or("YYYY-MM-DD HH:mm:ss");
            field.unit = Some(format!("time:{format}"));
        }
        Some("number") => number_style(style, &mut field),
        _ => {}
    }
    let mappings: Vec<_> = match style.whole("mappingType") {
        Some(2) => style.items("rangeMaps").map(mapping::old_range).collect(),
        _ => style.items("valueMaps").filter_map(mapping::old_value).collect(),
    };
    if !mappings.is_empty() {
        field.mappings = Some(mappings);
    }
    if style.flag("link") {
        gaps.add("data links");
    }
    (field != FieldOptions::default()).then_some(Override { matcher, field })
}

fn number_style(style: Json<'_>, field: &mut FieldOptions) {
    field.unit = style.text("unit").filter(|unit| !unit.is_empty()).map(str::to_owned);
    field.decimals = style.whole("decimals").map(|digits| digits.min(20) as u8);
    field.cell = match style.text("colorMode") {
        Some("cell" | "row") => Some(CellKind::ColorBackground),
        Some("value") => Some(CellKind::ColorText),
        _ => return,
    };
    let bounds = style.items("thresholds").filter_map(Json::as_number).map(Some);
    let steps: Vec<Step> = std::iter::once(None)
        .chain(bounds)
        .zip(style.texts("colors"))
        .map(|(value, color)| Step { value, color })
        .collect();
    field.color = Some(Color { mode: "thresholds".to_owned(), fixed: None });
    field.thresholds = Some(Thresholds { mode: Default::default(), steps });
}
