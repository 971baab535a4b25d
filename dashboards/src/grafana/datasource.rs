//! Which store a query asks. Files name their datasources by uid, by name, by a variable, by an input of the export or
//! not at all; here every metric source becomes a variable whose value is a metricstore, and any other kind is foreign.

use std::collections::BTreeMap;

use super::json::Json;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// PromQL, of the store that this variable names (none: the dashboard's first).
    Metrics(Option<String>),
    /// Each query names its own.
    Mixed,
    /// Of this type, which is not spoken here.
    Foreign(String),
}

/// The datasource variables and inputs of a file, by name, with their types.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    types: BTreeMap<String, String>,
}

impl Sources {
    pub(crate) fn add(&mut self, name: &str, kind: &str) {
        self.types.insert(name.to_owned(), kind.to_owned());
    }

    /// What a `datasource` member means; absent is the default one.
    pub(crate) fn resolve(&self, json: Option<Json<'_>>) -> Source {
        let Some(json) = json else { return Source::Metrics(None) };
        if let Some(name) = json.as_text() {
            return self.by_name(name);
        }
        let uid = json.text("uid").unwrap_or("");
        match json.text("type") {
            Some("datasource" | "grafana") => self.by_name(uid),
            Some("__expr__") => Source::Foreign("server-side expression".to_owned()),
            Some(kind) if !is_metrics(kind) && !kind.starts_with('$') => Source::Foreign(kind.to_owned()),
            _ => self.by_name(uid),
        }
    }

    fn by_name(&self, name: &str) -> Source {
        match name {
            "-- Mixed --" => return Source::Mixed,
            "-- Grafana --" | "grafana" => return Source::Foreign("grafana".to_owned()),
            "-- Dashboard --" => return Source::Foreign("another panel's data".to_owned()),
            "__expr__" => return Source::Foreign("server-side expression".to_owned()),
            _ => {}
        }
        match variable_name(name).and_then(|variable| self.types.get_key_value(variable)) {
            Some((_, kind)) if !is_metrics(kind) => Source::Foreign(kind.clone()),
            Some((variable, _)) => Source::Metrics(Some(variable.clone())),
            None => Source::Metrics(None),
        }
    }
}

/// Types that speak PromQL.
pub(crate) fn is_metrics(kind: &str) -> bool {
    kind.contains("prometheus") || kind.contains("victoriametrics-metrics") || kind == "mimir"
}

/// `$name`, `${name}`, `${name:format}` or `[[name]]` as a whole.
fn variable_name(text: &str) -> Option<&str> {
    let braced = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    let bracketed = || text.strip_prefix("[[").and_then(|rest| rest.strip_suffix("]]"));
    let name = braced.or_else(bracketed).or_else(|| text.strip_prefix('$'))?;
    Some(name.split_once(':').map_or(name, |(name, _)| name))
}
