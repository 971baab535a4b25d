//! What the text of a regular expression says about the values that it can match, so that the others are not looked at.

use regex::Regex;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pattern {
    /// These texts and no others: what dashboards make of a variable with several values.
    AnyOf(Vec<String>),
    /// Texts that begin so.
    Prefix(String),
    Other,
}

impl Pattern {
    /// Of an anchored expression; one in another shape may match anything.
    pub(super) fn of(regex: &Regex) -> Self {
        let inner = ["^(?s:", "^(?:"].iter().find_map(|head| regex.as_str().strip_prefix(head)?.strip_suffix(")$"));
        inner.map_or(Self::Other, Self::of_text)
    }

    fn of_text(text: &str) -> Self {
        let is_special = |c: char| r"\.+*?()[]{}^$|".contains(c);
        if !text.contains(|c| is_special(c) && c != '|') {
            return Self::AnyOf(text.split('|').map(str::to_owned).collect());
        }
        // With a bar anywhere, what stands before it may be another branch.
        if text.contains('|') {
            return Self::Other;
        }
        let end = text.find(is_special).unwrap_or(text.len());
        let mut prefix = text[..end].to_owned();
        if text[end..].starts_with(['*', '?', '{']) {
            prefix.pop();
        }
        if prefix.is_empty() { Self::Other } else { Self::Prefix(prefix) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LabelMatcher, MatchValue};

    #[test]
    fn what_a_pattern_can_match() {
        let of = |pattern: &str| match LabelMatcher::regex("a", pattern).unwrap().value {
            MatchValue::Regex(regex) => Pattern::of(&regex),
            _ => unreachable!("it is a regular expression"),
        };
        let texts = |texts: &[&str]| Pattern::AnyOf(texts.iter().map(|text| (*text).to_owned()).collect());
        assert_eq!(of("api"), texts(&["api"]));
        assert_eq!(of("api|web|"), texts(&["api", "web", ""]));
        assert_eq!(of("node_.*"), Pattern::Prefix("node_".to_owned()));
        assert_eq!(of("node_*"), Pattern::Prefix("node".to_owned()));
        assert_eq!(of("ü?x"), Pattern::Other);
        assert_eq!(of("a.*|b"), Pattern::Other);
        assert_eq!(of("(?i)api"), Pattern::Other);
        assert_eq!(of(".+"), Pattern::Other);
        assert_eq!(Pattern::of(&Regex::new("^api$").unwrap()), Pattern::Other);
    }
}
