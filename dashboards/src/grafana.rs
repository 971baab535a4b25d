//! Reads dashboards that Grafana wrote, from version 4 to the last classic schema, and says of each panel what it did
//! not understand. Nothing is guessed silently: an option that no reader knows is a gap in the report.

mod datasource;
mod field;
mod gaps;
mod graph;
mod json;
mod layout;
mod macros;
mod mapping;
mod old_table;
mod panel;
mod singlestat;
mod target;
mod transform;
mod variable;
mod view;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use crate::DashboardError;
use crate::limits::{BODY_BYTES_MAX, PANELS_MAX, TARGETS_MAX, UID_BYTES_MAX, VARIABLES_MAX};
use crate::model::{Dashboard, TimeWindow};
use json::Json;

#[cfg(test)]
pub(crate) use macros::check_promql;

/// A dashboard out of Grafana's JSON: an export, an API answer (`{"dashboard": …}`) or a Kubernetes-style resource of
/// the classic schema (`{"spec": …}`).
pub fn import(body: &str) -> Result<Dashboard, DashboardError> {
    bounded("bytes", body.len(), BODY_BYTES_MAX)?;
    let file: Value = serde_json::from_str(body).map_err(|source| DashboardError::NotJson {
        line: source.line(),
        column: source.column(),
        source,
    })?;
    let (root, resource_name) = unwrap(Json(&file))?;
    check_bounds(root)?;
    let mut variables = variable::read(root, body);
    let mut ids = Ids::default();
    let panels =
        layout::place(root).iter().map(|placed| panel::read(placed, ids.take(placed.json), root, &variables)).collect();
    let title = root.text("title").filter(|title| !title.trim().is_empty()).unwrap_or("Untitled").to_owned();
    let uid = root.text("uid").filter(|uid| !uid.is_empty()).or(resource_name);
    report_dashboard(root, &mut variables.missing);
    Ok(Dashboard {
        uid: uid.map_or_else(|| uid_of_title(&title, body), |uid| clean_uid(uid, body)),
        title,
        description: root.text("description").unwrap_or("").to_owned(),
        tags: root.texts("tags"),
        time: time_window(root),
        refresh: root.text("refresh").filter(|refresh| !refresh.is_empty()).map(str::to_owned),
        shared_cursor: root.whole("graphTooltip").is_some_and(|tooltip| tooltip > 0) || root.flag("sharedCrosshair"),
        variables: variables.list,
        panels,
        missing: variables.missing,
    })
}

/// The dashboard inside its wrapping, and the name that a resource gives it.
fn unwrap<'a>(file: Json<'a>) -> Result<(Json<'a>, Option<&'a str>), DashboardError> {
    let no = |why| Err(DashboardError::NotADashboard { why });
    if !file.0.is_object() {
        return no("it is not an object");
    }
    let version = file.text("apiVersion").unwrap_or("");
    let inner = file.get("dashboard").or_else(|| file.get("spec")).filter(|inner| inner.0.is_object()).unwrap_or(file);
    if version.starts_with("dashboard.grafana.app/v2")
        || inner.get("elements").is_some() && inner.get("layout").is_some()
    {
        let version = if version.is_empty() { "spec.elements" } else { version };
        return Err(DashboardError::SchemaV2 { version: version.to_owned() });
    }
    if inner.get("panels").is_none() && inner.get("rows").is_none() {
        return no("it has neither \"panels\" nor \"rows\"");
    }
    Ok((inner, file.path(&["metadata", "name"]).and_then(Json::as_text)))
}

fn bounded(thing: &'static str, found: usize, limit: usize) -> Result<(), DashboardError> {
    if found > limit { Err(DashboardError::TooMany { thing, found, limit }) } else { Ok(()) }
}

fn check_bounds(root: Json<'_>) -> Result<(), DashboardError> {
    let outer = root.items("panels").chain(root.items("rows"));
    let all: Vec<Json<'_>> = outer.flat_map(|panel| std::iter::once(panel).chain(panel.items("panels"))).collect();
    bounded("panels", all.len(), PANELS_MAX)?;
    let targets = all.iter().map(|panel| panel.list("targets").len()).max().unwrap_or(0);
    bounded("queries in one panel", targets, TARGETS_MAX)?;
    let variables = root.get("templating").map_or(0, |templating| templating.list("list").len());
    bounded("variables", variables + root.list("__inputs").len(), VARIABLES_MAX)
}

fn time_window(root: Json<'_>) -> TimeWindow {
    let standard = TimeWindow::default();
    let bound = |name| root.path(&["time", name]).and_then(Json::as_words);
    TimeWindow { from: bound("from").unwrap_or(standard.from), to: bound("to").unwrap_or(standard.to) }
}

fn report_dashboard(root: Json<'_>, missing: &mut Vec<String>) {
    let annotations = root.get("annotations").into_iter().flat_map(|annotations| annotations.items("list"));
    // Every board carries the one that Grafana builds in.
    for annotation in annotations.filter(|one| one.whole("builtIn") != Some(1) && one.unless_off("enable")) {
        missing.push(format!("annotation \"{}\"", annotation.text("name").unwrap_or("unnamed")));
    }
    if !root.list("links").is_empty() {
        missing.push("links to other pages".to_owned());
    }
}

/// Panel ids of the file where they are there and unique.
#[derive(Default)]
struct Ids {
    taken: BTreeSet<u32>,
}

impl Ids {
    fn take(&mut self, json: Json<'_>) -> u32 {
        let wanted = json.whole("id").filter(|id| *id > 0 && *id < u32::MAX && !self.taken.contains(id));
        let id = wanted.unwrap_or_else(|| self.taken.last().map_or(1, |last| last + 1));
        self.taken.insert(id);
        id
    }
}

/// A uid that can stand in an address; one with other characters gets a digest so that two of them stay apart.
fn clean_uid(uid: &str, body: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if uid.len() <= UID_BYTES_MAX && uid.chars().all(plain) { uid.to_owned() } else { uid_of_title(uid, body) }
}

fn uid_of_title(title: &str, body: &str) -> String {
    let slug: String =
        title.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    let words: Vec<&str> = slug.split('-').filter(|word| !word.is_empty()).collect();
    let slug: String = words.join("-").chars().take(60).collect();
    format!("{slug}-{:08x}", xxh3_64(body.as_bytes()) as u32).trim_start_matches('-').to_owned()
}
