//! A cursor: the text form of an offset, base64 of its decimal digits.
//!
//! Clients compare cursors as texts, and some decode one, count down and encode it again; so there is exactly one text for each offset, and every offset from
//! the first retained to the next to be given has one.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use culprit_store::Offset;

use super::ConsumeError;

/// The next offset to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor(pub Offset);

impl Cursor {
    /// Only what [`Cursor`] displays is read back: no signs, no leading zeros, nothing beyond the 63 bits of the clients' integers. But a line break
    /// after it is none of it: the Python client sends what its encoder gives.
    pub fn parse(text: &str) -> Result<Self, ConsumeError> {
        let refused = || ConsumeError::BadCursor { cursor: text.chars().take(64).collect() };
        let digits = STANDARD.decode(text.trim_ascii_end()).map_err(|_not_base64| refused())?;
        let digits = std::str::from_utf8(&digits).map_err(|_not_text| refused())?;
        let offset: i64 = digits.parse().map_err(|_no_number| refused())?;
        let offset = u64::try_from(offset).map_err(|_negative| refused())?;
        if offset.to_string() != digits {
            return Err(refused());
        }
        Ok(Self(Offset(offset)))
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts from Python: `base64.b64encode(b"0")` and so on.
    #[test]
    fn there_is_one_text_for_an_offset() {
        for (offset, text) in [(0, "MA=="), (1, "MQ=="), (1_447_299_869, "MTQ0NzI5OTg2OQ==")] {
            assert_eq!(Cursor(Offset(offset)).to_string(), text);
            assert_eq!(Cursor::parse(text).unwrap(), Cursor(Offset(offset)));
        }
        assert_eq!(Cursor::parse("MA==\n").unwrap(), Cursor(Offset(0)));
        let last = Cursor(Offset(i64::MAX.cast_unsigned()));
        assert_eq!(Cursor::parse(&last.to_string()).unwrap(), last);
    }

    #[test]
    fn other_texts_are_refused() {
        for garbage in
            ["", "MA", "MA==\nMA==", "0", "LTE=", "KzE=", "MDE=", "MS41", "/w==", "OTIyMzM3MjAzNjg1NDc3NTgwOA=="]
        {
            assert!(matches!(Cursor::parse(garbage), Err(ConsumeError::BadCursor { .. })), "{garbage:?}");
        }
    }
}
