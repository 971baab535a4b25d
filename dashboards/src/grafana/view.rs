//! The `options` of today's panels. Every reader names the options that it knows; the rest is reported.

use super::field::word;
use super::gaps::Gaps;
use super::json::Json;
use crate::model::{
    BargaugeView, ColorMode, GaugeView, Legend, LegendMode, Placement, Reduce, SortBy, StatView, TableView, TextMode,
    TextView, TimeseriesView, Tooltip,
};

/// The reducers that the console computes; `p1` to `p99` too.
const REDUCERS: [&str; 25] = [
    "lastNotNull",
    "last",
    "firstNotNull",
    "first",
    "min",
    "max",
    "mean",
    "median",
    "sum",
    "count",
    "range",
    "delta",
    "step",
    "diff",
    "diffperc",
    "logmin",
    "allIsZero",
    "allIsNull",
    "changeCount",
    "distinctCount",
    "stdDev",
    "variance",
    "countAll",
    "allValues",
    "uniqueValues",
];

/// No visible effect here: sizes that the page chooses by itself, editor state, and what older versions left behind.
const SILENT: [&str; 36] = [
    "alertThreshold",
    "annotations.clustering",
    "annotations.multiLane",
    "barShape",
    "barWidthFactor",
    "cellHeight",
    "code.language",
    "code.showLineNumbers",
    "code.showMiniMap",
    "dataLinks",
    "footer.countRows",
    "footer.enablePagination",
    "enablePagination",
    "frameIndex",
    "justifyMode",
    "legend.width",
    "legend.asTable",
    "legend.isVisible",
    "maxVizHeight",
    "minVizHeight",
    "minVizWidth",
    "namePlacement",
    "percentChangeColorMode",
    "segmentCount",
    "segmentSpacing",
    "sizing",
    "sparkline",
    "text.titleSize",
    "text.valueSize",
    "tooltip.hideZeros",
    "tooltip.maxHeight",
    "tooltip.maxWidth",
    "tooltip.sort",
    "tooltipOptions",
    "valueMode",
    "wideLayout",
];

/// Reports options beyond `known` and the silent ones. A path has at most two members.
fn report_unknown(options: Json<'_>, known: &[&str], gaps: &mut Gaps) {
    for (name, value) in options.entries() {
        if known.contains(&name) || SILENT.contains(&name) {
            continue;
        }
        let members: Vec<_> = value.entries().collect();
        if members.is_empty() && !value.says_nothing() {
            gaps.add(format!("option \"{name}\""));
        }
        for (member, value) in members {
            let path = format!("{name}.{member}");
            if !known.contains(&path.as_str()) && !SILENT.contains(&path.as_str()) && !value.says_nothing() {
                gaps.add(format!("option \"{path}\""));
            }
        }
    }
}

pub(crate) fn timeseries(options: Json<'_>, gaps: &mut Gaps) -> TimeseriesView {
    report_unknown(
        options,
        &[
            "legend.showLegend",
            "legend.displayMode",
            "legend.placement",
            "legend.calcs",
            "legend.sortBy",
            "legend.sortDesc",
            "tooltip.mode",
            "timezone",
        ],
        gaps,
    );
    let legend = options.get("legend").map_or_else(Legend::default, |legend| read_legend(legend, gaps));
    let tooltip = match options.path(&["tooltip", "mode"]).and_then(Json::as_text) {
        Some("multi" | "all") => Tooltip::Multi,
        Some("none" | "hidden") => Tooltip::None,
        _ => Tooltip::Single,
    };
    TimeseriesView { legend, tooltip }
}

fn read_legend(json: Json<'_>, gaps: &mut Gaps) -> Legend {
    let mode = json.text("displayMode");
    Legend {
        show: json.unless_off("showLegend") && json.unless_off("isVisible") && mode != Some("hidden"),
        mode: if mode == Some("table") || json.flag("asTable") { LegendMode::Table } else { LegendMode::List },
        placement: if json.text("placement") == Some("right") { Placement::Right } else { Placement::Bottom },
        calcs: json.items("calcs").filter_map(Json::as_text).filter_map(|calc| reducer(calc, gaps)).collect(),
        sort_by: json.text("sortBy").map(str::to_owned),
        sort_desc: json.flag("sortDesc"),
    }
}

/// A reducer's name of today; `avg`, `current` and `total` are those of the old graph.
pub(crate) fn reducer(name: &str, gaps: &mut Gaps) -> Option<String> {
    let name = match name {
        "avg" => "mean",
        "current" => "lastNotNull",
        "total" => "sum",
        other => other,
    };
    let percentile = name.strip_prefix('p').and_then(|p| p.parse::<u8>().ok()).is_some_and(|p| (1..=99).contains(&p));
    if REDUCERS.contains(&name) || percentile {
        return Some(name.to_owned());
    }
    gaps.add(format!("reducer \"{name}\""));
    None
}

fn read_reduce(options: Json<'_>, gaps: &mut Gaps) -> Reduce {
    let mut reduce = Reduce::default();
    let Some(json) = options.get("reduceOptions").or_else(|| options.get("fieldOptions")) else { return reduce };
    if let Some(calc) = json.texts("calcs").first().and_then(|calc| reducer(calc, gaps)) {
        reduce.calc = calc;
    }
    reduce.all_values = json.flag("values");
    reduce.limit = json.whole("limit");
    reduce.fields = json.text("fields").filter(|fields| !fields.is_empty()).map(str::to_owned);
    reduce
}

const REDUCE: [&str; 6] = [
    "reduceOptions.calcs",
    "reduceOptions.values",
    "reduceOptions.fields",
    "reduceOptions.limit",
    "fieldOptions",
    "orientation",
];

fn known_with_reduce(own: &[&'static str]) -> Vec<&'static str> {
    REDUCE.iter().chain(own).copied().collect()
}

/// A choice that may be absent.
fn choice<T: serde::de::DeserializeOwned + Default>(options: Json<'_>, name: &str, gaps: &mut Gaps) -> T {
    options.get(name).and_then(|value| word(&format!("option \"{name}\":"), value, gaps)).unwrap_or_default()
}

pub(crate) fn stat(options: Json<'_>, gaps: &mut Gaps) -> StatView {
    // A time series that became a stat keeps its legend and tooltip; a stat has neither.
    let own = ["colorMode", "graphMode", "textMode", "legend", "tooltip"];
    report_unknown(options, &known_with_reduce(&own), gaps);
    let color_mode = match options.text("colorMode") {
        Some("background") => ColorMode::Background,
        Some("background_solid") => ColorMode::BackgroundSolid,
        Some("none") => ColorMode::None,
        // `fixed` was written by generators; Grafana takes it for `value`.
        _ => ColorMode::Value,
    };
    StatView {
        reduce: read_reduce(options, gaps),
        color_mode,
        graph: choice(options, "graphMode", gaps),
        text: choice(options, "textMode", gaps),
        orientation: choice(options, "orientation", gaps),
        prefix: String::new(),
        postfix: String::new(),
    }
}

pub(crate) fn gauge(options: Json<'_>, gaps: &mut Gaps) -> GaugeView {
    let own = ["showThresholdLabels", "showThresholdMarkers", "legend", "tooltip"];
    report_unknown(options, &known_with_reduce(&own), gaps);
    GaugeView {
        reduce: read_reduce(options, gaps),
        orientation: choice(options, "orientation", gaps),
        threshold_markers: options.unless_off("showThresholdMarkers"),
        threshold_labels: options.flag("showThresholdLabels"),
        prefix: String::new(),
        postfix: String::new(),
    }
}

pub(crate) fn bargauge(options: Json<'_>, gaps: &mut Gaps) -> BargaugeView {
    let own = ["displayMode", "showUnfilled", "legend", "tooltip"];
    report_unknown(options, &known_with_reduce(&own), gaps);
    BargaugeView {
        reduce: read_reduce(options, gaps),
        orientation: choice(options, "orientation", gaps),
        display: choice(options, "displayMode", gaps),
        show_unfilled: options.unless_off("showUnfilled"),
    }
}

pub(crate) fn table(options: Json<'_>, gaps: &mut Gaps) -> TableView {
    let known =
        ["showHeader", "sortBy", "footer.show", "footer.reducer", "footer.fields", "filterable", "legend", "tooltip"];
    report_unknown(options, &known, gaps);
    let sort_by = options
        .items("sortBy")
        .filter_map(|one| Some(SortBy { field: one.text("displayName")?.to_owned(), desc: one.flag("desc") }))
        .collect();
    let footer = options.get("footer").filter(|footer| footer.flag("show"));
    TableView {
        show_header: options.unless_off("showHeader"),
        sort_by,
        footer: footer.and_then(|footer| reducer(footer.texts("reducer").first()?, gaps)),
        footer_fields: footer.map(|footer| footer.texts("fields")).unwrap_or_default(),
    }
}

/// `panel` for boards before Grafana 8, which kept content and mode beside the title.
pub(crate) fn text(panel: Json<'_>, gaps: &mut Gaps) -> TextView {
    let options = panel.get("options").filter(|options| options.get("content").is_some()).unwrap_or(panel);
    let mode = match options.text("mode") {
        Some("html") => TextMode::Html,
        Some("code") => TextMode::Code,
        None | Some("markdown" | "text") => TextMode::Markdown,
        Some(other) => {
            gaps.add(format!("text mode \"{other}\""));
            TextMode::Markdown
        }
    };
    TextView { mode, content: options.text("content").unwrap_or("").to_owned() }
}
