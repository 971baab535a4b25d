//! From the tree back to text: what fits on a line stays on one, anything longer is indented.

use std::fmt::Write;

use culprit_store::METRIC_NAME;

use super::super::number;
use super::ast::{AggregateExpr, At, BinaryExpr, Edges, Expr, ExprKind, Shift, VectorSelector};
use super::duration::DurationExpr;

const WIDTH: usize = 100;

pub(in super::super) fn format(expr: &Expr) -> String {
    laid_out(expr, 0)
}

fn laid_out(expr: &Expr, level: usize) -> String {
    let indent = "  ".repeat(level);
    let flat = flat(expr);
    if flat.chars().count() <= WIDTH {
        return format!("{indent}{flat}");
    }
    let block = |head: &str, inner: String, tail: &str| format!("{indent}{head}\n{inner}\n{indent}{tail}");
    let listed = |args: &[Expr]| args.iter().map(|arg| laid_out(arg, level + 1)).collect::<Vec<_>>().join(",\n");
    match &expr.kind {
        ExprKind::Paren(inner) => block("(", laid_out(inner, level + 1), ")"),
        ExprKind::Negate(inner) => format!("{indent}-{}", laid_out(inner, level).trim_start()),
        ExprKind::Call { function, args } => block(&format!("{}(", function.name), listed(args), ")"),
        ExprKind::Aggregate(aggregate) => {
            block(&format!("{}(", aggregate_head(aggregate)), listed(&aggregate.args), ")")
        }
        ExprKind::Binary(binary) => format!(
            "{}\n{indent}{}\n{}",
            laid_out(&binary.left, level + 1),
            operator(binary),
            laid_out(&binary.right, level + 1)
        ),
        ExprKind::Subquery { inner, range, step, shift } => {
            format!("{}{}", laid_out(inner, level), subquery_tail(range, step.as_ref(), shift))
        }
        ExprKind::Number(_)
        | ExprKind::Text(_)
        | ExprKind::Garbled(_)
        | ExprKind::Vector(_)
        | ExprKind::Matrix { .. } => {
            format!("{indent}{flat}")
        }
    }
}

fn flat(expr: &Expr) -> String {
    let listed = |args: &[Expr]| args.iter().map(flat).collect::<Vec<_>>().join(", ");
    match &expr.kind {
        ExprKind::Number(value) => number::display(*value),
        ExprKind::Text(text) => format!("{text:?}"),
        ExprKind::Garbled(escaped) => format!("\"{escaped}\""),
        ExprKind::Paren(inner) => format!("({})", flat(inner)),
        ExprKind::Negate(inner) => format!("-{}", flat(inner)),
        ExprKind::Vector(vector) => format!("{}{}", series(vector), modifiers(vector)),
        ExprKind::Matrix { selector, range } => {
            format!("{}[{}]{}", series(selector), duration(range), modifiers(selector))
        }
        ExprKind::Subquery { inner, range, step, shift } => {
            format!("{}{}", flat(inner), subquery_tail(range, step.as_ref(), shift))
        }
        ExprKind::Call { function, args } => format!("{}({})", function.name, listed(args)),
        ExprKind::Aggregate(aggregate) => format!("{}({})", aggregate_head(aggregate), listed(&aggregate.args)),
        ExprKind::Binary(binary) => {
            format!("{} {} {}", flat(&binary.left), operator(binary), flat(&binary.right))
        }
    }
}

fn aggregate_head(aggregate: &AggregateExpr) -> String {
    match &aggregate.grouping {
        Some(grouping) if grouping.without => {
            format!("{} without ({}) ", aggregate.aggregation.name, names(&grouping.labels))
        }
        Some(grouping) if !grouping.labels.is_empty() => {
            format!("{} by ({}) ", aggregate.aggregation.name, names(&grouping.labels))
        }
        _ => aggregate.aggregation.name.to_owned(),
    }
}

fn operator(binary: &BinaryExpr) -> String {
    let mut text = binary.operator.name().to_owned();
    if binary.returns_bool {
        text.push_str(" bool");
    }
    if let Some(matching) = &binary.matching {
        let word = if matching.on { "on" } else { "ignoring" };
        push(&mut text, format_args!(" {word} ({})", names(&matching.labels)));
    }
    if let Some(group) = &binary.group {
        let word = if group.left { "group_left" } else { "group_right" };
        push(&mut text, format_args!(" {word} ({})", names(&group.include)));
    }
    match (binary.fill.left, binary.fill.right) {
        (Some(left), Some(right)) if left.to_bits() == right.to_bits() => {
            push(&mut text, format_args!(" fill ({})", number::display(left)));
        }
        (left, right) => {
            for (word, value) in [("fill_left", left), ("fill_right", right)] {
                if let Some(value) = value {
                    push(&mut text, format_args!(" {word} ({})", number::display(value)));
                }
            }
        }
    }
    text
}

fn push(text: &mut String, what: std::fmt::Arguments<'_>) {
    text.write_fmt(what).expect("a string takes whatever is written");
}

fn is_plain(name: &str) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(first) && name.chars().all(|c| first(c) || c.is_ascii_digit())
}

fn names(labels: &[String]) -> String {
    let quoted = labels.iter().map(|name| if is_plain(name) { name.clone() } else { format!("{name:?}") });
    quoted.collect::<Vec<_>>().join(", ")
}

fn series(selector: &VectorSelector) -> String {
    let skipped = usize::from(selector.name.is_some());
    let matchers = selector.matchers[skipped..].iter().map(|matcher| {
        if matcher.name == METRIC_NAME && matcher.operator == "=" && !is_plain(&matcher.text) {
            return format!("{:?}", matcher.text);
        }
        format!("{}{}{:?}", names(std::slice::from_ref(&matcher.name)), matcher.operator, matcher.text)
    });
    let matchers: Vec<String> = matchers.collect();
    match (&selector.name, matchers.is_empty()) {
        (Some(name), true) => name.clone(),
        (name, _) => format!("{}{{{}}}", name.as_deref().unwrap_or(""), matchers.join(",")),
    }
}

fn modifiers(selector: &VectorSelector) -> String {
    let edges = match selector.edges {
        Edges::Plain => "",
        Edges::Anchored => " anchored",
        Edges::Smoothed => " smoothed",
    };
    format!("{}{edges}", shifted(&selector.shift))
}

fn subquery_tail(range: &DurationExpr, step: Option<&DurationExpr>, shift: &Shift) -> String {
    let step = step.map(duration).unwrap_or_default();
    format!("[{}:{step}]{}", duration(range), shifted(shift))
}

fn shifted(shift: &Shift) -> String {
    let at = match shift.at {
        None => String::new(),
        Some(At::Start) => " @ start()".to_owned(),
        Some(At::End) => " @ end()".to_owned(),
        Some(At::Seconds(seconds)) => format!(" @ {seconds:.3}"),
    };
    let offset = shift.offset.as_ref().map(|offset| format!(" offset {}", duration(offset)));
    format!("{at}{}", offset.unwrap_or_default())
}

fn duration(expr: &DurationExpr) -> String {
    let call = |name: &str, of: &[DurationExpr; 2]| format!("{name}({}, {})", duration(&of[0]), duration(&of[1]));
    match expr {
        DurationExpr::Seconds(seconds) => units(*seconds),
        DurationExpr::Step => "step()".to_owned(),
        DurationExpr::Range => "range()".to_owned(),
        DurationExpr::Negate(inner) => format!("-{}", duration(inner)),
        DurationExpr::Paren(inner) => format!("({})", duration(inner)),
        DurationExpr::Least(of) => call("min_of", of),
        DurationExpr::Greatest(of) => call("max_of", of),
        DurationExpr::Binary(operator, of) => {
            format!("{} {} {}", duration(&of[0]), operator.sign(), duration(&of[1]))
        }
    }
}

/// `1h30m`; years, weeks and days only if nothing is left over, as in Prometheus.
fn units(seconds: f64) -> String {
    let mut ms = (seconds * 1000.0).round() as i64;
    if ms == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (name, size, whole_only) in [
        ("y", 31_536_000_000, true),
        ("w", 604_800_000, true),
        ("d", 86_400_000, false),
        ("h", 3_600_000, false),
        ("m", 60_000, false),
        ("s", 1_000, false),
        ("ms", 1, false),
    ] {
        if whole_only && ms % size != 0 {
            continue;
        }
        if ms >= size {
            push(&mut text, format_args!("{}{name}", ms / size));
            ms %= size;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::super::{format, parse};

    #[test]
    fn short_queries_stay_on_a_line() {
        for (query, wanted) in [
            ("sum(up)by(job)", "sum by (job) (up)"),
            ("1+2*-a ^2", "1 + 2 * -a ^ 2"),
            ("a{b='c',d=~`e\"`} offset 90m", "a{b=\"c\",d=~\"e\\\"\"} offset 1h30m"),
            ("rate(a[5m]  anchored)", "rate(a[5m] anchored)"),
            ("x[1h:step()*2] @ start()", "x[1h:step() * 2s] @ start()"),
            ("a+on(b)group_left(c)fill_left(0)d", "a + on (b) group_left (c) fill_left (0) d"),
            ("{\"a.b\"}", "{\"a.b\"}"),
            ("h >/ 1 </ 2", "h >/ 1 </ 2"),
        ] {
            assert_eq!(format(query).unwrap(), wanted);
            assert_eq!(format(wanted).unwrap(), wanted);
            assert!(parse(wanted).is_ok());
        }
    }

    #[test]
    fn long_queries_are_indented() {
        let long = "a".repeat(60);
        let text = format(&format!("sum by (x) (rate({long}[5m])) / sum({long})")).unwrap();
        assert_eq!(text, format!("  sum by (x) (rate({long}[5m]))\n/\n  sum({long})"));
    }
}
