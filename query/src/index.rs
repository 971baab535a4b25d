//! The index of a logstore as the cloud service's clients write it: which fields there are, which of them are numbers, and how text falls into words.
//!
//! Log groups bring text alone; a type here makes a column a number for SQL and for ranges. What is no number of that type is null there; the text stays.

use std::collections::BTreeMap;

use arrow::datatypes::DataType;
use serde::Deserialize;

use crate::QueryError;
use crate::limits::{INDEX_BYTES_MAX, INDEX_KEYS_MAX};

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct IndexConfig {
    /// How words anywhere in a row are found; without it all columns are looked at.
    pub line: Option<LineIndex>,
    #[serde(default)]
    pub keys: BTreeMap<String, KeyIndex>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LineIndex {
    /// What separates words; none stands for the usual ones.
    #[serde(default)]
    pub token: Vec<String>,
    #[serde(default, rename = "caseSensitive")]
    pub case_sensitive: bool,
    #[serde(default)]
    pub include_keys: Vec<String>,
    #[serde(default)]
    pub exclude_keys: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct KeyIndex {
    #[serde(rename = "type", default)]
    pub key_type: KeyType,
    /// Another name of the column in SQL.
    #[serde(default)]
    pub alias: Option<String>,
    #[serde(default)]
    pub token: Vec<String>,
    #[serde(default, rename = "caseSensitive")]
    pub case_sensitive: bool,
    /// Of type json: paths inside the text, with their types.
    #[serde(default)]
    pub json_keys: BTreeMap<String, JsonKey>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct JsonKey {
    #[serde(rename = "type", default)]
    pub key_type: KeyType,
    #[serde(default)]
    pub alias: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyType {
    #[default]
    Text,
    Long,
    Double,
    Json,
}

impl KeyType {
    /// None for what stays text.
    pub(crate) fn arrow(self) -> Option<DataType> {
        match self {
            Self::Text | Self::Json => None,
            Self::Long => Some(DataType::Int64),
            Self::Double => Some(DataType::Float64),
        }
    }
}

impl LineIndex {
    pub(crate) fn covers(&self, name: &str) -> bool {
        let has = |names: &[String]| names.iter().any(|known| known == name);
        if self.include_keys.is_empty() { !has(&self.exclude_keys) } else { has(&self.include_keys) }
    }
}

impl IndexConfig {
    /// What is unknown is left alone: clients send more than concerns queries.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        if text.len() > INDEX_BYTES_MAX {
            return Err(bad(format!("it has {} bytes, more than the {INDEX_BYTES_MAX} allowed", text.len())));
        }
        let config: Self = serde_json::from_str(text).map_err(|error| bad(error.to_string()))?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), QueryError> {
        if self.line.is_none() && self.keys.is_empty() {
            return Err(bad("it has neither \"line\" nor \"keys\"".to_owned()));
        }
        let keys = self.keys.len() + self.keys.values().map(|key| key.json_keys.len()).sum::<usize>();
        if keys > INDEX_KEYS_MAX {
            return Err(bad(format!("it has {keys} keys, more than the {INDEX_KEYS_MAX} allowed")));
        }
        if self.line.as_ref().is_some_and(|line| !line.include_keys.is_empty() && !line.exclude_keys.is_empty()) {
            return Err(bad("\"line\" has include_keys and exclude_keys; only one of them may be given".to_owned()));
        }
        if self.keys.contains_key("") {
            return Err(bad("a key has no name".to_owned()));
        }
        let mut names: Vec<&str> = self.keys.keys().map(String::as_str).chain(self.aliases()).collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(bad(format!("{:?} names two columns", pair[0]))),
            None => Ok(()),
        }
    }

    fn aliases(&self) -> impl Iterator<Item = &str> {
        let own = self.keys.values().filter_map(|key| key.alias.as_deref());
        let json = self.keys.values().flat_map(|key| key.json_keys.values().filter_map(|key| key.alias.as_deref()));
        own.chain(json).filter(|alias| !alias.is_empty())
    }

    /// By name or alias; with the column's name.
    pub(crate) fn key(&self, name: &str) -> Option<(&str, &KeyIndex)> {
        if let Some((name, key)) = self.keys.get_key_value(name) {
            return Some((name, key));
        }
        self.keys.iter().find(|(_, key)| key.alias.as_deref() == Some(name)).map(|(name, key)| (name.as_str(), key))
    }

    /// `request` and `user.id` of `request.user.id`, when `request` is of type json.
    pub(crate) fn json_parent<'a>(&self, name: &'a str) -> Option<(&'a str, &'a str)> {
        let splits = name.match_indices('.').map(|(at, _)| (&name[..at], &name[at + 1..]));
        splits.into_iter().find(|(parent, _)| self.keys.get(*parent).is_some_and(|key| key.key_type == KeyType::Json))
    }

    /// Whether values of the column are taken apart.
    pub(crate) fn looks_into(&self, name: &str) -> bool {
        self.keys.get(name).is_some_and(|key| !key.json_keys.is_empty())
    }

    pub(crate) fn json_type(&self, parent: &str, path: &str) -> Option<KeyType> {
        self.keys.get(parent)?.json_keys.get(path).map(|key| key.key_type)
    }
}

fn bad(why: String) -> QueryError {
    QueryError::Index { why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_send_is_understood() {
        let text = r#"{"line":{"token":[","," "],"caseSensitive":false,"chn":false},"ttl":7,"log_reduce":false,
            "keys":{"latency":{"type":"long","doc_value":true,"alias":"ms"},"ratio":{"type":"double"},"path":{"type":"text","token":["/"],"caseSensitive":true},
            "request":{"type":"json","index_all":true,"max_depth":-1,"json_keys":{"user.id":{"type":"long"}}}}}"#;
        let index = IndexConfig::parse(text).unwrap();
        assert_eq!(index.key("ms").unwrap().0, "latency");
        assert_eq!(index.key("latency").unwrap().1.key_type.arrow(), Some(DataType::Int64));
        assert_eq!(index.key("path").unwrap().1.token, ["/"]);
        assert_eq!(index.json_parent("request.user.id"), Some(("request", "user.id")));
        assert_eq!(index.json_parent("latency.x"), None);
        assert_eq!(index.json_type("request", "user.id"), Some(KeyType::Long));
    }

    #[test]
    fn mistakes_are_named() {
        for (text, expected) in [
            ("{}", "neither \"line\" nor \"keys\""),
            ("[]", "invalid"),
            (r#"{"keys":{"a":{"type":"int"}}}"#, "unknown variant `int`"),
            (r#"{"keys":{"a":{"alias":"b"},"b":{}}}"#, "\"b\" names two columns"),
            (r#"{"keys":{"a":{"alias":"c"},"b":{"alias":"c"}}}"#, "\"c\" names two columns"),
            (r#"{"line":{"include_keys":["a"],"exclude_keys":["b"]}}"#, "only one of them"),
            (r#"{"keys":{"":{}}}"#, "a key has no name"),
        ] {
            let error = IndexConfig::parse(text).unwrap_err().to_string();
            assert!(error.starts_with("index: ") && error.contains(expected), "{text}: {error}");
        }
    }
}
