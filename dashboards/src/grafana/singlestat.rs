//! The `singlestat` panel of Grafana before 7: one value, or a gauge when its `gauge` is switched on.

use super::gaps::Gaps;
use super::json::Json;
use super::mapping;
use super::view::reducer;
use crate::model::{
    Color, ColorMode, FieldOptions, GaugeView, GraphMode, Mapping, Reduce, StatView, Step, Thresholds, ValueText, View,
};

pub(crate) fn read(panel: Json<'_>, gaps: &mut Gaps) -> (View, FieldOptions) {
    let mut field = FieldOptions {
        unit: panel.text("format").filter(|unit| !unit.is_empty()).map(str::to_owned),
        decimals: panel.whole("decimals").map(|digits| digits.min(20) as u8),
        thresholds: thresholds(panel),
        mappings: Some(mappings(panel)),
        no_value: panel.text("nullText").filter(|text| !text.is_empty()).map(str::to_owned),
        color: Some(Color { mode: "thresholds".to_owned(), fixed: None }),
        ..FieldOptions::default()
    };
    let mut reduce = Reduce::default();
    let mut text = ValueText::Value;
    match panel.text("valueName") {
        // The old panel's default was the mean.
        None => reduce.calc = "mean".to_owned(),
        Some("name") => text = ValueText::Name,
        Some(name) => reduce.calc = reducer(name, gaps).unwrap_or(reduce.calc),
    }
    let (prefix, postfix) = (affix(panel, "prefix"), affix(panel, "postfix"));
    if let Some(gauge) = panel.get("gauge").filter(|gauge| gauge.flag("show")) {
        field.min = gauge.number("minValue").or(Some(0.0));
        field.max = gauge.number("maxValue").or(Some(100.0));
        let view = GaugeView {
            reduce,
            threshold_markers: gauge.unless_off("thresholdMarkers"),
            threshold_labels: gauge.flag("thresholdLabels"),
            prefix,
            postfix,
            ..GaugeView::default()
        };
        return (View::Gauge(view), field);
    }
    let color_mode = match (panel.flag("colorBackground"), panel.flag("colorValue")) {
        (true, _) => ColorMode::Background,
        (false, true) => ColorMode::Value,
        (false, false) => ColorMode::None,
    };
    let sparkline = panel.get("sparkline").is_some_and(|sparkline| sparkline.flag("show"));
    let graph = if sparkline { GraphMode::Area } else { GraphMode::None };
    let view = StatView { reduce, color_mode, graph, text, prefix, postfix, ..StatView::default() };
    (View::Stat(view), field)
}

fn affix(panel: Json<'_>, name: &str) -> String {
    panel.text(name).unwrap_or("").to_owned()
}

/// `"thresholds": "50,80"` between the three `colors`.
fn thresholds(panel: Json<'_>) -> Option<Thresholds> {
    let bounds: Vec<f64> = panel.text("thresholds")?.split(',').filter_map(|bound| bound.trim().parse().ok()).collect();
    let colors = panel.texts("colors");
    let values = std::iter::once(None).chain(bounds.into_iter().map(Some));
    let steps: Vec<Step> = values.zip(colors).map(|(value, color)| Step { value, color }).collect();
    (!steps.is_empty()).then_some(Thresholds { mode: Default::default(), steps })
}

/// `mappingType` 1 uses `valueMaps`, 2 `rangeMaps`.
fn mappings(panel: Json<'_>) -> Vec<Mapping> {
    match panel.whole("mappingType") {
        Some(2) => panel.items("rangeMaps").map(mapping::old_range).collect(),
        _ => panel.items("valueMaps").filter_map(mapping::old_value).collect(),
    }
}
