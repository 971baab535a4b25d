//! Commands and expectations: lines in blocks, a block ending at an empty line or a comment.

use regex::Regex;

use super::ScriptFailure;
use super::series::{self, Described};

#[derive(Debug)]
pub(super) enum Command {
    Clear,
    Load {
        step_ms: i64,
        series: Vec<Described>,
        /// Classic histograms are loaded a second time, as native ones with custom buckets.
        custom_buckets: bool,
    },
    Eval(Eval),
}

#[derive(Debug)]
pub(super) struct Eval {
    pub(super) line: usize,
    pub(super) query: String,
    pub(super) when: When,
    pub(super) expected: Expected,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    Instant { at_ms: i64 },
    Range { start_ms: i64, end_ms: i64, step_ms: i64 },
}

#[derive(Debug, Default)]
pub(super) struct Expected {
    /// The query fails, with a message like this.
    pub(super) failure: Option<Wording>,
    pub(super) notes: Vec<ExpectedNote>,
    pub(super) ordered: bool,
    pub(super) text: Option<String>,
    pub(super) scalar: Option<f64>,
    /// An instant query that gives a range vector on these times.
    pub(super) times: Option<When>,
    pub(super) series: Vec<Described>,
}

#[derive(Debug)]
pub(super) struct ExpectedNote {
    pub(super) kind: NoteKind,
    /// None: no note of this kind at all.
    pub(super) wording: Option<Wording>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoteKind {
    Warning,
    Info,
}

#[derive(Debug)]
pub(super) enum Wording {
    Any,
    Exactly(String),
    Like(Regex),
}

/// Every command of the text, or the line that is none.
pub(super) fn commands(text: &str) -> Vec<Result<Command, ScriptFailure>> {
    let cleaned = |line: &'_ str| -> String {
        let line = line.trim();
        if line.starts_with('#') { String::new() } else { line.to_owned() }
    };
    let lines: Vec<String> = text.lines().map(cleaned).collect();
    let mut commands = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        if lines[at].is_empty() {
            at += 1;
            continue;
        }
        let body_end = at + 1 + lines[at + 1..].iter().take_while(|line| !line.is_empty()).count();
        let one_line = lines[at].eq_ignore_ascii_case("clear");
        let body = if one_line { &lines[at..at] } else { &lines[at + 1..body_end] };
        commands.push(command(&lines[at], body, at + 1).map_err(|(line, why)| ScriptFailure {
            line,
            query: lines[line - 1].clone(),
            why,
        }));
        at = if one_line { at + 1 } else { body_end };
    }
    commands
}

/// `line` counts from 1; an error names the line it is about.
fn command(head: &str, body: &[String], line: usize) -> Result<Command, (usize, String)> {
    let (word, rest) = split_word(head);
    match word.to_ascii_lowercase().as_str() {
        "clear" => Ok(Command::Clear),
        "load" | "load_with_nhcb" => {
            let step_ms = parse_duration(rest).ok_or_else(|| (line, format!("{rest:?} is no duration")))?;
            let mut described: Vec<Described> = Vec::new();
            let mut starts: Option<Vec<Option<i64>>> = None;
            for (i, text) in body.iter().enumerate() {
                let wrong = |why| (line + 1 + i, why);
                if let Some(given) = start_timestamps(text) {
                    starts = Some(series::parse_starts(given).map_err(wrong)?);
                    continue;
                }
                let mut one = series::parse(text).map_err(wrong)?;
                one.starts = starts.take().unwrap_or_default();
                described.push(one);
            }
            let custom_buckets = word.eq_ignore_ascii_case("load_with_nhcb");
            Ok(Command::Load { step_ms, series: described, custom_buckets })
        }
        "eval" | "eval_fail" | "eval_warn" | "eval_info" | "eval_ordered" => {
            let (when, query) = parse_when(rest).map_err(|why| (line, why))?;
            let mut expected = Expected::default();
            match word.to_ascii_lowercase().as_str() {
                "eval_fail" => expected.failure = Some(Wording::Any),
                "eval_ordered" => expected.ordered = true,
                "eval_warn" => expected.notes.push(any_note(NoteKind::Warning)),
                "eval_info" => expected.notes.push(any_note(NoteKind::Info)),
                _ => {}
            }
            for (i, text) in body.iter().enumerate() {
                expect(&mut expected, text).map_err(|why| (line + 1 + i, why))?;
            }
            Ok(Command::Eval(Eval { line, query: query.to_owned(), when, expected }))
        }
        other => Err((line, format!("{other:?} is no command; there are load, clear and eval"))),
    }
}

fn any_note(kind: NoteKind) -> ExpectedNote {
    ExpectedNote { kind, wording: Some(Wording::Any) }
}

/// `metric{…}@st …` gives the start timestamps of the next line's samples; this is what follows `@st`.
fn start_timestamps(text: &str) -> Option<&str> {
    let end = text.rfind('}').map_or_else(|| text.find("@st"), |brace| Some(brace + 1))?;
    text[end..].strip_prefix("@st").filter(|rest| rest.starts_with(char::is_whitespace))
}

fn parse_when(text: &str) -> Result<(When, &str), String> {
    let usage =
        || "expected `instant at TIME QUERY` or `range from TIME to TIME step DURATION QUERY` after eval".to_owned();
    let time = |word: &str| parse_duration(word).ok_or_else(|| format!("{word:?} is no time"));
    if let Some(rest) = after_words(text, &["instant", "at"]) {
        let (at, query) = split_word(rest);
        return Ok((When::Instant { at_ms: time(at)? }, query));
    }
    let rest = after_words(text, &["range"]).ok_or_else(usage)?;
    let (when, query) = parse_times(rest)?;
    Ok((when, query))
}

/// `from A to B step S`, and what follows.
fn parse_times(text: &str) -> Result<(When, &str), String> {
    let mut rest = text;
    let mut times = [0; 3];
    for (slot, keyword) in times.iter_mut().zip(["from", "to", "step"]) {
        let after = after_words(rest, &[keyword]).ok_or_else(|| format!("expected {keyword:?} at {rest:?}"))?;
        let (word, after) = split_word(after);
        *slot = parse_duration(word).ok_or_else(|| format!("{word:?} is no time"))?;
        rest = after;
    }
    let [start_ms, end_ms, step_ms] = times;
    Ok((When::Range { start_ms, end_ms, step_ms }, rest))
}

fn expect(expected: &mut Expected, text: &str) -> Result<(), String> {
    let Some(rest) = after_words(text, &["expect"]) else {
        // `expected_fail_message` and `expected_fail_regexp` belong to the older eval_fail.
        if let Some(message) = text.strip_prefix("expected_fail_message") {
            expected.failure = Some(Wording::Exactly(message.trim().to_owned()));
        } else if let Some(pattern) = text.strip_prefix("expected_fail_regexp") {
            expected.failure = Some(like(pattern.trim())?);
        } else if let Some(scalar) = series::parse_number(text) {
            expected.scalar = Some(scalar);
        } else {
            expected.series.push(series::parse(text)?);
        }
        return Ok(());
    };
    if let Some(times) = after_words(rest, &["range", "vector"]) {
        expected.times = Some(parse_times(times)?.0);
        return Ok(());
    }
    let (what, rest) = split_word(rest);
    match what {
        "fail" => expected.failure = Some(wording(rest)?),
        "warn" => expected.notes.push(ExpectedNote { kind: NoteKind::Warning, wording: Some(wording(rest)?) }),
        "info" => expected.notes.push(ExpectedNote { kind: NoteKind::Info, wording: Some(wording(rest)?) }),
        "no_warn" => expected.notes.push(ExpectedNote { kind: NoteKind::Warning, wording: None }),
        "no_info" => expected.notes.push(ExpectedNote { kind: NoteKind::Info, wording: None }),
        "ordered" => expected.ordered = true,
        "string" => expected.text = Some(series::parse_quoted(rest)?.0),
        other => return Err(format!("{other:?} cannot be expected")),
    }
    Ok(())
}

fn wording(text: &str) -> Result<Wording, String> {
    if let Some(message) = text.strip_prefix("msg:") {
        Ok(Wording::Exactly(message.trim().to_owned()))
    } else if let Some(pattern) = text.strip_prefix("regex:") {
        like(pattern.trim())
    } else if text.is_empty() {
        Ok(Wording::Any)
    } else {
        Err(format!("expected `msg:` or `regex:` at {text:?}"))
    }
}

fn like(pattern: &str) -> Result<Wording, String> {
    Regex::new(pattern).map(Wording::Like).map_err(|error| error.to_string())
}

fn split_word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    (&text[..end], text[end..].trim_start())
}

fn after_words<'a>(text: &'a str, words: &[&str]) -> Option<&'a str> {
    words.iter().try_fold(text, |text, word| {
        let (first, rest) = split_word(text);
        (first == *word).then_some(rest)
    })
}

/// `1h30m`, `-5m`, `10s53ms`, or seconds without a unit.
pub(super) fn parse_duration(text: &str) -> Option<i64> {
    const UNITS: [(&str, i64); 7] = [
        ("ms", 1),
        ("s", 1_000),
        ("m", 60_000),
        ("h", 3_600_000),
        ("d", 86_400_000),
        ("w", 604_800_000),
        ("y", 31_536_000_000),
    ];
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    if let Ok(seconds) = rest.parse::<f64>() {
        let ms = (seconds * 1000.0).round() as i64;
        return Some(if negative { -ms } else { ms });
    }
    let mut total = 0_i64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: i64 = rest[..digits].parse().ok()?;
        let unit_end = rest[digits..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |end| digits + end);
        let unit = UNITS.iter().find(|(name, _)| *name == &rest[digits..unit_end])?;
        total = total.checked_add(number.checked_mul(unit.1)?)?;
        rest = &rest[unit_end..];
    }
    (!text.is_empty()).then_some(if negative { -total } else { total })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, ms) in
            [("5m", 300_000), ("1h30m", 5_400_000), ("10s53ms", 10_053), ("0", 0), ("1.5", 1_500), ("-1m", -60_000)]
        {
            assert_eq!(parse_duration(text), Some(ms), "{text}");
        }
        for bad in ["", "m", "5", "5x", "5m3"].iter().filter(|text| **text != "5") {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
    }
}
