//! Real boards of thirty repositories. The oracle is the raw JSON, walked without the importer.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::check;
use crate::model::{Support, View};
use crate::{import, report::Report};

/// The boards, or none when there is no corpus here.
fn files() -> Option<Vec<PathBuf>> {
    let Some(shared) = std::env::var_os("CULPRIT_SHARED") else {
        report_skip();
        return None;
    };
    let folder = Path::new(&shared).join("data/dashboards");
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    assert!(files.len() >= 30, "{} holds {} boards", folder.display(), files.len());
    Some(files)
}

fn report_skip() {
    eprintln!("skipped: CULPRIT_SHARED is not set, so no public dashboards were imported");
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every object of the file that has a place on the page, rows apart.
fn raw_panels(json: &Value) -> Vec<&Value> {
    let mut found = Vec::new();
    let mut open: Vec<&Value> = raw_list(json, "panels").collect();
    open.extend(raw_list(json, "rows").flat_map(|row| raw_list(row, "panels")));
    while let Some(panel) = open.pop() {
        open.extend(raw_list(panel, "panels"));
        if panel["type"] != "row" {
            found.push(panel);
        }
    }
    found
}

fn raw_list<'a>(json: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    json.get(key).and_then(Value::as_array).into_iter().flatten()
}

#[test]
fn every_board_imports_with_all_its_panels() {
    for path in files().unwrap_or_default() {
        let body = read(&path);
        let raw: Value = serde_json::from_str(&body).unwrap();
        let dashboard = import(&body).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let expected = raw_panels(&raw);
        let panels: Vec<_> = dashboard.panels.iter().filter(|panel| !matches!(panel.view, View::Row(_))).collect();
        assert_eq!(panels.len(), expected.len(), "{}", path.display());
        let mut titles: Vec<&str> = panels.iter().map(|panel| panel.title.as_str()).collect();
        let mut wanted: Vec<&str> = expected.iter().map(|panel| panel["title"].as_str().unwrap_or("")).collect();
        titles.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(titles, wanted, "{}", path.display());
        for (position, panel) in dashboard.panels.iter().enumerate() {
            for other in &dashboard.panels[..position] {
                assert!(apart(panel.grid, other.grid), "{}: {:?} on {:?}", path.display(), panel.title, other.title);
            }
        }
    }
}

fn apart(a: crate::model::Grid, b: crate::model::Grid) -> bool {
    a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y
}

/// The boards that this release must show whole.
#[test]
fn the_node_exporter_boards_are_understood_whole() {
    let Some(files) = files() else { return };
    for (name, panels) in [("prometheus-operator__nodes.json", 8), ("rfmoz__node-exporter-full.json", 125)] {
        let path = files.iter().find(|path| path.ends_with(name)).unwrap_or_else(|| panic!("{name} is not there"));
        let report = check(&read(path)).unwrap();
        let gaps: Vec<_> = report.panels.iter().filter(|panel| panel.support != Support::Full).collect();
        assert!(gaps.is_empty(), "{name}: {gaps:#?}");
        assert_eq!(report.counts.full, panels, "{name}");
    }
}

/// A floor under what is understood of the whole corpus; raise it when the importer learns.
#[test]
fn most_of_the_corpus_is_understood() {
    let Some(files) = files() else { return };
    let reports: Vec<Report> = files.iter().map(|path| check(&read(path)).unwrap()).collect();
    let sum = |of: fn(&Report) -> usize| reports.iter().map(of).sum::<usize>();
    let (full, partial, none) = (sum(|r| r.counts.full), sum(|r| r.counts.partial), sum(|r| r.counts.none));
    assert!(full >= 988 && none <= 76, "full {full}, partial {partial}, none {none}");
}
