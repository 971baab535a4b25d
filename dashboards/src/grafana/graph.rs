//! The `graph` panel of Grafana before 8: lines, fills and axes stand beside the title, exceptions in
//! `seriesOverrides` and `aliasColors`.

use super::field::filled_text;
use super::gaps::Gaps;
use super::json::Json;
use super::view::reducer;
use crate::model::{
    AxisPlacement, Color, DrawStyle, FieldOptions, HideFrom, Interpolation, Legend, LegendMode, LineStyle, Matcher,
    Override, Placement, PointsMode, Scale, SpanNulls, Stacking, StackingMode, Step, Thresholds, ThresholdsStyle,
    TimeseriesView, Tooltip, Transform,
};

/// The members of `legend` that switch a column on.
const LEGEND_CALCS: [&str; 5] = ["min", "max", "avg", "current", "total"];

pub(crate) fn read(panel: Json<'_>, gaps: &mut Gaps) -> (TimeseriesView, FieldOptions, Vec<Override>) {
    let view = TimeseriesView { legend: legend(panel, gaps), tooltip: tooltip(panel) };
    let mut field = FieldOptions::default();
    series(panel, &mut field);
    let axes = panel.list("yaxes");
    if let Some(left) = axes.first() {
        axis(Json(left), &mut field);
    } else {
        field.unit = panel.list("y_formats").first().and_then(|unit| filled_text(Json(unit)));
    }
    field.decimals = panel.whole("decimals").map(|digits| digits.min(20) as u8).or(field.decimals);
    thresholds(panel, &mut field);
    if let Some(mode) = panel.path(&["xaxis", "mode"]).and_then(Json::as_text).filter(|mode| *mode != "time") {
        gaps.block(format!("horizontal axis by {mode}"));
    }
    let right = axes.get(1).map(Json);
    let mut overrides: Vec<Override> = panel.get("aliasColors").into_iter().flat_map(alias_colors).collect();
    overrides.extend(panel.items("seriesOverrides").filter_map(|one| series_override(one, right, gaps)));
    (view, field, overrides)
}

fn legend(panel: Json<'_>, gaps: &mut Gaps) -> Legend {
    let Some(json) = panel.get("legend") else { return Legend::default() };
    let calcs = LEGEND_CALCS.iter().filter(|calc| json.flag("values") && json.flag(calc));
    Legend {
        show: json.unless_off("show"),
        mode: if json.flag("alignAsTable") { LegendMode::Table } else { LegendMode::List },
        placement: if json.flag("rightSide") { Placement::Right } else { Placement::Bottom },
        calcs: calcs.filter_map(|calc| reducer(calc, gaps)).collect(),
        sort_by: json.text("sort").and_then(|sort| reducer(sort, gaps)),
        sort_desc: json.flag("sortDesc"),
    }
}

fn tooltip(panel: Json<'_>) -> Tooltip {
    match panel.get("tooltip") {
        Some(tooltip) if !tooltip.flag("shared") => Tooltip::Single,
        _ => Tooltip::Multi,
    }
}

fn series(panel: Json<'_>, field: &mut FieldOptions) {
    let (lines, bars, points) = (panel.unless_off("lines"), panel.flag("bars"), panel.flag("points"));
    field.draw = Some(match (bars, lines, points) {
        (true, _, _) => DrawStyle::Bars,
        (false, false, true) => DrawStyle::Points,
        _ => DrawStyle::Line,
    });
    field.points = Some(if points { PointsMode::Always } else { PointsMode::Never });
    field.line_width = Some(if lines || bars { panel.number("linewidth").unwrap_or(1.0) } else { 0.0 });
    field.fill_opacity = Some(panel.number("fill").unwrap_or(1.0) * 10.0);
    field.point_size = panel.number("pointradius").map(|radius| radius * 2.0);
    if panel.flag("steppedLine") {
        field.interpolation = Some(Interpolation::StepAfter);
    }
    match panel.text("nullPointMode") {
        Some("connected") => field.span_nulls = Some(SpanNulls::All(true)),
        Some("null as zero") => field.null_as_zero = Some(true),
        _ => {}
    }
    if panel.flag("stack") {
        let mode = if panel.flag("percentage") { StackingMode::Percent } else { StackingMode::Normal };
        field.stacking = Some(Stacking { mode, group: "A".to_owned() });
    }
    if panel.flag("dashes") {
        field.line_style = Some(dashes(panel));
    }
}

fn dashes(json: Json<'_>) -> LineStyle {
    let pixels = |name| json.number(name).unwrap_or(10.0);
    LineStyle { fill: "dash".to_owned(), dash: vec![pixels("dashLength"), pixels("spaceLength")] }
}

fn axis(json: Json<'_>, field: &mut FieldOptions) {
    field.unit = json.get("format").and_then(filled_text);
    field.min = json.number("min");
    field.max = json.number("max");
    field.axis_label = json.get("label").and_then(filled_text);
    field.scale = json.whole("logBase").filter(|base| *base > 1).map(|log| Scale { log: log.min(10) });
    if !json.unless_off("show") {
        field.axis = Some(AxisPlacement::Hidden);
    }
}

/// Each threshold is a line, an area or both, above (`gt`) or below (`lt`) its value; between them nothing is coloured.
fn thresholds(panel: Json<'_>, field: &mut FieldOptions) {
    let mut steps = vec![Step { value: None, color: "transparent".to_owned() }];
    let (mut line, mut area) = (false, false);
    let mut sorted: Vec<(f64, Json<'_>)> =
        panel.items("thresholds").filter_map(|json| Some((json.number("value")?, json))).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (value, json) in sorted {
        line |= json.flag("line");
        area |= json.flag("fill");
        let color = threshold_color(json);
        if json.text("op") == Some("lt") {
            if let Some(below) = steps.last_mut() {
                below.color = color;
            }
            steps.push(Step { value: Some(value), color: "transparent".to_owned() });
        } else {
            steps.push(Step { value: Some(value), color });
        }
    }
    let style = match (line, area) {
        (true, true) => ThresholdsStyle::LineAndArea,
        (true, false) => ThresholdsStyle::Line,
        (false, true) => ThresholdsStyle::Area,
        (false, false) => return,
    };
    field.thresholds = Some(Thresholds { mode: Default::default(), steps });
    field.thresholds_style = Some(style);
}

fn threshold_color(json: Json<'_>) -> String {
    let custom = json.text("lineColor").or_else(|| json.text("fillColor"));
    match json.text("colorMode") {
        Some("custom") => custom.unwrap_or("red"),
        Some("warning") => "orange",
        Some("ok") => "green",
        _ => "red",
    }
    .to_owned()
}

fn alias_colors(colors: Json<'_>) -> impl Iterator<Item = Override> {
    colors.entries().filter_map(|(alias, color)| {
        let color = Color { mode: "fixed".to_owned(), fixed: Some(color.as_text()?.to_owned()) };
        let field = FieldOptions { color: Some(color), ..FieldOptions::default() };
        Some(Override { matcher: Matcher::Name { name: alias.to_owned() }, field })
    })
}

fn series_override(json: Json<'_>, right: Option<Json<'_>>, gaps: &mut Gaps) -> Option<Override> {
    let alias = json.text("alias")?;
    let matcher = if alias.starts_with('/') {
        Matcher::Regexp { pattern: alias.to_owned() }
    } else {
        Matcher::Name { name: alias.to_owned() }
    };
    let mut field = FieldOptions::default();
    for (name, value) in json.entries() {
        override_member(name, value, &mut field, right, gaps);
    }
    if json.flag("dashes") {
        field.line_style = Some(dashes(json));
    }
    (field != FieldOptions::default()).then_some(Override { matcher, field })
}

fn override_member(name: &str, value: Json<'_>, field: &mut FieldOptions, right: Option<Json<'_>>, gaps: &mut Gaps) {
    let on = value.0 == &serde_json::Value::Bool(true);
    match name {
        "color" => {
            field.color = Some(Color { mode: "fixed".to_owned(), fixed: value.as_text().map(str::to_owned) });
        }
        "yaxis" if value.as_whole() == Some(2) => {
            if let Some(axis_json) = right {
                axis(axis_json, field);
            }
            field.axis = field.axis.or(Some(AxisPlacement::Right));
        }
        "fill" => field.fill_opacity = value.as_number().map(|fill| fill * 10.0),
        "linewidth" => field.line_width = value.as_number(),
        "lines" if !on => field.line_width = Some(0.0),
        "bars" if on => field.draw = Some(DrawStyle::Bars),
        "points" => field.points = Some(if on { PointsMode::Always } else { PointsMode::Never }),
        "pointradius" => field.point_size = value.as_number().map(|radius| radius * 2.0),
        "steppedLine" if on => field.interpolation = Some(Interpolation::StepAfter),
        "stack" => field.stacking = Some(override_stacking(value)),
        "transform" if value.as_text() == Some("negative-Y") => field.transform = Some(Transform::NegativeY),
        "nullPointMode" => match value.as_text() {
            Some("connected") => field.span_nulls = Some(SpanNulls::All(true)),
            Some("null as zero") => field.null_as_zero = Some(true),
            _ => {}
        },
        "legend" => field.hide_from.get_or_insert_with(HideFrom::default).legend = !on,
        "hideTooltip" => field.hide_from.get_or_insert_with(HideFrom::default).tooltip = on,
        "hiddenSeries" => field.hide_from.get_or_insert_with(HideFrom::default).viz = on,
        "alias" | "dashes" | "dashLength" | "spaceLength" | "zindex" | "$$hashKey" | "yaxis" | "lines" | "bars"
        | "steppedLine" | "fillGradient" => {}
        _ if value.says_nothing() => {}
        other => gaps.add(format!("series override \"{other}\"")),
    }
}

/// `true`, `false` or the name of a group.
fn override_stacking(value: Json<'_>) -> Stacking {
    match value.0 {
        serde_json::Value::Bool(false) => Stacking { mode: StackingMode::None, group: String::new() },
        _ => Stacking { mode: StackingMode::Normal, group: value.as_text().unwrap_or("A").to_owned() },
    }
}
