//! In which line of a YAML text a node stands.
//!
//! serde's data model has no positions, but the YAML reader marks its errors with them. So the text is read once more with a
//! visitor that walks to the node and fails exactly there; the line of that error is the answer.

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Where a node stands: the number of its document, and its path there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Place {
    pub(super) document: usize,
    pub(super) path: Vec<Step>,
}

impl Place {
    /// Reads the text up to the node, so it is asked for where somebody wants to see it, not for each rule of a large file.
    pub(super) fn line(&self, text: &str) -> usize {
        line_of(text, self.document, &self.path).unwrap_or(1)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
}

/// The line (from 1) of the node at `path` in the document numbered `document`; of its key, where it has one.
pub(super) fn line_of(text: &str, document: usize, path: &[Step]) -> Option<usize> {
    let node = serde_norway::Deserializer::from_str(text).nth(document)?;
    match (Probe { path }).deserialize(node) {
        Ok(()) => None,
        Err(error) => error.location().map(|location| location.line()),
    }
}

struct Probe<'p> {
    path: &'p [Step],
}

impl<'de> DeserializeSeed<'de> for Probe<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Probe<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a node on the way to the one that is looked for")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((Step::Key(wanted), rest)) = self.path.split_first() else { return Err(A::Error::custom("here")) };
        while let Some(found) = map.next_key_seed(KeyProbe { wanted, is_target: rest.is_empty() })? {
            if found {
                return map.next_value_seed(Probe { path: rest });
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Some((Step::Index(wanted), rest)) = self.path.split_first() else { return Err(A::Error::custom("here")) };
        for _ in 0..*wanted {
            if seq.next_element::<IgnoredAny>()?.is_none() {
                return Ok(());
            }
        }
        seq.next_element_seed(Probe { path: rest }).map(|_| ())
    }
}

/// Says whether a key is the wanted one, and fails at it when the key itself is the target.
struct KeyProbe<'p> {
    wanted: &'p str,
    is_target: bool,
}

impl<'de> DeserializeSeed<'de> for KeyProbe<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for KeyProbe<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<bool, E> {
        match (key == self.wanted, self.is_target) {
            (true, true) => Err(E::custom("here")),
            (found, _) => Ok(found),
        }
    }
}

/// All documents of a text as values; an error carries its line.
pub(super) fn documents(text: &str) -> Result<Vec<serde_norway::Value>, serde_norway::Error> {
    serde_norway::Deserializer::from_str(text).map(serde_norway::Value::deserialize).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_found() {
        let text = "# head\ngroups:\n- name: a\n  rules:\n  - record: x\n    expr: 1\n\n  - alert: y\n    # why\n    exrp: 2\n---\nz: [1,\n  2]\n";
        let key = |name: &str| Step::Key(name.to_owned());
        let rule = |n: usize| vec![key("groups"), Step::Index(0), key("rules"), Step::Index(n)];
        assert_eq!(line_of(text, 0, &rule(0)), Some(5));
        assert_eq!(line_of(text, 0, &rule(1)), Some(8));
        assert_eq!(line_of(text, 0, &[rule(1), vec![key("exrp")]].concat()), Some(10));
        assert_eq!(line_of(text, 1, &[key("z"), Step::Index(1)]), Some(13));
        assert_eq!(line_of(text, 0, &rule(2)), None);
    }
}
