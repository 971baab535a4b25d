//! Which series exist: by id, and by label and value.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, RwLock};

use crate::{LabelMatcher, Labels, MatchValue, SeriesId};

/// Grows only; a series is forgotten with its store.
#[derive(Debug, Default)]
pub(crate) struct SeriesIndex {
    contents: RwLock<Contents>,
}

#[derive(Debug, Default)]
struct Contents {
    labels: HashMap<SeriesId, Labels>,
    /// name → value → ids.
    postings: HashMap<Arc<str>, HashMap<Arc<str>, BTreeSet<SeriesId>>>,
}

impl SeriesIndex {
    pub(crate) fn new(series: Vec<(SeriesId, Labels)>) -> Self {
        let index = Self::default();
        index.add(series);
        index
    }

    pub(crate) fn len(&self) -> usize {
        self.read().labels.len()
    }

    pub(crate) fn labels(&self, id: SeriesId) -> Option<Labels> {
        self.read().labels.get(&id).cloned()
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Contents> {
        self.contents.read().expect("no holder of this lock panics")
    }

    pub(crate) fn add(&self, series: Vec<(SeriesId, Labels)>) {
        let mut contents = self.contents.write().expect("no holder of this lock panics");
        for (id, labels) in series {
            for label in labels.iter() {
                let values = contents.postings.entry(label.name.clone()).or_default();
                values.entry(label.value.clone()).or_default().insert(id);
            }
            contents.labels.insert(id, labels);
        }
    }

    /// The id under which these labels stand or would stand. Two label sets with one hash take neighbouring ids.
    pub(crate) fn identify(&self, labels: &Labels, planned: &HashMap<SeriesId, Labels>) -> (SeriesId, bool) {
        let contents = self.read();
        let mut id = labels.series_id();
        loop {
            match contents.labels.get(&id).or_else(|| planned.get(&id)) {
                Some(known) if known == labels => return (id, true),
                Some(_) => id = SeriesId(id.0.wrapping_add(1)),
                None => return (id, false),
            }
        }
    }

    /// All series that every matcher accepts, by id.
    pub(crate) fn select(&self, matchers: &[LabelMatcher]) -> HashMap<SeriesId, Labels> {
        let contents = self.read();
        match contents.narrowest(matchers) {
            Some(ids) => ids
                .into_iter()
                .filter_map(|id| contents.labels.get_key_value(&id))
                .filter(|(_, labels)| matchers.iter().all(|matcher| matcher.matches(labels)))
                .map(|(id, labels)| (*id, labels.clone()))
                .collect(),
            None => contents
                .labels
                .iter()
                .filter(|(_, labels)| matchers.iter().all(|matcher| matcher.matches(labels)))
                .map(|(id, labels)| (*id, labels.clone()))
                .collect(),
        }
    }
}

impl Contents {
    /// Candidates from the most selective matcher that needs its label to be there; none when no matcher does.
    fn narrowest(&self, matchers: &[LabelMatcher]) -> Option<HashSet<SeriesId>> {
        matchers
            .iter()
            .filter(|matcher| !matcher.matches_value(""))
            .map(|matcher| match (self.postings.get(matcher.name.as_str()), &matcher.value) {
                (None, _) => Vec::new(),
                (Some(values), MatchValue::Equal(value)) => values.get(value.as_str()).into_iter().collect(),
                (Some(values), _) => {
                    values.iter().filter(|(value, _)| matcher.matches_value(value)).map(|(_, ids)| ids).collect()
                }
            })
            .min_by_key(|lists| lists.iter().map(|ids| ids.len()).sum::<usize>())
            .map(|lists| lists.into_iter().flatten().copied().collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        Labels::new(pairs.iter().copied()).unwrap()
    }

    #[test]
    fn one_hash_for_two_label_sets_is_two_ids() {
        let wanted = labels(&[("a", "1")]);
        let squatter = labels(&[("b", "2")]);
        let index = SeriesIndex::new(vec![(wanted.series_id(), squatter)]);
        let (id, known) = index.identify(&wanted, &HashMap::new());
        assert_eq!((id, known), (SeriesId(wanted.series_id().0.wrapping_add(1)), false));
    }

    proptest! {
        /// Against the plain definition: every matcher on every series.
        #[test]
        fn select_equals_a_full_scan(
            series in prop::collection::hash_set(prop::collection::btree_map("[abc]", "[xy]?", 0..3), 0..20),
            wanted in prop::collection::vec(("[abcd]", 0..4usize, prop::sample::select(vec!["", "x", "y", "x|y", "x.*", ".+", ".*"])), 1..3),
        ) {
            let all: HashSet<Labels> = series.into_iter().map(|pairs| Labels::new(pairs).unwrap()).collect();
            let index = SeriesIndex::new(all.iter().map(|l| (l.series_id(), l.clone())).collect());
            let matchers: Vec<LabelMatcher> = wanted
                .into_iter()
                .map(|(name, op, value)| match op {
                    0 => LabelMatcher::equal(name, value),
                    1 => LabelMatcher::not_equal(name, value),
                    2 => LabelMatcher::regex(name, value).unwrap(),
                    _ => LabelMatcher::not_regex(name, value).unwrap(),
                })
                .collect();
            let mut expected: Vec<&Labels> = all.iter().filter(|l| matchers.iter().all(|m| m.matches(l))).collect();
            let selected = index.select(&matchers);
            let mut found: Vec<&Labels> = selected.values().collect();
            expected.sort();
            found.sort();
            prop_assert_eq!(found, expected);
        }
    }
}
