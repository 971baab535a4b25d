//! From rows to report: items, itemsets, tests, cover.

use std::sync::Arc;

use crate::cover::{Choice, Cover, cover};
use crate::dimensions::{Dimensions, Encoding};
use crate::implications::Implications;
use crate::input::{Baseline, Input, Options};
use crate::items::{ItemList, Value};
use crate::itemset::{Found, Itemset};
use crate::limits::{ALTERNATES_MAX, RANKED_MAX, ROWS_MIN};
use crate::mine::mine;
use crate::population::{Population, RowSet};
use crate::report::{Alias, Evidence, Explanation, Report, ReportItem, Unit};
use crate::rows::Rows;
use crate::sample::Sample;
use crate::sentence::sentence;
use crate::significance::{Family, Table};
use crate::units::Units;
use crate::vanished::Vanished;
use crate::workers::Stop;
use crate::{RcaError, names, vanished};

/// Explains slice A against slice B. Exact unless `stop` turns true on the way; then what was found so far is reported
/// and marked. `noun` is the plural that the sentence uses for the rows of A.
pub fn explain(input: &Input, options: &Options, noun: &str, stop: Stop<'_>) -> Result<Report, RcaError> {
    search(input, options, noun, stop, None)
}

/// The same, and on the way what is known after each order but the last: marked as not exact, with what is still missing
/// among its cuts. The partial reports cost some of the time of the whole.
pub fn explain_progressively(
    input: &Input,
    options: &Options,
    noun: &str,
    stop: Stop<'_>,
    on_partial: &mut dyn FnMut(Report),
) -> Result<Report, RcaError> {
    search(input, options, noun, stop, Some(on_partial))
}

fn search(
    input: &Input,
    options: &Options,
    noun: &str,
    stop: Stop<'_>,
    on_partial: Option<&mut dyn FnMut(Report)>,
) -> Result<Report, RcaError> {
    let Some(batch) = input.batches.first() else {
        return Err(RcaError::NoAnomalousRows { rows: 0 });
    };
    options.check_names(batch.schema_ref())?;
    let names = batch.schema_ref().fields().iter().map(|field| field.name().as_str());
    let unit = options.unit.as_deref().or_else(|| names::unit_among(names));
    let rows = Rows::of(input, unit)?;
    let question = Asked { predicate_columns: &input.predicate_columns, baseline: input.baseline, options, noun, unit };
    explain_rows(&rows, &question, stop, on_partial)
}

/// What is asked about rows.
pub(crate) struct Asked<'a> {
    pub(crate) predicate_columns: &'a [String],
    pub(crate) baseline: Baseline,
    pub(crate) options: &'a Options,
    pub(crate) noun: &'a str,
    /// The column whose equal rows are not independent.
    pub(crate) unit: Option<&'a str>,
}

pub(crate) fn explain_rows(
    rows: &Rows,
    asked: &Asked<'_>,
    stop: Stop<'_>,
    on_partial: Option<&mut dyn FnMut(Report)>,
) -> Result<Report, RcaError> {
    let options = asked.options;
    options.check()?;
    rows.check()?;
    let sample = Sample::of(rows.len_a, rows.len_b);
    let units = asked.unit.and_then(|unit| rows.column(unit)).map(Units::of);
    let encoding = Encoding {
        rows,
        predicate_columns: asked.predicate_columns,
        options,
        unit: units.as_ref().map(|units| units.column.as_str()),
        min_rows: min_rows(options, rows.len_a as u64),
        sample: &sample,
    };
    let (dimensions, mut cuts) = encoding.run(stop);
    let all = RowSet::all(rows.len_a, rows.len_b, sample.len(rows.len_b));
    let mut hunt = Hunt {
        asked,
        units: units.as_ref(),
        dimensions,
        list: ItemList::default(),
        implications: Implications::default(),
        stop,
    };
    if let Some(on_partial) = on_partial {
        for order in (1..options.max_order).take_while(|_| !stop()) {
            let cover = hunt.cover(&all, order);
            let missing = format!(
                "provisional: conjunctions of more than {order} are still being counted; one of them has at most {} of the \
                 {} anomalous rows",
                cover.rows_of_longer_max, cover.all.rows_a
            );
            on_partial(hunt.report(&cover, &[&cuts[..], &[missing]].concat()));
        }
    }
    let mut cover = hunt.cover(&all, options.max_order);
    if stop() {
        cuts.push("the time budget ended before the search for what vanished".to_owned());
        return Ok(hunt.report(&cover, &cuts));
    }
    let (vanished, shadows) = hunt.vanished(&mut cover);
    let mut report = hunt.report(&cover, &cuts);
    report.vanished = hunt.told(&vanished, shadows, &cover);
    report.sentence = sentence(&report, asked.noun);
    Ok(report)
}

/// Rows of A that an explanation must have when so many are left.
fn min_rows(options: &Options, rows_a: u64) -> u64 {
    ((options.min_support * rows_a as f64).ceil() as u64).max(ROWS_MIN)
}

/// The search for explanations, whose items become more as the rows left become fewer.
struct Hunt<'a, 'r> {
    asked: &'a Asked<'a>,
    units: Option<&'a Units>,
    dimensions: Dimensions<'r>,
    list: ItemList<'r>,
    implications: Implications,
    stop: Stop<'a>,
}

impl<'r> Hunt<'_, 'r> {
    fn cover(&mut self, all: &RowSet, max_order: usize) -> Cover<'r> {
        cover(all.clone(), |rows| {
            let options = self.asked.options;
            let least = min_rows(options, rows.a.count());
            self.dimensions.grow(&mut self.list, &rows.a, least);
            let choices = &self.dimensions.choices;
            let family = |rows_a: u64, deff: f64| {
                Family::new(choices, options.max_order, options.alpha, least as f64 / deff, rows_a as f64 / deff)
            };
            let items = Arc::from(&self.list.items[..]);
            let population = Population::new(items, rows, self.units, options.min_ratio, family);
            let mined = mine(&population, &self.implications, max_order, least, self.stop);
            (population, mined)
        })
    }

    /// What vanished, and the explanations that are only what it leaves; these are no longer the cover's. Explanations of
    /// which that is not true have their own rows, and what vanished is looked for outside of them.
    fn vanished(&self, cover: &mut Cover<'r>) -> (Option<Vanished<'r>>, Vec<Choice>) {
        let mut doubtful: Vec<usize> = (0..cover.explanations.len()).collect();
        loop {
            let vanished = self.vanished_beside(cover, &doubtful);
            let is_shadow = |at: &usize| {
                let told = &cover.explanations[*at].found.set;
                vanished.as_ref().is_some_and(|vanished| vanished.screens_off(&cover.all, told))
            };
            let before = doubtful.len();
            doubtful.retain(is_shadow);
            if doubtful.len() == before {
                let shadows: Vec<Choice> = doubtful.iter().rev().map(|at| cover.explanations.remove(*at)).collect();
                return (vanished, shadows.into_iter().rev().collect());
            }
        }
    }

    /// Among the rows outside of the explanations that are not doubtful.
    fn vanished_beside(&self, cover: &Cover<'r>, doubtful: &[usize]) -> Option<Vanished<'r>> {
        let options = self.asked.options;
        if doubtful.is_empty() {
            return self.vanished_among(&cover.left, cover, min_rows(options, cover.left.rows_a));
        }
        let certain = cover.explanations.iter().enumerate().filter(|(at, _)| !doubtful.contains(at));
        let among = cover.all.without(certain.map(|(_, choice)| &choice.found.set));
        let share = vanished::share_missing_behind(&cover.all, doubtful.iter().map(|at| &cover.explanations[*at]));
        let least = (share * among.rows_a as f64) as u64;
        self.vanished_among(&among, cover, least.max(min_rows(options, among.rows_a)))
    }

    fn vanished_among(&self, among: &Population<'r>, cover: &Cover<'r>, expected_min: u64) -> Option<Vanished<'r>> {
        let lack = vanished::lack(among, expected_min)?;
        let common = self.dimensions.common(among, &lack);
        let vanished = vanished::vanished(among, &cover.all, common, &lack);
        (!vanished.choices.is_empty()).then_some(vanished)
    }

    /// The shadows stand under what casts them.
    fn told(&self, vanished: &Option<Vanished<'r>>, shadows: Vec<Choice>, cover: &Cover<'r>) -> Vec<Explanation> {
        let Some(Vanished { list, choices, .. }) = vanished else {
            return Vec::new();
        };
        let teller = self.teller(cover, list);
        let mut told: Vec<Explanation> = choices.iter().map(|choice| teller.explanation(choice)).collect();
        let teller = self.teller(cover, &self.list);
        let shadows: Vec<Evidence> = shadows.iter().map(|shadow| teller.explanation(shadow).evidence).collect();
        let first = &mut told[0];
        first.alternates_total += shadows.len() as u64;
        first.alternates.splice(0..0, shadows);
        first.alternates.truncate(ALTERNATES_MAX);
        told
    }

    fn teller<'t>(&'t self, cover: &'t Cover<'r>, list: &'t ItemList<'r>) -> Teller<'t, 'r> {
        Teller { dimensions: &self.dimensions, list, cover, baseline: self.asked.baseline }
    }

    /// `cuts` are those from before the search for itemsets.
    fn report(&self, cover: &Cover<'r>, cuts: &[String]) -> Report {
        let teller = self.teller(cover, &self.list);
        let cuts = [cuts, &cover.cuts[..]].concat();
        let mut counted = cover.counted.clone();
        counted.resize(self.asked.options.max_order, 0);
        let mut report = Report {
            sentence: String::new(),
            explanations: cover.explanations.iter().map(|choice| teller.explanation(choice)).collect(),
            ranked: teller.ranked(),
            said: Vec::new(),
            vanished: Vec::new(),
            left_out: self.dimensions.left_out.clone(),
            exact: cuts.is_empty(),
            cuts,
            rows: cover.all.rows_a + cover.all.rows_b,
            rows_a: cover.all.rows_a,
            rows_b: cover.all.rows_b,
            complement: self.asked.baseline == Baseline::Complement,
            dimensions: self.dimensions.names.clone(),
            counted,
            unit: self.units.map(|units| Unit { dimension: units.column.clone(), design_effect: cover.all.deff }),
            measure: None,
            elapsed_ms: 0.0,
        };
        report.sentence = sentence(&report, self.asked.noun);
        report
    }
}

/// Puts itemsets into words and evidence.
struct Teller<'a, 'r> {
    dimensions: &'a Dimensions<'r>,
    list: &'a ItemList<'r>,
    cover: &'a Cover<'r>,
    baseline: Baseline,
}

impl Teller<'_, '_> {
    fn explanation(&self, choice: &Choice) -> Explanation {
        let alternates = choice.folded.iter().take(ALTERNATES_MAX);
        Explanation {
            evidence: self.evidence(&choice.found, choice.q, choice.score),
            alternates: alternates.map(|folded| self.evidence(&folded.found, folded.q, folded.score)).collect(),
            alternates_total: choice.folded.len() as u64,
        }
    }

    fn ranked(&self) -> Vec<Evidence> {
        let cover = self.cover;
        let chosen = cover.explanations.iter().chain(&cover.below);
        let chosen = chosen.map(|choice| (&choice.found, choice.q, choice.score));
        let mut folded: Vec<_> = cover.explanations.iter().flat_map(|choice| &choice.folded).collect();
        folded.sort_by_key(|folded| std::cmp::Reverse(folded.rank()));
        chosen
            .chain(folded.into_iter().map(|folded| (&folded.found, folded.q, folded.score)))
            .take(RANKED_MAX)
            .map(|(found, q, score)| self.evidence(found, q, score))
            .collect()
    }

    fn evidence(&self, found: &Found, q_value: f64, score: f64) -> Evidence {
        let all = &self.cover.all;
        let (all_a, all_b) = (all.rows_a, all.rows_b);
        let table = Table::new(found.a, found.b, all_a, all_b);
        let risk = (self.baseline == Baseline::Complement).then(|| table.risk_ratio());
        Evidence {
            items: self.items(&found.set),
            rows_a: found.a,
            rows_b: found.b,
            support_a: found.a as f64 / all_a as f64,
            support_b: found.b as f64 / all_b as f64,
            support_ratio: (found.b > 0).then(|| found.a as f64 / all_a as f64 / (found.b as f64 / all_b as f64)),
            risk_ratio: risk.map(|risk| risk.ratio),
            ci: risk.map(|risk| risk.interval(all.deff)),
            value_a: None,
            value_b: None,
            contribution: None,
            q_value,
            score,
        }
    }

    fn items(&self, set: &Itemset) -> Vec<ReportItem> {
        let item = |index: usize| {
            let mut names = self.list.names(index).into_iter();
            let (dimension, value) = names.next().expect("an item has its own name");
            let dimension = self.dimensions.names[dimension as usize].clone();
            let alias = |(dimension, value): (u32, Value)| Alias {
                dimension: self.dimensions.names[dimension as usize].clone(),
                value: value.to_string(),
            };
            ReportItem {
                condition: condition(&dimension, &value),
                dimension,
                value: value.to_string(),
                aliases: names.map(alias).collect(),
            }
        };
        set.items().map(item).collect()
    }
}

fn condition(dimension: &str, value: &Value) -> String {
    match value {
        Value::Null => format!("{dimension} IS NULL"),
        Value::AtLeast(_) | Value::Below(_) => format!("{dimension} {value}"),
        Value::Within(..) => format!("{dimension} in {value}"),
        _ => format!("{dimension} = {value}"),
    }
}

#[cfg(test)]
mod incident;
#[cfg(test)]
mod merging;
#[cfg(test)]
mod naive;
#[cfg(test)]
mod planted;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vanishing;
