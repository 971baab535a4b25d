//! Protobuf's wire format, read in place.
//!
//! A [`Reader`] stands on a stretch of the body and knows where it is in it, so that an error names the byte. It hands
//! out fields one after the other and never looks into them: nested messages get a reader of their own, so that depth
//! is the caller's. Fields that nobody asks for are passed over by asking for the next one.

use super::LogGroupError;

/// The wire types of a field's tag.
pub(crate) const VARINT: u8 = 0;
pub(crate) const FIXED64: u8 = 1;
pub(crate) const BYTES: u8 = 2;
pub(crate) const FIXED32: u8 = 5;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'a> {
    Varint(u64),
    Fixed32(u32),
    Fixed64,
    Bytes(Reader<'a>),
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    /// Where `rest` begins in the body.
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Self {
        Self { rest: body, at: 0 }
    }

    /// What is left, as the value of a field of bytes.
    pub(crate) fn bytes(self) -> &'a [u8] {
        self.rest
    }

    /// A message of the fields 1 and 2, both bytes, when it is written as nearly every writer writes it: in this order,
    /// nothing else, lengths in as few bytes as they need. None sends the caller the long way.
    #[inline]
    pub(crate) fn plain_pair(&self) -> Option<(&'a [u8], &'a [u8])> {
        let [0x0a, length @ 0..0x80, rest @ ..] = self.rest else { return None };
        let (first, rest) = rest.split_at_checked(usize::from(*length))?;
        let (length, second) = match rest {
            [0x12, length @ 0..0x80, rest @ ..] => (usize::from(*length), rest),
            [0x12, low, high @ 0..0x80, rest @ ..] => (usize::from(low & 0x7f) | usize::from(*high) << 7, rest),
            _ => return None,
        };
        (second.len() == length).then_some((first, second))
    }

    /// The next field's number and value; None at the end.
    #[inline]
    pub(crate) fn field(&mut self) -> Result<Option<(u32, Value<'a>)>, LogGroupError> {
        let Some(first) = self.rest.first() else { return Ok(None) };
        let start = self.at;
        let tag = if *first < 0x80 { u64::from(self.skip(1)[0]) } else { self.varint("a field's tag")? };
        let number = u32::try_from(tag >> 3).unwrap_or(0);
        if number == 0 {
            return Err(LogGroupError::Malformed { at: start, what: "a field with a number that no field has" });
        }
        let value = match (tag & 7) as u8 {
            VARINT => Value::Varint(self.varint("a number")?),
            BYTES => Value::Bytes(self.nested()?),
            FIXED32 => Value::Fixed32(u32::from_le_bytes(self.fixed()?)),
            FIXED64 => {
                self.fixed::<8>()?;
                Value::Fixed64
            }
            _ => return Err(LogGroupError::Malformed { at: start, what: "a group or an unknown kind of field" }),
        };
        Ok(Some((number, value)))
    }

    /// The caller has seen that so many bytes are there.
    #[inline]
    fn skip(&mut self, count: usize) -> &'a [u8] {
        let (head, rest) = self.rest.split_at(count);
        self.rest = rest;
        self.at += count;
        head
    }

    #[inline]
    fn varint(&mut self, what: &'static str) -> Result<u64, LogGroupError> {
        match self.rest.first() {
            Some(byte) if *byte < 0x80 => Ok(u64::from(self.skip(1)[0])),
            _ => self.long_varint(what),
        }
    }

    fn long_varint(&mut self, what: &'static str) -> Result<u64, LogGroupError> {
        let mut number = 0;
        for (position, byte) in self.rest.iter().enumerate().take(10) {
            let bits = u64::from(byte & 0x7f);
            if position == 9 && *byte > 1 {
                break;
            }
            number |= bits << (7 * position);
            if *byte < 0x80 {
                self.skip(position + 1);
                return Ok(number);
            }
        }
        if self.rest.len() < 10 {
            return Err(LogGroupError::Cut { at: self.at, what });
        }
        Err(LogGroupError::Malformed { at: self.at, what: "a number of more than 64 bits" })
    }

    #[inline]
    fn nested(&mut self) -> Result<Reader<'a>, LogGroupError> {
        let start = self.at;
        let length = self.varint("a length")?;
        match usize::try_from(length) {
            Ok(length) if length <= self.rest.len() => {
                let at = self.at;
                Ok(Reader { rest: self.skip(length), at })
            }
            _ => Err(LogGroupError::Cut { at: start, what: "a message or text" }),
        }
    }

    #[inline]
    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], LogGroupError> {
        let cut = LogGroupError::Cut { at: self.at, what: "a number" };
        let bytes = *self.rest.first_chunk::<N>().ok_or(cut)?;
        self.skip(N);
        Ok(bytes)
    }
}

/// Bytes that [`put_varint`] writes.
#[inline]
pub(crate) fn varint_len(number: usize) -> usize {
    (number | 1).ilog2() as usize / 7 + 1
}

#[inline]
pub(crate) fn put_varint(out: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
