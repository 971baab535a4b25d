//! The formats of log bodies and how one is chosen. A new format is one file and one line in each table here.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use culprit_store::StoreSchema;

use crate::IngestError;
use crate::json::{ElementScanner, Place};
use crate::rows::{DecodeOptions, Decoded, Rows};
use crate::{combined, json, line, logfmt, ndjson};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    Ndjson,
    Json,
    Combined,
    Logfmt,
    Line,
}

impl Format {
    pub const ALL: [Self; 5] = [Self::Ndjson, Self::Json, Self::Combined, Self::Logfmt, Self::Line];

    pub fn name(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Json => "json",
            Self::Combined => "combined",
            Self::Logfmt => "logfmt",
            Self::Line => "line",
        }
    }

    /// A content type that says only "some bytes", as curl's default does, decides nothing. `application/json` is
    /// looked into: many clients send NDJSON under it.
    pub fn of_content_type(content_type: &str) -> Option<Self> {
        let media_type = content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        match media_type.as_str() {
            "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/x-jsonlines"
            | "application/json-lines"
            | "application/stream+json" => Some(Self::Ndjson),
            "application/logfmt" | "text/logfmt" => Some(Self::Logfmt),
            "text/plain" => Some(Self::Line),
            _ => None,
        }
    }

    /// By the first byte: `[` begins an array and `{` objects, one per line unless the first goes on over its line's end.
    pub fn sniff(body: &[u8]) -> Self {
        let text = body.strip_prefix(BOM).unwrap_or(body).trim_ascii_start();
        match text.first() {
            Some(b'[') => Self::Json,
            Some(b'{') if goes_on_after_first_line(text) => Self::Json,
            Some(b'{') => Self::Ndjson,
            _ => Self::Line,
        }
    }

    /// Bytes that are no UTF-8 become U+FFFD: a line in an old encoding is worth more than its umlauts.
    pub fn decode(self, body: &[u8], schema: &StoreSchema, options: DecodeOptions) -> Decoded {
        let body = body.strip_prefix(BOM).unwrap_or(body);
        // The check alone is several times faster than the search for what to replace.
        let text = std::str::from_utf8(body).map_or_else(|_| String::from_utf8_lossy(body), Cow::Borrowed);
        let mut rows = Rows::new(schema, options);
        match self {
            Self::Ndjson => rows.read_lines(&text, ndjson::read_object),
            Self::Json => json::read(&text, &mut rows),
            Self::Combined => combined::read(&text, &mut rows),
            Self::Logfmt => rows.read_lines(&text, logfmt::read_line),
            Self::Line => rows.read_lines(&text, line::read_line),
        }
        rows.finish()
    }
}

/// What Windows editors put in front of UTF-8.
const BOM: &[u8] = "\u{feff}".as_bytes();

fn goes_on_after_first_line(text: &[u8]) -> bool {
    let mut lines = text.splitn(2, |byte| *byte == b'\n');
    let first = lines.next().unwrap_or(&[]);
    let mut scanner = ElementScanner::default();
    let balanced = first.iter().all(|byte| scanner.next(*byte) != Place::End);
    balanced && scanner.is_open() && lines.next().is_some_and(|rest| !rest.trim_ascii_start().starts_with(b"{"))
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = IngestError;

    fn from_str(name: &str) -> Result<Self, IngestError> {
        Self::ALL
            .into_iter()
            .find(|format| format.name().eq_ignore_ascii_case(name))
            .ok_or_else(|| IngestError::UnknownFormat { format: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chosen_by_the_first_bytes() {
        for (body, format) in [
            ("[{}]", Format::Json),
            (" \n[", Format::Json),
            ("{\"a\":1}", Format::Ndjson),
            ("{\"a\":1}\n{\"a\":2}\n", Format::Ndjson),
            ("\u{feff}{\"a\":1}\n", Format::Ndjson),
            ("{\n \"a\": 1\n}", Format::Json),
            ("{\"a\":\n{\"a\":2}\n", Format::Ndjson),
            ("plain", Format::Line),
            ("", Format::Line),
        ] {
            assert_eq!(Format::sniff(body.as_bytes()), format, "{body:?}");
        }
    }

    #[test]
    fn named_by_parameter_or_content_type() {
        for format in Format::ALL {
            assert_eq!(format.name().to_uppercase().parse::<Format>().unwrap(), format);
        }
        assert!("xml".parse::<Format>().unwrap_err().to_string().contains("ndjson, json, combined"));
        for (content_type, format) in [
            ("application/x-ndjson; charset=utf-8", Some(Format::Ndjson)),
            ("text/plain", Some(Format::Line)),
            ("application/json", None),
            ("application/x-www-form-urlencoded", None),
            ("", None),
        ] {
            assert_eq!(Format::of_content_type(content_type), format, "{content_type}");
        }
    }
}
