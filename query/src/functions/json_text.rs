//! One value out of JSON text, as text.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray};
use arrow::datatypes::DataType;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};
use serde_json::Value;

/// Its name in SQL, as Presto calls it.
pub(crate) const JSON_TEXT: &str = "json_extract_scalar";

/// `path` is `$.a.b[0]`, or the same without the dollar. Null where there is none, where it is an object or a list, and where the text is no JSON.
pub(crate) fn json_text(text: Expr, path: &str) -> Expr {
    json_text_function().call(vec![text, lit(path)])
}

pub(crate) fn json_text_function() -> ScalarUDF {
    let signature = Signature::exact(vec![DataType::Utf8, DataType::Utf8], Volatility::Immutable);
    ScalarUDF::from(JsonText { signature })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct JsonText {
    signature: Signature,
}

impl ScalarUDFImpl for JsonText {
    fn name(&self) -> &str {
        JSON_TEXT
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&call.args)?;
        let (texts, paths) = (arrays[0].as_string::<i32>(), arrays[1].as_string::<i32>());
        let values = texts.iter().zip(paths).map(|(text, path)| match (text, path) {
            (Some(text), Some(path)) => extract(text, path),
            _ => Ok(None),
        });
        Ok(ColumnarValue::Array(Arc::new(values.collect::<Result<StringArray>>()?) as ArrayRef))
    }
}

fn extract(text: &str, path: &str) -> Result<Option<String>> {
    let Ok(root) = serde_json::from_str::<Value>(text) else { return Ok(None) };
    let mut value = &root;
    for step in steps(path)? {
        let next = match (value, step.parse::<usize>()) {
            (Value::Array(items), Ok(at)) => items.get(at),
            (Value::Object(fields), _) => fields.get(step),
            _ => None,
        };
        let Some(next) = next else { return Ok(None) };
        value = next;
    }
    Ok(match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    })
}

/// `a`, `b` and `0` of `$.a.b[0]`; a name in brackets may stand in quotes.
fn steps(path: &str) -> Result<Vec<&str>> {
    let bad = || DataFusionError::Execution(format!("{path:?} is no JSON path such as $.a.b[0]"));
    let mut rest = path.strip_prefix('$').unwrap_or(path);
    let mut steps = Vec::new();
    while !rest.is_empty() {
        let step = if let Some(inner) = rest.strip_prefix('[') {
            let end = inner.find(']').ok_or_else(bad)?;
            rest = &inner[end + 1..];
            inner[..end].trim_matches(['"', '\''])
        } else {
            let inner = rest.strip_prefix('.').unwrap_or(rest);
            let end = inner.find(['.', '[']).unwrap_or(inner.len());
            rest = &inner[end..];
            &inner[..end]
        };
        if step.is_empty() {
            return Err(bad());
        }
        steps.push(step);
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_finds_scalars_alone() {
        let text = r#"{"a":{"b":[10,"x",{"c d":true}]},"n":null,"f":1.5}"#;
        for (path, expected) in [
            ("$.a.b[0]", Some("10")),
            ("a.b[1]", Some("x")),
            ("$.a.b[2][\"c d\"]", Some("true")),
            ("$.f", Some("1.5")),
            ("$.n", None),
            ("$.a", None),
            ("$.a.b[9]", None),
            ("$.missing.b", None),
        ] {
            assert_eq!(extract(text, path).unwrap().as_deref(), expected, "{path}");
        }
        assert_eq!(extract("no json", "$.a").unwrap(), None);
        assert!(extract(text, "$..a").is_err());
        assert!(extract(text, "$.a[").is_err());
    }
}
