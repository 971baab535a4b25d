//! Reads one mapping of a rule file: known keys, typed values, and for each mistake its line.

use std::time::Duration;

use serde_norway::{Mapping, Value};

use super::file::Problem;
use super::lines::{Step, line_of};
use crate::duration::parse_duration;

/// Where reading stands: the file, the document, and the mistakes found until here.
pub(super) struct Source<'a> {
    pub(super) file: &'a str,
    pub(super) text: &'a str,
    pub(super) document: usize,
    pub(super) problems: Vec<Problem>,
}

/// One mapping: its path from the document's root, and what it is called in messages.
#[derive(Clone)]
pub(super) struct Node<'a> {
    pub(super) map: &'a Mapping,
    pub(super) path: Vec<Step>,
    pub(super) what: String,
}

impl Source<'_> {
    pub(super) fn line(&self, path: &[Step]) -> usize {
        line_of(self.text, self.document, path).unwrap_or(1)
    }

    pub(super) fn problem(&mut self, path: &[Step], why: impl Into<String>) {
        let line = self.line(path);
        self.problems.push(Problem { file: self.file.to_owned(), line, why: why.into() });
    }

    /// A mistake in the value of `key`, or in the mapping when the key is absent.
    pub(super) fn problem_at(&mut self, node: &Node<'_>, key: &str, why: impl std::fmt::Display) {
        let path = if node.map.contains_key(key) { node.at(key) } else { node.path.clone() };
        self.problem(&path, format!("{}: {why}", node.what));
    }

    pub(super) fn only_keys(&mut self, node: &Node<'_>, known: &[&str]) {
        for key in node.map.keys() {
            let name = scalar(key).unwrap_or_else(|| format!("{key:?}"));
            if !known.contains(&name.as_str()) {
                let expected = known.join(", ");
                let why = format!("unknown key {name:?} in {}, expected one of {expected}", node.what);
                self.problem(&node.at(&name), why);
            }
        }
    }

    pub(super) fn text(&mut self, node: &Node<'_>, key: &str) -> Option<String> {
        let value = node.map.get(key)?;
        let text = scalar(value);
        if text.is_none() {
            self.problem_at(node, key, format_args!("key {key:?} must be a text"));
        }
        text
    }

    pub(super) fn parsed<T, E: std::fmt::Display>(
        &mut self,
        node: &Node<'_>,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(node, key)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.problem_at(node, key, format_args!("key {key:?}: {error}"));
                None
            }
        }
    }

    pub(super) fn duration(&mut self, node: &Node<'_>, key: &str) -> Option<Duration> {
        self.parsed(node, key, parse_duration)
    }

    /// A list of mappings; absent and empty are the same.
    pub(super) fn mappings<'v>(&mut self, node: &Node<'v>, key: &str) -> Vec<(usize, &'v Mapping)> {
        let items = match node.map.get(key) {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Sequence(items)) => items,
            Some(_) => {
                self.problem_at(node, key, format_args!("key {key:?} must be a list"));
                return Vec::new();
            }
        };
        let mut maps = Vec::new();
        for (i, item) in items.iter().enumerate() {
            match item {
                Value::Mapping(map) => maps.push((i, map)),
                _ => self.problem(
                    &[node.at(key), vec![Step::Index(i)]].concat(),
                    format!("{}: entry {i} of {key:?} must be a mapping", node.what),
                ),
            }
        }
        maps
    }

    /// A mapping of texts, in the order of the file.
    pub(super) fn texts(&mut self, node: &Node<'_>, key: &str) -> Vec<(String, String)> {
        let map = match node.map.get(key) {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Mapping(map)) => map,
            Some(_) => {
                self.problem_at(node, key, format_args!("key {key:?} must be a mapping of texts"));
                return Vec::new();
            }
        };
        let mut texts = Vec::new();
        for (name, value) in map {
            match (scalar(name), scalar(value)) {
                (Some(name), Some(value)) => texts.push((name, value)),
                _ => self.problem_at(node, key, format_args!("key {key:?} must hold texts")),
            }
        }
        texts
    }

    /// A list of texts.
    pub(super) fn list(&mut self, node: &Node<'_>, key: &str) -> Vec<String> {
        let items = match node.map.get(key) {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Sequence(items)) => items,
            Some(_) => {
                self.problem_at(node, key, format_args!("key {key:?} must be a list of texts"));
                return Vec::new();
            }
        };
        items.iter().filter_map(scalar).collect()
    }
}

impl<'a> Node<'a> {
    pub(super) fn at(&self, key: &str) -> Vec<Step> {
        let mut path = self.path.clone();
        path.push(Step::Key(key.to_owned()));
        path
    }

    pub(super) fn child(&self, key: &str, index: usize, map: &'a Mapping, what: String) -> Node<'a> {
        let mut path = self.at(key);
        path.push(Step::Index(index));
        Node { map, path, what }
    }
}

/// YAML types `severity: 1` as a number; rules mean its text.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Bool(b) => Some(b.to_string()),
        Value::Number(n) => Some(n.to_string()),
        Value::String(s) => Some(s.clone()),
        Value::Sequence(_) | Value::Mapping(_) | Value::Tagged(_) => None,
    }
}
