//! Times as people write them: epoch numbers of any usual unit, RFC 3339 and its relatives, Apache's own.

use chrono::NaiveDate;
use culprit_store::UnixNanos;

const NANOS_PER_SECOND: i64 = 1_000_000_000;
const MONTHS: [&[u8; 3]; 12] =
    [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];

/// An absent zone means UTC. `None` for anything else and for times outside 1677 to 2262.
///
/// Accepted: `2006-01-02T15:04:05.999Z` with `T` or a blank, `.` or `,` before the fraction, an offset with or without
/// colon or none, the seconds or the whole time of day left out; `02/Jan/2006:15:04:05 +0000`; epoch numbers.
pub(crate) fn parse(text: &str) -> Option<UnixNanos> {
    let text = text.trim();
    let bytes = text.as_bytes();
    match (bytes.get(2), bytes.get(4)) {
        (_, Some(b'-')) => iso(bytes),
        (Some(b'/'), _) => apache(bytes),
        _ => from_decimal(text),
    }
}

/// The unit follows from the magnitude: below 1e11 seconds (until the year 5138), below 1e14 milliseconds (from 1973),
/// below 1e17 microseconds, else nanoseconds.
pub(crate) fn from_integer(number: i64) -> Option<UnixNanos> {
    number.checked_mul(nanos_per_unit(number.unsigned_abs())).map(UnixNanos)
}

fn nanos_per_unit(magnitude: u64) -> i64 {
    match magnitude {
        0..100_000_000_000 => NANOS_PER_SECOND,
        100_000_000_000..100_000_000_000_000 => 1_000_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000,
        _ => 1,
    }
}

/// From the digits, never through f64: 1795219200.123456789 has more of them than a double keeps.
fn from_decimal(text: &str) -> Option<UnixNanos> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.contains(['e', 'E']) {
        let number: f64 = text.parse().ok()?;
        return if number.abs() < 1e18 { from_decimal(&format!("{number:.9}")) } else { None };
    }
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let mut unit = nanos_per_unit(whole);
    let mut nanos = i64::try_from(whole).ok()?.checked_mul(unit)?;
    for digit in fraction.bytes() {
        unit /= 10;
        nanos = nanos.checked_add(i64::from(digit - b'0') * unit)?;
    }
    Some(UnixNanos(if negative { -nanos } else { nanos }))
}

fn iso(bytes: &[u8]) -> Option<UnixNanos> {
    let mut cursor = Cursor(bytes);
    let year = cursor.number(4)?;
    cursor.expect(b'-')?;
    let month = cursor.number(2)?;
    cursor.expect(b'-')?;
    let day = cursor.number(2)?;
    let mut time = Parts { year, month, day, ..Parts::default() };
    if cursor.0.is_empty() {
        return time.assemble();
    }
    cursor.any(b"Tt ")?;
    time.hour = cursor.number(2)?;
    cursor.expect(b':')?;
    time.minute = cursor.number(2)?;
    if cursor.expect(b':').is_some() {
        time.second = cursor.number(2)?;
        time.nanos = cursor.fraction()?;
    }
    time.offset_seconds = cursor.zone()?;
    time.assemble()
}

fn apache(bytes: &[u8]) -> Option<UnixNanos> {
    let mut cursor = Cursor(bytes);
    let day = cursor.number(2)?;
    cursor.expect(b'/')?;
    let month = cursor.month()?;
    cursor.expect(b'/')?;
    let year = cursor.number(4)?;
    cursor.expect(b':')?;
    let hour = cursor.number(2)?;
    cursor.expect(b':')?;
    let minute = cursor.number(2)?;
    cursor.expect(b':')?;
    let second = cursor.number(2)?;
    let nanos = cursor.fraction()?;
    let offset_seconds = cursor.zone()?;
    Parts { year, month, day, hour, minute, second, nanos, offset_seconds }.assemble()
}

#[derive(Default)]
struct Parts {
    year: u32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    nanos: u32,
    offset_seconds: i64,
}

impl Parts {
    fn assemble(self) -> Option<UnixNanos> {
        // Second 60 is a leap second; it becomes the first instant of the next minute, as in POSIX time.
        if self.hour > 23 || self.minute > 59 || self.second > 60 {
            return None;
        }
        let midnight = NaiveDate::from_ymd_opt(i32::try_from(self.year).ok()?, self.month, self.day)?;
        let days = midnight.signed_duration_since(NaiveDate::default()).num_days();
        let clock = i64::from(self.hour * 3600 + self.minute * 60 + self.second);
        let seconds = days * 86_400 + clock - self.offset_seconds;
        seconds.checked_mul(NANOS_PER_SECOND)?.checked_add(i64::from(self.nanos)).map(UnixNanos)
    }
}

struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn number(&mut self, digits: usize) -> Option<u32> {
        let (head, rest) = self.0.split_at_checked(digits)?;
        if !head.iter().all(u8::is_ascii_digit) {
            return None;
        }
        self.0 = rest;
        Some(head.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0')))
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.any(&[byte]).map(|_| ())
    }

    fn any(&mut self, bytes: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        bytes.contains(first).then(|| {
            self.0 = rest;
            *first
        })
    }

    /// Nanoseconds; digits beyond the ninth are below our resolution. No fraction at all is zero.
    fn fraction(&mut self) -> Option<u32> {
        if self.any(b".,").is_none() {
            return Some(0);
        }
        let length = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at(length);
        self.0 = rest;
        let mut unit = 1_000_000_000;
        let mut nanos = 0;
        for digit in digits {
            unit /= 10;
            nanos += u32::from(digit - b'0') * unit;
        }
        (length > 0).then_some(nanos)
    }

    fn month(&mut self) -> Option<u32> {
        let (name, rest) = self.0.split_first_chunk::<3>()?;
        self.0 = rest;
        (1..).zip(MONTHS).find(|(_, month)| month.eq_ignore_ascii_case(name)).map(|(number, _)| number)
    }

    /// Seconds east of Greenwich, up to the end of the text.
    fn zone(&mut self) -> Option<i64> {
        while self.expect(b' ').is_some() {}
        if self.0.is_empty() || matches!(self.0, b"Z" | b"z" | b"UTC" | b"GMT") {
            return Some(0);
        }
        let sign = if self.any(b"+-")? == b'-' { -1 } else { 1 };
        let hours = self.number(2)?;
        let colon = self.expect(b':').is_some();
        let minutes = if self.0.is_empty() && !colon { 0 } else { self.number(2)? };
        let valid = self.0.is_empty() && hours < 24 && minutes < 60;
        valid.then(|| sign * i64::from(hours * 3600 + minutes * 60))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The oracle of the times is `date -u -d … +%s`.
    #[test]
    fn times_that_people_write() {
        for (text, nanos) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2015-05-17T10:05:03Z", 1_431_857_103_000_000_000),
            ("2015-05-17t10:05:03z", 1_431_857_103_000_000_000),
            ("2015-05-17 10:05:03", 1_431_857_103_000_000_000),
            ("2015-05-17 10:05:03 UTC", 1_431_857_103_000_000_000),
            (" 2015-05-17 12:05:03.5+02:00 ", 1_431_857_103_500_000_000),
            ("2015-05-17 12:05:03,25 +0200", 1_431_857_103_250_000_000),
            ("2015-05-17T05:05:03.123456789123-05", 1_431_857_103_123_456_789),
            ("2015-05-17T10:05", 1_431_857_100_000_000_000),
            ("2015-05-17", 1_431_820_800_000_000_000),
            ("2016-12-31T23:59:60Z", 1_483_228_800_000_000_000),
            ("17/May/2015:10:05:03 +0000", 1_431_857_103_000_000_000),
            ("17/may/2015:05:35:03 -0430", 1_431_857_103_000_000_000),
            ("1431857103", 1_431_857_103_000_000_000),
            ("1431857103.123456789", 1_431_857_103_123_456_789),
            ("1.431857103e9", 1_431_857_103_000_000_000),
            ("1431857103123", 1_431_857_103_123_000_000),
            ("1431857103123.5", 1_431_857_103_123_500_000),
            ("1431857103123456", 1_431_857_103_123_456_000),
            ("1431857103123456789", 1_431_857_103_123_456_789),
            ("-1.5", -1_500_000_000),
            ("99999999999999999", 99_999_999_999_999_999_000),
        ]
        .map(|(text, nanos): (&str, i128)| (text, i64::try_from(nanos).ok()))
        {
            assert_eq!(parse(text).map(|time| time.0), nanos, "{text}");
        }
    }

    #[test]
    fn texts_that_are_no_times() {
        for text in [
            "",
            "-",
            ".",
            "soon",
            "12ms",
            "1.2.3",
            "1e400",
            "2015-13-01",
            "2015-02-30T00:00:00Z",
            "2015-05-17T",
            "2015-05-17T25:00:00Z",
            "2015-05-17T10:05:03.Z",
            "2015-05-17T10:05:03X",
            "2015-05-17T10:05:03+0",
            "17/Mai/2015:10:05:03 +0000",
            "9999-01-01T00:00:00Z",
            "0001-01-01T00:00:00Z",
            "99999999999999999999",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn integers_by_magnitude() {
        for (number, nanos) in [
            (1_431_857_103, 1_431_857_103_000_000_000),
            (1_431_857_103_000, 1_431_857_103_000_000_000),
            (1_431_857_103_000_000, 1_431_857_103_000_000_000),
            (1_431_857_103_000_000_000, 1_431_857_103_000_000_000),
            (-1, -1_000_000_000),
        ] {
            assert_eq!(from_integer(number), Some(UnixNanos(nanos)), "{number}");
        }
        assert_eq!(from_integer(99_999_999_999), None, "seconds of the year 5138");
    }
}
