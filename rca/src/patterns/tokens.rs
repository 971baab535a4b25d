//! From a message to its tokens: words, punctuation and values, with their places in the text.
//!
//! A token is a word, a mark or a slot. What belongs to one value becomes one slot: a date's parts, a number and its unit, a
//! list of values, an empty value after `=` or between brackets. Otherwise the number of tokens would tell messages
//! apart that only differ in how many values they list.

use std::ops::Range;

use xxhash_rust::xxh3::xxh3_64;

use super::kinds::SlotKind;
use crate::limits::{MESSAGE_BYTES_MAX, MESSAGE_TOKENS_MAX};

/// What stands for a slot among the hashes of words.
pub(super) const SLOT: u64 = 0;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// Hash of the text, or [`SLOT`].
    pub(super) word: u64,
    /// Of a slot; a word has none.
    pub(super) kind: Option<SlotKind>,
    pub(super) span: Range<usize>,
    /// White space stands before it.
    pub(super) space: bool,
}

impl Token {
    fn word(message: &str, span: Range<usize>, space: bool) -> Self {
        Self { word: xxh3_64(message[span.clone()].as_bytes()).max(1), kind: None, span, space }
    }

    fn slot(kind: SlotKind, span: Range<usize>, space: bool) -> Self {
        Self { word: SLOT, kind: Some(kind), span, space }
    }

    pub(super) fn is_slot(&self) -> bool {
        self.kind.is_some()
    }
}

/// Tokens of a message. `tokens` is a buffer that is used again.
pub(super) fn scan(message: &str, tokens: &mut Vec<Token>) {
    tokens.clear();
    let mut scanner = Scanner { message, end: cut(message), tokens, rest: None };
    scanner.run();
    let rest = scanner.rest;
    fold_values(message, tokens);
    if let Some(start) = rest {
        tokens.truncate(MESSAGE_TOKENS_MAX);
        push_folded(tokens, Token::slot(SlotKind::Any, start..message.len(), true));
    }
}

/// Where the scan ends: messages of megabytes are told apart by their beginning.
fn cut(message: &str) -> usize {
    (0..=message.len().min(MESSAGE_BYTES_MAX)).rev().find(|at| message.is_char_boundary(*at)).unwrap_or(0)
}

struct Scanner<'a> {
    message: &'a str,
    end: usize,
    tokens: &'a mut Vec<Token>,
    /// Where the part begins that is not looked at.
    rest: Option<usize>,
}

impl Scanner<'_> {
    fn run(&mut self) {
        let bytes = self.message.as_bytes();
        let (mut at, mut space) = (0, true);
        while at < self.end {
            let byte = bytes[at];
            if byte.is_ascii_whitespace() {
                // The first line is the sentence; a stack trace below it has as many forms as calls.
                if byte == b'\n' && self.tokens.len() >= 3 {
                    break;
                }
                (at, space) = (at + 1, true);
                continue;
            }
            if self.tokens.len() >= MESSAGE_TOKENS_MAX {
                break;
            }
            let run = at..self.run_end(at);
            at = run.end;
            self.run_of_characters(run, space);
            space = false;
        }
        if self.tokens.last().is_some_and(|last| !last.space && self.message[last.span.clone()] == *"=") {
            self.empty_slot(at);
        }
        self.rest = self.message[at..].find(|letter: char| !letter.is_whitespace()).map(|found| at + found);
    }

    /// Where the run ends that begins at a byte that is no white space: rulers (`....`, `****`) and words, or one mark.
    fn run_end(&self, start: usize) -> usize {
        let bytes = &self.message.as_bytes()[..self.end];
        let fills = |at: usize| bytes.get(at).is_some_and(|byte| is_filler(*byte));
        if fills(start) && fills(start + 1) {
            return (start..).find(|at| !fills(*at)).expect("the text ends");
        }
        if is_mark(bytes[start]) {
            return start + 1;
        }
        let ends = |at: usize| {
            let ruler = || fills(at) && fills(at + 1) && fills(at + 2);
            at >= bytes.len() || is_mark(bytes[at]) || bytes[at].is_ascii_whitespace() || ruler()
        };
        (start + 1..).find(|at| ends(*at)).expect("the text ends")
    }

    fn run_of_characters(&mut self, run: Range<usize>, space: bool) {
        let bytes = self.message.as_bytes();
        if is_filler(bytes[run.start]) && run.len() > 1 && is_filler(bytes[run.start + 1]) {
            return self.ruler(run, space);
        }
        let mut end = run.end;
        while end - run.start > 1 && matches!(bytes[end - 1], b':' | b'.' | b'!' | b'?') {
            end -= 1;
        }
        self.value_or_word(run.start..end, space);
        for at in end..run.end {
            self.tokens.push(Token::word(self.message, at..at + 1, false));
        }
    }

    /// A ruler's length says nothing: three of its marks stand for all.
    fn ruler(&mut self, run: Range<usize>, space: bool) {
        let shown = &self.message[run.start..run.end.min(run.start + 3)];
        self.tokens.push(Token { word: xxh3_64(shown.as_bytes()).max(1), kind: None, span: run, space });
    }

    fn value_or_word(&mut self, run: Range<usize>, space: bool) {
        let bytes = self.message.as_bytes();
        let text = &self.message[run.clone()];
        if let Some(last) = self.tokens.last() {
            let before = &self.message[last.span.clone()];
            let after_equals = before == "=" && !last.space && space && text != "=";
            let in_brackets = before == "(" && last.space && text == ")";
            if after_equals || in_brackets {
                self.empty_slot(last.span.end);
            }
        }
        // The colon after a quoted key, as in JSON, is no part of the value.
        if text.len() > 1 && text.starts_with(':') && !text.starts_with("::") {
            self.tokens.push(Token::word(self.message, run.start..run.start + 1, space));
            return self.value_or_word(run.start + 1..run.end, false);
        }
        let is_setting = || self.tokens.last().is_some_and(|last| self.message[last.span.clone()] == *"=");
        if matches!(text, "true" | "false") && is_setting() {
            return self.tokens.push(Token::slot(SlotKind::Any, run, space));
        }
        let Some(kind) = SlotKind::of(text) else {
            return self.tokens.push(Token::word(self.message, run, space));
        };
        match named_number(&bytes[run.clone()]) {
            Some(colon) => {
                let colon = run.start + colon;
                self.tokens.push(Token::word(self.message, run.start..colon, space));
                self.tokens.push(Token::word(self.message, colon..colon + 1, false));
                self.tokens.push(Token::slot(SlotKind::Num, colon + 1..run.end, false));
            }
            None => self.tokens.push(Token::slot(kind, run, space)),
        }
    }

    fn empty_slot(&mut self, at: usize) {
        self.tokens.push(Token::slot(SlotKind::Any, at..at, false));
    }
}

/// Where the colon of `name:number` stands.
fn named_number(run: &[u8]) -> Option<usize> {
    let colon = run.iter().position(|byte| *byte == b':')?;
    let (name, number) = (&run[..colon], &run[colon + 1..]);
    let named = name.len() >= 2
        && name[0].is_ascii_alphabetic()
        && name.iter().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'.' | b'-' | b'$'));
    let number = std::str::from_utf8(number).ok()?;
    (named && (SlotKind::of(number) == Some(SlotKind::Num) || is_digit(number))).then_some(colon)
}

fn is_digit(text: &str) -> bool {
    text.len() == 1 && text.as_bytes()[0].is_ascii_digit()
}

fn is_mark(byte: u8) -> bool {
    matches!(byte, b'=' | b',' | b';' | b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'<' | b'>' | b'"' | b'\'' | b'|')
}

pub(super) fn is_filler(byte: u8) -> bool {
    matches!(byte, b'.' | b'*' | b'_' | b'~' | b'#' | b'+' | b'-')
}

const CALENDAR: [&str; 19] = [
    "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep",
    "Oct", "Nov", "Dec",
];
const ZONES: [&str; 13] = ["UTC", "GMT", "EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT", "CET", "CEST", "BST"];
const UNITS: [&str; 30] = [
    "B", "KB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB", "bytes", "ns", "us", "ms", "s", "sec", "secs", "second",
    "seconds", "min", "mins", "minute", "minutes", "hour", "hours", "day", "days", "Hz", "MHz", "GHz", "%",
];

/// Joins the tokens of one value: dates, numbers with units, neighbours, lists.
fn fold_values(message: &str, tokens: &mut Vec<Token>) {
    let text = |token: &Token| &message[token.span.clone()];
    let is_date = |token: &Token| !token.is_slot() && CALENDAR.contains(&text(token));
    let mut folded = Vec::with_capacity(tokens.len());
    for at in 0..tokens.len() {
        let token = &tokens[at];
        let near = [at.checked_sub(1).and_then(|at| tokens.get(at)), tokens.get(at + 1)];
        let near = |is: &dyn Fn(&Token) -> bool| near.iter().flatten().any(|token| is(token));
        let is_time = !token.is_slot()
            && ((is_date(token) && near(&|other| other.is_slot() || is_date(other)))
                || (ZONES.contains(&text(token)) && near(&Token::is_slot)));
        let is_unit = || UNITS.contains(&text(token));
        if is_time {
            push_folded(&mut folded, Token::slot(SlotKind::Time, token.span.clone(), token.space));
        } else if let Some(last) = folded.last_mut().filter(|last: &&mut Token| last.is_slot() && is_unit()) {
            last.span.end = token.span.end;
        } else {
            push_folded(&mut folded, token.clone());
        }
    }
    *tokens = folded;
}

/// Appends a token; a slot that follows a slot, directly or after a comma, belongs to it.
fn push_folded(tokens: &mut Vec<Token>, token: Token) {
    let Some(kind) = token.kind else {
        return tokens.push(token);
    };
    let comma = xxh3_64(b",");
    if let [.., list, last] = &tokens[..]
        && last.word == comma
        && list.is_slot()
    {
        tokens.pop();
    }
    match tokens.last_mut() {
        Some(Token { kind: Some(before), span, .. }) => {
            let of_date = *before == SlotKind::Time || kind == SlotKind::Time;
            *before = if of_date { SlotKind::Time } else { before.join(kind) };
            span.end = token.span.end;
        }
        _ => tokens.push(token),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tokens with their values, slots in angle brackets.
    fn shown(message: &str) -> String {
        let mut tokens = Vec::new();
        scan(message, &mut tokens);
        let shown = tokens.iter().map(|token| match token.kind {
            Some(kind) => format!("{}{}", kind.placeholder(), &message[token.span.clone()]),
            None => message[token.span.clone()].to_owned(),
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn values_are_told_from_words() {
        for (message, tokens) in [
            ("port 22 ssh2", "port <num>22 ssh2"),
            ("took 3.5 KB, free 10 MB", "took <num>3.5 KB , free <num>10 MB"),
            ("at Sun Jul 10 03:55:15 2005", "at <time>Sun Jul 10 03:55:15 2005"),
            ("from 10.0.0.1 ()", "from <ip>10.0.0.1 ( <*> )"),
            ("logname= uid=0 rhost=", "logname = <*> uid = <num>0 rhost = <*>"),
            ("ids 1, 2, 3 done", "ids <num>1, 2, 3 done"),
            ("status:200 time:0.5", "status : <num>200 time : <num>0.5"),
            ("trap instruction......0", "trap instruction ...... <num>0"),
            ("a = b, c = 5", "a = b , c = <num>5"),
            ("force=false, seen = 1", "force = <*>false , seen = <num>1"),
            ("init() ok", "init ( ) ok"),
            ("{\"status\":200}", "{ \" status \" : <num>200 }"),
            ("user May logged in", "user May logged in"),
            ("", ""),
        ] {
            assert_eq!(shown(message), tokens, "{message}");
        }
    }

    #[test]
    fn what_is_not_read_is_one_slot() {
        assert_eq!(shown("it failed badly:\n at x\n at y"), "it failed badly : <*>at x\n at y");
        let long = "word ".repeat(100_000);
        let mut tokens = Vec::new();
        scan(&long, &mut tokens);
        assert_eq!(tokens.len(), MESSAGE_TOKENS_MAX + 1);
        assert_eq!(tokens[MESSAGE_TOKENS_MAX].span.end, long.len());
    }
}
