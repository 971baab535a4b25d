//! `key=value key="a value with blanks" flag`: what Go's slog and logrus, Heroku and Grafana's servers write.
//!
//! A bare value that is a JSON number or boolean is one, a quoted one is text, a key alone is `true`, and `key=` is an
//! empty text.

use std::borrow::Cow;

use crate::rejection::RowError;
use crate::row::{Row, Scalar};

pub(crate) fn read_line<'a>(line: &'a str, row: &mut Row<'a>) -> Result<(), RowError> {
    let mut pairs = 0;
    let mut at = 0;
    while let Some(blank) = line[at..].find(|c: char| !c.is_ascii_whitespace()) {
        at += blank;
        let key_length = line[at..].find(['=', '"', ' ', '\t']).unwrap_or(line.len() - at);
        let key = &line[at..at + key_length];
        if key.is_empty() {
            return Err(wrong("a key is missing", at));
        }
        at += key_length;
        match line.as_bytes().get(at) {
            Some(b'=') => {
                let (value, length) = read_value(&line[at + 1..]).ok_or(wrong("a quote does not close", at + 1))?;
                row.set(key, value)?;
                at += 1 + length;
                pairs += 1;
            }
            Some(b'"') => return Err(wrong("a quote inside a key", at)),
            _ => row.set(key, Scalar::Bool(true))?,
        }
    }
    if pairs == 0 { Err(wrong("there is no key=value", 0)) } else { Ok(()) }
}

fn wrong(what: &'static str, at: usize) -> RowError {
    RowError::Logfmt { what, column: at + 1 }
}

/// The value at the beginning of `text` and its length there.
fn read_value(text: &str) -> Option<(Scalar<'_>, usize)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let length = text.find(|c: char| c.is_ascii_whitespace()).unwrap_or(text.len());
        return Some((bare(&text[..length]), length));
    };
    let mut escaped = false;
    let end = quoted.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })?;
    let value = &quoted[..end];
    let text = if value.contains('\\') { unescaped(value) } else { Cow::Borrowed(value) };
    Some((Scalar::Text(text), end + 2))
}

fn bare(value: &str) -> Scalar<'_> {
    match value {
        "true" => Scalar::Bool(true),
        "false" => Scalar::Bool(false),
        // 007, 1_000 and +1 are no JSON numbers and may be codes: they stay text.
        _ if serde_json::from_str::<serde_json::Number>(value).is_ok() => Scalar::number(value),
        _ => Scalar::Text(Cow::Borrowed(value)),
    }
}

/// Unknown escapes keep their backslash.
fn unescaped(text: &str) -> Cow<'_, str> {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            plain.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => plain.push('\n'),
            Some('t') => plain.push('\t'),
            Some('r') => plain.push('\r'),
            Some(quoted @ ('"' | '\\')) => plain.push(quoted),
            Some(other) => plain.extend(['\\', other]),
            None => plain.push('\\'),
        }
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use crate::Format;
    use crate::testing::check;

    #[test]
    fn pairs_become_fields() {
        check(
            Format::Logfmt,
            concat!(
                "time=2015-05-17T10:05:03Z level=info msg=\"GET \\\"/\\\" took\\t3 ms\" status=200 took=0.25 ok=true\n",
                "at=error  code=007 empty= eq=a=b retry quoted=\"42\" path=C:\\temp\n",
            ),
            expect![[r#"
                {"_time":"2015-05-17T10:05:03Z","level":"info","msg":"GET \"/\" took\t3 ms","status":200,"took":0.25,"ok":true}
                {"_time":"ARRIVAL","at":"error","code":"007","empty":"","eq":"a=b","retry":true,"quoted":"42","path":"C:\\temp"}
                2 accepted, 0 rejected
            "#]],
        );
    }

    #[test]
    fn a_bad_line_never_loses_its_neighbours() {
        check(
            Format::Logfmt,
            "a=1\njust some words\na=\"open\nq\"x=1\n=2\na=\"é\\\na=6\n",
            expect![[r#"
            {"_time":"ARRIVAL","a":1}
            {"_time":"ARRIVAL","a":6}
            2 accepted, 5 rejected
            line 2: not valid logfmt: there is no key=value (column 1)
            line 3: not valid logfmt: a quote does not close (column 3)
            line 4: not valid logfmt: a quote inside a key (column 2)
            line 5: not valid logfmt: a key is missing (column 1)
            line 6: not valid logfmt: a quote does not close (column 3)
        "#]],
        );
    }
}
