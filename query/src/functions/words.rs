//! Whole words in text: what the full-text search of the cloud service means by a word.
//!
//! Text falls into words at separators. A row has `connection reset` when these two words follow each other in it, whatever stands between
//! them; `conn*` is a word that begins so. Scripts that are written without spaces have no separators, so a word in them may stand inside another.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::search::Value;

/// What separates words when the index does not say.
const SEPARATORS: &str = ", '\";=()[]{}?@&<>/:\n\t\r";

/// The words that are looked for, one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Words {
    words: Vec<Word>,
    separators: String,
    is_case_sensitive: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Word {
    text: String,
    has_wildcard: bool,
}

impl Words {
    /// Empty separators stand for the default ones.
    pub(crate) fn new(value: &Value, separators: Option<&[String]>, is_case_sensitive: bool) -> Self {
        let separators = separators.map(<[String]>::concat).filter(|s| !s.is_empty()).unwrap_or(SEPARATORS.to_owned());
        let text = if is_case_sensitive { value.text.clone() } else { value.text.to_lowercase() };
        let is_wildcard = |c: char| !value.is_quoted && matches!(c, '*' | '?');
        let cut = |c: char| separators.contains(c) && !is_wildcard(c);
        let words = text.split(cut).filter(|word| !word.is_empty());
        let words =
            words.map(|word| Word { text: word.to_owned(), has_wildcard: word.contains(is_wildcard) }).collect();
        Self { words, separators, is_case_sensitive }
    }

    /// Separators alone are no word; they are in no text.
    fn are_in(&self, text: &str) -> bool {
        let Some(first) = self.words.first() else { return false };
        let folded;
        let text = if self.is_case_sensitive || !needs_folding(text) {
            text
        } else {
            folded = text.to_lowercase();
            folded.as_str()
        };
        // Cheap and true for most rows: the longest part of the first word is not in the text at all.
        if !first.has_wildcard && !text.contains(first.text.as_str()) {
            return false;
        }
        let mut rest = text.split(|c| self.separators.contains(c)).filter(|word| !word.is_empty());
        loop {
            let mut ahead = rest.clone();
            if self.words.iter().all(|word| ahead.next().is_some_and(|found| word.matches(found))) {
                return true;
            }
            if rest.next().is_none() {
                return false;
            }
        }
    }
}

fn needs_folding(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii())
}

impl Word {
    fn matches(&self, found: &str) -> bool {
        if self.has_wildcard {
            return glob(self.text.as_bytes(), found.as_bytes());
        }
        found == self.text || (!self.text.is_ascii() && found.contains(self.text.as_str()))
    }
}

/// `*` is any run, `?` any one byte. Remembers the last star and goes on from there, so the time is the product of the lengths at most.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(byte) if *byte == b'?' || *byte == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    p = at + 1;
                    t = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

/// True where the text has the words; null where there is no text.
pub(crate) fn has_words(text: Expr, words: &Words) -> Expr {
    let signature = Signature::exact(vec![DataType::Utf8], Volatility::Immutable);
    ScalarUDF::from(HasWords { words: words.clone(), signature }).call(vec![text])
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct HasWords {
    words: Words,
    signature: Signature,
}

impl ScalarUDFImpl for HasWords {
    fn name(&self) -> &str {
        "has_words"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&call.args)?;
        let texts = arrays[0].as_string::<i32>().iter();
        let found: BooleanArray = texts.map(|text| text.map(|text| self.words.are_in(text))).collect();
        Ok(ColumnarValue::Array(Arc::new(found) as ArrayRef))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(text: &str, wanted: &str) -> bool {
        let value = Value { text: wanted.to_owned(), is_quoted: false };
        Words::new(&value, None, false).are_in(text)
    }

    #[test]
    fn words_are_whole() {
        for (text, wanted, expected) in [
            ("GET /api/Orders?id=7", "orders", true),
            ("GET /api/orders", "order", false),
            ("connection  reset by peer", "connection reset", true),
            ("reset connection", "connection reset", false),
            ("a a b", "a b", true),
            ("timeout=500ms", "500ms", true),
            ("timeout=500ms", "500", false),
            ("order-17 failed", "order-17", true),
            ("支付失败", "失败", true),
            ("ÄRGER", "ärger", true),
            ("anything", "", false),
            ("anything", ",", false),
        ] {
            assert_eq!(has(text, wanted), expected, "{wanted:?} in {text:?}");
        }
    }

    #[test]
    fn wildcards_stay_inside_a_word() {
        for (text, wanted, expected) in [
            ("connection reset", "conn*", true),
            ("connection reset", "conn*reset", false),
            ("status 503", "5?3", true),
            ("status 5003", "5?3", false),
            ("aaaaaaab", "a*a*c", false),
            ("abcabd", "a*bd", true),
        ] {
            assert_eq!(has(text, wanted), expected, "{wanted:?} in {text:?}");
        }
        let quoted = Value { text: "conn*".to_owned(), is_quoted: true };
        assert!(!Words::new(&quoted, None, false).are_in("connection"));
    }

    #[test]
    fn the_index_says_what_separates_and_whether_case_counts() {
        let value = Value { text: "Error".to_owned(), is_quoted: false };
        let dot = ["."].map(str::to_owned);
        assert!(Words::new(&value, Some(&dot), true).are_in("app.Error.x"));
        assert!(!Words::new(&value, Some(&dot), true).are_in("app.error.x"));
        assert!(!Words::new(&value, Some(&dot), true).are_in("app Error x"));
    }
}
