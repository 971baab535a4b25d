//! Label matchers: `=`, `!=`, `=~`, `!~`. An absent label matches as the empty text; regular expressions are anchored.

use regex::Regex;

use crate::{Labels, StoreError};

#[derive(Debug, Clone)]
pub struct LabelMatcher {
    pub name: String,
    pub value: MatchValue,
}

#[derive(Debug, Clone)]
pub enum MatchValue {
    Equal(String),
    NotEqual(String),
    Regex(Regex),
    NotRegex(Regex),
}

impl LabelMatcher {
    pub fn equal(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: MatchValue::Equal(value.into()) }
    }

    pub fn not_equal(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: MatchValue::NotEqual(value.into()) }
    }

    pub fn regex(name: impl Into<String>, pattern: &str) -> Result<Self, StoreError> {
        Ok(Self { name: name.into(), value: MatchValue::Regex(anchored(pattern)?) })
    }

    pub fn not_regex(name: impl Into<String>, pattern: &str) -> Result<Self, StoreError> {
        Ok(Self { name: name.into(), value: MatchValue::NotRegex(anchored(pattern)?) })
    }

    pub fn matches(&self, labels: &Labels) -> bool {
        self.matches_value(labels.get(&self.name).unwrap_or(""))
    }

    pub fn matches_value(&self, value: &str) -> bool {
        match &self.value {
            MatchValue::Equal(wanted) => value == wanted,
            MatchValue::NotEqual(unwanted) => value != unwanted,
            MatchValue::Regex(regex) => regex.is_match(value),
            MatchValue::NotRegex(regex) => !regex.is_match(value),
        }
    }
}

/// A dot matches a line break too, as in Prometheus (RE2 with the `s` flag).
fn anchored(pattern: &str) -> Result<Regex, StoreError> {
    Regex::new(&format!("^(?s:{pattern})$"))
        .map_err(|source| StoreError::BadRegex { pattern: pattern.to_owned(), source: Box::new(source) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_is_empty_and_regexes_are_anchored() {
        let labels = Labels::new([("job", "api-1")]).unwrap();
        assert!(LabelMatcher::equal("zone", "").matches(&labels));
        assert!(!LabelMatcher::regex("job", "api").unwrap().matches(&labels));
        assert!(LabelMatcher::regex("job", "x|api-.").unwrap().matches(&labels));
        assert!(LabelMatcher::not_regex("zone", ".+").unwrap().matches(&labels));
        assert!(LabelMatcher::regex("job", "(").is_err());
    }
}
