//! Prometheus' rule files, the `PrometheusRule` resource of Kubernetes, and our own keys beside theirs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use culprit_query::promql;
use culprit_store::{METRIC_NAME, ProjectName};
use serde_norway::{Mapping, Value};

use super::inspect::read_inspection;
use super::lines::{Place, Step, documents};
use super::reader::{Node, Source};
use super::{Expression, GroupSpec, Rule, RuleId, RuleKind, Templated, Threshold};
use crate::evaluator::check_search;
use crate::slice::{SliceTemplate, split_store};
use crate::template::Template;

/// The annotation that names a slice in a file that Prometheus must be able to read too.
pub(crate) const SLICE_ANNOTATION: &str = "culprit_slice";
const DEFAULT_WINDOW: Duration = Duration::from_secs(300);

const GROUP_KEYS: [&str; 6] = ["name", "interval", "limit", "query_offset", "labels", "rules"];
/// Thanos' key, which the Kubernetes resource allows; it says nothing to us.
const RESOURCE_GROUP_KEYS: [&str; 7] =
    ["name", "interval", "limit", "query_offset", "labels", "rules", "partial_response_strategy"];
const RULE_KEYS: [&str; 14] = [
    "record",
    "alert",
    "expr",
    "sql",
    "search",
    "project",
    "window",
    "threshold",
    "for",
    "keep_firing_for",
    "labels",
    "annotations",
    "explain",
    "inspect",
];
const EXPLAIN_KEYS: [&str; 7] = ["project", "store", "where", "baseline", "noun", "dimensions", "window"];

/// A mistake in a rule file, in one line that an editor can jump to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub file: String,
    pub line: usize,
    pub why: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.why)
    }
}

/// What a file holds. With problems, the groups are what could still be read and must not be evaluated.
#[derive(Debug, Default)]
pub(crate) struct RuleFile {
    pub groups: Vec<GroupSpec>,
    pub problems: Vec<Problem>,
}

pub(crate) fn parse_rule_file(file: &str, text: &str) -> RuleFile {
    let mut source = Source { file, text, document: 0, problems: Vec::new() };
    let values = match documents(text) {
        Ok(values) => values,
        Err(error) => {
            let line = error.location().map_or(1, |location| location.line());
            let problem = Problem { file: file.to_owned(), line, why: format!("not valid YAML: {error}") };
            return RuleFile { groups: Vec::new(), problems: vec![problem] };
        }
    };
    let mut groups = Vec::new();
    for (document, value) in values.iter().enumerate() {
        source.document = document;
        groups.extend(read_document(&mut source, value));
    }
    let mut names = BTreeSet::new();
    let repeated: Vec<_> = groups.iter().filter(|(_, group)| !names.insert(group.name.clone())).collect();
    for (path, group) in repeated {
        source.problem(path, format!("group {:?} comes twice in this file", group.name));
    }
    RuleFile { groups: groups.into_iter().map(|(_, group)| group).collect(), problems: source.problems }
}

type Located = (Vec<Step>, GroupSpec);

fn read_document(source: &mut Source<'_>, value: &Value) -> Vec<Located> {
    let map = match value {
        Value::Null => return Vec::new(),
        Value::Mapping(map) => map,
        _ => {
            source.problem(&[], "a rule file must be a mapping with the key \"groups\"");
            return Vec::new();
        }
    };
    let root = Node { map, path: Vec::new(), what: "the file".to_owned() };
    let resource = map.contains_key("spec") || map.contains_key("kind");
    if !resource {
        source.only_keys(&root, &["groups"]);
        return read_groups(source, &root, &GROUP_KEYS);
    }
    source.only_keys(&root, &["apiVersion", "kind", "metadata", "spec", "status"]);
    let kind = source.text(&root, "kind").unwrap_or_default();
    if kind != "PrometheusRule" {
        source.problem_at(&root, "kind", format_args!("kind {kind:?} holds no rules, expected \"PrometheusRule\""));
        return Vec::new();
    }
    let Some(Value::Mapping(spec)) = map.get("spec") else {
        source.problem_at(&root, "spec", "key \"spec\" must be a mapping");
        return Vec::new();
    };
    let spec = Node { map: spec, path: root.at("spec"), what: "spec".to_owned() };
    source.only_keys(&spec, &["groups"]);
    read_groups(source, &spec, &RESOURCE_GROUP_KEYS)
}

fn read_groups(source: &mut Source<'_>, parent: &Node<'_>, keys: &[&str]) -> Vec<Located> {
    let maps = source.mappings(parent, "groups");
    let mut groups = Vec::with_capacity(maps.len());
    for (i, map) in maps {
        let mut node = parent.child("groups", i, map, format!("group {i}"));
        let name = source.text(&node, "name").unwrap_or_default();
        if name.is_empty() {
            source.problem_at(&node, "name", "the group needs a name");
        } else {
            node.what = format!("group {name:?}");
        }
        source.only_keys(&node, keys);
        groups.push((node.path.clone(), read_group(source, &node, name)));
    }
    groups
}

fn read_group(source: &mut Source<'_>, node: &Node<'_>, name: String) -> GroupSpec {
    let interval = source.duration(node, "interval").filter(|interval| !interval.is_zero());
    let limit = source.parsed(node, "limit", str::parse::<usize>).unwrap_or(0);
    let query_offset = source.duration(node, "query_offset").unwrap_or(Duration::ZERO);
    let group_labels = source.texts(node, "labels");
    let mut rules = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (i, map) in source.mappings(node, "rules") {
        let rule = node.child("rules", i, map, format!("rule {i} of {}", node.what));
        let before = source.problems.len();
        let read = read_rule(source, rule, &group_labels);
        // A rule with a mistake is told by its problem; half of it is of no use.
        let Some(mut rule) = read.filter(|_| source.problems.len() == before) else { continue };
        let key = identity(&name, &rule);
        let count = seen.entry(key.clone()).or_insert(0);
        rule.id = RuleId(if *count == 0 { key } else { format!("{key}#{count}") });
        *count += 1;
        rules.push(Arc::new(rule));
    }
    GroupSpec { name, file: source.file.to_owned(), interval, limit, query_offset, rules }
}

fn identity(group: &str, rule: &Rule) -> String {
    let labels: Vec<_> = rule.labels.iter().map(|label| format!("{}={:?}", label.name, label.text)).collect();
    format!("{group};{};{{{}}}", rule.name(), labels.join(","))
}

fn read_rule(source: &mut Source<'_>, mut node: Node<'_>, group_labels: &[(String, String)]) -> Option<Rule> {
    let (record, alert) = (source.text(&node, "record"), source.text(&node, "alert"));
    if let Some(name) = alert.as_ref().or(record.as_ref()).filter(|name| !name.is_empty()) {
        node.what = format!("rule {name:?}");
    }
    source.only_keys(&node, &RULE_KEYS);
    let expression = read_expression(source, &node);
    let labels = read_labels(source, &node, group_labels);
    let kind = match (record, alert) {
        (Some(_), Some(_)) => {
            source.problem_at(&node, "record", "a rule has either \"record\" or \"alert\", not both");
            None
        }
        (None, None) => {
            source.problem_at(&node, "record", "a rule needs \"record\" or \"alert\"");
            None
        }
        (Some(record), None) => read_recording(source, &node, record),
        (None, Some(alert)) => read_alerting(source, &node, alert),
    };
    let place = Place { document: source.document, path: node.path };
    Some(Rule { id: RuleId(String::new()), kind: kind?, expression: expression?, labels, place })
}

fn read_recording(source: &mut Source<'_>, node: &Node<'_>, record: String) -> Option<RuleKind> {
    for key in ["for", "keep_firing_for", "annotations", "explain", "inspect"] {
        if node.map.contains_key(key) {
            source.problem_at(node, key, format_args!("a recording rule takes no {key:?}"));
        }
    }
    // UTF-8 names are legal in Prometheus 3, braces are the mistake of writing a selector here.
    if record.is_empty() || record.contains(['{', '}']) {
        source.problem_at(node, "record", format_args!("invalid recording rule name: {record:?}"));
        return None;
    }
    Some(RuleKind::Recording { record })
}

fn read_alerting(source: &mut Source<'_>, node: &Node<'_>, alert: String) -> Option<RuleKind> {
    if alert.is_empty() {
        source.problem_at(node, "alert", "the alert needs a name");
    }
    let hold = source.duration(node, "for").unwrap_or(Duration::ZERO);
    let keep_firing_for = source.duration(node, "keep_firing_for").unwrap_or(Duration::ZERO);
    let mut annotations = Vec::new();
    for (name, text) in source.texts(node, "annotations") {
        annotations.extend(templated(source, node, "annotations", name, text));
    }
    let slice = read_slice(source, node, &annotations).map(Box::new);
    Some(RuleKind::Alerting { alert, hold, keep_firing_for, annotations, slice })
}

fn read_labels(source: &mut Source<'_>, node: &Node<'_>, group_labels: &[(String, String)]) -> Vec<Templated> {
    let own = source.texts(node, "labels");
    let inherited = group_labels.iter().filter(|(name, _)| own.iter().all(|(own, _)| own != name)).cloned();
    let mut labels = Vec::new();
    for (name, text) in inherited.chain(own.iter().cloned()).collect::<Vec<_>>() {
        if name.is_empty() || name == METRIC_NAME {
            source.problem_at(node, "labels", format_args!("invalid label name: {name:?}"));
            continue;
        }
        labels.extend(templated(source, node, "labels", name, text));
    }
    labels
}

fn templated(source: &mut Source<'_>, node: &Node<'_>, key: &str, name: String, text: String) -> Option<Templated> {
    match Template::parse(&text) {
        Ok(template) => Some(Templated { name, text, template }),
        Err(error) => {
            let mut path = node.at(key);
            path.push(Step::Key(name.clone()));
            source.problem(&path, format!("{}: {key} {name:?}: {error}", node.what));
            None
        }
    }
}

fn read_project(source: &mut Source<'_>, node: &Node<'_>) -> ProjectName {
    source.parsed(node, "project", ProjectName::parse).unwrap_or_else(ProjectName::default_project)
}

fn read_expression(source: &mut Source<'_>, node: &Node<'_>) -> Option<Expression> {
    let given: Vec<_> = ["expr", "sql", "search"].into_iter().filter(|key| node.map.contains_key(*key)).collect();
    let [key] = given[..] else {
        let why = if given.is_empty() { "is missing" } else { "comes more than once" };
        source.problem_at(
            node,
            "expr",
            format_args!("its expression {why}: give one of \"expr\", \"sql\", \"search\""),
        );
        return None;
    };
    let allowed: &[&str] = match key {
        "search" => &["window", "threshold"],
        // An inspection has a history in its place.
        "sql" if !node.map.contains_key("inspect") => &["window"],
        _ => &[],
    };
    for other in ["window", "threshold"] {
        if node.map.contains_key(other) && !allowed.contains(&other) {
            source.problem_at(node, other, format_args!("{other:?} does not go with {key:?}"));
        }
    }
    let project = read_project(source, node);
    let window = source.duration(node, "window").filter(|window| !window.is_zero()).unwrap_or(DEFAULT_WINDOW);
    let text = source.text(node, key)?;
    if text.trim().is_empty() {
        source.problem_at(node, key, format_args!("{key:?} is empty"));
        return None;
    }
    let expression = match key {
        "expr" => {
            if let Err(error) = promql::parse(&text) {
                source.problem_at(node, key, format_args!("could not parse expression: {error}"));
            }
            Some(Expression::Promql { project, query: text })
        }
        "sql" => Some(Expression::Sql { project, query: text, window }),
        _ => read_search(source, node, project, window, &text),
    };
    match node.map.contains_key("inspect") {
        true => Some(Expression::Inspect { of: Box::new(expression?), inspection: read_inspection(source, node)? }),
        false => expression,
    }
}

fn read_search(
    source: &mut Source<'_>,
    node: &Node<'_>,
    project: ProjectName,
    window: Duration,
    text: &str,
) -> Option<Expression> {
    let threshold = source.parsed(node, "threshold", Threshold::parse).unwrap_or_default();
    let (path_project, store, words) = match split_store(text) {
        Ok(split) => split,
        Err(error) => {
            source.problem_at(node, "search", error);
            return None;
        }
    };
    if let Err(error) = check_search(words) {
        source.problem_at(node, "search", error);
    }
    let project = if node.map.contains_key("project") { project } else { path_project };
    Some(Expression::Search { project, store, text: words.to_owned(), window, threshold })
}

fn read_slice(source: &mut Source<'_>, node: &Node<'_>, annotations: &[Templated]) -> Option<SliceTemplate> {
    let annotation = annotations.iter().find(|annotation| annotation.name == SLICE_ANNOTATION);
    match (node.map.get("explain"), annotation) {
        (Some(Value::Mapping(map)), None) => {
            let explain = Node { map, path: node.at("explain"), what: format!("{} explain", node.what) };
            read_explain(source, node, &explain, map)
        }
        (Some(Value::Mapping(_)), Some(_)) => {
            source.problem_at(
                node,
                "explain",
                format_args!("give \"explain\" or the annotation {SLICE_ANNOTATION:?}, not both"),
            );
            None
        }
        (Some(_), _) => {
            source.problem_at(node, "explain", "key \"explain\" must be a mapping with \"store\" and \"where\"");
            None
        }
        (None, Some(annotation)) => match SliceTemplate::parse_annotation(&annotation.text, DEFAULT_WINDOW) {
            Ok(slice) => Some(slice),
            Err(error) => {
                let mut path = node.at("annotations");
                path.push(Step::Key(SLICE_ANNOTATION.to_owned()));
                source.problem(&path, format!("{}: annotation {SLICE_ANNOTATION:?}: {error}", node.what));
                None
            }
        },
        (None, None) => None,
    }
}

fn read_explain(source: &mut Source<'_>, rule: &Node<'_>, explain: &Node<'_>, map: &Mapping) -> Option<SliceTemplate> {
    source.only_keys(explain, &EXPLAIN_KEYS);
    for key in ["store", "where"] {
        if !map.contains_key(key) {
            source.problem_at(explain, key, format_args!("key {key:?} is missing"));
        }
    }
    let project = if map.contains_key("project") { read_project(source, explain) } else { read_project(source, rule) };
    let baseline = source.parsed(explain, "baseline", Template::parse);
    let noun = source.text(explain, "noun");
    let dimensions = source.list(explain, "dimensions");
    let window = source.duration(explain, "window").filter(|window| !window.is_zero()).unwrap_or(DEFAULT_WINDOW);
    let store = source.parsed(explain, "store", culprit_store::StoreName::parse)?;
    let filter = source.parsed(explain, "where", Template::parse)?;
    Some(SliceTemplate { project, store, filter, baseline, noun, dimensions, window })
}

#[cfg(test)]
mod tests;
