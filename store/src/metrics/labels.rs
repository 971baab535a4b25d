//! The labels of a series: sorted by name, without empty values, each name once.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use crate::{SeriesId, StoreError};

pub const METRIC_NAME: &str = "__name__";

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Label {
    pub name: Arc<str>,
    pub value: Arc<str>,
}

/// Texts of one address are equal, which the index makes the rule: results are sorted by labels, most of which are alike.
impl Ord for Label {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_text = |a: &Arc<str>, b: &Arc<str>| if Arc::ptr_eq(a, b) { Ordering::Equal } else { a.cmp(b) };
        by_text(&self.name, &other.name).then_with(|| by_text(&self.value, &other.value))
    }
}

impl PartialOrd for Label {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Cheap to clone. An absent label and an empty one are the same, as in Prometheus.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Labels(Arc<[Label]>);

impl Default for Labels {
    fn default() -> Self {
        Self(Arc::from([]))
    }
}

impl Labels {
    /// Sorts, drops empty values, refuses a name that comes twice.
    pub fn new<N: Into<Arc<str>>, V: Into<Arc<str>>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, StoreError> {
        let mut labels: Vec<Label> = pairs
            .into_iter()
            .map(|(name, value)| Label { name: name.into(), value: value.into() })
            .filter(|label| !label.value.is_empty())
            .collect();
        labels.sort_by(|a, b| a.name.cmp(&b.name));
        match labels.windows(2).find(|pair| pair[0].name == pair[1].name) {
            Some(pair) => Err(StoreError::DuplicateLabel { name: pair[0].name.to_string() }),
            None => Ok(Self(labels.into())),
        }
    }

    /// Sorted by name, each name once, no value empty.
    pub(super) fn of_sorted(labels: Vec<Label>) -> Self {
        Self(labels.into())
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.binary_search_by(|label| (*label.name).cmp(name)).ok().map(|at| &*self.0[at].value)
    }

    pub fn metric_name(&self) -> Option<&str> {
        self.get(METRIC_NAME)
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Label> + Clone {
        self.0.iter()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keeps the labels that `keep` accepts; order is preserved.
    pub fn filter(&self, keep: impl Fn(&Label) -> bool) -> Self {
        Self(self.0.iter().filter(|label| keep(label)).cloned().collect())
    }

    pub fn without_metric_name(&self) -> Self {
        self.filter(|label| &*label.name != METRIC_NAME)
    }

    /// Sets a label; an empty value removes it.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut labels: Vec<Label> = self.0.iter().filter(|label| &*label.name != name).cloned().collect();
        if !value.is_empty() {
            let at = labels.partition_point(|label| *label.name < *name);
            labels.insert(at, Label { name: name.into(), value: value.into() });
        }
        Self(labels.into())
    }

    /// Hash over names and values with separators that UTF-8 cannot contain, so that ("a","bc") and ("ab","c") differ.
    pub fn series_id(&self) -> SeriesId {
        let mut hasher = xxhash_rust::xxh3::Xxh3::new();
        for label in self.0.iter() {
            hasher.update(label.name.as_bytes());
            hasher.update(&[0xff]);
            hasher.update(label.value.as_bytes());
            hasher.update(&[0xff]);
        }
        SeriesId(hasher.digest())
    }
}

/// `name{a="b"}`, as Prometheus prints it.
impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.metric_name().unwrap_or(""))?;
        let mut rest = self.0.iter().filter(|label| &*label.name != METRIC_NAME).peekable();
        if rest.peek().is_none() {
            return if self.is_empty() { f.write_str("{}") } else { Ok(()) };
        }
        f.write_str("{")?;
        for (i, label) in rest.enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{}={:?}", label.name, label.value)?;
        }
        f.write_str("}")
    }
}

impl serde::Serialize for Labels {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|label| (&*label.name, &*label.value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorted_unique_and_without_empty_values() {
        let labels = Labels::new([("b", "2"), ("a", "1"), ("c", ""), (METRIC_NAME, "up")]).unwrap();
        assert_eq!(labels.to_string(), r#"up{a="1", b="2"}"#);
        assert_eq!(labels.get("c"), None);
        assert!(Labels::new([("a", "1"), ("a", "2")]).is_err());
        assert_eq!(labels.with("a", "").with("z", "9").to_string(), r#"up{b="2", z="9"}"#);
    }

    #[test]
    fn neighbouring_texts_do_not_collide() {
        let one = Labels::new([("a", "bc")]).unwrap();
        let other = Labels::new([("ab", "c")]).unwrap();
        assert_ne!(one.series_id(), other.series_id());
    }
}
