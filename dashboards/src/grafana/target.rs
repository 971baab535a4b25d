//! The queries of a panel.

use super::datasource::{Source, Sources};
use super::gaps::Gaps;
use super::json::Json;
use super::macros::check_promql;
use crate::model::{Format, Language, Target, Variable};

/// Reads the targets that PromQL can answer and reports the others. Where none is left, or none of them parses, the
/// panel shows nothing and is blocked.
pub(crate) fn read(panel: Json<'_>, sources: &Sources, variables: &[Variable], gaps: &mut Gaps) -> Vec<Target> {
    let panel_source = sources.resolve(panel.get("datasource"));
    let mut targets = Vec::new();
    let mut reasons = Vec::new();
    for (position, json) in panel.items("targets").enumerate() {
        let source = match (json.get("datasource"), &panel_source) {
            (None, Source::Mixed) => Source::Metrics(None),
            (None, source) => source.clone(),
            (own, _) => sources.resolve(own),
        };
        match read_one(json, position, source) {
            Ok(Some(target)) => {
                if let Err(why) = check_promql(&target.expr, variables).or_else(|why| ignore_hidden(&target, why)) {
                    reasons.push(format!("query {}: {why}", target.ref_id));
                }
                targets.push(target);
            }
            Ok(None) => {}
            Err(why) => reasons.push(why),
        }
        if json.flag("exemplar") {
            gaps.add("exemplars");
        }
    }
    let shown = targets.iter().filter(|target| !target.hide).count();
    let broken = reasons.iter().filter(|why| why.starts_with("query ")).count();
    let nothing_left = shown == 0 || shown == broken;
    for why in reasons.iter() {
        if nothing_left { gaps.block(why.as_str()) } else { gaps.add(why.as_str()) }
    }
    if targets.is_empty() && reasons.is_empty() {
        gaps.block("it has no query");
    }
    targets
}

/// A hidden query feeds only expressions and other panels.
fn ignore_hidden(target: &Target, why: String) -> Result<(), String> {
    if target.hide { Ok(()) } else { Err(why) }
}

fn read_one(json: Json<'_>, position: usize, source: Source) -> Result<Option<Target>, String> {
    let ref_id = json.text("refId").filter(|id| !id.is_empty()).map_or_else(|| letters(position), str::to_owned);
    let source = match source {
        Source::Foreign(_) if json.flag("hide") => return Ok(None),
        Source::Foreign(kind) => return Err(format!("datasource type \"{kind}\"")),
        Source::Metrics(name) => name,
        Source::Mixed => None,
    };
    // VictoriaMetrics and hand-written boards say `query`; a target of another language has neither.
    let expr = json.text("expr").or_else(|| json.text("query")).unwrap_or("").trim();
    if expr.is_empty() {
        return Ok(None);
    }
    let format = match json.text("format") {
        Some("table") => Format::Table,
        Some("heatmap") => Format::Heatmap,
        _ => Format::TimeSeries,
    };
    Ok(Some(Target {
        ref_id,
        language: Language::Promql,
        expr: expr.to_owned(),
        legend: json.text("legendFormat").unwrap_or("").to_owned(),
        // Both switched on runs the range query too, which holds the instant's value.
        instant: json.flag("instant") && !json.flag("range"),
        format,
        interval: json.text("interval").filter(|interval| !interval.is_empty()).map(str::to_owned),
        hide: json.flag("hide"),
        source,
    }))
}

/// `A` to `Z`, then `A1` on: Grafana names the queries of a panel so where the file does not.
fn letters(position: usize) -> String {
    let letter = char::from(b'A' + (position % 26) as u8);
    match position / 26 {
        0 => letter.to_string(),
        round => format!("{letter}{round}"),
    }
}
