//! One row between a decoder and the builders: names and scalars that borrow from the body, and the choice of its time.
//!
//! A row is complete before the first builder is touched, so that a line that turns out bad half-way leaves no trace,
//! and so that the time can be chosen among all fields. The list is used again for each row; nothing is hashed here.

use std::borrow::Cow;

use culprit_store::{TIME, UnixNanos};

use crate::limits::{FIELD_NAME_BYTES_MAX, ROW_FIELDS_MAX};
use crate::rejection::{RowError, shown};
use crate::timestamp;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar<'a> {
    Bool(bool),
    Int(i64),
    /// `text` is the number as it was written.
    Float {
        value: f64,
        text: Cow<'a, str>,
    },
    Text(Cow<'a, str>),
}

impl<'a> Scalar<'a> {
    /// A number in JSON's grammar. What neither i64 nor f64 can hold stays text, so that no digit is lost.
    pub(crate) fn number(text: &'a str) -> Self {
        if !text.contains(['.', 'e', 'E']) {
            return match text.parse() {
                Ok(int) => Self::Int(int),
                Err(_too_large) => Self::Text(Cow::Borrowed(text)),
            };
        }
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Self::Float { value, text: Cow::Borrowed(text) },
            _ => Self::Text(Cow::Borrowed(text)),
        }
    }

    pub(crate) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Bool(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
            Self::Int(value) => Cow::Owned(value.to_string()),
            Self::Float { text, .. } | Self::Text(text) => Cow::Borrowed(text),
        }
    }

    fn time(&self) -> Option<UnixNanos> {
        match self {
            Self::Bool(_) => None,
            Self::Int(value) => timestamp::from_integer(*value),
            Self::Float { text, .. } | Self::Text(text) => timestamp::parse(text),
        }
    }

    fn is_numeric(&self) -> bool {
        match self {
            Self::Bool(_) => false,
            Self::Int(_) | Self::Float { .. } => true,
            Self::Text(text) => text.trim().parse::<f64>().is_ok(),
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Row<'a> {
    pub(crate) fields: Vec<(Cow<'a, str>, Scalar<'a>)>,
}

impl<'a> Row<'a> {
    pub(crate) fn set(&mut self, name: impl Into<Cow<'a, str>>, value: Scalar<'a>) -> Result<(), RowError> {
        let name = name.into();
        if name.len() > FIELD_NAME_BYTES_MAX {
            return Err(RowError::FieldNameTooLong { name: shown(&name), bytes: name.len() });
        }
        if self.fields.len() == ROW_FIELDS_MAX {
            return Err(RowError::TooManyFields);
        }
        self.fields.push((name, value));
        Ok(())
    }

    pub(crate) fn set_text(&mut self, name: &'static str, value: impl Into<Cow<'a, str>>) -> Result<(), RowError> {
        self.set(name, Scalar::Text(value.into()))
    }
}

/// Which field is the row's time. The field that is chosen becomes `_time`; all others stay fields.
///
/// A field named by the request, and `_time` itself, are meant: when they hold something that is no time, the row is
/// refused. `time`, `timestamp` and `@timestamp` are guesses: `"time": 0.25` may well be a duration, so a number there
/// counts only from 1973 on, and what is no time leaves the field alone. A row without any time gets its arrival.
#[derive(Debug, Clone, Default)]
pub(crate) struct TimeRule {
    pub(crate) field: Option<String>,
}

const GUESSES: [&str; 3] = ["time", "timestamp", "@timestamp"];
const GUESSED_NUMBER_MIN: UnixNanos = UnixNanos(100_000_000 * 1_000_000_000);
const CANDIDATES: usize = 2 + GUESSES.len();
const MEANT: usize = 2;

impl TimeRule {
    /// The position of the field that is the time, and the time.
    pub(crate) fn choose(&self, row: &Row<'_>) -> Result<Option<(usize, UnixNanos)>, RowError> {
        let mut found = [None; CANDIDATES];
        for (position, (name, _)) in row.fields.iter().enumerate() {
            if let Some(rank) = self.rank(name) {
                found[rank].get_or_insert(position);
            }
        }
        for (rank, position) in found.into_iter().enumerate() {
            let Some(position) = position else { continue };
            let (name, value) = &row.fields[position];
            let time = value.time();
            match time {
                Some(time) if rank < MEANT || !value.is_numeric() || time >= GUESSED_NUMBER_MIN => {
                    return Ok(Some((position, time)));
                }
                _ if rank < MEANT => {
                    return Err(RowError::Time { field: shown(name), value: shown(&value.text()) });
                }
                _ => {}
            }
        }
        Ok(None)
    }

    fn rank(&self, name: &str) -> Option<usize> {
        if self.field.as_deref() == Some(name) {
            return Some(0);
        }
        if name == TIME {
            return Some(1);
        }
        GUESSES.iter().position(|guess| *guess == name).map(|rank| rank + MEANT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(rule: &TimeRule, fields: &[(&'static str, Scalar<'static>)]) -> Result<Option<&'static str>, String> {
        let mut row = Row::default();
        for (name, value) in fields {
            row.set(*name, value.clone()).unwrap();
        }
        match rule.choose(&row) {
            Ok(choice) => Ok(choice.map(|(position, _)| fields[position].0)),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn the_time_is_meant_or_guessed() {
        let time = || Scalar::Int(1_431_857_103);
        let text = |text| Scalar::Text(Cow::Borrowed(text));
        let any = TimeRule::default();
        let ts = TimeRule { field: Some("ts".to_owned()) };
        for (rule, fields, choice) in [
            (&any, vec![("@timestamp", time()), ("time", time()), ("_time", time())], Some("_time")),
            (&any, vec![("@timestamp", time()), ("timestamp", time())], Some("timestamp")),
            (&any, vec![("time", text("12ms")), ("@timestamp", time())], Some("@timestamp")),
            (&any, vec![("time", Scalar::number("0.25"))], None),
            (&any, vec![("time", text("0.25"))], None),
            (&any, vec![("time", text("1969-07-20T20:17:40Z"))], Some("time")),
            (&any, vec![("_time", Scalar::Int(1))], Some("_time")),
            (&any, vec![("ts", time())], None),
            (&ts, vec![("_time", time()), ("ts", time())], Some("ts")),
            (&ts, vec![("_time", time())], Some("_time")),
        ] {
            assert_eq!(chosen(rule, &fields), Ok(choice), "{fields:?}");
        }
        let error = chosen(&ts, &[("ts", text("soon")), ("_time", time())]).unwrap_err();
        assert_eq!(error, r#"field "ts" has the value "soon", which is not a time"#);
        assert!(chosen(&any, &[("_time", Scalar::Bool(true))]).is_err());
    }

    #[test]
    fn numbers_lose_no_digit() {
        for (text, int) in [("0", 0), ("-7", -7), ("9223372036854775807", i64::MAX)] {
            assert_eq!(Scalar::number(text), Scalar::Int(int));
        }
        for text in ["9223372036854775808", "1e400", "18446744073709551616"] {
            assert_eq!(Scalar::number(text), Scalar::Text(Cow::Borrowed(text)));
        }
        assert_eq!(Scalar::number("0.1"), Scalar::Float { value: 0.1, text: Cow::Borrowed("0.1") });
    }
}
