//! What a value is by its form alone: a number, an address, a path, a time.

use serde::{Deserialize, Serialize};

/// The type of a slot. Two types that meet in one slot make it [`SlotKind::Any`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SlotKind {
    /// A number, with its unit where it has one.
    Num,
    Hex,
    Ip,
    Uuid,
    /// A date, a time of day or both.
    Time,
    Path,
    Url,
    Any,
}

impl SlotKind {
    /// How a template shows the slot.
    pub fn placeholder(self) -> &'static str {
        match self {
            Self::Num => "<num>",
            Self::Hex => "<hex>",
            Self::Ip => "<ip>",
            Self::Uuid => "<uuid>",
            Self::Time => "<time>",
            Self::Path => "<path>",
            Self::Url => "<url>",
            Self::Any => "<*>",
        }
    }

    pub(super) fn join(self, other: Self) -> Self {
        if self == other { self } else { Self::Any }
    }

    /// The type of a run of characters, none when it may as well be a word of the sentence. A name with one digit at its
    /// end (ssh2, eth0, ipv4) is a word: whether it varies is seen from what else stands in its place.
    pub(super) fn of(run: &str) -> Option<Self> {
        let bytes = run.as_bytes();
        if !bytes.iter().any(u8::is_ascii_digit) {
            return pathlike(bytes).then(|| Self::of_slashed(run));
        }
        let [stem @ .., last] = bytes else { return None };
        if last.is_ascii_digit() && !stem.is_empty() && stem.iter().all(u8::is_ascii_alphabetic) {
            return None;
        }
        Some(Self::of_value(run))
    }

    fn of_slashed(run: &str) -> Self {
        if run.contains("://") { Self::Url } else { Self::Path }
    }

    fn of_value(run: &str) -> Self {
        let bytes = run.as_bytes();
        if is_number(bytes) {
            Self::Num
        } else if is_ip(run) {
            Self::Ip
        } else if is_time(bytes) {
            Self::Time
        } else if is_uuid(bytes) {
            Self::Uuid
        } else if is_hex(run) {
            Self::Hex
        } else if pathlike(bytes) {
            Self::of_slashed(run)
        } else {
            Self::Any
        }
    }
}

fn pathlike(bytes: &[u8]) -> bool {
    let count = |separator: u8| bytes.iter().filter(|byte| **byte == separator).count();
    (bytes.len() > 1 && bytes[0] == b'/') || (bytes.len() > 4 && (count(b'/') >= 2 || count(b'\\') >= 2))
}

/// Digits with points, commas, a sign and an exponent, then at most three letters of unit or a per cent sign.
fn is_number(bytes: &[u8]) -> bool {
    let digits = bytes.strip_prefix(b"-").or_else(|| bytes.strip_prefix(b"+")).unwrap_or(bytes);
    if !digits.first().is_some_and(u8::is_ascii_digit) {
        return false;
    }
    let end = digits.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b'.' | b',')).unwrap_or(digits.len());
    let points = digits[..end].iter().filter(|byte| **byte == b'.').count();
    let unit = &digits[end..];
    let exponent = |rest: &[u8]| {
        let rest = rest.strip_prefix(b"-").or_else(|| rest.strip_prefix(b"+")).unwrap_or(rest);
        !rest.is_empty() && rest.iter().all(u8::is_ascii_digit)
    };
    let is_unit = unit.len() <= 3 && unit.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'%');
    points <= 1 && (is_unit || (matches!(unit[0], b'e' | b'E') && exponent(&unit[1..])))
}

/// IPv4 with its port or prefix length, or IPv6, with the slash before it that Java writes.
fn is_ip(run: &str) -> bool {
    let run = run.strip_prefix('/').unwrap_or(run);
    let bytes = run.as_bytes();
    let end = bytes.iter().position(|byte| !byte.is_ascii_digit() && *byte != b'.').unwrap_or(bytes.len());
    let octets = run[..end].split('.').filter(|octet| (1..=3).contains(&octet.len())).count();
    let dots = bytes[..end].iter().filter(|byte| **byte == b'.').count();
    let rest = &bytes[end..];
    if octets == 4 && dots == 3 {
        let port = rest.strip_prefix(b":").or_else(|| rest.strip_prefix(b"/"));
        return rest.is_empty() || port.is_some_and(|port| port.iter().all(u8::is_ascii_digit));
    }
    let colons = bytes.iter().filter(|byte| **byte == b':').count();
    let shortened = run.contains("::");
    (shortened || colons == 7)
        && bytes.iter().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.' | b'%'))
}

/// Groups of digits between two or more date and clock separators of one form, as 2015-07-29T17:41:44.747Z.
fn is_time(bytes: &[u8]) -> bool {
    let separators = bytes.iter().filter(|byte| matches!(byte, b'-' | b':' | b'/')).count();
    let clock = bytes.len() == 5 && bytes[2] == b':';
    let plain = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'-' | b':' | b'/' | b'.' | b'T' | b'Z' | b'+');
    bytes[0].is_ascii_digit() && (separators >= 2 || clock) && bytes.iter().all(plain) && longest_digits(bytes) <= 9
}

fn longest_digits(bytes: &[u8]) -> usize {
    bytes.split(|byte| !byte.is_ascii_digit()).map(<[u8]>::len).max().unwrap_or(0)
}

fn is_uuid(bytes: &[u8]) -> bool {
    let dash = |at: usize| matches!(at, 8 | 13 | 18 | 23);
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(at, byte)| if dash(at) { *byte == b'-' } else { byte.is_ascii_hexdigit() })
}

/// Eight hexadecimal digits or more, or any with 0x before them.
fn is_hex(run: &str) -> bool {
    let prefixed = run.strip_prefix("0x").or_else(|| run.strip_prefix("0X"));
    let digits = prefixed.unwrap_or(run);
    let enough = if prefixed.is_some() { 1 } else { 8 };
    digits.len() >= enough && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_have_their_type() {
        for (run, kind) in [
            ("42", Some(SlotKind::Num)),
            ("-1.5e-7", Some(SlotKind::Num)),
            ("12,345", Some(SlotKind::Num)),
            ("350ms", Some(SlotKind::Num)),
            ("99.9%", Some(SlotKind::Num)),
            ("0x1f", Some(SlotKind::Hex)),
            ("deadbeef01", Some(SlotKind::Hex)),
            ("10.0.0.1", Some(SlotKind::Ip)),
            ("/10.250.7.96:50010", Some(SlotKind::Ip)),
            ("fe80::1", Some(SlotKind::Ip)),
            ("0:0:0:0:0:0:0:2", Some(SlotKind::Ip)),
            ("b9000564-fe1a-409b-b8cc-1e88b294cd1d", Some(SlotKind::Uuid)),
            ("17:41:44.747", Some(SlotKind::Time)),
            ("2015-07-29T17:41:44Z", Some(SlotKind::Time)),
            ("00:17", Some(SlotKind::Time)),
            ("/var/log/syslog", Some(SlotKind::Path)),
            ("C:\\Windows\\winsxs", Some(SlotKind::Path)),
            ("https://host/path", Some(SlotKind::Url)),
            ("blk_-6952295868487656571", Some(SlotKind::Any)),
            ("ssh2", None),
            ("failed", None),
            ("and/or", None),
            ("-", None),
        ] {
            assert_eq!(SlotKind::of(run), kind, "{run}");
        }
    }
}
