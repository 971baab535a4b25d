//! Explains a number (a sum, a mean, a ratio, a percentile) instead of why rows are in slice A.
//!
//! There are three questions. With an expected value per row: where is reality off ([`deviation`])? With a slice B: which
//! slices changed more than the rest ([`rate`], for means and percentiles on the rows in the tail; sums against those of
//! B by [`deviation`])? With neither: which slices differ from all others ([`tail`])? The first two work on a leaf table
//! ([`leaves`]), whose statistics add up, so that segments and machines can be searched apart and put together.

mod agg;
mod answer;
mod choice;
mod deviation;
mod groupings;
mod leaves;
mod numbering;
mod periods;
mod rate;
mod ripple;
mod rows;
mod sentence;
mod series;
mod tail;

pub use agg::{Agg, Measure};
pub use sentence::figure;
pub use series::{Label, explain_series};

use crate::RcaError;
use crate::dimensions::LeftOut;
use crate::input::{Input, Options};
use crate::report::Report;
use crate::workers::Stop;
use answer::Answer;
use groupings::Groupings;
use leaves::{Leaves, Part, Parts};
use rate::Rates;
use rows::Rows;
use sentence::Comparison;
use tail::{End, Passes, Tail};

/// A column of the batches, if there: the point in time (any integer) of each row, by which the baseline is cut into
/// periods.
pub(crate) const PERIOD: &str = "_culprit_period";

/// Explains a measure over the rows of the input. A row whose value, denominator or expectation is not a finite number
/// (or whose denominator is not above zero) is not counted, and how many there were is said.
pub fn explain_measure(
    input: &Input,
    measure: &Measure,
    options: &Options,
    noun: &str,
    stop: Stop<'_>,
) -> Result<Report, RcaError> {
    explain_measure_progressively(input, measure, options, noun, stop, None)
}

/// The same, and before it what single values explain, as soon as that is known: marked as not exact. Of a long search it
/// costs a small part.
pub fn explain_measure_progressively(
    input: &Input,
    measure: &Measure,
    options: &Options,
    noun: &str,
    stop: Stop<'_>,
    on_partial: Option<&mut dyn FnMut(Report)>,
) -> Result<Report, RcaError> {
    options.check()?;
    if let Some(batch) = input.batches.first() {
        options.check_names(batch.schema_ref())?;
    }
    let rows = Rows::of(input, measure)?;
    if rows.count_a() == 0 {
        return Err(RcaError::NoValues { name: measure.column.clone(), rows: rows.skipped });
    }
    let asked = Asked { input, measure, options, noun, rows: &rows, stop };
    if let Some(on_partial) = on_partial
        && options.max_order > 1
    {
        let singles = Options { max_order: 1, ..options.clone() };
        let mut report = Asked { options: &singles, ..asked }.report(Passes::First)?;
        report.exact = false;
        report.cuts.insert(0, "provisional: conjunctions are still being searched".to_owned());
        on_partial(report);
    }
    asked.report(Passes::All)
}

#[derive(Clone, Copy)]
struct Asked<'a> {
    input: &'a Input,
    measure: &'a Measure,
    options: &'a Options,
    noun: &'a str,
    rows: &'a Rows,
    stop: Stop<'a>,
}

impl Asked<'_> {
    fn report(&self, passes: Passes) -> Result<Report, RcaError> {
        let Self { input, measure, options, noun, rows, stop } = *self;
        let has_b = rows.count_a() < rows.len();
        let mut report = match (&measure.agg, &measure.expected) {
            (_, Some(_)) => self.against_expectation(),
            (Agg::Sum, None) if has_b => self.sums_against_baseline(),
            (Agg::Avg | Agg::Percentile(_), None) if has_b => self.tails_against_baseline(),
            (Agg::Ratio { .. }, None) if has_b => self.ratio_against_baseline(),
            (Agg::Ratio { .. }, None) => self.ratio_against_the_rest(),
            (Agg::Sum | Agg::Avg | Agg::Percentile(_), None) => {
                tail::explain_elsewhere(input, measure, options, noun, rows, passes, stop)
            }
        }?;
        if rows.skipped > 0 {
            let why = format!("{} rows have no usable value and were not counted", rows.skipped);
            report.left_out.push(LeftOut { dimension: measure.column.clone(), why });
        }
        Ok(report)
    }

    fn against_expectation(&self) -> Result<Report, RcaError> {
        let parts = |row: usize| {
            // The expectation of a ratio is one of its value, so that it adds up by denominators.
            let is_ratio = matches!(self.measure.agg, Agg::Ratio { .. });
            let weight = self.rows.denominators[row];
            let expected = self.rows.expected[row] * if is_ratio { weight } else { 1.0 };
            let real = self.rows.values[row];
            Parts { a: part(real, weight, real), b: Part { rows: 0, ..part(expected, weight, expected) } }
        };
        let (leaves, groupings) = self.leaves(&(0..self.rows.len()).map(parts).collect::<Vec<_>>())?;
        let expected: Vec<f64> = leaves.parts.iter().map(|parts| parts.b.value).collect();
        Ok(self.deviations(&leaves, &groupings, &expected, Comparison::Expected))
    }

    /// The windows may differ in length: what most leaves became is what was expected of all.
    fn sums_against_baseline(&self) -> Result<Report, RcaError> {
        let leaves = self.comparable_leaves(&self.both(|row| (self.rows.values[row], 1.0)))?;
        let groupings = Groupings::of(&leaves, self.options.max_order, self.stop);
        let both = |parts: &&Parts| parts.a.value > 0.0 && parts.b.value > 0.0;
        let ratios: Vec<f64> = leaves.parts.iter().filter(both).map(|parts| parts.a.value / parts.b.value).collect();
        let scale = if ratios.is_empty() { 1.0 } else { rows::percentile(ratios, 50.0) };
        let expected: Vec<f64> = leaves.parts.iter().map(|parts| parts.b.value * scale).collect();
        Ok(self.deviations(&leaves, &groupings, &expected, Comparison::Baseline))
    }

    fn ratio_against_baseline(&self) -> Result<Report, RcaError> {
        let below_zero = self.rows.values.iter().filter(|value| **value < 0.0).count();
        if below_zero > 0 {
            return Err(RcaError::NegativeNumerator { name: self.measure.column.clone(), rows: below_zero as u64 });
        }
        self.rates(&self.both(|row| (self.rows.values[row], self.rows.denominators[row])), Comparison::Baseline)
    }

    /// Every slice is compared with a world that has the rate of all rows.
    fn ratio_against_the_rest(&self) -> Result<Report, RcaError> {
        let all = self.rows.value(&self.measure.agg, |_| true).unwrap_or(0.0);
        let parts = |row: usize| {
            let (value, weight) = (self.rows.values[row], self.rows.denominators[row]);
            Parts { a: part(value, weight, value), b: Part { rows: 0, ..part(all * weight, weight, all * weight) } }
        };
        self.rates(&(0..self.rows.len()).map(parts).collect::<Vec<_>>(), Comparison::Elsewhere)
    }

    fn tails_against_baseline(&self) -> Result<Report, RcaError> {
        let side = |in_a: bool| (0..self.rows.len()).filter(move |row| self.rows.in_a[*row] == in_a);
        let of = |in_a: bool| self.rows.value(&self.measure.agg, |row| self.rows.in_a[row] == in_a);
        let end = if of(true) >= of(false) { End::High } else { End::Low };
        let tail = Tail::of(&self.measure.agg, end, side(false).map(|row| self.rows.values[row]).collect());
        let has = |row: usize| (f64::from(u8::from(tail.has(self.rows.values[row]))), 1.0);
        let mut report = self.rates(&self.both(has), Comparison::Baseline)?;
        if let Agg::Percentile(_) = self.measure.agg {
            tail::fill_percentiles(self.input, self.rows, self.measure, &mut report)?;
            report.sentence = sentence::sentence(&report, self.measure, Comparison::Baseline, self.noun);
        }
        Ok(report)
    }

    /// Each row on the side of its slice, with the value and the weight that the search compares.
    fn both(&self, of: impl Fn(usize) -> (f64, f64)) -> Vec<Parts> {
        let calm = periods::calm(self.input, self.rows, &of);
        let parts = |row: usize| {
            let (value, weight) = of(row);
            let part = part(value, weight, self.rows.values[row]);
            match (self.rows.in_a[row], calm.uses(row)) {
                (true, _) => Parts { a: part, ..Parts::default() },
                (false, true) => Parts { b: part, ..Parts::default() },
                (false, false) => Parts::default(),
            }
        };
        (0..self.rows.len()).map(parts).collect()
    }

    fn leaves(&self, parts: &[Parts]) -> Result<(Leaves, Groupings), RcaError> {
        let not_searched: Vec<String> = self.measure.columns().cloned().chain([PERIOD.to_owned()]).collect();
        let leaves = Leaves::of(self.input, self.options, &not_searched, &self.rows.rows, parts)?;
        let groupings = Groupings::of(&leaves, self.options.max_order, self.stop);
        Ok((leaves, groupings))
    }

    /// Leaves that both slices have. Rows of logs share few values of many dimensions; what is in one slice alone has
    /// nothing to be compared with, so the dimensions with the most values go until most of the measure has.
    fn comparable_leaves(&self, parts: &[Parts]) -> Result<Leaves, RcaError> {
        let mut not_searched: Vec<String> = self.measure.columns().cloned().chain([PERIOD.to_owned()]).collect();
        let mut left_out = Vec::new();
        loop {
            let mut leaves = Leaves::of(self.input, self.options, &not_searched, &self.rows.rows, parts)?;
            let size = |parts: &Parts| parts.a.value.abs() + parts.b.value.abs();
            let in_both = |parts: &&Parts| parts.a.rows > 0 && parts.b.rows > 0;
            let compared: f64 = leaves.parts.iter().filter(in_both).map(size).sum();
            let finest = leaves.dimensions.iter().max_by_key(|dimension| dimension.values.len());
            match finest {
                Some(finest) if 2.0 * compared < leaves.parts.iter().map(size).sum() && leaves.dimensions.len() > 1 => {
                    let why = format!("its {} values leave too few rows to compare", finest.values.len());
                    left_out.push(LeftOut { dimension: finest.name.clone(), why });
                    not_searched.push(finest.name.clone());
                }
                _ => {
                    leaves.left_out.append(&mut left_out);
                    return Ok(leaves);
                }
            }
        }
    }

    fn deviations(&self, leaves: &Leaves, groupings: &Groupings, expected: &[f64], against: Comparison) -> Report {
        let choices = deviation::search(leaves, groupings, expected, self.options.alpha, self.stop);
        let off = |leaf: usize| leaves.parts[leaf].a.value - expected[leaf];
        let all: f64 = (0..leaves.len()).map(off).sum();
        let contribution = |members: &[usize]| members.iter().map(|leaf| off(*leaf)).sum::<f64>() / all;
        self.answer(leaves, groupings, &choices, &contribution, against, None)
    }

    fn rates(&self, parts: &[Parts], against: Comparison) -> Result<Report, RcaError> {
        let (leaves, groupings) = self.leaves(parts)?;
        let rates = Rates::new(&leaves, &groupings, self.options);
        let choices = rates.search(self.stop);
        let contribution = |members: &[usize]| rates.contribution(members);
        let mix = (against == Comparison::Baseline).then(|| mix(&leaves, &rates.expected)).flatten();
        Ok(self.answer(&leaves, &groupings, &choices, &contribution, against, mix))
    }

    fn answer(
        &self,
        leaves: &Leaves,
        groupings: &Groupings,
        choices: &choice::Choices,
        contribution: &dyn Fn(&[usize]) -> f64,
        comparison: Comparison,
        mix: Option<f64>,
    ) -> Report {
        Answer { measure: self.measure, noun: self.noun, leaves, groupings, choices, contribution, comparison, mix }
            .report()
    }
}

fn part(value: f64, weight: f64, sum: f64) -> Part {
    Part { rows: 1, value, weight, sum }
}

/// Kitagawa's decomposition: of the change of the rate, the part that A would show with the rates of B.
fn mix(leaves: &Leaves, expected: &[f64]) -> Option<f64> {
    let Parts { a, b } = leaves.total();
    let (rate_a, rate_b) = (a.value / a.weight, b.value / b.weight);
    let with_rates_of_b = expected.iter().sum::<f64>() / a.weight;
    Some((with_rates_of_b - rate_b) / (rate_a - rate_b)).filter(|mix| mix.is_finite())
}

#[cfg(test)]
mod tests;
