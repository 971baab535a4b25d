//! Go's text/template with the functions of Prometheus: what labels and annotations of rules are written in.
//!
//! Own engine, because the crates of this field either lack function maps (gotemplate) or differ in meaning: gtmpl 0.7 runs
//! the `else` of every `range`, prints maps in random order and knows neither `$x = v` nor `%g`.
//!
//! A template that calls `query` needs PromQL, which is asynchronous, while expansion is not: expansion stops at the first
//! query whose result is not known yet ([`Expansion::Needs`]), the caller runs it and expands again.

mod exec;
mod float;
mod functions;
mod humanize;
mod lexer;
mod link;
mod parser;
mod printf;
mod times;
mod value;

use std::collections::BTreeMap;

use culprit_store::{Labels, UnixNanos};

pub(crate) use float::format_e;
pub(crate) use link::escape_query;
pub(crate) use value::QuerySample;

/// What is wrong with a template's text, or went wrong while it ran.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    #[error("template line {line}: {why}")]
    Parse { line: usize, why: String },
    #[error("calling {function}: {why}")]
    Function { function: String, why: String },
    #[error("{why}")]
    Exec { why: String },
    #[error("output is longer than {limit} bytes")]
    TooLong { limit: usize },
}

/// A checked template. Cheap texts without `{{` never reach the engine.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Template {
    parsed: parser::Parsed,
}

/// What one alert instance offers to its templates.
#[derive(Debug, Clone)]
pub(crate) struct Data {
    pub labels: Labels,
    pub value: f64,
    pub external_url: String,
    pub now: UnixNanos,
    /// Results of the queries that expansion asked for, by their text.
    pub queries: BTreeMap<String, Result<Vec<QuerySample>, String>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expansion {
    Done(String),
    /// The text of a query whose result must be put into [`Data::queries`] first.
    Needs(String),
}

impl Template {
    pub(crate) fn parse(text: &str) -> Result<Self, TemplateError> {
        Ok(Self { parsed: parser::parse(text)? })
    }

    pub(crate) fn expand(&self, data: &Data) -> Result<Expansion, TemplateError> {
        exec::run(&self.parsed, data)
    }
}

#[cfg(test)]
mod tests;
