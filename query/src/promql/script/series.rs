//! Series descriptions: `name{label="value"} 0+10x5 _ 7 stale`.

use culprit_store::{Labels, METRIC_NAME, stale_nan};

use super::histogram::{self, Written};
use super::syntax::parse_duration;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Described {
    pub(super) labels: Labels,
    pub(super) points: Vec<Point>,
    /// Of `load`: when the counters began, relative to each sample. Shorter than the points where nothing is known.
    pub(super) starts: Vec<Option<i64>>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Point {
    Missing,
    Float(f64),
    Histogram(Box<Written>),
}

/// Points that one description may have: a typing error such as `0x1e9` should not fill the memory.
const POINTS_MAX: usize = 1_000_000;

pub(super) fn parse(line: &str) -> Result<Described, String> {
    let (labels, rest) = parse_labels(line)?;
    Ok(Described { labels, points: parse_points(rest)?, starts: Vec::new() })
}

fn parse_labels(line: &str) -> Result<(Labels, &str), String> {
    let name_end = line.find(|c: char| c == '{' || c.is_whitespace()).unwrap_or(line.len());
    let (name, mut rest) = line.split_at(name_end);
    let mut pairs: Vec<(String, String)> = Vec::new();
    if !name.is_empty() {
        pairs.push((METRIC_NAME.to_owned(), name.to_owned()));
    }
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside.trim_start();
        while !rest.starts_with('}') {
            let (pair, after) = parse_pair(rest)?;
            pairs.push(pair);
            rest = after.trim_start();
            rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
        }
        rest = &rest[1..];
    }
    let labels = Labels::new(pairs).map_err(|error| error.to_string())?;
    Ok((labels, rest))
}

/// `name="value"`, `"quoted name"="value"`, or a quoted metric name alone.
fn parse_pair(text: &str) -> Result<((String, String), &str), String> {
    let (name, rest) = if text.starts_with(['"', '\'', '`']) {
        parse_quoted(text)?
    } else {
        let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
        (text[..end].to_owned(), &text[end..])
    };
    match rest.trim_start().strip_prefix('=') {
        Some(value) => {
            let (value, rest) = parse_quoted(value.trim_start())?;
            Ok(((name, value), rest))
        }
        None if text.starts_with('"') => Ok(((METRIC_NAME.to_owned(), name), rest)),
        None => Err(format!("expected a label like name=\"value\" at {text:?}")),
    }
}

/// The content of the string that `text` begins with, and what follows it.
pub(super) fn parse_quoted(text: &str) -> Result<(String, &str), String> {
    let mut chars = text.char_indices();
    let quote = match chars.next() {
        Some((_, quote @ ('"' | '\'' | '`'))) => quote,
        _ => return Err(format!("expected a string at {text:?}")),
    };
    let mut content = String::new();
    while let Some((at, c)) = chars.next() {
        match c {
            _ if c == quote => return Ok((content, &text[at + c.len_utf8()..])),
            '\\' if quote != '`' => match chars.next() {
                Some((_, 'n')) => content.push('\n'),
                Some((_, 't')) => content.push('\t'),
                Some((_, escaped)) => content.push(escaped),
                None => break,
            },
            _ => content.push(c),
        }
    }
    Err(format!("the string at {text:?} has no end"))
}

fn parse_points(text: &str) -> Result<Vec<Point>, String> {
    let mut points = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (word, after) = rest.split_at(word_end(rest));
        expand(word, &mut points)?;
        if points.len() > POINTS_MAX {
            return Err(format!("more than {POINTS_MAX} points in one series"));
        }
        rest = after.trim_start();
    }
    Ok(points)
}

/// Spaces inside the braces of a native histogram do not end a word.
fn word_end(text: &str) -> usize {
    let mut depth = 0_i32;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            c if c.is_whitespace() && depth <= 0 => return at,
            _ => {}
        }
    }
    text.len()
}

/// `_`, `_xN`, `a`, `axN`, `a+bxN`, `a-bxN`, `stale` and native histograms; `axN` are N + 1 points, `_xN` are N.
fn expand(word: &str, points: &mut Vec<Point>) -> Result<(), String> {
    let bad = || format!("{word:?} is no sample value");
    if word.starts_with("{{") {
        return expand_histograms(word, points).ok_or_else(bad)?;
    }
    if let Some(missing) = word.strip_prefix('_') {
        let count = if missing.is_empty() {
            1
        } else {
            missing.strip_prefix('x').and_then(|n| n.parse().ok()).ok_or_else(bad)?
        };
        points.extend(std::iter::repeat_n(Point::Missing, bounded(count)?));
        return Ok(());
    }
    if word == "stale" {
        points.push(Point::Float(stale_nan()));
        return Ok(());
    }
    if let Some(value) = parse_number(word) {
        points.push(Point::Float(value));
        return Ok(());
    }
    let (progression, count) = word.rsplit_once('x').ok_or_else(bad)?;
    let count = bounded(count.parse().map_err(|_| bad())?)?;
    let (first, step) = parse_progression(progression).ok_or_else(bad)?;
    let mut value = first;
    for _ in 0..=count {
        points.push(Point::Float(value));
        value += step;
    }
    Ok(())
}

/// `{{…}}`, `{{…}}xN`, `{{…}}+{{…}}xN` and `{{…}}-{{…}}xN`.
fn expand_histograms(word: &str, points: &mut Vec<Point>) -> Option<Result<(), String>> {
    let (first, rest) = word.strip_prefix("{{")?.split_once("}}")?;
    let mut written = histogram::parse(first)?;
    let (step, rest) = match rest.strip_prefix(['+', '-']) {
        Some(step) => {
            let (step, after) = step.strip_prefix("{{")?.split_once("}}")?;
            (Some((rest.starts_with('-'), histogram::parse(step)?.histogram)), after)
        }
        None => (None, rest),
    };
    let count = match (rest.strip_prefix('x'), &step) {
        (Some(count), _) => count.parse().ok()?,
        (None, None) if rest.is_empty() => 0,
        _ => return None,
    };
    if let Err(why) = bounded(count) {
        return Some(Err(why));
    }
    points.push(Point::Histogram(Box::new(written.clone())));
    for _ in 0..count {
        let done = match &step {
            None => Ok(Default::default()),
            Some((true, step)) => written.histogram.subtract(step),
            Some((false, step)) => written.histogram.add(step),
        };
        if done.is_err() {
            return Some(Err(format!("{word:?} adds histograms that have no buckets in common")));
        }
        points.push(Point::Histogram(Box::new(written.clone())));
    }
    Some(Ok(()))
}

/// Start timestamps, each relative to its sample: `_`, `_xN`, `-1m`, `-1mxN`, `-30s-1mxN`.
pub(super) fn parse_starts(text: &str) -> Result<Vec<Option<i64>>, String> {
    let mut starts = Vec::new();
    for word in text.split_whitespace() {
        let bad = || format!("{word:?} is no start timestamp");
        if let Some(missing) = word.strip_prefix('_') {
            let count = match missing {
                "" => 1,
                repeated => repeated.strip_prefix('x').and_then(|n| n.parse().ok()).ok_or_else(bad)?,
            };
            starts.extend(std::iter::repeat_n(None, bounded(count)?));
            continue;
        }
        let (progression, count) = match word.rsplit_once('x') {
            Some((progression, count)) => (progression, bounded(count.parse().map_err(|_| bad())?)?),
            None => (word, 0),
        };
        let signed = |text: &str| parse_duration(text.strip_prefix('+').unwrap_or(text));
        let sign = progression.char_indices().skip(1).find(|(_, c)| matches!(c, '+' | '-'));
        let (first, step) = match sign {
            Some((at, _)) => (signed(&progression[..at]), signed(&progression[at..])),
            None => (signed(progression), Some(0)),
        };
        let (first, step) = (first.ok_or_else(bad)?, step.ok_or_else(bad)?);
        starts.extend((0..=count as i64).map(|at| Some(first + at * step)));
    }
    Ok(starts)
}

fn bounded(count: usize) -> Result<usize, String> {
    if count > POINTS_MAX { Err(format!("more than {POINTS_MAX} points in one series")) } else { Ok(count) }
}

/// `a`, `a+b` or `a-b`. The sign that separates is the first after which both parts are numbers, so that `1e-5-2` works.
fn parse_progression(text: &str) -> Option<(f64, f64)> {
    if let Some(value) = parse_number(text) {
        return Some((value, 0.0));
    }
    let signs = text.char_indices().skip(1).filter(|(_, c)| matches!(c, '+' | '-'));
    signs.into_iter().find_map(|(at, sign)| {
        let (first, step) = (parse_number(&text[..at])?, parse_number(&text[at + 1..])?);
        Some((first, if sign == '-' { -step } else { step }))
    })
}

pub(super) fn parse_number(text: &str) -> Option<f64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let value = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        // `0x59` repeats zero; only two or more hexadecimal digits with a letter could be meant as a number.
        Some(hex) if hex.bytes().any(|b| b.is_ascii_alphabetic()) => u64::from_str_radix(hex, 16).ok()? as f64,
        Some(_) => return None,
        None if digits.starts_with(['+', '-']) => return None,
        None => digits.parse::<f64>().ok()?,
    };
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floats(text: &str) -> Vec<Option<f64>> {
        let points = parse(&format!("m {text}")).unwrap().points;
        points.iter().map(|point| if let Point::Float(value) = point { Some(*value) } else { None }).collect()
    }

    #[test]
    fn points_expand() {
        assert_eq!(floats("1 -2 .5"), [Some(1.0), Some(-2.0), Some(0.5)]);
        assert_eq!(floats("0+10x2 _x2 7x1"), [Some(0.0), Some(10.0), Some(20.0), None, None, Some(7.0), Some(7.0)]);
        assert_eq!(floats("0x2 1-1x1"), [Some(0.0), Some(0.0), Some(0.0), Some(1.0), Some(0.0)]);
        assert_eq!(floats("1e-1-1e-1x1 0x1f -Inf"), [Some(0.1), Some(0.0), Some(31.0), Some(f64::NEG_INFINITY)]);
        assert_eq!(floats("{{schema:0 sum:1}}x1 1"), [None, None, Some(1.0)]);
        let histograms = parse("m {{sum:1 buckets:[1]}}+{{sum:2 buckets:[1]}}x2").unwrap().points;
        let sums = histograms.iter().map(|point| match point {
            Point::Histogram(written) => written.histogram.sum,
            other => panic!("{other:?}"),
        });
        assert_eq!(sums.collect::<Vec<_>>(), [1.0, 3.0, 5.0]);
        for bad in ["x", "1y", "_y", "1+x3", "0x99999999999", "__"] {
            assert!(parse(&format!("m {bad}")).is_err(), "{bad}");
        }
    }

    #[test]
    fn starts_are_relative_to_their_samples() {
        let starts = parse_starts("_ _x2 -1m -30s-1mx1 0 1ms -5sx1").unwrap();
        let wanted = [-60_000, -30_000, -90_000, 0, 1, -5_000, -5_000].map(Some);
        assert_eq!(starts[..3], [None; 3]);
        assert_eq!(starts[3..], wanted);
        assert!(parse_starts("-1q").is_err());
    }

    #[test]
    fn labels_are_quoted_in_every_way() {
        let described = parse(r#"{"http.total", "a b"='c"', d=`\n`,} 1"#).unwrap();
        let pairs = [("__name__", "http.total"), ("a b", "c\""), ("d", "\\n")];
        assert_eq!(described.labels, Labels::new(pairs).unwrap());
        assert_eq!(parse("{} 1").unwrap().labels, Labels::default());
        for bad in ["m{a} 1", "m{a=1} 1", "m{a=\"1} 1", "m{"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
