//! The functions that templates may call: Go's own and Prometheus'. Adding one is one line in [`call`] and one in [`NAMES`].

use std::cmp::Ordering;
use std::collections::BTreeMap;

use regex::Regex;

use super::humanize::{humanize, humanize_1024, humanize_duration, humanize_percentage};
use super::value::{QuerySample, Value};
use super::{Data, float, link, printf, times};
use crate::duration::parse_duration;

/// A function stops because it needs a query's result, or because of its arguments.
pub(super) enum Failure {
    Needs(String),
    Why(String),
}

impl<T: Into<String>> From<T> for Failure {
    fn from(why: T) -> Self {
        Self::Why(why.into())
    }
}

const NAMES: [&str; 51] = [
    "and",
    "or",
    "not",
    "len",
    "index",
    "slice",
    "print",
    "printf",
    "println",
    "html",
    "js",
    "urlquery",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "query",
    "first",
    "label",
    "value",
    "strvalue",
    "args",
    "reReplaceAll",
    "safeHtml",
    "match",
    "title",
    "toUpper",
    "toLower",
    "graphLink",
    "tableLink",
    "sortByLabel",
    "stripPort",
    "stripDomain",
    "humanize",
    "humanize1024",
    "humanizeDuration",
    "humanizePercentage",
    "humanizeTimestamp",
    "toTime",
    "toDuration",
    "now",
    "pathPrefix",
    "externalURL",
    "parseDuration",
    "tmpl",
    "join",
    "trimSpace",
    "toJson",
    "urlQueryEscape",
];

pub(super) fn exists(name: &str) -> bool {
    NAMES.contains(&name)
}

pub(super) fn is_method(name: &str) -> bool {
    matches!(name, "Format" | "Unix" | "Seconds" | "String")
}

pub(super) fn method(receiver: &Value, name: &str, arguments: &[Value]) -> Result<Value, String> {
    match (receiver, name, arguments) {
        (Value::Time(nanos), "Format", [Value::Text(layout)]) => Ok(Value::Text(times::format_layout(*nanos, layout))),
        (Value::Time(nanos), "Unix", []) => Ok(Value::Int(nanos.div_euclid(1_000_000_000))),
        (Value::Duration(nanos), "Seconds", []) => Ok(Value::Float(*nanos as f64 / 1e9)),
        (Value::Time(_) | Value::Duration(_), "String", []) => Ok(Value::Text(receiver.print())),
        (_, _, []) => receiver.field(name),
        _ => Err(format!("can't call method {name} on {} with {} arguments", receiver.kind(), arguments.len())),
    }
}

pub(super) fn call(name: &str, arguments: &[Value], data: &Data) -> Result<Value, Failure> {
    use Value::{Bool, Duration, Float, Int, Labels, List, Map, Sample, Text, Time};
    Ok(match (name, arguments) {
        ("not", [v]) => Bool(!v.is_true()),
        ("len", [Text(t)]) => Int(t.len() as i64),
        ("len", [List(l)]) => Int(l.len() as i64),
        ("len", [Labels(m)]) => Int(m.len() as i64),
        ("len", [Map(m)]) => Int(m.len() as i64),
        ("index", [of, keys @ ..]) => index(of, keys)?,
        ("slice", [of, bounds @ ..]) => slice(of, bounds)?,
        ("print" | "println", values) => Text(print(values, name == "println")),
        ("printf", [Text(format), values @ ..]) => Text(printf::printf(format, values)),
        ("html" | "js", values) => Text(escape_html(&print(values, false))),
        ("urlquery" | "urlQueryEscape", values) => Text(link::escape_query(&print(values, false))),
        ("eq", [first, rest @ ..]) if !rest.is_empty() => Bool(equals_any(first, rest)?),
        ("ne", [a, b]) => Bool(a.compare(b)? != Some(Ordering::Equal)),
        ("lt", [a, b]) => Bool(a.compare(b)? == Some(Ordering::Less)),
        ("le", [a, b]) => Bool(matches!(a.compare(b)?, Some(Ordering::Less | Ordering::Equal))),
        ("gt", [a, b]) => Bool(a.compare(b)? == Some(Ordering::Greater)),
        ("ge", [a, b]) => Bool(matches!(a.compare(b)?, Some(Ordering::Greater | Ordering::Equal))),
        ("query", [Text(text)]) => query(text, data)?,
        ("first", [List(items)]) => {
            items.first().cloned().ok_or_else(|| Failure::from("first() called on vector with no elements"))?
        }
        ("label", [Text(label), Sample(s)]) => Text(label_of(s, label)),
        ("strvalue", [Sample(s)]) => Text(label_of(s, "__value__")),
        ("value", [Sample(s)]) => Float(s.value),
        ("args", values) => Map(numbered(values)),
        ("reReplaceAll", [Text(pattern), Text(with), Text(text)]) => {
            Text(regex(pattern)?.replace_all(text, with.as_str()).into_owned())
        }
        ("match", [Text(pattern), Text(text)]) => Bool(regex(pattern)?.is_match(text)),
        ("safeHtml", [Text(text)]) => Text(text.clone()),
        ("title", [Text(text)]) => Text(title(text)),
        ("toUpper", [Text(text)]) => Text(text.to_uppercase()),
        ("toLower", [Text(text)]) => Text(text.to_lowercase()),
        ("trimSpace", [Text(text)]) => Text(text.trim().to_owned()),
        ("join", [Text(separator), List(items)]) => {
            Text(items.iter().map(Value::print).collect::<Vec<_>>().join(separator))
        }
        ("toJson", [value]) => Text(to_json(value).to_string()),
        ("graphLink", [Text(expr)]) => Text(link::expression(expr, 0)),
        ("tableLink", [Text(expr)]) => Text(link::expression(expr, 1)),
        ("sortByLabel", [Text(label), List(items)]) => List(sort_by_label(label, items)),
        ("stripPort", [Text(host)]) => Text(link::strip_port(host)),
        ("stripDomain", [Text(host)]) => Text(link::strip_domain(host)),
        ("humanize", [v]) => Text(humanize(v.to_float()?)),
        ("humanize1024", [v]) => Text(humanize_1024(v.to_float()?)),
        ("humanizeDuration", [v]) => Text(humanize_duration(v.to_float()?)),
        ("humanizePercentage", [v]) => Text(humanize_percentage(v.to_float()?)),
        ("humanizeTimestamp", [v]) => Text(humanize_timestamp(v.to_float()?)?),
        ("toTime", [v]) => Time(times::from_seconds(v.to_float()?)?),
        ("toDuration", [v]) => Duration((v.to_float()? * 1e9) as i64),
        ("now", []) => Float(data.now.as_millis() as f64 / 1e3),
        ("pathPrefix", []) => Text(link::path_of(&data.external_url)),
        ("externalURL", []) => Text(data.external_url.clone()),
        ("parseDuration", [Text(text)]) => {
            Float(parse_duration(text).map_err(|error| error.to_string())?.as_secs_f64())
        }
        _ => return Err(wrong_arguments(arguments)),
    })
}

fn wrong_arguments(arguments: &[Value]) -> Failure {
    let kinds: Vec<_> = arguments.iter().map(Value::kind).collect();
    Failure::Why(format!("does not take arguments ({})", kinds.join(", ")))
}

fn query(text: &str, data: &Data) -> Result<Value, Failure> {
    match data.queries.get(text) {
        None => Err(Failure::Needs(text.to_owned())),
        Some(Err(why)) => Err(Failure::Why(why.clone())),
        Some(Ok(samples)) => Ok(Value::List(samples.iter().cloned().map(Value::Sample).collect())),
    }
}

fn label_of(sample: &QuerySample, label: &str) -> String {
    sample.labels.get(label).cloned().unwrap_or_default()
}

fn numbered(values: &[Value]) -> BTreeMap<String, Value> {
    values.iter().enumerate().map(|(i, value)| (format!("arg{i}"), value.clone())).collect()
}

fn equals_any(first: &Value, rest: &[Value]) -> Result<bool, String> {
    for other in rest {
        if first.compare(other)? == Some(Ordering::Equal) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn index(of: &Value, keys: &[Value]) -> Result<Value, String> {
    let mut value = of.clone();
    for key in keys {
        value = match (&value, key) {
            (Value::List(items), Value::Int(at)) => {
                let found = usize::try_from(*at).ok().and_then(|at| items.get(at));
                found.cloned().ok_or_else(|| format!("index out of range: {at}"))?
            }
            (Value::Labels(_) | Value::Map(_), Value::Text(name)) => value.field(name)?,
            _ => return Err(format!("can't index {} with {}", value.kind(), key.kind())),
        };
    }
    Ok(value)
}

fn slice(of: &Value, bounds: &[Value]) -> Result<Value, String> {
    let mut ends = [0, usize::MAX];
    for (end, bound) in ends.iter_mut().zip(bounds) {
        let Value::Int(at) = bound else { return Err(format!("can't slice with {}", bound.kind())) };
        *end = usize::try_from(*at).map_err(|_| format!("slice index out of range: {at}"))?;
    }
    let [from, to] = ends;
    let cut = match of {
        Value::Text(text) => text.get(from..to.min(text.len())).map(|part| Value::Text(part.to_owned())),
        Value::List(items) => items.get(from..to.min(items.len())).map(|part| Value::List(part.to_vec())),
        _ => return Err(format!("can't slice {}", of.kind())),
    };
    cut.ok_or_else(|| format!("slice index out of range: {from}"))
}

/// Go puts spaces between operands when neither is a text; `println` always does.
fn print(values: &[Value], line: bool) -> String {
    let mut out = String::new();
    for (i, value) in values.iter().enumerate() {
        let texts = i > 0 && (matches!(value, Value::Text(_)) || matches!(values[i - 1], Value::Text(_)));
        if i > 0 && (line || !texts) {
            out.push(' ');
        }
        out.push_str(&value.print());
    }
    if line {
        out.push('\n');
    }
    out
}

fn escape_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&#34;").replace('\'', "&#39;")
}

fn regex(pattern: &str) -> Result<Regex, String> {
    Regex::new(pattern).map_err(|_| format!("bad regular expression {pattern:?}"))
}

/// Upper case for the first letter of each word, the rest untouched.
fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        if inside {
            out.push(c);
        } else {
            out.extend(c.to_uppercase());
        }
        inside = c.is_alphanumeric() || c == '\'';
    }
    out
}

fn sort_by_label(label: &str, items: &[Value]) -> Vec<Value> {
    let key = |value: &Value| match value {
        Value::Sample(sample) => label_of(sample, label),
        _ => String::new(),
    };
    let mut sorted = items.to_vec();
    sorted.sort_by_key(key);
    sorted
}

fn humanize_timestamp(seconds: f64) -> Result<String, String> {
    if !seconds.is_finite() {
        return Ok(float::format_g(seconds, Some(4)));
    }
    times::from_seconds(seconds).map(times::print_time)
}

fn to_json(value: &Value) -> serde_json::Value {
    match value {
        Value::None => serde_json::Value::Null,
        Value::Bool(b) => (*b).into(),
        Value::Int(i) | Value::Duration(i) => (*i).into(),
        Value::Float(f) => (*f).into(),
        Value::Text(t) => t.as_str().into(),
        Value::List(items) => items.iter().map(to_json).collect(),
        Value::Labels(map) => map.iter().map(|(k, v)| (k.clone(), serde_json::Value::from(v.as_str()))).collect(),
        Value::Map(map) => map.iter().map(|(k, v)| (k.clone(), to_json(v))).collect(),
        Value::Sample(sample) => serde_json::json!({ "Labels": sample.labels, "Value": sample.value }),
        Value::Time(_) => value.print().into(),
    }
}
