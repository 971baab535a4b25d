//! From rows to report: items, itemsets, tests, cover.

use crate::bitmap::Bitmap;
use crate::cells::Shape;
use crate::column::Column;
use crate::cover::{Choice, Cover, cover};
use crate::dimensions::{Dimensions, Encoding};
use crate::input::{Baseline, Input, Options, Slices};
use crate::items::{Value, collapse_aliases};
use crate::limits::{ALTERNATES_MAX, RANKED_MAX, ROWS_MIN};
use crate::mine::{Found, Itemset, Mined, mine};
use crate::population::Population;
use crate::report::{Alias, Evidence, Explanation, Report, ReportItem, Unit};
use crate::sentence::sentence;
use crate::significance::{Family, Table};
use crate::units::Units;
use crate::workers::Stop;
use crate::{RcaError, names};

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
    options.check()?;
    if let Some(batch) = input.batches.first() {
        options.check_names(batch.schema_ref())?;
    }
    let slices = Slices::of(input)?;
    let units = units(input, options, &slices)?;
    let (all_a, all_b) = (Bitmap::ones(slices.a.len), Bitmap::ones(slices.b.len));
    let deff = units.as_ref().map_or(1.0, |units| units.design_effect(&all_a, &all_b));
    let rows_a = slices.a.len as f64;
    let min_rows = ((options.min_support * rows_a).ceil() as u64).max(ROWS_MIN);
    let unit = units.as_ref().map(|units| units.column.as_str());
    let encoding = Encoding { input, options, slices: &slices, unit, min_rows };
    let (mut dimensions, cuts) = encoding.run(stop)?;
    dimensions.items = collapse_aliases(dimensions.items);
    let family =
        Family::new(&dimensions.choices, options.max_order, options.alpha, min_rows as f64 / deff, rows_a / deff);
    let population = Population {
        items: &dimensions.items,
        family: &family,
        units: units.as_ref(),
        min_ratio: options.min_ratio,
        rows_a: all_a.count(),
        rows_b: all_b.count(),
        a: all_a,
        b: all_b,
        deff,
    };
    let teller = Teller {
        dimensions: &dimensions,
        population: &population,
        baseline: input.baseline,
        max_order: options.max_order,
        noun,
    };
    let mine_to = |order: usize| mine(&dimensions.items, order, min_rows, stop);
    if let Some(on_partial) = on_partial {
        for order in (1..options.max_order).take_while(|_| !stop()) {
            let missing = format!("provisional: conjunctions of more than {order} are still being counted");
            on_partial(teller.report(&mine_to(order), &[&cuts[..], &[missing]].concat()));
        }
    }
    Ok(teller.report(&mine_to(options.max_order), &cuts))
}

/// The units of the rows: of the column asked for, or of one that ties rows to a request by its name.
fn units(input: &Input, options: &Options, slices: &Slices) -> Result<Option<Units>, RcaError> {
    let Some(batch) = input.batches.first() else {
        return Ok(None);
    };
    let schema = batch.schema_ref();
    let names = schema.fields().iter().map(|field| field.name().as_str());
    let unit = options.unit.as_deref().or_else(|| names::unit_among(names));
    let Some((index, field)) = unit.and_then(|unit| schema.column_with_name(unit)) else {
        return Ok(None);
    };
    let column = Column::open(input, slices, index, Shape::of(field.data_type()))?;
    Ok(column.as_ref().map(Units::of))
}

fn counted(found: &[Found], max_order: usize) -> Vec<u64> {
    let mut counted = vec![0; max_order];
    found.iter().for_each(|found| counted[found.set.order() - 1] += 1);
    counted
}

/// Puts itemsets into words and evidence.
struct Teller<'a> {
    dimensions: &'a Dimensions,
    population: &'a Population<'a>,
    baseline: Baseline,
    max_order: usize,
    noun: &'a str,
}

impl Teller<'_> {
    /// `cuts` are those from before the search for itemsets.
    fn report(&self, mined: &Mined, cuts: &[String]) -> Report {
        let Self { dimensions, population, .. } = self;
        let cover = cover(population, &mined.found);
        let units = population.units;
        let cuts = [cuts, &mined.cuts[..]].concat();
        let mut report = Report {
            sentence: String::new(),
            explanations: cover.explanations.iter().map(|choice| self.explanation(choice)).collect(),
            ranked: self.ranked(&cover),
            left_out: dimensions.left_out.clone(),
            exact: cuts.is_empty(),
            cuts,
            rows: population.rows_a + population.rows_b,
            rows_a: population.rows_a,
            rows_b: population.rows_b,
            complement: self.baseline == Baseline::Complement,
            dimensions: dimensions.names.clone(),
            counted: counted(&mined.found, self.max_order),
            unit: units.map(|units| Unit { dimension: units.column.clone(), design_effect: cover.deff }),
            measure: None,
            elapsed_ms: 0.0,
        };
        report.sentence = sentence(&report, self.noun);
        report
    }

    fn explanation(&self, choice: &Choice) -> Explanation {
        let alternates = choice.folded.iter().take(ALTERNATES_MAX);
        Explanation {
            evidence: self.evidence(&choice.found, choice.q, choice.score),
            alternates: alternates.map(|folded| self.evidence(&folded.found, folded.q, folded.score)).collect(),
            alternates_total: choice.folded.len() as u64,
        }
    }

    fn ranked(&self, cover: &Cover) -> Vec<Evidence> {
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
        let (all_a, all_b) = (self.population.rows_a, self.population.rows_b);
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
            ci: risk.map(|risk| risk.interval(self.population.deff)),
            value_a: None,
            value_b: None,
            contribution: None,
            q_value,
            score,
        }
    }

    fn items(&self, set: &Itemset) -> Vec<ReportItem> {
        let name = |dimension: u32| self.dimensions.names[dimension as usize].clone();
        let items = set.items().map(|index| &self.dimensions.items[index]);
        items
            .map(|item| ReportItem {
                dimension: name(item.dimension),
                value: item.value.to_string(),
                condition: condition(&self.dimensions.names[item.dimension as usize], &item.value),
                aliases: item
                    .aliases
                    .iter()
                    .map(|(dimension, value)| Alias { dimension: name(*dimension), value: value.to_string() })
                    .collect(),
            })
            .collect()
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
mod planted;
#[cfg(test)]
mod tests;
