//! JSON objects of this API, field by field. Clients are loose with types: a number may come as text, a flag as `True`.

use serde_json::{Map, Value};

use super::error::{Code, SlsError};

/// Fields are taken out one by one; what is left is what nobody asked for.
#[derive(Debug)]
pub(super) struct Fields {
    map: Map<String, Value>,
    /// Of a field that is not as it must be.
    code: Code,
}

impl Fields {
    pub(super) fn parse(body: &[u8], code: Code) -> Result<Self, SlsError> {
        let wrong = |why: String| SlsError::new(Code::PostBodyInvalid, format!("the body is no JSON object: {why}"));
        match serde_json::from_slice(body) {
            Ok(Value::Object(map)) => Ok(Self { map, code }),
            Ok(other) => Err(wrong(format!("it is {}", kind(&other)))),
            Err(error) => Err(wrong(error.to_string())),
        }
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, SlsError> {
        match self.map.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(other) => Err(self.wrong(name, &other, "text")),
        }
    }

    pub(super) fn expect_text(&mut self, name: &str) -> Result<String, SlsError> {
        self.text(name)?.ok_or_else(|| SlsError::new(self.code, format!("{name} is missing")))
    }

    pub(super) fn integer(&mut self, name: &str) -> Result<Option<i64>, SlsError> {
        let Some(value) = self.map.remove(name).filter(|value| !value.is_null()) else { return Ok(None) };
        let number = match &value {
            Value::String(text) => text.trim().parse().ok(),
            other => other.as_i64(),
        };
        number.map(Some).ok_or_else(|| self.wrong(name, &value, "an integer"))
    }

    pub(super) fn flag(&mut self, name: &str) -> Result<Option<bool>, SlsError> {
        let Some(value) = self.map.remove(name).filter(|value| !value.is_null()) else { return Ok(None) };
        let flag = match &value {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) => flag(text),
            _ => None,
        };
        flag.map(Some).ok_or_else(|| self.wrong(name, &value, "true or false"))
    }

    pub(super) fn array(&mut self, name: &str) -> Result<Option<Vec<Value>>, SlsError> {
        match self.map.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(other) => Err(self.wrong(name, &other, "an array")),
        }
    }

    pub(super) fn rest(self) -> Map<String, Value> {
        self.map
    }

    fn wrong(&self, name: &str, value: &Value, wanted: &str) -> SlsError {
        let shown: String = value.to_string().chars().take(SHOWN_CHARS).collect();
        SlsError::new(self.code, format!("{name} is {shown}; it must be {wanted}"))
    }
}

/// Of a value from outside, in an error.
const SHOWN_CHARS: usize = 100;

/// As Python, JavaScript and Go write it.
pub(super) fn flag(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" | "1" => Some(true),
        "false" | "False" | "FALSE" | "0" => Some(false),
        _ => None,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loose_types_are_read_and_wrong_ones_named() {
        let body = br#"{"a":"7","b":8,"c":"True","d":false,"e":null,"f":[],"g":{"h":1},"i":9}"#;
        let mut fields = Fields::parse(body, Code::LogstoreInfoInvalid).unwrap();
        assert_eq!((fields.integer("a").unwrap(), fields.integer("b").unwrap()), (Some(7), Some(8)));
        assert_eq!((fields.flag("c").unwrap(), fields.flag("d").unwrap()), (Some(true), Some(false)));
        assert_eq!((fields.text("e").unwrap(), fields.integer("none").unwrap()), (None, None));
        assert_eq!(fields.text("i").unwrap().as_deref(), Some("9"));
        let error = fields.flag("f").unwrap_err();
        assert_eq!(
            (error.code, error.message.as_str()),
            (Code::LogstoreInfoInvalid, "f is []; it must be true or false")
        );
        assert_eq!(fields.expect_text("name").unwrap_err().message, "name is missing");
        assert_eq!(Value::Object(fields.rest()).to_string(), r#"{"g":{"h":1}}"#);
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for (body, why) in
            [("", "EOF while parsing"), ("[1]", "it is an array"), ("{\"a\":", "EOF"), ("\u{0}", "expected value")]
        {
            let error = Fields::parse(body.as_bytes(), Code::ParameterInvalid).unwrap_err();
            assert_eq!(error.code, Code::PostBodyInvalid);
            assert!(error.message.contains(why), "{error}");
        }
    }
}
