//! What a template computes with: the small part of Go's types that rules use.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::float::format_g;
use super::times;

/// One sample of a query's result.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct QuerySample {
    pub labels: BTreeMap<String, String>,
    pub value: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Value>),
    /// A map of texts: an absent key is the empty text, as `missingkey=zero` has it.
    Labels(BTreeMap<String, String>),
    Map(BTreeMap<String, Value>),
    Sample(QuerySample),
    /// Nanoseconds since the epoch.
    Time(i64),
    /// Nanoseconds.
    Duration(i64),
}

impl Value {
    /// Go's truth: zero, empty and nothing are false.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::None => false,
            Self::Bool(b) => *b,
            Self::Int(i) | Self::Duration(i) => *i != 0,
            Self::Float(f) => *f != 0.0,
            Self::Text(t) => !t.is_empty(),
            Self::List(l) => !l.is_empty(),
            Self::Labels(m) => !m.is_empty(),
            Self::Map(m) => !m.is_empty(),
            Self::Sample(_) | Self::Time(_) => true,
        }
    }

    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::None => "nil",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::List(_) => "list",
            Self::Labels(_) | Self::Map(_) => "map",
            Self::Sample(_) => "sample",
            Self::Time(_) => "time",
            Self::Duration(_) => "duration",
        }
    }

    /// As Go's `%v` prints it.
    pub(super) fn print(&self) -> String {
        match self {
            Self::None => "<no value>".to_owned(),
            Self::Bool(b) => b.to_string(),
            Self::Int(i) => i.to_string(),
            Self::Float(f) => format_g(*f, None),
            Self::Text(t) => t.clone(),
            Self::List(items) => format!("[{}]", join(items.iter().map(Value::print))),
            Self::Labels(map) => print_map(map.iter().map(|(k, v)| (k, v.clone()))),
            Self::Map(map) => print_map(map.iter().map(|(k, v)| (k, v.print()))),
            Self::Sample(sample) => {
                let labels = print_map(sample.labels.iter().map(|(k, v)| (k, v.clone())));
                format!("{{{labels} {}}}", format_g(sample.value, None))
            }
            Self::Time(nanos) => times::print_time(*nanos),
            Self::Duration(nanos) => times::print_duration(*nanos),
        }
    }

    /// A number out of a number, a numeric text or a duration (in seconds), as Prometheus' functions take it.
    pub(super) fn to_float(&self) -> Result<f64, String> {
        match self {
            Self::Float(f) => Ok(*f),
            Self::Int(i) => Ok(*i as f64),
            Self::Duration(nanos) => Ok(*nanos as f64 / 1e9),
            Self::Text(text) => parse_float(text).ok_or_else(|| format!("parsing {text:?}: invalid syntax")),
            other => Err(format!("can't convert {} to float", other.kind())),
        }
    }

    pub(super) fn field(&self, name: &str) -> Result<Value, String> {
        match self {
            Self::Labels(map) => Ok(Value::Text(map.get(name).cloned().unwrap_or_default())),
            Self::Map(map) => Ok(map.get(name).cloned().unwrap_or(Value::None)),
            Self::Sample(sample) => match name {
                "Labels" => Ok(Value::Labels(sample.labels.clone())),
                "Value" => Ok(Value::Float(sample.value)),
                _ => Err(format!("can't evaluate field {name} in type sample")),
            },
            Self::None => Ok(Value::None),
            other => Err(format!("can't evaluate field {name} in type {}", other.kind())),
        }
    }

    /// Order of two basic values. Numbers of different kinds compare by value; Go refuses that, which helps nobody.
    pub(super) fn compare(&self, other: &Value) -> Result<Option<Ordering>, String> {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => Ok(Some(a.cmp(b))),
            (Self::Bool(a), Self::Bool(b)) => Ok(Some(a.cmp(b))),
            (Self::Int(a), Self::Int(b)) => Ok(Some(a.cmp(b))),
            (Self::None, Self::None) => Ok(Some(Ordering::Equal)),
            (Self::Int(_) | Self::Float(_), Self::Int(_) | Self::Float(_)) => {
                Ok(self.to_float()?.partial_cmp(&other.to_float()?))
            }
            _ => Err(format!("incompatible types for comparison: {} and {}", self.kind(), other.kind())),
        }
    }
}

/// Go's ParseFloat: also `+Inf`, `NaN`, `.12`.
pub(super) fn parse_float(text: &str) -> Option<f64> {
    text.parse().ok()
}

fn join(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(" ")
}

fn print_map<'a>(entries: impl Iterator<Item = (&'a String, String)>) -> String {
    format!("map[{}]", join(entries.map(|(key, value)| format!("{key}:{value}"))))
}
