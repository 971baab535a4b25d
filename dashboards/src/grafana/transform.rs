//! Transformations: those that the console computes, with the modes that it knows.

use super::gaps::Gaps;
use super::json::Json;
use crate::model::Transformation;

pub(crate) fn read(panel: Json<'_>, gaps: &mut Gaps) -> Vec<Transformation> {
    let mut transformations = Vec::new();
    for json in panel.items("transformations") {
        if json.flag("disabled") {
            continue;
        }
        let id = json.text("id").unwrap_or("none");
        let options = json.get("options");
        if let Some(what) = unknown_part(id, options) {
            gaps.add(what);
        } else {
            let options = options.map_or_else(|| serde_json::json!({}), |options| options.0.clone());
            transformations.push(Transformation { id: id.to_owned(), options });
        }
        if json.get("filter").is_some() {
            gaps.add(format!("filter of transformation \"{id}\""));
        }
    }
    transformations
}

/// What of a transformation is not computed.
fn unknown_part(id: &str, options: Option<Json<'_>>) -> Option<String> {
    let mode = options.and_then(|options| options.text("mode"));
    let known = match id {
        "organize" | "merge" | "seriesToColumns" | "seriesToRows" | "filterFieldsByName" | "groupBy" | "sortBy"
        | "renameByRegex" | "limit" | "filterByRefId" => true,
        "joinByField" => matches!(mode, None | Some("outer" | "outerTabular" | "inner")),
        "reduce" => matches!(mode, None | Some("seriesToRows" | "reduceFields")),
        "calculateField" => matches!(mode, None | Some("binary" | "reduceRow")),
        "labelsToFields" => matches!(mode, None | Some("columns")),
        "filterByValue" => true,
        _ => false,
    };
    match (known, mode) {
        (true, _) => None,
        (false, Some(mode)) => Some(format!("transformation \"{id}\" with mode \"{mode}\"")),
        (false, None) => Some(format!("transformation \"{id}\"")),
    }
}
