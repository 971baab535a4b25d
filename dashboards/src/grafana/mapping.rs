//! Value mappings, of today's form and of the numeric one before Grafana 8.

use super::gaps::Gaps;
use super::json::Json;
use crate::model::Mapping;

pub(crate) fn read(value: Json<'_>, gaps: &mut Gaps) -> Vec<Mapping> {
    let mut mappings = Vec::new();
    for one in value.0.as_array().into_iter().flatten().map(Json) {
        match one.get("type").and_then(Json::as_words).as_deref() {
            Some("value") => mappings.extend(values(one)),
            Some("range") => mappings.extend(one.get("options").map(range)),
            Some("regex") => mappings.extend(one.get("options").and_then(regex)),
            Some("special") => mappings.extend(one.get("options").and_then(special)),
            Some("1") => mappings.extend(old_value(one)),
            Some("2") => mappings.push(old_range(one)),
            other => gaps.add(format!("value mapping of type \"{}\"", other.unwrap_or("none"))),
        }
    }
    mappings
}

fn values(json: Json<'_>) -> Vec<Mapping> {
    let Some(options) = json.get("options") else { return Vec::new() };
    options
        .entries()
        .map(|(value, result)| Mapping::Value { value: value.to_owned(), text: text(result), color: color(result) })
        .collect()
}

fn range(options: Json<'_>) -> Mapping {
    let result = options.get("result").unwrap_or(options);
    Mapping::Range { from: options.number("from"), to: options.number("to"), text: text(result), color: color(result) }
}

fn regex(options: Json<'_>) -> Option<Mapping> {
    let result = options.get("result").unwrap_or(options);
    Some(Mapping::Regex { pattern: options.text("pattern")?.to_owned(), text: text(result), color: color(result) })
}

fn special(options: Json<'_>) -> Option<Mapping> {
    let result = options.get("result").unwrap_or(options);
    Some(Mapping::Special { matches: options.text("match")?.to_owned(), text: text(result), color: color(result) })
}

/// `{"type": 1, "value": "1", "text": "up"}`; the value `null` was how a missing one was written.
pub(crate) fn old_value(json: Json<'_>) -> Option<Mapping> {
    let value = json.get("value").and_then(Json::as_words)?;
    let text = text(json);
    Some(match value.as_str() {
        "null" => Mapping::Special { matches: "null+nan".to_owned(), text, color: None },
        _ => Mapping::Value { value, text, color: None },
    })
}

/// `{"type": 2, "from": "0", "to": "9", "text": "few"}`; `null` to `null` matched missing values.
pub(crate) fn old_range(json: Json<'_>) -> Mapping {
    if json.text("from") == Some("null") && json.text("to") == Some("null") {
        return Mapping::Special { matches: "null+nan".to_owned(), text: text(json), color: None };
    }
    Mapping::Range { from: json.number("from"), to: json.number("to"), text: text(json), color: None }
}

fn text(result: Json<'_>) -> Option<String> {
    result.get("text").and_then(Json::as_words).filter(|text| !text.is_empty())
}

fn color(result: Json<'_>) -> Option<String> {
    result.text("color").map(str::to_owned)
}
