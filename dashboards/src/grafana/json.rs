//! Reads JSON that many hands and versions wrote: numbers arrive as text, lists as null, absent members all the time.

use serde_json::Value;

/// One value of the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Json<'a>(pub(crate) &'a Value);

impl<'a> Json<'a> {
    /// A member that is there and not null.
    pub(crate) fn get(self, key: &str) -> Option<Json<'a>> {
        self.0.get(key).filter(|value| !value.is_null()).map(Json)
    }

    pub(crate) fn path(self, keys: &[&str]) -> Option<Json<'a>> {
        keys.iter().try_fold(self, |json, key| json.get(key))
    }

    pub(crate) fn text(self, key: &str) -> Option<&'a str> {
        self.get(key)?.as_text()
    }

    pub(crate) fn number(self, key: &str) -> Option<f64> {
        self.get(key)?.as_number()
    }

    pub(crate) fn whole(self, key: &str) -> Option<u32> {
        self.get(key)?.as_whole()
    }

    /// Absent is false.
    pub(crate) fn flag(self, key: &str) -> bool {
        self.get(key).is_some_and(|value| value.0 == &Value::Bool(true))
    }

    /// A switch whose absence means on.
    pub(crate) fn unless_off(self, key: &str) -> bool {
        self.get(key).is_none_or(|value| value.0 != &Value::Bool(false))
    }

    pub(crate) fn list(self, key: &str) -> &'a [Value] {
        self.get(key).and_then(|value| value.0.as_array()).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn items(self, key: &str) -> impl Iterator<Item = Json<'a>> {
        self.list(key).iter().filter(|value| !value.is_null()).map(Json)
    }

    pub(crate) fn texts(self, key: &str) -> Vec<String> {
        self.items(key).filter_map(Json::as_text).map(str::to_owned).collect()
    }

    /// The members of an object; none for anything else.
    pub(crate) fn entries(self) -> impl Iterator<Item = (&'a str, Json<'a>)> {
        self.0.as_object().into_iter().flatten().map(|(key, value)| (key.as_str(), Json(value)))
    }

    pub(crate) fn as_text(self) -> Option<&'a str> {
        self.0.as_str()
    }

    /// A finite number, also one written as text.
    pub(crate) fn as_number(self) -> Option<f64> {
        let number = match self.0 {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        number.filter(|number| number.is_finite())
    }

    pub(crate) fn as_whole(self) -> Option<u32> {
        let number = self.as_number()?.round();
        (0.0..=f64::from(u32::MAX)).contains(&number).then_some(number as u32)
    }

    /// A scalar as people would write it.
    pub(crate) fn as_words(self) -> Option<String> {
        match self.0 {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            _ => None,
        }
    }

    /// Null, false, `""`, `[]` and `{}` change nothing wherever they stand.
    pub(crate) fn says_nothing(self) -> bool {
        match self.0 {
            Value::Null | Value::Bool(false) => true,
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Object(members) => members.is_empty(),
            Value::Bool(true) | Value::Number(_) => false,
        }
    }
}
