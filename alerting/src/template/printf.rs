//! Go's Sprintf for the values that templates have.

use super::float::{format_e, format_f, format_g};
use super::value::Value;

/// Wider fields and longer fractions than this are no text that anybody reads.
const WIDTH_MAX: usize = 1_000;

#[derive(Default)]
struct Spec {
    minus: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

pub(super) fn printf(format: &str, values: &[Value]) -> String {
    let mut out = String::new();
    let mut values = values.iter();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let (spec, after) = spec(&rest[at + 1..]);
        let Some(verb) = after.chars().next() else {
            out.push_str("%!(NOVERB)");
            return out;
        };
        rest = &after[verb.len_utf8()..];
        if verb == '%' {
            out.push('%');
            continue;
        }
        match values.next() {
            Some(value) => out.push_str(&one(verb, &spec, value)),
            None => out.push_str(&format!("%!{verb}(MISSING)")),
        }
    }
    out.push_str(rest);
    let extra: Vec<String> = values.map(|value| format!("{}={}", value.kind(), value.print())).collect();
    if !extra.is_empty() {
        out.push_str(&format!("%!(EXTRA {})", extra.join(", ")));
    }
    out
}

fn spec(text: &str) -> (Spec, &str) {
    let mut spec = Spec::default();
    let mut rest = text;
    while let Some(flag) = rest.chars().next() {
        match flag {
            '-' => spec.minus = true,
            '+' => spec.plus = true,
            '#' => spec.sharp = true,
            ' ' => spec.space = true,
            '0' => spec.zero = true,
            _ => break,
        }
        rest = &rest[1..];
    }
    (spec.width, rest) = number(rest);
    if let Some(after) = rest.strip_prefix('.') {
        let (precision, after) = number(after);
        spec.precision = Some(precision.unwrap_or(0));
        rest = after;
    }
    (spec, rest)
}

fn number(text: &str) -> (Option<usize>, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (text[..end].parse().ok().map(|n: usize| n.min(WIDTH_MAX)), &text[end..])
}

fn one(verb: char, spec: &Spec, value: &Value) -> String {
    let body = match (verb, value) {
        ('v', Value::Float(f)) => signed(spec, format_g(*f, spec.precision)),
        ('e' | 'E', Value::Float(f)) => signed(spec, format_e(*f, Some(spec.precision.unwrap_or(6)))),
        ('f' | 'F', Value::Float(f)) => signed(spec, format_f(*f, spec.precision.unwrap_or(6))),
        ('g' | 'G', Value::Float(f)) => signed(spec, format_g(*f, spec.precision)),
        ('d' | 'v', Value::Int(i)) => signed(spec, i.to_string()),
        ('x', Value::Int(i)) => format!("{i:x}"),
        ('X', Value::Int(i)) => format!("{i:X}"),
        ('o', Value::Int(i)) => format!("{i:o}"),
        ('b', Value::Int(i)) => format!("{i:b}"),
        ('c', Value::Int(i)) => u32::try_from(*i).ok().and_then(char::from_u32).unwrap_or('\u{fffd}').to_string(),
        ('t' | 'v', Value::Bool(b)) => b.to_string(),
        ('q', Value::Text(text)) if !spec.sharp => format!("{text:?}"),
        ('q', Value::Text(text)) => format!("`{text}`"),
        ('x', Value::Text(text)) => text.bytes().map(|b| format!("{b:02x}")).collect(),
        ('s' | 'v', Value::Text(text)) => truncated(spec, text),
        ('v', other) => other.print(),
        ('s', other) if !matches!(other, Value::Int(_) | Value::Float(_) | Value::Bool(_)) => other.print(),
        (verb, other) => return format!("%!{verb}({}={})", other.kind(), other.print()),
    };
    let upper = matches!(verb, 'E' | 'G');
    pad(spec, if upper { body.to_uppercase() } else { body }, value)
}

fn truncated(spec: &Spec, text: &str) -> String {
    text.chars().take(spec.precision.unwrap_or(usize::MAX)).collect()
}

fn signed(spec: &Spec, text: String) -> String {
    if text.starts_with(['-', '+']) || text == "NaN" {
        return text;
    }
    match (spec.plus, spec.space) {
        (true, _) => format!("+{text}"),
        (false, true) => format!(" {text}"),
        _ => text,
    }
}

fn pad(spec: &Spec, text: String, value: &Value) -> String {
    let missing = spec.width.unwrap_or(0).saturating_sub(text.chars().count());
    if missing == 0 {
        return text;
    }
    let number = matches!(value, Value::Int(_)) || matches!(value, Value::Float(f) if f.is_finite());
    if spec.minus {
        return text + &" ".repeat(missing);
    }
    if spec.zero && number {
        let sign = text.len() - text.trim_start_matches(['-', '+', ' ']).len();
        return format!("{}{}{}", &text[..sign], "0".repeat(missing), &text[sign..]);
    }
    " ".repeat(missing) + &text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_sprintf() {
        use Value::{Float, Int, Text};
        let text = |t: &str| Text(t.to_owned());
        for (format, values, expected) in [
            ("%.0f|%0.2f|%f", vec![Float(2.5), Float(0.126), Float(1.0)], "2|0.13|1.000000"),
            ("%.4g %g", vec![Float(12345.678), Float(1e-7)], "1.235e+04 1e-07"),
            ("%5.1f|%-6.1f|%06.1f|%+d", vec![Float(1.25), Float(1.25), Float(-1.25), Int(3)], "  1.2|1.2   |-001.2|+3"),
            ("%s %q %v %d%%", vec![text("a"), text("b\"c"), Float(0.5), Int(7)], r#"a "b\"c" 0.5 7%"#),
            ("%d %s", vec![Float(1.5), Int(2)], "%!d(float64=1.5) %!s(int=2)"),
            ("%s", vec![], "%!s(MISSING)"),
            ("x", vec![Int(1)], "x%!(EXTRA int=1)"),
            ("%", vec![], "%!(NOVERB)"),
        ] {
            assert_eq!(printf(format, &values), expected, "{format}");
        }
    }
}
