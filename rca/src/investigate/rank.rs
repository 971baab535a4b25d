//! One scale for evidence of all kinds, and the report in its order.
//!
//! A finding's score is a sum of logarithms, as evidence adds up: how surely it is no chance (the logarithm of its
//! q-value, capped, since the size of a store must not outrank everything), how large it is, what it shares with the
//! explanations and the alert, whether it began in time to be a cause, and how often its kind is one.

use crate::investigate::finding::{Detail, Finding, Investigation, Label, Moment, Span, rfc3339};
use crate::investigate::words;
use crate::limits::{FINDINGS_MAX, FINDINGS_PER_METRIC_MAX};

/// Beyond it nobody doubts, and more rows make nothing truer (nats).
const CERTAINTY_MAX: f64 = 12.0;
/// A hundredfold change is large; more of it is not more of a cause (nats).
const SIZE_MAX: f64 = 4.6;
/// What shares a value with the explanations is ten times likelier to belong to them than what does not.
const SHARED: f64 = 2.3;
/// What began after the alert is its consequence ten times out of eleven.
const LATE: f64 = -2.3;

/// What is investigated.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) window: (i64, i64),
    pub(crate) baseline: (i64, i64),
    /// When the alert began, and its name; none for a window that somebody marked.
    pub(crate) alert: Option<(i64, String)>,
    /// The alert's own labels.
    pub(crate) labels: Vec<Label>,
}

/// A finding before it is ranked and put into words.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    pub(crate) detail: Detail,
    pub(crate) onset: Option<i64>,
    pub(crate) q_value: Option<f64>,
}

/// What was read and what was not, one line each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Coverage {
    pub(crate) looked_at: Vec<String>,
    pub(crate) left_out: Vec<String>,
}

/// The report. `elapsed_ms` is the caller's to fill in.
pub(crate) fn investigation(case: &Case, pieces: Vec<Piece>, mut coverage: Coverage) -> Investigation {
    let named = named_values(case, &pieces);
    let mut ranked: Vec<(f64, Vec<Label>, Piece)> = pieces
        .into_iter()
        .map(|piece| {
            let shares = shared(&piece.detail, &named);
            (score(case, &piece, &shares), shares, piece)
        })
        .collect();
    // Ties in the order of their words, so that equal questions get equal answers.
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| words::of(&a.2).cmp(&words::of(&b.2))));
    fold_metrics(&mut ranked, &mut coverage);
    if ranked.len() > FINDINGS_MAX {
        coverage.left_out.push(format!("{} weaker findings", ranked.len() - FINDINGS_MAX));
        ranked.truncate(FINDINGS_MAX);
    }
    let timeline = timeline(case, &ranked);
    let findings: Vec<Finding> =
        ranked.into_iter().map(|(score, shares, piece)| finding(score, shares, piece)).collect();
    Investigation {
        sentence: words::summary(case, &findings, &coverage),
        findings,
        timeline,
        window: Span::new(case.window.0, case.window.1),
        baseline: Span::new(case.baseline.0, case.baseline.1),
        looked_at: coverage.looked_at,
        left_out: coverage.left_out,
        elapsed_ms: 0.0,
    }
}

fn finding(score: f64, shares: Vec<Label>, piece: Piece) -> Finding {
    Finding {
        sentence: words::of(&piece),
        onset: piece.onset.map(rfc3339),
        q_value: piece.q_value,
        score,
        shares,
        detail: piece.detail,
    }
}

/// The values that the explanations name, and the alert's labels.
fn named_values(case: &Case, pieces: &[Piece]) -> Vec<Label> {
    let mut named = case.labels.clone();
    for piece in pieces {
        if let Detail::Explanation { evidence, .. } = &piece.detail {
            for item in &evidence.items {
                named.push(Label::new(&item.dimension, &item.value));
                named.extend(item.aliases.iter().map(|alias| Label::new(&alias.dimension, &alias.value)));
            }
        }
    }
    named.sort();
    named.dedup();
    named
}

fn labels_of(detail: &Detail) -> Vec<Label> {
    match detail {
        Detail::MetricShift { labels, .. } => labels.clone(),
        Detail::ChangedLabel { label, value, .. } => vec![Label::new(label, value)],
        _ => Vec::new(),
    }
}

/// Logs and metrics rarely call a thing by one name: the same value counts under another name, unless it is a bare
/// number or a word so short that chance brings it together.
fn shared(detail: &Detail, named: &[Label]) -> Vec<Label> {
    let is_telling = |value: &str| value.len() >= 3 && value.parse::<f64>().is_err();
    let is_same = |label: &Label, known: &Label| {
        label.value == known.value && (label.name == known.name || is_telling(&label.value))
    };
    labels_of(detail).into_iter().filter(|label| named.iter().any(|known| is_same(label, known))).collect()
}

fn score(case: &Case, piece: &Piece, shares: &[Label]) -> f64 {
    let certainty = piece.q_value.map_or(0.0, |q| -q.max(f64::MIN_POSITIVE).ln()).clamp(0.0, CERTAINTY_MAX);
    let is_late = case.alert.as_ref().zip(piece.onset).is_some_and(|((at, _), onset)| onset > *at);
    let share = if shares.is_empty() { 0.0 } else { SHARED };
    certainty + size(&piece.detail) + prior(&piece.detail) + share + if is_late { LATE } else { 0.0 }
}

/// How large the change is: the logarithm of a ratio that cannot be infinite.
fn size(detail: &Detail) -> f64 {
    let ratio: f64 = match detail {
        Detail::Explanation { evidence, rows_b, .. } => {
            evidence.support_a / evidence.support_b.max(1.0 / (1.0 + *rows_b as f64))
        }
        Detail::MetricShift { before, after, .. } => {
            let (small, large) = (before.abs().min(after.abs()), before.abs().max(after.abs()));
            if before.signum() == after.signum() { large / small.max(large / 100.0) } else { 100.0 }
        }
        Detail::NewPattern { rows, rows_before, .. } => (*rows as f64 + 1.0) / (*rows_before as f64 + 1.0),
        Detail::VanishedPattern { rows, rows_before, .. } => (*rows_before as f64 + 1.0) / (*rows as f64 + 1.0),
        Detail::ChangedLabel { share, .. } => 100.0 * share,
        Detail::EarlierIncident { .. } => 1.0,
    };
    if ratio.is_finite() { ratio.max(1.0).ln().min(SIZE_MAX) } else { SIZE_MAX }
}

/// The rows of the alert itself come first; a change of what runs is the likeliest cause; what stopped is rarely one;
/// the past is for comparison.
fn prior(detail: &Detail) -> f64 {
    match detail {
        Detail::Explanation { .. } => 6.9,
        Detail::ChangedLabel { .. } => 2.3,
        Detail::NewPattern { .. } => 0.7,
        Detail::MetricShift { .. } => 0.0,
        Detail::VanishedPattern { .. } => -1.6,
        Detail::EarlierIncident { same_cause: true, .. } => 2.3,
        Detail::EarlierIncident { .. } => 0.0,
    }
}

/// One metric moves in many series at once; the strongest say it, the others are counted.
fn fold_metrics(ranked: &mut Vec<(f64, Vec<Label>, Piece)>, coverage: &mut Coverage) {
    let mut seen: Vec<(String, usize)> = Vec::new();
    ranked.retain(|(.., piece)| {
        let Detail::MetricShift { store, labels, .. } = &piece.detail else { return true };
        let name = format!("{store}: {}", words::metric_name(labels));
        let at = seen.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
            seen.push((name, 0));
            seen.len() - 1
        });
        seen[at].1 += 1;
        seen[at].1 <= FINDINGS_PER_METRIC_MAX
    });
    for (name, series) in seen.into_iter().filter(|(_, series)| *series > FINDINGS_PER_METRIC_MAX) {
        let more = series - FINDINGS_PER_METRIC_MAX;
        coverage.left_out.push(format!("{more} more series of {name} that moved less"));
    }
}

fn timeline(case: &Case, ranked: &[(f64, Vec<Label>, Piece)]) -> Vec<Moment> {
    let mut moments: Vec<(i64, String, Option<usize>)> = ranked
        .iter()
        .enumerate()
        .filter(|(_, (.., piece))| !matches!(piece.detail, Detail::EarlierIncident { .. }))
        .filter_map(|(at, (.., piece))| Some((piece.onset?, words::brief(&piece.detail), Some(at))))
        .collect();
    if let Some((at, name)) = &case.alert {
        moments.push((*at, format!("alert {name} became active"), None));
    }
    moments.sort_by_key(|(at, _, finding)| (*at, *finding));
    moments.into_iter().map(|(at, what, finding)| Moment { at: rfc3339(at), what, finding }).collect()
}

#[cfg(test)]
mod tests;
