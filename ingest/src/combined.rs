//! Access logs in the common and combined formats of Apache httpd and nginx:
//! `client ident user [time] "request" status bytes "referer" "user agent"`.
//!
//! `-` means absent. `path` is the request's target without the query string, `query` what follows the question mark.
//! Port scanners and TLS on a plain port leave request lines that are no requests: such a row has no method, path and
//! protocol, but it is kept, and `_msg` is always the whole line.

use std::borrow::Cow;

use culprit_store::{ColumnType, TIME};

use crate::line::MESSAGE;
use crate::rejection::RowError;
use crate::row::{Row, Scalar};
use crate::rows::Rows;

/// There from the first body on, even where a log never has a user or a query.
const COLUMNS: [(&str, ColumnType); 12] = [
    ("client", ColumnType::Utf8),
    ("ident", ColumnType::Utf8),
    ("user", ColumnType::Utf8),
    ("method", ColumnType::Utf8),
    ("path", ColumnType::Utf8),
    ("query", ColumnType::Utf8),
    ("protocol", ColumnType::Utf8),
    ("status", ColumnType::Int64),
    ("bytes", ColumnType::Int64),
    ("referer", ColumnType::Utf8),
    ("user_agent", ColumnType::Utf8),
    (MESSAGE, ColumnType::Utf8),
];

pub(crate) fn read<'a>(text: &'a str, rows: &mut Rows<'a>) {
    rows.declare(&COLUMNS);
    rows.read_lines(text, read_line);
}

fn read_line<'a>(line: &'a str, row: &mut Row<'a>) -> Result<(), RowError> {
    let wrong = |what| RowError::AccessLog { what };
    let (client, rest) = line.split_once(' ').ok_or(wrong("no blank after the client"))?;
    let (ident, rest) = rest.split_once(' ').ok_or(wrong("no blank after the ident"))?;
    // A user may contain blanks; the bracket of the time ends it.
    let (user, rest) = rest.split_once(" [").ok_or(wrong("no [time] after the user"))?;
    let (time, rest) = rest.split_once("] \"").ok_or(wrong("no \"request\" after the [time]"))?;
    let (request, rest) = quoted(rest);

    row.set_text("client", client)?;
    set_unless_absent(row, "ident", Cow::Borrowed(ident))?;
    set_unless_absent(row, "user", Cow::Borrowed(user))?;
    row.set_text(TIME, time)?;
    set_request(row, request)?;
    let (status, rest) = word(rest);
    let (bytes, rest) = word(rest);
    set_number(row, "status", status)?;
    set_number(row, "bytes", bytes)?;
    let rest = set_quoted(row, "referer", rest)?;
    set_quoted(row, "user_agent", rest)?;
    row.set_text(MESSAGE, line)
}

/// Up to the closing quote, which a cut line lacks; the backslashes that protect quotes inside are taken away.
fn quoted(text: &str) -> (Cow<'_, str>, &str) {
    let mut escaped = false;
    let end = text.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    });
    let (inner, rest) = end.map_or((text, ""), |end| (&text[..end], &text[end + 1..]));
    let plain = if inner.contains('\\') {
        Cow::Owned(inner.replace("\\\"", "\"").replace("\\\\", "\\"))
    } else {
        Cow::Borrowed(inner)
    };
    (plain, rest)
}

fn word(text: &str) -> (&str, &str) {
    let text = text.trim_ascii_start();
    text.split_once(' ').unwrap_or((text, ""))
}

fn set_unless_absent<'a>(row: &mut Row<'a>, name: &'static str, value: Cow<'a, str>) -> Result<(), RowError> {
    if value.is_empty() || value == "-" { Ok(()) } else { row.set_text(name, value) }
}

/// A text where a number belongs is kept: the builder finds its place.
fn set_number<'a>(row: &mut Row<'a>, name: &'static str, value: &'a str) -> Result<(), RowError> {
    match value.parse() {
        Ok(number) => row.set(name, Scalar::Int(number)),
        Err(_no_number) => set_unless_absent(row, name, Cow::Borrowed(value)),
    }
}

fn set_quoted<'a>(row: &mut Row<'a>, name: &'static str, text: &'a str) -> Result<&'a str, RowError> {
    let Some(text) = text.trim_ascii_start().strip_prefix('"') else { return Ok(text) };
    let (value, rest) = quoted(text);
    set_unless_absent(row, name, value)?;
    Ok(rest)
}

struct Request<'t> {
    method: &'t str,
    path: &'t str,
    query: Option<&'t str>,
    protocol: Option<&'t str>,
}

impl<'t> Request<'t> {
    /// `METHOD target HTTP/1.1`; HTTP 0.9 has no protocol. `None` for anything else.
    fn parse(line: &'t str) -> Option<Self> {
        let (method, rest) = line.split_once(' ')?;
        let (target, protocol) = match rest.rsplit_once(' ') {
            Some((target, protocol)) if protocol.starts_with("HTTP/") => (target, Some(protocol)),
            _ => (rest, None),
        };
        let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
        let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        (is_method && !target.is_empty()).then_some(Self { method, path, query, protocol })
    }

    fn set<'a>(self, row: &mut Row<'a>, text: impl Fn(&'t str) -> Cow<'a, str>) -> Result<(), RowError> {
        row.set_text("method", text(self.method))?;
        row.set_text("path", text(self.path))?;
        if let Some(query) = self.query {
            row.set_text("query", text(query))?;
        }
        self.protocol.map_or(Ok(()), |protocol| row.set_text("protocol", text(protocol)))
    }
}

fn set_request<'a>(row: &mut Row<'a>, line: Cow<'a, str>) -> Result<(), RowError> {
    match line {
        Cow::Borrowed(line) => Request::parse(line).map_or(Ok(()), |request| request.set(row, Cow::Borrowed)),
        Cow::Owned(line) => {
            Request::parse(&line).map_or(Ok(()), |request| request.set(row, |text| Cow::Owned(text.to_owned())))
        }
    }
}

#[cfg(test)]
mod tests;
