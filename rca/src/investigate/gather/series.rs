//! The metrics of one store: which series left their level, and which version-like labels are new.

use std::collections::BTreeMap;

use culprit_store::{LabelMatcher, Labels, ProjectName, SampleRange, Series, Storage, StoreName, UnixNanos};

use super::{Found, Inquiry};
use crate::RcaError;
use crate::anomaly::{Direction, MetricSeries, Shift, shifts};
use crate::investigate::changes::{Seen, changed, is_deployed};
use crate::investigate::counters::{Level, levels};
use crate::investigate::finding::Detail;
use crate::investigate::rank::Piece;
use crate::limits::{INVESTIGATED_SERIES_MAX, INVESTIGATION_ALPHA, SHIFT_CHANGE_MIN};

/// What alerting writes itself: they move because the alert fires.
const OF_ALERTING: [&str; 2] = ["ALERTS", "ALERTS_FOR_STATE"];

/// Metrics in one selection: the expression that names them has to be compiled.
const METRICS_AT_ONCE: usize = 200;

pub(super) async fn read(
    storage: &Storage,
    inquiry: &Inquiry,
    store: &StoreName,
    named: &[String],
) -> Result<Found, RcaError> {
    let mut found = Found::default();
    let names = metrics(storage, inquiry, store, named, &mut found).await?;
    let mut series = Vec::new();
    for names in names.chunks(METRICS_AT_ONCE) {
        series.extend(of_metrics(storage, &inquiry.project, store, names, samples(inquiry)).await?);
    }
    found.looked_at.push(format!("{} series of {store}", series.len()));
    let (store, window) = (store.to_string(), (inquiry.window.0.0, inquiry.window.1.0));
    let judged = tokio::task::spawn_blocking(move || {
        let mut pieces = new_labels(&store, &series, window.0);
        pieces.extend(moved(&store, &levels(&series), window));
        pieces
    });
    found.pieces = judged.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
    Ok(found)
}

fn samples(inquiry: &Inquiry) -> SampleRange {
    let ms = |at: UnixNanos| at.0.div_euclid(1_000_000);
    SampleRange { start_ms: ms(inquiry.baseline_from), end_ms: ms(inquiry.window.1) }
}

/// The names of the metrics to read: first those with series that have a named value, as many as the bound has room for.
async fn metrics(
    storage: &Storage,
    inquiry: &Inquiry,
    store: &StoreName,
    named: &[String],
    found: &mut Found,
) -> Result<Vec<String>, RcaError> {
    let state = storage.expect_store(&inquiry.project, store).map_err(culprit_query::QueryError::from)?;
    let all = storage.series_labels(&state, &[], samples(inquiry)).await.map_err(culprit_query::QueryError::from)?;
    let mut of_name: BTreeMap<&str, (bool, usize)> = BTreeMap::new();
    for labels in &all {
        let entry = of_name.entry(labels.metric_name().unwrap_or("")).or_default();
        entry.0 |= labels.iter().any(|label| named.iter().any(|value| **value == *label.value));
        entry.1 += 1;
    }
    let expression = inquiry.alert.as_ref().map_or("", |alert| alert.expression.as_str());
    let (own, mut names): (Vec<_>, Vec<_>) = of_name
        .into_iter()
        .filter(|(name, _)| !name.is_empty() && !OF_ALERTING.contains(name) && !name.ends_with("_bucket"))
        .partition(|(name, _)| has_word(expression, name));
    for (name, _) in own {
        found.left_out.push(format!("{name}: the rule reads it"));
    }
    names.sort_by_key(|(name, (is_named, _))| (!*is_named, (*name).to_owned()));
    let mut room = INVESTIGATED_SERIES_MAX;
    let fits = |(_, (_, series)): &(&str, (bool, usize))| {
        let fits = *series <= room;
        room -= if fits { *series } else { 0 };
        fits
    };
    let (read, left_out): (Vec<_>, Vec<_>) = names.into_iter().partition(fits);
    if !left_out.is_empty() {
        let series: usize = left_out.iter().map(|(_, (_, series))| series).sum();
        let metrics = left_out.len();
        found.left_out.push(format!("{metrics} metrics of {store} with {series} series: more than are judged at once"));
    }
    Ok(read.into_iter().map(|(name, _)| name.to_owned()).collect())
}

/// Whether a PromQL expression has the name as a whole word.
fn has_word(expression: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    expression.match_indices(name).any(|(at, _)| {
        let before = expression[..at].chars().next_back();
        let after = expression[at + name.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

/// Each selection reads the store's segments anew, so many metrics go into one.
async fn of_metrics(
    storage: &Storage,
    project: &ProjectName,
    store: &StoreName,
    names: &[String],
    range: SampleRange,
) -> Result<Vec<Series>, RcaError> {
    let state = storage.expect_store(project, store).map_err(culprit_query::QueryError::from)?;
    let names: Vec<String> = names.iter().map(|name| literally(name)).collect();
    let matcher = LabelMatcher::regex("__name__", &names.join("|")).map_err(culprit_query::QueryError::from)?;
    Ok(storage.select_series(&state, &[matcher], range).await.map_err(culprit_query::QueryError::from)?)
}

/// A name as a regular expression that matches nothing else.
fn literally(name: &str) -> String {
    let escaped = |c: char| match c {
        c if c.is_alphanumeric() || c == '_' || c == ':' => c.to_string(),
        c => format!("\\x{{{:x}}}", u32::from(c)),
    };
    name.chars().map(escaped).collect()
}

fn moved(store: &str, levels: &[Level], window: (i64, i64)) -> Vec<Piece> {
    let series: Vec<MetricSeries<'_>> = levels
        .iter()
        .map(|level| MetricSeries { times: &level.times, values: &level.values, weights: &level.weights })
        .collect();
    let is_change = |shift: &Shift| {
        let (change, level) = ((shift.after - shift.before).abs(), shift.after.abs().max(shift.before.abs()));
        shift.q_value <= INVESTIGATION_ALPHA && change >= SHIFT_CHANGE_MIN * level
    };
    let piece = |shift: Shift| Piece {
        onset: Some(shift.onset),
        q_value: Some(shift.q_value),
        detail: Detail::MetricShift {
            store: store.to_owned(),
            labels: levels[shift.index].labels.clone(),
            before: shift.before,
            after: shift.after,
        },
    };
    shifts(&series, window, Direction::Either).into_iter().filter(is_change).map(piece).collect()
}

/// A version that series carry as a label: it is new when series with it begin in the window and there were others.
fn new_labels(store: &str, series: &[Series], from: i64) -> Vec<Piece> {
    let mut values: BTreeMap<&str, BTreeMap<&str, Seen>> = BTreeMap::new();
    for one in series {
        let ms = &one.samples.timestamps_ms;
        let before = ms.partition_point(|ms| ms.saturating_mul(1_000_000) < from);
        for label in deployed(&one.labels) {
            let value = values.entry(&label.name).or_default().entry(&label.value);
            let first = ms.first().map_or(i64::MAX, |ms| ms.saturating_mul(1_000_000));
            let seen = value.or_insert_with(|| Seen { value: label.value.to_string(), rows: 0, rows_before: 0, first });
            seen.rows += (ms.len() - before) as u64;
            seen.rows_before += before as u64;
            seen.first = seen.first.min(first);
        }
    }
    let pieces = values.into_iter().flat_map(|(label, seen)| {
        let seen: Vec<Seen> = seen.into_values().collect();
        changed(store, label, &seen)
    });
    pieces.filter(|piece| piece.q_value.is_some_and(|q| q <= INVESTIGATION_ALPHA)).collect()
}

fn deployed(labels: &Labels) -> impl Iterator<Item = &culprit_store::Label> {
    labels.iter().filter(|label| is_deployed(&label.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_matches_itself_alone() {
        let matcher = LabelMatcher::regex("__name__", &[literally("a.b"), literally("c:d")].join("|")).unwrap();
        for (name, expected) in [("a.b", true), ("axb", false), ("c:d", true), ("c:dd", false)] {
            assert_eq!(matcher.matches_value(name), expected, "{name}");
        }
    }

    #[test]
    fn metrics_of_an_expression_are_words() {
        assert!(has_word("rate(errors_total[5m]) > 1", "errors_total"));
        assert!(!has_word("rate(errors_total[5m]) > 1", "errors"));
        assert!(!has_word("job:errors_total:rate5m > 1", "errors_total"));
    }
}
