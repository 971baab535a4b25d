//! Means and percentiles of single rows, whose distribution has no bound: a handful of slow requests moves a mean more
//! than a slow service does. So the question is asked about the tail: which rows are among the largest values? That is a
//! predicate, for which there is the row engine with all that it knows about combinations, dependent rows and chance. What
//! is reported are the means (or percentiles) of the rows that it names.

use std::collections::{HashMap, HashSet};

use arrow::array::{BooleanArray, RecordBatch};

use super::agg::{Agg, Measure};
use super::rows::{Rows, percentile};
use super::sentence::{Comparison, sentence};
use crate::bitmap::Bitmap;
use crate::input::{Baseline, Input, Options};
use crate::limits::RANKED_MAX;
use crate::report::{Evidence, Measured, Report, ReportItem};
use crate::workers::Stop;
use crate::{RcaError, explain};

/// The percentile beyond which values are the tail of a mean: a tenth of the rows is enough to tell slices apart and
/// few enough to be what matters.
pub(crate) const MEAN_TAIL: f64 = 90.0;

/// A wide and slow slice fills the tail, and hides narrower ones. So when what is explained is this part of the rows,
/// the question is asked again about the others.
const MASKING_PERCENT: f64 = 2.0;

/// How often it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Passes {
    First,
    All,
}

impl Passes {
    fn max(self) -> usize {
        match self {
            Passes::First => 1,
            Passes::All => 3,
        }
    }
}

/// Which end of the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    High,
    Low,
}

/// A value of the end of a distribution.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tail {
    end: End,
    edge: f64,
}

impl Tail {
    /// The tail that the aggregate is about, cut where `values` have it. There must be a value. When so many rows share the
    /// outermost value that the cut falls on it, they are the tail.
    pub(crate) fn of(agg: &Agg, end: End, values: Vec<f64>) -> Self {
        let rank = if let Agg::Percentile(rank) = agg { *rank } else { MEAN_TAIL };
        let rank = if end == End::Low { 100.0 - rank } else { rank };
        let edge = percentile(values.clone(), rank);
        let tail = Self { end, edge };
        if values.iter().any(|value| tail.has(*value)) {
            return tail;
        }
        let inner = match end {
            End::High => values.into_iter().filter(|value| *value < edge).max_by(f64::total_cmp),
            End::Low => values.into_iter().filter(|value| *value > edge).min_by(f64::total_cmp),
        };
        Self { end, edge: inner.unwrap_or(edge) }
    }

    pub(crate) fn has(&self, value: f64) -> bool {
        match self.end {
            End::High => value > self.edge,
            End::Low => value < self.edge,
        }
    }
}

/// Which slices have more than their share of the high values; if none has, of the low ones.
pub(crate) fn explain_elsewhere(
    input: &Input,
    measure: &Measure,
    options: &Options,
    noun: &str,
    rows: &Rows,
    passes: Passes,
    stop: Stop<'_>,
) -> Result<Report, RcaError> {
    // Two questions are asked, so each has half of the error to spend.
    let options = Options { alpha: options.alpha / 2.0, ..options.clone() };
    let one = Asked { input, measure, rows, options: &options, noun, passes };
    let high = one.explain(End::High, stop)?;
    if !high.explanations.is_empty() || stop() {
        return Ok(high);
    }
    let low = one.explain(End::Low, stop)?;
    Ok(if low.explanations.is_empty() { high } else { low })
}

struct Asked<'a> {
    input: &'a Input,
    measure: &'a Measure,
    rows: &'a Rows,
    options: &'a Options,
    noun: &'a str,
    passes: Passes,
}

impl Asked<'_> {
    fn explain(&self, end: End, stop: Stop<'_>) -> Result<Report, RcaError> {
        let mut members = Members { input: self.input, rows: self.rows, items: HashMap::new(), known: HashMap::new() };
        let mut left = Bitmap::ones(self.rows.len());
        let mut report = self
            .pass(end, &left, stop)?
            .ok_or_else(|| RcaError::ConstantMeasure { name: self.measure.column.clone() })?;
        let mut found = report.explanations.clone();
        for _ in 1..self.passes.max() {
            let rows_before = left.count();
            for explanation in &found {
                left.and_not_assign(&members.of(&explanation.evidence.items)?);
            }
            // The tail moves only when what is explained was a good part of the rows.
            if (rows_before - left.count()) as f64 * 100.0 < MASKING_PERCENT * rows_before as f64 || stop() {
                break;
            }
            let Some(next) = self.pass(end, &left, stop)? else {
                break;
            };
            found = next.explanations.clone();
            merge(&mut report, next);
        }
        self.fill_in(&mut report, end, &mut members)?;
        Ok(report)
    }

    /// One question to the row engine, about the rows left; none when they have no tail.
    fn pass(&self, end: End, left: &Bitmap, stop: Stop<'_>) -> Result<Option<Report>, RcaError> {
        let values = || self.rows.values.iter().enumerate().filter(|(row, _)| left.get(*row)).map(|(_, value)| *value);
        if values().next().is_none() {
            return Ok(None);
        }
        let tail = Tail::of(&self.measure.agg, end, values().collect());
        if !values().any(|value| tail.has(value)) {
            return Ok(None);
        }
        let input = Input {
            batches: self.input.batches.clone(),
            slice: self.slices(tail, left),
            predicate_columns: self.measure.columns().chain(&self.input.predicate_columns).cloned().collect(),
            baseline: Baseline::Complement,
        };
        explain(&input, self.options, self.noun, stop).map(Some)
    }

    /// Rows that do not count are in neither slice.
    fn slices(&self, tail: Tail, left: &Bitmap) -> Vec<BooleanArray> {
        let mut at = 0;
        let of_batch = |(batch, kept): (&RecordBatch, &Vec<u32>)| {
            let mut flags: Vec<Option<bool>> = vec![None; batch.num_rows()];
            for row in kept {
                flags[*row as usize] = left.get(at).then(|| tail.has(self.rows.values[at]));
                at += 1;
            }
            BooleanArray::from(flags)
        };
        self.input.batches.iter().zip(&self.rows.rows).map(of_batch).collect()
    }

    /// Puts the values of the measure into a report about its tail, in which A and B are all rows and the others.
    fn fill_in(&self, report: &mut Report, end: End, members: &mut Members<'_>) -> Result<(), RcaError> {
        let mut rest = Bitmap::ones(self.rows.len());
        for explanation in &report.explanations {
            rest.and_not_assign(&members.of(&explanation.evidence.items)?);
        }
        let scale = Scale::of(&self.rows.values, &rest);
        for explanation in &mut report.explanations {
            self.fill_evidence(&mut explanation.evidence, members, &scale)?;
            for alternate in &mut explanation.alternates {
                self.fill_evidence(alternate, members, &scale)?;
            }
        }
        for evidence in &mut report.ranked {
            self.fill_evidence(evidence, members, &scale)?;
        }
        // What the tail names but the measure does not bear out is no explanation of the measure.
        let deviates = |evidence: &Evidence| match (evidence.value_a, evidence.value_b) {
            (Some(inside), Some(outside)) => (inside > outside) == (end == End::High) && inside != outside,
            _ => true,
        };
        report.explanations.retain(|explanation| deviates(&explanation.evidence));
        report.measure = Some(Measured {
            column: self.measure.column.clone(),
            agg: self.measure.agg.to_string(),
            value_a: self.rows.value(&self.measure.agg, |_| true),
            value_b: None,
            mix: None,
        });
        report.rows_a = self.rows.len() as u64;
        report.rows_b = 0;
        report.complement = false;
        report.sentence = sentence(report, self.measure, Comparison::Elsewhere, self.noun);
        Ok(())
    }

    fn fill_evidence(&self, evidence: &mut Evidence, members: &mut Members<'_>, scale: &Scale) -> Result<(), RcaError> {
        let all = self.rows.len() as u64;
        let inside = match members.known.get(&evidence.condition()) {
            Some(known) => *known,
            None => {
                let rows = members.of(&evidence.items)?;
                let inside = self.inside(&rows, scale);
                members.known.insert(evidence.condition(), inside);
                inside
            }
        };
        evidence.value_a = inside.value;
        evidence.value_b = inside.value_outside;
        evidence.contribution = inside.contribution;
        evidence.rows_a = inside.rows;
        evidence.rows_b = all - inside.rows;
        evidence.support_a = evidence.rows_a as f64 / all as f64;
        evidence.support_b = evidence.rows_b as f64 / all as f64;
        evidence.support_ratio = None;
        evidence.risk_ratio = None;
        evidence.ci = None;
        Ok(())
    }

    fn inside(&self, rows: &Bitmap, scale: &Scale) -> Inside {
        let agg = &self.measure.agg;
        Inside {
            rows: rows.count(),
            value: self.rows.value(agg, |row| rows.get(row)),
            value_outside: self.rows.value(agg, |row| !rows.get(row)),
            contribution: scale.contribution(&self.rows.values, rows),
        }
    }
}

/// The measure inside and outside of a slice.
#[derive(Debug, Clone, Copy)]
struct Inside {
    rows: u64,
    value: Option<f64>,
    value_outside: Option<f64>,
    contribution: Option<f64>,
}

/// Puts what a later pass found behind what the earlier ones did.
fn merge(report: &mut Report, next: Report) {
    report.explanations.extend(next.explanations);
    report.cuts.extend(next.cuts);
    report.exact &= next.exact;
    let chosen: Vec<Evidence> = report.explanations.iter().map(|explanation| explanation.evidence.clone()).collect();
    let all = chosen.into_iter().chain(std::mem::take(&mut report.ranked)).chain(next.ranked);
    let mut seen: HashSet<String> = HashSet::new();
    report.ranked = all.filter(|evidence| seen.insert(evidence.condition())).take(RANKED_MAX).collect();
}

/// Puts the percentiles of slice A and of slice B into a report whose rows were searched by their tail.
pub(crate) fn fill_percentiles(
    input: &Input,
    rows: &Rows,
    measure: &Measure,
    report: &mut Report,
) -> Result<(), RcaError> {
    let mut members = Members { input, rows, items: HashMap::new(), known: HashMap::new() };
    let mut fill = |evidence: &mut Evidence| -> Result<(), RcaError> {
        let inside = members.of(&evidence.items)?;
        evidence.value_a = rows.value(&measure.agg, |row| inside.get(row) && rows.in_a[row]);
        evidence.value_b = rows.value(&measure.agg, |row| inside.get(row) && !rows.in_a[row]);
        Ok(())
    };
    for explanation in &mut report.explanations {
        fill(&mut explanation.evidence)?;
        explanation.alternates.iter_mut().try_for_each(&mut fill)?;
    }
    report.ranked.iter_mut().try_for_each(&mut fill)?;
    if let Some(measured) = &mut report.measure {
        measured.value_a = rows.value(&measure.agg, |row| rows.in_a[row]);
        measured.value_b = rows.value(&measure.agg, |row| !rows.in_a[row]);
    }
    Ok(())
}

/// Which rows have an item, found once per item.
struct Members<'a> {
    input: &'a Input,
    rows: &'a Rows,
    items: HashMap<String, Bitmap>,
    /// By condition: what is asserted stands in the ranking too, and most alternates do.
    known: HashMap<String, Inside>,
}

impl Members<'_> {
    fn of(&mut self, items: &[ReportItem]) -> Result<Bitmap, RcaError> {
        let mut rows = Bitmap::ones(self.rows.len());
        for item in items {
            if !self.items.contains_key(&item.condition) {
                self.items.insert(item.condition.clone(), self.rows.with_item(self.input, item)?);
            }
            rows.and_assign(&self.items[&item.condition]);
        }
        Ok(rows)
    }
}

/// What a deviation is measured from: the mean of the rows that no explanation has, and what all rows have beyond it.
struct Scale {
    normal: f64,
    excess: f64,
}

impl Scale {
    fn of(values: &[f64], unexplained: &Bitmap) -> Self {
        let normal = values.iter().enumerate().filter(|(row, _)| unexplained.get(*row)).map(|(_, value)| value);
        let normal = normal.sum::<f64>() / (unexplained.count().max(1)) as f64;
        Self { normal, excess: values.iter().map(|value| value - normal).sum() }
    }

    fn contribution(&self, values: &[f64], inside: &Bitmap) -> Option<f64> {
        let rows = values.iter().enumerate().filter(|(row, _)| inside.get(*row));
        let share = rows.map(|(_, value)| value - self.normal).sum::<f64>() / self.excess;
        Some(share).filter(|share| share.is_finite())
    }
}
