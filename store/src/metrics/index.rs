//! Which series exist: by id, and by label and value.
//!
//! A series has a number here, in the order in which series came, and each value of each label a bitmap of numbers. Texts are shared: each name and each value
//! stands in memory once, so that equal ones are told by their address.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{Arc, RwLock};

use roaring::RoaringBitmap;

use super::ids::IdHash;
use super::pattern::Pattern;
use crate::{Label, LabelMatcher, Labels, MatchValue, SeriesId};

/// Grows only; a series is forgotten with its store.
#[derive(Debug, Default)]
pub(crate) struct SeriesIndex {
    contents: RwLock<Contents>,
}

#[derive(Debug, Default)]
struct Contents {
    /// By number.
    series: Vec<(SeriesId, Labels)>,
    numbers: HashMap<SeriesId, u32, IdHash>,
    postings: HashMap<Arc<str>, Values>,
}

/// Of one label, in order, so that a prefix is a range.
type Values = BTreeMap<Arc<str>, RoaringBitmap>;

impl SeriesIndex {
    pub(crate) fn new(series: Vec<(SeriesId, Labels)>) -> Self {
        let index = Self::default();
        index.add(series);
        index
    }

    pub(crate) fn len(&self) -> usize {
        self.read().series.len()
    }

    pub(crate) fn labels(&self, id: SeriesId) -> Option<Labels> {
        self.read().get(id).cloned()
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Contents> {
        self.contents.read().expect("no holder of this lock panics")
    }

    pub(crate) fn add(&self, series: Vec<(SeriesId, Labels)>) {
        let mut contents = self.contents.write().expect("no holder of this lock panics");
        for (id, labels) in series {
            contents.add(id, &labels);
        }
    }

    /// The id under which these labels stand or would stand. Two label sets with one hash take neighbouring ids.
    pub(crate) fn identify(&self, labels: &Labels, planned: &HashMap<SeriesId, Labels>) -> (SeriesId, bool) {
        let contents = self.read();
        let mut id = labels.series_id();
        loop {
            match contents.get(id).or_else(|| planned.get(&id)) {
                Some(known) if known == labels => return (id, true),
                Some(_) => id = SeriesId(id.0.wrapping_add(1)),
                None => return (id, false),
            }
        }
    }

    /// All series that every matcher accepts, in no order.
    pub(crate) fn select(&self, matchers: &[LabelMatcher]) -> Vec<(SeriesId, Labels)> {
        self.read().select(matchers)
    }
}

impl Contents {
    fn get(&self, id: SeriesId) -> Option<&Labels> {
        self.numbers.get(&id).map(|number| &self.series[*number as usize].1)
    }

    fn add(&mut self, id: SeriesId, labels: &Labels) {
        let next = u32::try_from(self.series.len()).expect("memory ends before 4 billion series");
        let number = *self.numbers.entry(id).or_insert(next);
        if number != next {
            return;
        }
        let shared = labels.iter().map(|label| {
            let name = shared_key(&self.postings, &label.name);
            let values = self.postings.entry(name.clone()).or_default();
            let value = shared_value(values, &label.value);
            values.entry(value.clone()).or_default().insert(number);
            Label { name, value }
        });
        let labels = Labels::of_sorted(shared.collect());
        self.series.push((id, labels));
    }

    fn select(&self, matchers: &[LabelMatcher]) -> Vec<(SeriesId, Labels)> {
        let mut by_cost: Vec<Condition<'_>> = matchers.iter().map(|matcher| Condition::new(self, matcher)).collect();
        by_cost.sort_by_key(|condition| condition.cost());
        let mut found: Option<RoaringBitmap> = None;
        let mut rest = by_cost.iter();
        for condition in rest.by_ref() {
            found = Some(match found {
                None => condition.first(self),
                // To look at each series that is left costs less than to look at each value.
                Some(few) if few.len() <= condition.cost().1 as u64 => few
                    .into_iter()
                    .filter(|number| condition.matcher.matches(&self.series[*number as usize].1))
                    .collect(),
                Some(many) => condition.narrow(many),
            });
            if found.as_ref().is_some_and(RoaringBitmap::is_empty) {
                return Vec::new();
            }
        }
        let taken = |number: u32| {
            let (id, labels) = &self.series[number as usize];
            (*id, labels.clone())
        };
        match found {
            Some(found) => found.into_iter().map(taken).collect(),
            None => self.series.clone(),
        }
    }
}

fn shared_key(postings: &HashMap<Arc<str>, Values>, name: &Arc<str>) -> Arc<str> {
    postings.get_key_value(name).map_or_else(|| name.clone(), |(known, _)| known.clone())
}

fn shared_value(values: &Values, value: &Arc<str>) -> Arc<str> {
    values.get_key_value(value).map_or_else(|| value.clone(), |(known, _)| known.clone())
}

/// What one matcher asks of the postings.
struct Condition<'a> {
    matcher: &'a LabelMatcher,
    /// None when no series has the label.
    values: Option<&'a Values>,
    /// Series without the label are accepted, so those are found that are not.
    is_optional: bool,
    looked_at: LookedAt,
}

/// The values that may decide, the cheapest way first.
enum LookedAt {
    These(Vec<String>),
    Prefix(String),
    All,
}

impl<'a> Condition<'a> {
    fn new(contents: &'a Contents, matcher: &'a LabelMatcher) -> Self {
        let looked_at = match &matcher.value {
            MatchValue::Equal(value) | MatchValue::NotEqual(value) => LookedAt::These(vec![value.clone()]),
            MatchValue::Regex(regex) | MatchValue::NotRegex(regex) => match Pattern::of(regex) {
                Pattern::AnyOf(texts) => LookedAt::These(texts),
                Pattern::Prefix(prefix) => LookedAt::Prefix(prefix),
                Pattern::Other => LookedAt::All,
            },
        };
        let values = contents.postings.get(matcher.name.as_str());
        Self { matcher, values, is_optional: matcher.matches_value(""), looked_at }
    }

    /// Those that only take away come last; else by the values that are looked at.
    fn cost(&self) -> (bool, usize) {
        let all = self.values.map_or(0, BTreeMap::len);
        let values = match &self.looked_at {
            LookedAt::These(texts) => texts.len().min(all),
            LookedAt::Prefix(_) => all.div_ceil(4),
            LookedAt::All => all,
        };
        (self.is_optional, values)
    }

    fn first(&self, contents: &Contents) -> RoaringBitmap {
        if !self.is_optional {
            return self.with(true);
        }
        let mut all = RoaringBitmap::new();
        all.insert_range(0..contents.series.len() as u32);
        all - self.with(false)
    }

    fn narrow(&self, found: RoaringBitmap) -> RoaringBitmap {
        if self.is_optional { found - self.with(false) } else { found & self.with(true) }
    }

    /// The series whose value there is and is accepted, or is not.
    fn with(&self, accepted: bool) -> RoaringBitmap {
        let Some(values) = self.values else { return RoaringBitmap::new() };
        // Of a negative matcher the values that are looked at are those that are not accepted.
        let is_negative = matches!(self.matcher.value, MatchValue::NotEqual(_) | MatchValue::NotRegex(_));
        let wanted = |value: &str| self.matcher.matches_value(value) == accepted;
        match &self.looked_at {
            LookedAt::These(texts) if accepted != is_negative => {
                union(texts.iter().filter(|text| wanted(text)).filter_map(|text| values.get(text.as_str())))
            }
            LookedAt::Prefix(prefix) if accepted != is_negative => {
                let start = (Bound::Included(prefix.as_str()), Bound::Unbounded);
                let range = values.range::<str, _>(start).take_while(|(value, _)| value.starts_with(prefix.as_str()));
                union(range.filter(|(value, _)| wanted(value)).map(|(_, numbers)| numbers))
            }
            _ => union(values.iter().filter(|(value, _)| wanted(value)).map(|(_, numbers)| numbers)),
        }
    }
}

/// Large ones first, so that the others are added to what is there.
fn union<'a>(bitmaps: impl Iterator<Item = &'a RoaringBitmap>) -> RoaringBitmap {
    let mut bitmaps: Vec<&RoaringBitmap> = bitmaps.collect();
    bitmaps.sort_by_key(|bitmap| Reverse(bitmap.len()));
    let mut bitmaps = bitmaps.into_iter();
    let Some(largest) = bitmaps.next() else { return RoaringBitmap::new() };
    bitmaps.fold(largest.clone(), |all, bitmap| all | bitmap)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

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
            wanted in prop::collection::vec(("[abcd]", 0..4usize, prop::sample::select(vec!["", "x", "y", "x|y", "x.*", "xz?", "x|", ".+", ".*"])), 1..3),
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
            let mut found: Vec<&Labels> = selected.iter().map(|(_, labels)| labels).collect();
            expected.sort();
            found.sort();
            prop_assert_eq!(found, expected);
        }
    }
}
