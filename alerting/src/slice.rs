//! The slice that a rule names: which rows are anomalous (A), and what they are compared with (B).

use culprit_store::{ProjectName, StoreName, UnixNanos};
use serde::{Deserialize, Serialize};

use crate::template::{Template, TemplateError};

/// What is asked to be explained, with all templates expanded.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SliceRequest {
    pub project: String,
    pub store: String,
    /// A SQL predicate: rows of `from..to` where it holds are A.
    #[serde(rename = "where")]
    pub filter: String,
    /// A SQL predicate for B; without it B is the rest of the same time range.
    pub baseline: Option<String>,
    /// Plural for the rows of A in the sentence, such as "failing requests".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noun: Option<String>,
    /// Empty: chosen by the explanation.
    #[serde(default)]
    pub dimensions: Vec<String>,
    pub from: String,
    pub to: String,
}

/// The `explain` key of a rule, or its `culprit_slice` annotation. Predicates may be templates.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SliceTemplate {
    pub project: ProjectName,
    pub store: StoreName,
    pub filter: Template,
    pub baseline: Option<Template>,
    pub noun: Option<String>,
    pub dimensions: Vec<String>,
    /// Length of the time range that ends where the alert began to fire.
    pub window: std::time::Duration,
}

impl SliceTemplate {
    /// Reads `[PROJECT/]STORE | PREDICATE`.
    pub(crate) fn parse_annotation(text: &str, window: std::time::Duration) -> Result<Self, SliceError> {
        let (project, store, predicate) = split_store(text)?;
        let filter = Template::parse(predicate)?;
        Ok(Self { project, store, filter, baseline: None, noun: None, dimensions: Vec::new(), window })
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum SliceError {
    #[error("{text:?} is not of the form \"STORE | PREDICATE\"")]
    NoBar { text: String },
    #[error("{text:?} has no predicate behind the bar")]
    NoPredicate { text: String },
    #[error(transparent)]
    Name(#[from] culprit_store::StoreError),
    #[error(transparent)]
    Template(#[from] TemplateError),
}

/// Splits `[PROJECT/]STORE | REST` at the first bar; names hold neither bars nor slashes.
pub(crate) fn split_store(text: &str) -> Result<(ProjectName, StoreName, &str), SliceError> {
    let (path, rest) = text.split_once('|').ok_or_else(|| SliceError::NoBar { text: text.to_owned() })?;
    let rest = rest.trim();
    if rest.is_empty() {
        return Err(SliceError::NoPredicate { text: text.to_owned() });
    }
    let (project, store) = match path.trim().split_once('/') {
        Some((project, store)) => (ProjectName::parse(project.trim())?, store.trim()),
        None => (ProjectName::default_project(), path.trim()),
    };
    Ok((project, StoreName::parse(store)?, rest))
}

/// RFC 3339 in UTC, with as many digits as needed.
pub(crate) fn rfc3339(time: UnixNanos) -> String {
    chrono::DateTime::from_timestamp_nanos(time.0).to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_annotation_is_split_at_the_first_bar() {
        let (project, store, rest) = split_store(" shop | status >= 500 | x").unwrap();
        assert_eq!((project.as_str(), store.as_str(), rest), ("default", "shop", "status >= 500 | x"));
        let (project, store, _) = split_store("acme/shop|a = 1").unwrap();
        assert_eq!((project.as_str(), store.as_str()), ("acme", "shop"));
        for (text, why) in [("shop", "STORE | PREDICATE"), ("shop | ", "no predicate"), ("sh op | a", "only letters")] {
            let error = split_store(text).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn times_are_rfc3339() {
        assert_eq!(rfc3339(UnixNanos(0)), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(UnixNanos(1_500_000_000)), "1970-01-01T00:00:01.500Z");
    }
}
