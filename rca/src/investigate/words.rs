//! Findings in the words that a person would use, and the sentence over all of them.

use crate::investigate::finding::{Detail, Finding, Label, rfc3339};
use crate::investigate::rank::{Case, Coverage, Piece};

/// Findings that the summary tells; the report has them all.
const TOLD_MAX: usize = 3;
/// Characters of a message's template in a sentence.
const TEMPLATE_CHARS: usize = 120;

pub(crate) fn of(piece: &Piece) -> String {
    let when = piece.onset.map(|at| format!(", from {} on", clock(at))).unwrap_or_default();
    match &piece.detail {
        Detail::Explanation { told, .. } => told.clone(),
        Detail::MetricShift { labels, before, after, .. } => {
            let verb = if after > before { "rose" } else { "fell" };
            let name = series_name(labels);
            format!("{name} {verb} from {} to {}{}{when}.", number(*before), number(*after), times(*before, *after))
        }
        Detail::NewPattern { template, rows, rows_before: 0, .. } => {
            format!("A message that was not there before, in {rows} rows{when}: \"{}\".", cut(template))
        }
        Detail::NewPattern { template, rows, rows_before, .. } => {
            format!("A message became frequent, in {rows} rows ({rows_before} before){when}: \"{}\".", cut(template))
        }
        Detail::VanishedPattern { template, rows, rows_before, .. } => {
            format!("A message stopped: {rows} rows have it, {rows_before} had it before: \"{}\".", cut(template))
        }
        Detail::ChangedLabel { store, label, value, previous, share } => {
            let before = match previous.as_slice() {
                [] => String::new(),
                values => format!(" (before: {})", values.join(", ")),
            };
            format!("{label} {value} is new in {store}{before}, with {} of what came{when}.", percent(*share))
        }
        Detail::EarlierIncident { fired_at, cause, same_cause, .. } => {
            let again = if *same_cause { " for the same cause" } else { "" };
            format!("The same rule fired on {}{again}: {cause}", day(fired_at))
        }
    }
}

/// A few words for the time line.
pub(crate) fn brief(detail: &Detail) -> String {
    match detail {
        Detail::Explanation { evidence, .. } => format!("rows with {} stand out", evidence.condition()),
        Detail::MetricShift { labels, before, after, .. } => {
            let verb = if after > before { "rises" } else { "falls" };
            format!("{} {verb} from {} to {}", series_name(labels), number(*before), number(*after))
        }
        Detail::NewPattern { template, .. } => format!("new message \"{}\"", cut(template)),
        Detail::VanishedPattern { template, .. } => format!("the last of message \"{}\"", cut(template)),
        Detail::ChangedLabel { label, value, .. } => format!("first {label} = {value}"),
        Detail::EarlierIncident { .. } => "the same rule fired".to_owned(),
    }
}

/// The strongest finding, then the strongest of each other kind, then the past.
pub(crate) fn summary(case: &Case, findings: &[Finding], coverage: &Coverage) -> String {
    let is_past = |finding: &&Finding| matches!(finding.detail, Detail::EarlierIncident { .. });
    let past = findings.iter().filter(is_past).max_by_key(|finding| is_same_cause(&finding.detail));
    let mut told: Vec<&Finding> = Vec::new();
    for finding in findings.iter().filter(|finding| !is_past(finding)) {
        let is_kind_told = told.iter().any(|known| kind(&known.detail) == kind(&finding.detail));
        if !is_kind_told && told.len() < TOLD_MAX {
            told.push(finding);
        }
    }
    let mut text = if told.is_empty() { nothing(case, coverage) } else { sentences(&told) };
    if let Some(past) = past {
        text.push(' ');
        text.push_str(&past.sentence);
    }
    text
}

fn sentences(told: &[&Finding]) -> String {
    told.iter().map(|finding| finding.sentence.as_str()).collect::<Vec<_>>().join(" ")
}

fn nothing(case: &Case, coverage: &Coverage) -> String {
    let looked_at = coverage.looked_at.join(", ");
    let where_ = if looked_at.is_empty() { "there was nothing to look at".to_owned() } else { looked_at };
    let (from, to) = (clock(case.window.0), clock(case.window.1));
    format!("Nothing stands out: from {from} to {to} all is within what chance does ({where_}).")
}

fn is_same_cause(detail: &Detail) -> bool {
    matches!(detail, Detail::EarlierIncident { same_cause: true, .. })
}

fn kind(detail: &Detail) -> std::mem::Discriminant<Detail> {
    std::mem::discriminant(detail)
}

/// Prometheus' name of a metric, where a series has one.
pub(crate) fn metric_name(labels: &[Label]) -> &str {
    labels.iter().find(|label| label.name == "__name__").map_or("series", |label| label.value.as_str())
}

/// `name{a="b"}`, as PromQL writes it.
pub(crate) fn series_name(labels: &[Label]) -> String {
    let others: Vec<String> = labels
        .iter()
        .filter(|label| label.name != "__name__")
        .map(|label| format!("{}={:?}", label.name, label.value))
        .collect();
    let name = labels.iter().find(|label| label.name == "__name__").map_or("", |label| label.value.as_str());
    if others.is_empty() { metric_name(labels).to_owned() } else { format!("{name}{{{}}}", others.join(",")) }
}

/// Three significant digits, without an exponent where people need none.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        "0".to_owned()
    } else if (1e-3..1e6).contains(&size) {
        let digits = (2.0 - size.log10().floor()).max(0.0) as usize;
        let text = format!("{value:.digits$}");
        if digits == 0 { text } else { text.trim_end_matches('0').trim_end_matches('.').to_owned() }
    } else {
        format!("{value:.2e}")
    }
}

fn times(before: f64, after: f64) -> String {
    let ratio = after / before;
    if before > 0.0 && after > 0.0 && (ratio >= 2.0 || ratio <= 0.5) && ratio.is_finite() {
        let (ratio, word) = if ratio >= 2.0 { (ratio, "times as much") } else { (1.0 / ratio, "times less") };
        format!(" ({} {word})", number(ratio))
    } else {
        String::new()
    }
}

fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        0.0 => "none".to_owned(),
        percent if percent < 1.0 => "less than 1 %".to_owned(),
        percent if percent < 100.0 && percent > 99.0 => "more than 99 %".to_owned(),
        percent => format!("{percent:.0} %"),
    }
}

/// The time of the day, in UTC.
fn clock(at: i64) -> String {
    let text = rfc3339(at);
    text.get(11..19).map_or(text.clone(), |clock| format!("{clock} UTC"))
}

/// The day and minute of a time as RFC 3339.
fn day(rfc3339: &str) -> String {
    match (rfc3339.get(..10), rfc3339.get(11..16)) {
        (Some(day), Some(minute)) => format!("{day} at {minute} UTC"),
        _ => rfc3339.to_owned(),
    }
}

fn cut(template: &str) -> String {
    if template.chars().count() <= TEMPLATE_CHARS {
        return template.to_owned();
    }
    let kept: String = template.chars().take(TEMPLATE_CHARS).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_and_no_more() {
        for (value, text) in [
            (0.0, "0"),
            (0.1234, "0.123"),
            (12.0, "12"),
            (7.851, "7.85"),
            (123.4, "123"),
            (98_765.4, "98765"),
            (1.5e9, "1.50e9"),
            (-0.05, "-0.05"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn series_are_named_as_promql_does() {
        let labels = [Label::new("__name__", "up"), Label::new("job", "a \"b\"")];
        assert_eq!(series_name(&labels), r#"up{job="a \"b\""}"#);
        assert_eq!(series_name(&labels[..1]), "up");
        assert_eq!(series_name(&labels[1..]), r#"{job="a \"b\""}"#);
    }
}
