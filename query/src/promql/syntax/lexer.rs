//! From text to tokens.

#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    /// A name or a keyword.
    Word,
    /// A number; a duration counts in seconds.
    Number(f64),
    Text(String),
    /// A string whose escapes make no UTF-8, as Go would print it.
    Garbled(String),
    Sign(&'static str),
    End,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// What is wrong, and at which byte.
#[derive(Debug)]
pub(in super::super) struct SyntaxError {
    pub(in super::super) at: usize,
    pub(in super::super) why: String,
}

/// The longer ones first.
const SIGNS: [&str; 27] = [
    "==", "!=", "<=", ">=", "=~", "!~", "</", ">/", "(", ")", "{", "}", "[", "]", ",", ":", "=", "<", ">", "+", "-",
    "*", "/", "%", "^", "@", ";",
];

const UNITS: [(&str, f64); 7] =
    [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3_600.0), ("d", 86_400.0), ("w", 604_800.0), ("y", 31_536_000.0)];

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, SyntaxError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    // A colon is part of a name, but between brackets it stands before a subquery's step.
    let mut brackets = 0_usize;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        if c == '#' {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        }
        let in_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || (c == ':' && brackets == 0);
        let (kind, length) = if c.is_ascii_digit() || (c == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit()))
        {
            number(rest).map_err(|why| SyntaxError { at, why })?
        } else if matches!(c, '"' | '\'' | '`') {
            string(rest).map_err(|why| SyntaxError { at, why })?
        } else if in_name(c) {
            (TokenKind::Word, rest.find(|c| !in_name(c)).unwrap_or(rest.len()))
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            match *sign {
                "[" => brackets += 1,
                "]" => brackets = brackets.saturating_sub(1),
                _ => {}
            }
            (TokenKind::Sign(sign), sign.len())
        } else {
            return Err(SyntaxError { at, why: format!("unexpected character: {c:?}") });
        };
        tokens.push(Token { kind, start: at, end: at + length });
        at += length;
    }
    tokens.push(Token { kind: TokenKind::End, start: text.len(), end: text.len() });
    Ok(tokens)
}

/// The number or duration that `text` begins with, and its length.
fn number(text: &str) -> Result<(TokenKind, usize), String> {
    let word = |from: usize| {
        text[from..].find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len() - from)
    };
    let whole = word(0);
    let bad = |length: usize| Err(format!("bad number or duration syntax: {:?}", &text[..length]));
    if let Some(hex) = text[..whole].strip_prefix("0x").or_else(|| text[..whole].strip_prefix("0X")) {
        return match u64::from_str_radix(&hex.replace('_', ""), 16) {
            Ok(value) => Ok((TokenKind::Number(value as f64), whole)),
            Err(_) => bad(whole),
        };
    }
    if let Some(seconds) = duration(&text[..whole]) {
        return Ok((TokenKind::Number(seconds), whole));
    }
    let digits =
        |from: usize| text[from..].find(|c: char| !(c.is_ascii_digit() || c == '_')).unwrap_or(text.len() - from);
    let mut end = digits(0);
    if text[end..].starts_with('.') {
        end += 1 + digits(end + 1);
    }
    if text[end..].starts_with(['e', 'E']) {
        let sign = usize::from(text[end + 1..].starts_with(['+', '-']));
        end += 1 + sign;
        end += digits(end);
    }
    let after = end + word(end);
    match text[..end].replace('_', "").parse() {
        Ok(value) if after == end => Ok((TokenKind::Number(value), end)),
        _ => bad(after),
    }
}

/// `1h30m`: units from the largest on, each once.
fn duration(word: &str) -> Option<f64> {
    let (mut rest, mut ms, mut smaller_than) = (word, 0_u64, f64::INFINITY);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let unit_end = rest[digits..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |end| digits + end);
        let unit = UNITS.iter().find(|(name, _)| *name == &rest[digits..unit_end])?.1;
        if unit >= smaller_than {
            return None;
        }
        smaller_than = unit;
        let count: u64 = rest[..digits].parse().ok()?;
        ms = ms.checked_add(count.checked_mul((unit * 1000.0).round() as u64)?)?;
        rest = &rest[unit_end..];
    }
    (!word.is_empty()).then_some(ms as f64 / 1000.0)
}

/// The string that `text` begins with, its escapes (those of Go) resolved, and its length.
fn string(text: &str) -> Result<(TokenKind, usize), String> {
    let mut chars = text.char_indices();
    let Some((_, quote)) = chars.next() else { return Err("expected a string".to_owned()) };
    let mut bytes: Vec<u8> = Vec::new();
    while let Some((at, c)) = chars.next() {
        match c {
            _ if c == quote => {
                let kind = match String::from_utf8(bytes) {
                    Ok(content) => TokenKind::Text(content),
                    Err(garbled) => TokenKind::Garbled(escaped(garbled.as_bytes())),
                };
                return Ok((kind, at + 1));
            }
            '\\' if quote != '`' => escape(&mut chars, quote, &mut bytes)?,
            '\n' if quote != '`' => break,
            _ => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Err("unterminated quoted string".to_owned())
}

fn escaped(bytes: &[u8]) -> String {
    let chunk = |chunk: std::str::Utf8Chunk<'_>| {
        let invalid: String = chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")).collect();
        format!("{}{invalid}", chunk.valid().escape_debug())
    };
    bytes.utf8_chunks().map(chunk).collect()
}

fn escape(chars: &mut std::str::CharIndices<'_>, quote: char, bytes: &mut Vec<u8>) -> Result<(), String> {
    let Some((_, c)) = chars.next() else { return Err("escape sequence not terminated".to_owned()) };
    let mut digits = |first: Option<char>, count: usize, radix: u32| -> Result<u32, String> {
        let read = first.into_iter().chain(chars.by_ref().map(|(_, c)| c)).take(count);
        let value =
            read.map(|c| c.to_digit(radix)).try_fold((0, 0), |(value, n), digit| Some((value * radix + digit?, n + 1)));
        match value {
            Some((value, n)) if n == count => Ok(value),
            _ => Err("illegal character in escape sequence".to_owned()),
        }
    };
    let byte = match c {
        'a' => 7,
        'b' => 8,
        'f' => 12,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 11,
        '\\' => b'\\',
        c if c == quote => quote as u8,
        'x' => digits(None, 2, 16)? as u8,
        '0'..='7' => u8::try_from(digits(Some(c), 3, 8)?).map_err(|_| "octal escape value > 255".to_owned())?,
        'u' | 'U' => {
            let code = digits(None, if c == 'u' { 4 } else { 8 }, 16)?;
            let c = char::from_u32(code).ok_or("escape sequence is an invalid Unicode code point")?;
            bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            return Ok(());
        }
        other => return Err(format!("unknown escape sequence {other:?}")),
    };
    bytes.push(byte);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<TokenKind> {
        tokens(text).unwrap().into_iter().map(|token| token.kind).collect()
    }

    #[test]
    fn numbers_and_durations() {
        for (text, value) in
            [("1_000.5", 1000.5), (".5", 0.5), ("1e-3", 0.001), ("0x1F", 31.0), ("1h30m", 5_400.0), ("10s53ms", 10.053)]
        {
            assert_eq!(kinds(text), [TokenKind::Number(value), TokenKind::End], "{text}");
        }
        for bad in ["5mm", "1m1h", "0xg", "1y_", "5x"] {
            assert!(tokens(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_colon_separates_between_brackets_only() {
        assert_eq!(kinds("a:b"), [TokenKind::Word, TokenKind::End]);
        assert_eq!(kinds("[1m:step").len(), 5);
    }

    #[test]
    fn strings_have_the_escapes_of_go() {
        assert_eq!(kinds(r#""\x41\101\u00e9\n'""#)[0], TokenKind::Text("AAé\n'".to_owned()));
        assert_eq!(kinds(r"`\n`")[0], TokenKind::Text(r"\n".to_owned()));
        assert_eq!(kinds(r#""a\xc5z""#)[0], TokenKind::Garbled(r"a\xc5z".to_owned()));
        for bad in [r#""\q""#, r#""\'""#, r#""\x4""#, "\"a\nb\""] {
            assert!(tokens(bad).is_err(), "{bad}");
        }
    }
}
