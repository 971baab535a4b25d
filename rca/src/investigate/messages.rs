//! Message patterns that came or went with the trouble.
//!
//! Rows of one message come in bursts: a job that runs once writes a hundred lines at a time. What is compared is
//! therefore not rows but the share of short stretches of time in which a pattern occurs at all, so that a burst counts
//! once.

use std::collections::{BTreeMap, BTreeSet};

use crate::anomaly::{Direction, MetricSeries, shifts};
use crate::investigate::finding::Detail;
use crate::investigate::finding::Label;
use crate::investigate::rank::Piece;
use crate::limits::{INVESTIGATION_ALPHA, PATTERN_RATIO_MIN, SHIFT_CHANGE_MIN, STRETCHES};
use crate::patterns::{PatternId, PatternMiner};
use crate::significance::Table;

/// A message with its time (ns).
pub(crate) type Message = (i64, String);

/// The patterns of the messages, each of which stands for `weight` rows.
pub(crate) fn tallies(messages: &[Message], stretches: &Stretches, weight: u64) -> Vec<Tally> {
    let mut miner = PatternMiner::new();
    let shapes: Vec<_> = messages.iter().map(|(_, message)| miner.learn(message)).collect();
    miner.settle();
    let mut tallies: BTreeMap<PatternId, Tally> = BTreeMap::new();
    for ((at, _), shape) in messages.iter().zip(shapes) {
        let Some(template) = miner.template_of(shape) else { continue };
        let tally = tallies.entry(template.id()).or_insert_with(|| Tally {
            pattern: template.id().to_string(),
            template: template.text().to_owned(),
            ..Tally::default()
        });
        tally.add(stretches, *at, weight);
    }
    tallies.into_values().collect()
}

/// Whether more or fewer rows come than before: `rows` by stretch, counted from the begin of the window.
pub(crate) fn volume(store: &str, stretches: &Stretches, rows: &BTreeMap<i64, u64>) -> Option<Piece> {
    let all = -(stretches.before as i64)..stretches.window as i64;
    let times: Vec<i64> = all.clone().map(|stretch| stretches.from + stretch * stretches.length).collect();
    let values: Vec<f64> = all.map(|stretch| rows.get(&stretch).copied().unwrap_or(0) as f64).collect();
    let series = MetricSeries { times: &times, values: &values, weights: &[] };
    let shift = shifts(&[series], (stretches.from, i64::MAX), Direction::Either).pop()?;
    let (change, level) = ((shift.after - shift.before).abs(), shift.after.max(shift.before));
    let per_second = 1e9 / stretches.length as f64;
    let detail = Detail::MetricShift {
        store: store.to_owned(),
        labels: vec![Label::new("__name__", "rows per second"), Label::new("store", store)],
        before: shift.before * per_second,
        after: shift.after * per_second,
    };
    (shift.p_value <= INVESTIGATION_ALPHA && change >= SHIFT_CHANGE_MIN * level).then_some(Piece {
        detail,
        onset: Some(shift.onset),
        q_value: Some(shift.p_value),
    })
}

/// One pattern with its rows in the window and before.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Tally {
    pub(crate) pattern: String,
    pub(crate) template: String,
    pub(crate) rows: u64,
    pub(crate) rows_before: u64,
    /// The first row of the window.
    first: Option<i64>,
    last: Option<i64>,
    stretches: BTreeSet<i64>,
    stretches_before: BTreeSet<i64>,
}

/// The two times that are compared, cut into stretches of equal length.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stretches {
    from: i64,
    length: i64,
    window: u64,
    before: u64,
}

impl Stretches {
    /// Where the window begins and how long a stretch is, for SQL.
    pub(crate) fn scale(&self) -> (i64, i64) {
        (self.from, self.length)
    }

    pub(crate) fn new(baseline_from: i64, (from, to): (i64, i64)) -> Self {
        let length = (to.saturating_sub(from) / STRETCHES).max(1);
        let count = |nanos: i64| nanos.max(0).div_euclid(length).max(1) as u64;
        Self { from, length, window: count(to.saturating_sub(from)), before: count(from.saturating_sub(baseline_from)) }
    }
}

impl Tally {
    /// Takes a row; `weight` is how many rows of the store it stands for.
    pub(crate) fn add(&mut self, stretches: &Stretches, at: i64, weight: u64) {
        let stretch = (at - stretches.from).div_euclid(stretches.length);
        if at < stretches.from {
            self.rows_before += weight;
            self.stretches_before.insert(stretch);
            self.last = self.last.max(Some(at));
        } else {
            self.rows += weight;
            self.stretches.insert(stretch);
            self.first = Some(self.first.map_or(at, |first| first.min(at)));
        }
    }
}

/// The patterns that are much more, or much less, frequent than before, by the clock and among all messages: where ten
/// times as many messages come, none of them is new for that.
pub(crate) fn changed(store: &str, field: &str, stretches: &Stretches, tallies: &[Tally]) -> Vec<Piece> {
    let all = All {
        patterns: tallies.len() as f64,
        rows: tallies.iter().map(|tally| tally.rows).sum(),
        rows_before: tallies.iter().map(|tally| tally.rows_before).sum(),
    };
    tallies.iter().filter_map(|tally| judge(store, field, stretches, tally, &all)).collect()
}

/// All messages of a store together.
struct All {
    patterns: f64,
    rows: u64,
    rows_before: u64,
}

fn judge(store: &str, field: &str, stretches: &Stretches, tally: &Tally, all: &All) -> Option<Piece> {
    let inside = (tally.stretches.len() as u64).min(stretches.window);
    let before = (tally.stretches_before.len() as u64).min(stretches.before);
    let q_value = (Table::new(inside, before, stretches.window, stretches.before).p() * all.patterns).min(1.0);
    let ratio = |rows: u64, of: u64| rows as f64 / of.max(1) as f64;
    let (rate, rate_before) = (ratio(tally.rows, stretches.window), ratio(tally.rows_before, stretches.before));
    let (share, share_before) = (ratio(tally.rows, all.rows), ratio(tally.rows_before, all.rows_before));
    let is_much_more = |a: f64, b: f64| a >= PATTERN_RATIO_MIN * b;
    let (store, field) = (store.to_owned(), field.to_owned());
    let (pattern, template) = (tally.pattern.clone(), tally.template.clone());
    let (rows, rows_before) = (tally.rows, tally.rows_before);
    let (onset, detail) = if is_much_more(rate, rate_before) && is_much_more(share, share_before) {
        // Where some came before, the first of the window says nothing.
        (
            tally.first.filter(|_| rows_before == 0),
            Detail::NewPattern { store, field, pattern, template, rows, rows_before },
        )
    } else if is_much_more(rate_before, rate) && is_much_more(share_before, share) {
        (
            tally.last.filter(|_| rows == 0),
            Detail::VanishedPattern { store, field, pattern, template, rows, rows_before },
        )
    } else {
        return None;
    };
    (q_value <= INVESTIGATION_ALPHA).then_some(Piece { detail, onset, q_value: Some(q_value) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: (i64, i64) = (1200, 1500);

    fn found(rows: &[i64]) -> Option<Detail> {
        let stretches = Stretches::new(0, WINDOW);
        let mut tally = Tally::default();
        rows.iter().for_each(|at| tally.add(&stretches, *at, 1));
        changed("shop", "_msg", &stretches, &[tally]).pop().map(|piece| piece.detail)
    }

    #[test]
    fn a_message_that_keeps_coming_is_new() {
        let rows: Vec<i64> = (1300..1500).step_by(5).collect();
        assert!(matches!(found(&rows), Some(Detail::NewPattern { rows: 40, rows_before: 0, .. })));
    }

    #[test]
    fn messages_are_tallied_by_their_pattern() {
        let stretches = Stretches::new(0, WINDOW);
        let mut messages: Vec<Message> =
            (0..150).map(|at| (at * 10, format!("GET /items/{at} took {} ms", at % 37))).collect();
        messages.extend((130..150).map(|at| (at * 10, format!("connection to db{} refused", at % 3))));
        let found = changed("shop", "_msg", &stretches, &tallies(&messages, &stretches, 3));
        let [Piece { detail: Detail::NewPattern { template, rows: 60, rows_before: 0, .. }, onset: Some(1300), .. }] =
            &found[..]
        else {
            panic!("{found:#?}")
        };
        assert!(template.starts_with("connection to"), "{template}");
    }

    #[test]
    fn rows_that_stop_coming_are_a_change_of_volume() {
        let stretches = Stretches::new(0, WINDOW);
        let volume_of = |rows_late: u64| {
            let rows = (-120..30_i64)
                .map(|at| (at, if at < 10 { 100 + (at.unsigned_abs() % 7) } else { rows_late }))
                .collect();
            volume("shop", &stretches, &rows)
        };
        assert_eq!(volume_of(103).map(|piece| piece.detail), None);
        assert!(matches!(volume_of(0).map(|piece| piece.detail), Some(Detail::MetricShift { .. })));
    }

    #[test]
    fn more_of_all_messages_is_no_new_message() {
        let stretches = Stretches::new(0, WINDOW);
        let calm = (0..1200).step_by(100);
        let messages: Vec<Message> = calm
            .chain(1200..1500)
            .flat_map(|at| [(at, format!("GET /{at}")), (at, format!("PUT x{at} done"))])
            .collect();
        assert_eq!(changed("shop", "_msg", &stretches, &tallies(&messages, &stretches, 1)).len(), 0);
    }

    #[test]
    fn a_burst_counts_once() {
        assert_eq!(found(&[1400; 500]), None);
    }

    #[test]
    fn what_was_always_there_is_not_new_and_what_stops_has_vanished() {
        let always: Vec<i64> = (0..1500).step_by(7).collect();
        assert_eq!(found(&always), None);
        let stopped: Vec<i64> = (0..1200).step_by(7).collect();
        assert!(matches!(found(&stopped), Some(Detail::VanishedPattern { rows: 0, rows_before: 172, .. })));
    }
}
