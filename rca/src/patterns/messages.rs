//! Messages of two slices: what the rows of A say that the rows of B do not, as patterns and as values in their slots.
//!
//! What a failing row says is how it failed, seldom why: "no space left on device" separates failing rows from others
//! better than the host whose disk is full. Messages are therefore counted beside the search over dimensions and do not
//! compete with them; what is said is what a report adds, or all that it has when no dimension explains anything.
//!
//! Counts are exact. A value is held against the other messages of its pattern, so that it says something the pattern
//! does not. The q-values are Bonferroni's over all patterns and values that were counted.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use arrow::array::{Array, BooleanArray, StringArray};

use super::miner::{PatternMiner, ShapeId};
use super::template::{PatternId, Template};
use crate::input::Options;
use crate::limits::{PROSE_SAMPLE_ROWS, RANKED_MAX, ROWS_MIN, SAID_MAX, SLOT_VALUES_MAX, SLOTS_MAX};
use crate::report::{Evidence, Explanation, Report, ReportItem};
use crate::sentence::sentence;
use crate::significance::Table;

/// Hypotheses about messages get an eighth of alpha, so that they add little to the false alarms of the dimensions.
const SHARE_OF_ALPHA: f64 = 8.0;

/// One column of messages, as it is read.
#[derive(Debug)]
pub(crate) struct Messages {
    column: String,
    miner: PatternMiner,
    batches: Vec<Batch>,
}

#[derive(Debug)]
struct Batch {
    messages: StringArray,
    slice: BooleanArray,
    /// Of the rows that are in a slice and have a message.
    shapes: Vec<ShapeId>,
}

/// What the counts are held against.
#[derive(Debug, Clone, Copy)]
struct Yardstick {
    rows_a: u64,
    rows_b: u64,
    /// How many rows weigh as much as an independent one.
    deff: f64,
    alpha: f64,
    min_ratio: f64,
    /// Share of A that a pattern must have.
    min_support: f64,
    /// B is every row that is not in A.
    complement: bool,
}

/// Rows of A and of B.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Rows {
    a: u64,
    b: u64,
}

impl Rows {
    fn count(&mut self, in_a: bool) {
        self.a += u64::from(in_a);
        self.b += u64::from(!in_a);
    }
}

impl Batch {
    /// The rows that are in a slice and have a message, and whether they are in A.
    fn rows(messages: &StringArray, slice: &BooleanArray) -> impl Iterator<Item = (usize, bool)> {
        let rows = slice.iter().enumerate().filter_map(|(row, in_a)| Some((row, in_a?)));
        rows.filter(|(row, _)| messages.is_valid(*row))
    }
}

impl Messages {
    pub(crate) fn new(column: &str) -> Self {
        Self { column: column.to_owned(), miner: PatternMiner::new(), batches: Vec::new() }
    }

    /// Per row of the batch, `slice` is true in A, false in B, null in neither.
    pub(crate) fn push(&mut self, messages: StringArray, slice: BooleanArray) {
        let shapes = Batch::rows(&messages, &slice).map(|(row, _)| self.miner.learn(messages.value(row))).collect();
        self.batches.push(Batch { messages, slice, shapes });
    }

    pub(crate) fn column(&self) -> &str {
        &self.column
    }

    /// Adds to a report what the rows say: they are its explanations when it has no other.
    pub(crate) fn add_to(self, report: &mut Report, options: &Options, noun: &str) {
        let yardstick = Yardstick {
            rows_a: report.rows_a,
            rows_b: report.rows_b,
            deff: report.unit.as_ref().map_or(1.0, |unit| unit.design_effect),
            alpha: options.alpha,
            min_ratio: options.min_ratio,
            min_support: options.min_support,
            complement: report.complement,
        };
        let said = self.said(&yardstick);
        if report.explanations.is_empty() && !said.is_empty() {
            let alone = |evidence: &Evidence| Explanation {
                evidence: evidence.clone(),
                alternates: Vec::new(),
                alternates_total: 0,
            };
            report.explanations = said.iter().map(alone).collect();
            report.ranked.splice(0..0, said.iter().cloned());
            report.ranked.truncate(RANKED_MAX);
            report.sentence = sentence(report, noun);
        }
        report.said.extend(said);
    }

    /// What is said in A more often than in B, the most telling first.
    fn said(mut self, yardstick: &Yardstick) -> Vec<Evidence> {
        self.miner.settle();
        let mut patterns = self.patterns();
        // All that was counted could have reached the minimum.
        let tested = patterns.len();
        let min_rows = yardstick.min_rows();
        patterns.retain(|pattern| pattern.rows.a >= min_rows);
        self.count_values(&mut patterns);
        let values: usize = patterns.iter().map(|pattern| pattern.values.len()).sum();
        let teller = Teller { column: &self.column, yardstick, tested: (tested + values) as f64 };
        let mut said: Vec<Evidence> = patterns.iter().flat_map(|pattern| teller.tell(pattern)).collect();
        said.sort_by(|one, other| {
            other.score.total_cmp(&one.score).then_with(|| one.condition().cmp(&other.condition()))
        });
        said.truncate(SAID_MAX);
        said
    }

    /// Patterns with their rows, in the order of their ids.
    fn patterns(&self) -> Vec<Pattern<'_>> {
        let mut by_id: HashMap<PatternId, Pattern> = HashMap::new();
        for (shape, in_a) in self.batches.iter().flat_map(Batch::shapes) {
            let template = self.miner.template_of(shape).expect("the miner has settled");
            let pattern = by_id.entry(template.id()).or_insert_with(|| Pattern::of(template));
            pattern.rows.count(in_a);
        }
        let mut patterns: Vec<Pattern> = by_id.into_values().collect();
        patterns.sort_by_key(|pattern| pattern.template.id());
        patterns
    }

    /// Counts the values in the slots of patterns that both slices have; where all is A nothing tells values apart.
    fn count_values<'a>(&'a self, patterns: &mut [Pattern<'a>]) {
        let places = patterns.iter().enumerate().filter(|(_, pattern)| pattern.rows.b > 0);
        let places: HashMap<PatternId, usize> = places.map(|(at, pattern)| (pattern.template.id(), at)).collect();
        for batch in &self.batches {
            let rows = Batch::rows(&batch.messages, &batch.slice).zip(&batch.shapes);
            for ((row, in_a), shape) in rows {
                let template = self.miner.template_of(*shape).expect("the miner has settled");
                if let Some(at) = places.get(&template.id()) {
                    patterns[*at].count_values(batch.messages.value(row), in_a);
                }
            }
        }
    }
}

impl Batch {
    fn shapes(&self) -> impl Iterator<Item = (ShapeId, bool)> {
        let in_a = Self::rows(&self.messages, &self.slice).map(|(_, in_a)| in_a);
        self.shapes.iter().copied().zip(in_a)
    }
}

#[derive(Debug)]
struct Pattern<'a> {
    template: &'a Template,
    rows: Rows,
    /// By number of the slot, from one, and value.
    values: HashMap<(usize, &'a str), Rows>,
}

impl<'a> Pattern<'a> {
    fn of(template: &'a Template) -> Self {
        Self { template, rows: Rows::default(), values: HashMap::new() }
    }

    fn count_values(&mut self, message: &'a str, in_a: bool) {
        for (value, number) in self.template.slots(message).into_iter().zip(1..=SLOTS_MAX) {
            let is_full = self.values.len() >= SLOT_VALUES_MAX;
            match self.values.entry((number, value)) {
                Entry::Occupied(mut rows) => rows.get_mut().count(in_a),
                // A value that first comes late is rare, and rare values explain nothing.
                Entry::Vacant(_) if is_full => {}
                Entry::Vacant(place) => place.insert(Rows::default()).count(in_a),
            }
        }
    }
}

impl Yardstick {
    fn min_rows(&self) -> u64 {
        ((self.min_support * self.rows_a as f64).ceil() as u64).max(ROWS_MIN)
    }
}

struct Teller<'a> {
    column: &'a str,
    yardstick: &'a Yardstick,
    /// Patterns and values that were looked at.
    tested: f64,
}

impl Teller<'_> {
    /// The pattern where it stands out, or the value in it that makes it stand out.
    fn tell(&self, pattern: &Pattern<'_>) -> Option<Evidence> {
        let Yardstick { rows_a, rows_b, .. } = *self.yardstick;
        let within = |rows: Rows| Table::new(rows.a, rows.b, pattern.rows.a, pattern.rows.b);
        let telling = pattern.values.iter().filter(|(_, rows)| self.stands_out(**rows, &within(**rows)));
        let value = telling.max_by(|one, other| {
            let g = |rows: &Rows| within(*rows).g();
            g(one.1).total_cmp(&g(other.1)).then_with(|| other.0.cmp(one.0))
        });
        if let Some(((number, value), rows)) = value {
            let table = within(*rows);
            return Some(self.evidence(pattern.template, Some((*number, value)), *rows, self.q(&table)));
        }
        let table = Table::new(pattern.rows.a, pattern.rows.b, rows_a, rows_b);
        self.stands_out(pattern.rows, &table)
            .then(|| self.evidence(pattern.template, None, pattern.rows, self.q(&table)))
    }

    fn q(&self, table: &Table) -> f64 {
        (table.thinned(self.yardstick.deff).p() * self.tested * SHARE_OF_ALPHA).min(1.0)
    }

    fn stands_out(&self, rows: Rows, table: &Table) -> bool {
        let lifted = |inside: f64, all: f64| inside / all.max(1.0);
        let a = lifted(table.a_in, table.a_in + table.a_out);
        let b = lifted(table.b_in, table.b_in + table.b_out);
        rows.a >= self.yardstick.min_rows() && a > b * self.yardstick.min_ratio && self.q(table) <= self.yardstick.alpha
    }

    fn evidence(&self, template: &Template, value: Option<(usize, &str)>, rows: Rows, q_value: f64) -> Evidence {
        let Yardstick { rows_a, rows_b, deff, complement, .. } = *self.yardstick;
        let table = Table::new(rows.a, rows.b, rows_a, rows_b);
        let risk = complement.then(|| table.risk_ratio());
        let mut items = vec![item(format!("pattern({})", self.column), template.text())];
        items.extend(value.map(|(number, value)| item(format!("{} slot {number}", self.column), value)));
        let (support_a, support_b) = (rows.a as f64 / rows_a.max(1) as f64, rows.b as f64 / rows_b.max(1) as f64);
        Evidence {
            items,
            rows_a: rows.a,
            rows_b: rows.b,
            support_a,
            support_b,
            support_ratio: (rows.b > 0).then(|| support_a / support_b),
            risk_ratio: risk.map(|risk| risk.ratio),
            ci: risk.map(|risk| risk.interval(deff)),
            value_a: None,
            value_b: None,
            contribution: None,
            q_value,
            score: table.thinned(deff).g(),
        }
    }
}

/// Whether texts are sentences that hardly repeat, rather than names.
pub(crate) fn is_prose(texts: &StringArray) -> bool {
    let sample = || texts.iter().flatten().take(PROSE_SAMPLE_ROWS);
    let different: HashSet<&str> = sample().collect();
    let sentences = sample().filter(|text| text.split_whitespace().nth(2).is_some()).count();
    let rows = sample().count();
    rows > 0 && different.len() * 2 > rows && sentences * 2 > rows
}

fn item(dimension: String, value: &str) -> ReportItem {
    let condition = format!("{dimension} = \"{value}\"");
    ReportItem { dimension, value: value.to_owned(), condition, aliases: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn yardstick(rows_a: u64, rows_b: u64) -> Yardstick {
        Yardstick { rows_a, rows_b, deff: 1.0, alpha: 0.05, min_ratio: 1.5, min_support: 0.01, complement: true }
    }

    fn said(a: &[String], b: &[String]) -> Vec<String> {
        let mut messages = Messages::new("_msg");
        for (slice, texts) in [(true, a), (false, b)] {
            messages.push(StringArray::from_iter_values(texts), vec![slice; texts.len()].into());
        }
        let said = messages.said(&yardstick(a.len() as u64, b.len() as u64));
        said.iter()
            .map(|evidence| format!("{} {}/{}", evidence.condition(), evidence.rows_a, evidence.rows_b))
            .collect()
    }

    fn rows(count: usize, text: impl Fn(usize) -> String) -> Vec<String> {
        (0..count).map(text).collect()
    }

    #[test]
    fn a_pattern_that_only_failing_rows_have_is_said() {
        let served = |row| format!("request {row} was served in {row} ms");
        let full = |row| format!("write to /var/lib/data{row} failed: no space left on device");
        let a = [rows(60, full), rows(40, served)].concat();
        assert_eq!(
            said(&a, &rows(400, served)),
            ["pattern(_msg) = \"write to <path> failed: no space left on device\" 60/0"]
        );
    }

    #[test]
    fn a_value_in_a_slot_is_said_where_the_pattern_says_nothing() {
        let charged = |row: usize| format!("customer {} was charged {row} cents", row % 50);
        let one = |row: usize| format!("customer 1002 was charged {row} cents");
        let a = [rows(150, one), rows(50, charged)].concat();
        let b = [rows(6, one), rows(1000, charged)].concat();
        assert_eq!(
            said(&a, &b),
            ["pattern(_msg) = \"customer <num> was charged <num> cents\" and _msg slot 1 = \"1002\" 150/6"]
        );
    }

    #[test]
    fn slices_that_say_the_same_say_nothing() {
        let text = |row: usize| format!("step {} of job {row} is done", ["one", "two", "three"][row % 3]);
        assert_eq!(said(&rows(300, text), &rows(900, text)), [""; 0]);
        assert_eq!(said(&[], &[]), [""; 0]);
    }
}
