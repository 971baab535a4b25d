//! One JSON object per line.
//!
//! Values are taken as raw text and read by their first byte: strings without escapes are borrowed, numbers keep every
//! digit, arrays keep their text. Objects are flattened, `{"a":{"b":1}}` is the field `a.b`; empty ones and nulls are
//! absent. A tree of values is never built.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::limits::FLATTEN_DEPTH_MAX;
use crate::rejection::RowError;
use crate::row::{Row, Scalar};

pub(crate) fn read_object<'a>(text: &'a str, row: &mut Row<'a>) -> Result<(), RowError> {
    match text.trim_ascii_start().chars().next() {
        Some('{') | None => read_members(text, "", 1, row),
        Some(first) => Err(RowError::NotAnObject { first }),
    }
}

fn read_members<'a>(text: &'a str, prefix: &str, depth: usize, row: &mut Row<'a>) -> Result<(), RowError> {
    let mut refused = None;
    let mut json = serde_json::Deserializer::from_str(text);
    let result = json.deserialize_map(Members { row, prefix, depth, refused: &mut refused }).and_then(|()| json.end());
    match (refused, result) {
        (Some(error), _) => Err(error),
        (None, Err(error)) => Err(syntax(&error)),
        (None, Ok(())) => Ok(()),
    }
}

/// The place is given apart: serde_json counts lines inside the row, readers count them in their file.
fn syntax(error: &serde_json::Error) -> RowError {
    let text = error.to_string();
    let what = text.rsplit_once(" at line ").map_or(&*text, |(what, _)| what);
    RowError::Json { what: what.to_owned(), line: error.line().max(1), column: error.column() }
}

struct Members<'r, 'a> {
    row: &'r mut Row<'a>,
    prefix: &'r str,
    depth: usize,
    /// Our own refusals travel beside serde's error type, which knows text only.
    refused: &'r mut Option<RowError>,
}

impl<'a> Visitor<'a> for Members<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key_seed(Name)? {
            let value: &'a RawValue = members.next_value()?;
            let name = if self.prefix.is_empty() { name } else { Cow::Owned(format!("{}.{name}", self.prefix)) };
            if let Err(error) = read_value(name, value.get(), self.depth, self.row) {
                *self.refused = Some(error);
                return Err(A::Error::custom("the row is refused"));
            }
        }
        Ok(())
    }
}

fn read_value<'a>(name: Cow<'a, str>, value: &'a str, depth: usize, row: &mut Row<'a>) -> Result<(), RowError> {
    let scalar = match value.as_bytes()[0] {
        b'n' => return Ok(()),
        b'{' if depth < FLATTEN_DEPTH_MAX => return read_members(value, &name, depth + 1, row),
        b'{' | b'[' => Scalar::Text(Cow::Borrowed(value)),
        b'"' => Scalar::Text(unquoted(value)),
        b't' => Scalar::Bool(true),
        b'f' => Scalar::Bool(false),
        _ => Scalar::number(value),
    };
    row.set(name, scalar)
}

/// Half a surrogate pair, as some emitters leave when they cut a text, is valid JSON but no text: its escapes are kept.
fn unquoted(quoted: &str) -> Cow<'_, str> {
    let inner = &quoted[1..quoted.len() - 1];
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    match serde_json::from_str(quoted) {
        Ok(text) => Cow::Owned(text),
        Err(_half_a_pair) => Cow::Borrowed(inner),
    }
}

/// Serde's own `Cow` copies always.
struct Name;

impl<'a> DeserializeSeed<'a> for Name {
    type Value = Cow<'a, str>;

    fn deserialize<D: Deserializer<'a>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl<'a> Visitor<'a> for Name {
    type Value = Cow<'a, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_borrowed_str<E>(self, name: &'a str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use crate::Format;
    use crate::testing::check;

    #[test]
    fn objects_become_rows() {
        check(
            Format::Ndjson,
            concat!(
                r#"{"_time":1431857103123,"status":200,"ok":true,"took":1.5,"_msg":"a \"b\" \u00e9\n"}"#,
                "\r\n\n",
                r#"{"time":"2015-05-17T10:05:03Z","ctx":{"user":{"id":7},"tags":["a", 1]},"none":null,"empty":{}}"#,
                "\n",
                r#" {"status":"late","took":2,"ok":1,"_msg":404} "#,
            ),
            expect![[r#"
                {"_time":"2015-05-17T10:05:03.123Z","status":200,"ok":true,"took":1.5,"_msg":"a \"b\" é\n"}
                {"_time":"2015-05-17T10:05:03Z","ctx.user.id":7,"ctx.tags":"[\"a\", 1]"}
                {"_time":"ARRIVAL","took":2.0,"_msg":"404","_overflow":{"status":"late","ok":"1"}}
                3 accepted, 0 rejected
            "#]],
        );
    }

    #[test]
    fn a_bad_line_never_loses_its_neighbours() {
        check(
            Format::Ndjson,
            concat!(
                r#"{"a":1}"#,
                "\n",
                r#"{"a":2,"b":"#,
                "\n",
                r#"{"a":3} x"#,
                "\n",
                r#"[{"a":4}]"#,
                "\n",
                r#"5"#,
                "\n",
                r#"{"a":6,"b":nil}"#,
                "\n",
                r#"{"_time":"soon","a":7}"#,
                "\n",
                "{\"a\":\"\t\"}\n",
                r#"{"a":9}"#,
            ),
            expect![[r#"
                {"_time":"ARRIVAL","a":1}
                {"_time":"ARRIVAL","a":9}
                2 accepted, 7 rejected
                line 2: not valid JSON: EOF while parsing a value (column 11)
                line 3: not valid JSON: trailing characters (column 9)
                line 4: a row must be a JSON object, but this begins with '['
                line 5: a row must be a JSON object, but this begins with '5'
                line 6: not valid JSON: expected ident (column 13)
                line 7: field "_time" has the value "soon", which is not a time
                line 8: not valid JSON: control character (\u0000-\u001F) found while parsing a string (column 6)
            "#]],
        );
    }

    #[test]
    fn names_of_ours_and_names_that_come_twice_lose_nothing() {
        check(
            Format::Ndjson,
            concat!(
                r#"{"_offset":1,"_received":2,"_row":3,"_overflow":4,"":5,"a":6,"a":7,"a":"8"}"#,
                "\n",
                r#"{"_time":1431857103,"a":{"b":1},"a.b":2}"#,
                "\n",
            ),
            expect![[r#"
                {"_time":"ARRIVAL","field_offset":1,"field_received":2,"field_row":3,"field_overflow":4,"field":5,"a":6,"_overflow":{"a":"7","a":"8"}}
                {"_time":"2015-05-17T10:05:03Z","a.b":1,"_overflow":{"a.b":"2"}}
                2 accepted, 0 rejected
            "#]],
        );
    }

    #[test]
    fn odd_texts_are_kept() {
        check(
            Format::Ndjson,
            [
                b"\xef\xbb\xbf{\"half\":\"\\ud83d cut\"}\n".as_slice(),
                b"{\"latin\":\"caf\xe9\"}\n",
                b"{\"big\":18446744073709551616,\"exact\":0.1,\"huge\":1e999}\n",
            ]
            .concat(),
            expect![[r#"
                {"_time":"ARRIVAL","half":"\\ud83d cut"}
                {"_time":"ARRIVAL","latin":"caf�"}
                {"_time":"ARRIVAL","big":"18446744073709551616","exact":0.1,"huge":"1e999"}
                3 accepted, 0 rejected
            "#]],
        );
    }

    #[test]
    fn bounds_refuse_the_row_alone() {
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(crate::limits::ROW_BYTES_MAX));
        let name = format!("{{\"{}\":1}}", "n".repeat(600));
        let wide = (0..2001).map(|i| format!("\"f{i}\":{i}")).collect::<Vec<_>>().join(",");
        let deep = format!("{}1{}", r#"{"a":"#.repeat(20), "}".repeat(20));
        check(
            Format::Ndjson,
            format!("{long}\n{name}\n{{{wide}}}\n{deep}\n"),
            expect![[r#"
            {"_time":"ARRIVAL","a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a":"{\"a\":{\"a\":{\"a\":{\"a\":1}}}}"}
            1 accepted, 3 rejected
            line 1: the row has 1048584 bytes, more than the 1048576 that one row may have
            line 2: the field name "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn…" has 600 bytes, more than the 512 allowed
            line 3: the row has more than the 2000 fields that one row may have
        "#]],
        );
    }
}
