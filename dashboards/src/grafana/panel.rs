//! One panel: its kind, its queries, and what of it is not understood.

use super::field::{self, Custom};
use super::gaps::Gaps;
use super::json::Json;
use super::layout::Placed;
use super::variable::Variables;
use super::{graph, old_table, singlestat, target, transform, view};
use crate::model::{FieldOptions, Override, Panel, RowView, Support, Transformation, UnknownView, View};

/// How a panel is shown, apart from what is common to all kinds.
struct Shown {
    view: View,
    field: FieldOptions,
    overrides: Vec<Override>,
    transformations: Vec<Transformation>,
}

pub(crate) fn read(placed: &Placed<'_>, id: u32, dashboard: Json<'_>, variables: &Variables) -> Panel {
    let inlined = library_panel(placed.json, dashboard);
    let json = inlined.unwrap_or(placed.json);
    if placed.old_row || json.text("type") == Some("row") {
        return row(placed, json, id);
    }
    let mut gaps = Gaps::default();
    if inlined.is_none() && json.get("libraryPanel").is_some() && json.get("type").is_none() {
        gaps.block("library panel that the file does not hold");
    }
    let shown = shown(json, &mut gaps);
    report_common(json, &mut gaps);
    let targets = match shown.view {
        View::Text(_) => Vec::new(),
        // Whether the queries of a kind that is not drawn are understood says nothing more.
        View::Unknown(_) => target::read(json, &variables.sources, &variables.list, &mut Gaps::default()),
        _ => target::read(json, &variables.sources, &variables.list, &mut gaps),
    };
    let (support, missing) = gaps.into_parts();
    let filled = |key| json.text(key).filter(|text| !text.is_empty()).map(str::to_owned);
    Panel {
        id,
        title: json.text("title").unwrap_or("").to_owned(),
        description: json.text("description").unwrap_or("").to_owned(),
        grid: placed.grid,
        view: shown.view,
        targets,
        field: shown.field,
        overrides: shown.overrides,
        transformations: shown.transformations,
        max_data_points: json.whole("maxDataPoints").filter(|points| *points > 0),
        min_interval: filled("interval"),
        time_from: filled("timeFrom"),
        time_shift: filled("timeShift"),
        support,
        missing,
    }
}

fn row(placed: &Placed<'_>, json: Json<'_>, id: u32) -> Panel {
    let mut missing = Vec::new();
    if let Some(by) = json.text("repeat").filter(|by| !by.is_empty()) {
        missing.push(format!("repeated for each \"{by}\""));
    }
    Panel {
        id,
        title: json.text("title").unwrap_or("").to_owned(),
        description: String::new(),
        grid: placed.grid,
        view: View::Row(RowView { collapsed: json.flag("collapsed") || json.flag("collapse") }),
        targets: Vec::new(),
        field: FieldOptions::default(),
        overrides: Vec::new(),
        transformations: Vec::new(),
        max_data_points: None,
        min_interval: None,
        time_from: None,
        time_shift: None,
        support: if missing.is_empty() { Support::Full } else { Support::Partial },
        missing,
    }
}

/// The panel of a library, where an export for other servers carries it in `__elements`, or an old save in place.
fn library_panel<'a>(json: Json<'a>, dashboard: Json<'a>) -> Option<Json<'a>> {
    let library = json.get("libraryPanel")?;
    let element = library.text("uid").and_then(|uid| dashboard.path(&["__elements", uid, "model"]));
    element.or_else(|| library.get("model"))
}

fn shown(json: Json<'_>, gaps: &mut Gaps) -> Shown {
    let empty = serde_json::Value::Null;
    let options = json.get("options").unwrap_or(Json(&empty));
    let config = field_config(json);
    let modern = |view: View, custom, gaps: &mut Gaps| {
        let (field, overrides) = field::read(config, custom, gaps);
        Shown { view, field, overrides, transformations: transform::read(json, gaps) }
    };
    match json.text("type") {
        Some("timeseries") => modern(View::Timeseries(view::timeseries(options, gaps)), Custom::Series, gaps),
        Some("stat") => modern(View::Stat(view::stat(options, gaps)), Custom::Nothing, gaps),
        Some("gauge") => modern(View::Gauge(view::gauge(options, gaps)), Custom::Nothing, gaps),
        Some("bargauge") => modern(View::Bargauge(view::bargauge(options, gaps)), Custom::Nothing, gaps),
        Some("text") => modern(View::Text(view::text(json, gaps)), Custom::Nothing, &mut Gaps::default()),
        Some("table" | "table-old") if old_table::is_old(json) => {
            let (view, overrides, transformations) = old_table::read(json, gaps);
            Shown { view: View::Table(view), field: FieldOptions::default(), overrides, transformations }
        }
        Some("table" | "table-old") => modern(View::Table(view::table(options, gaps)), Custom::Cells, gaps),
        Some("graph") => {
            let (view, field, overrides) = graph::read(json, gaps);
            Shown { view: View::Timeseries(view), field, overrides, transformations: transform::read(json, gaps) }
        }
        Some("singlestat" | "grafana-singlestat-panel") => {
            let (view, field) = singlestat::read(json, gaps);
            Shown { view, field, overrides: Vec::new(), transformations: Vec::new() }
        }
        other => {
            let source_type = other.unwrap_or("none").to_owned();
            gaps.block(format!("panel type \"{source_type}\""));
            modern(View::Unknown(UnknownView { source_type }), Custom::Nothing, &mut Gaps::default())
        }
    }
}

/// `fieldConfig`, or what Grafana 6 kept of it in the options of its first gauges and stats.
fn field_config(json: Json<'_>) -> Option<Json<'_>> {
    json.get("fieldConfig").or_else(|| json.path(&["options", "fieldOptions"]))
}

fn report_common(json: Json<'_>, gaps: &mut Gaps) {
    if let Some(by) = json.text("repeat").filter(|by| !by.is_empty()) {
        gaps.add(format!("repeated for each \"{by}\""));
    }
    if !json.list("links").is_empty() {
        gaps.add("panel links");
    }
    if json.get("alert").is_some_and(|alert| !alert.says_nothing()) {
        gaps.add("the panel's own alert rule");
    }
}
