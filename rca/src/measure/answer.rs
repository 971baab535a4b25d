//! From chosen slices to the report.

use std::collections::HashSet;

use super::agg::{Agg, Measure};
use super::choice::{Choice, Choices, Scored};
use super::groupings::{Groupings, Slice};
use super::leaves::{Leaves, Part, Parts};
use super::sentence::{Comparison, sentence};
use crate::limits::{ALTERNATES_MAX, RANKED_INSIGNIFICANT_MAX, RANKED_MAX};
use crate::report::{Evidence, Explanation, Measured, Report, ReportItem};

/// All that the report is made of.
pub(crate) struct Answer<'a> {
    pub(crate) measure: &'a Measure,
    pub(crate) noun: &'a str,
    pub(crate) leaves: &'a Leaves,
    pub(crate) groupings: &'a Groupings,
    pub(crate) choices: &'a Choices,
    /// The part of the whole deviation that leaves have.
    pub(crate) contribution: &'a dyn Fn(&[usize]) -> f64,
    pub(crate) comparison: Comparison,
    /// The part of the change that is due to rows having moved between slices, where that can be told.
    pub(crate) mix: Option<f64>,
}

impl Answer<'_> {
    pub(crate) fn report(&self) -> Report {
        let total = self.leaves.total();
        let stopped =
            self.choices.stopped.then(|| "the time budget ended before all causes were looked for".to_owned());
        let cuts: Vec<String> = self.groupings.cut.iter().cloned().chain(stopped).collect();
        let mut report = Report {
            sentence: String::new(),
            explanations: self.choices.explanations.iter().map(|choice| self.explanation(choice, &total)).collect(),
            ranked: self.ranked().into_iter().map(|scored| self.evidence(&scored, &total)).collect(),
            said: Vec::new(),
            vanished: Vec::new(),
            left_out: self.leaves.left_out.clone(),
            exact: cuts.is_empty(),
            cuts,
            rows: total.a.rows + total.b.rows,
            rows_a: total.a.rows,
            rows_b: total.b.rows,
            complement: false,
            dimensions: self.leaves.dimensions.iter().map(|dimension| dimension.name.clone()).collect(),
            counted: self.groupings.counts.clone(),
            unit: None,
            measure: Some(Measured {
                column: self.measure.column.clone(),
                agg: self.measure.agg.to_string(),
                value_a: self.value(&total.a),
                value_b: self.value(&total.b),
                mix: self.mix,
            }),
            elapsed_ms: 0.0,
        };
        report.sentence = sentence(&report, self.measure, self.comparison, self.noun);
        report
    }

    /// The explanations; of what is below significance the first that differs from one of them in one value, for the same
    /// thing may have failed at a second value that is too small to be asserted; then what would stand in their place,
    /// the others below significance by what they explain of the rest, and alternates.
    fn ranked(&self) -> Vec<Scored> {
        let chosen = self.choices.explanations.iter().map(|choice| choice.chosen);
        let longest = self.choices.explanations.iter().map(|choice| choice.alternates.len()).max().unwrap_or(0);
        // The best alternate of each explanation, then the second best: the scores of two rounds do not compare.
        let alternates = (0..longest).flat_map(|at| {
            self.choices.explanations.iter().filter_map(move |choice| choice.alternates.get(at).copied())
        });
        let mut seen: HashSet<Slice> = HashSet::new();
        let below_max = if self.choices.explanations.is_empty() { RANKED_MAX } else { RANKED_INSIGNIFICANT_MAX };
        let below = self.choices.below.iter().take(below_max).copied();
        let is_another_value = |scored: &Scored| {
            self.choices.explanations.iter().any(|choice| choice.chosen.slice.is_sibling(self.leaves, &scored.slice))
        };
        let another_value = below.clone().find(is_another_value);
        let all =
            chosen.chain(another_value).chain(self.choices.otherwise.iter().copied()).chain(below).chain(alternates);
        all.filter(|scored| seen.insert(scored.slice)).take(RANKED_MAX).collect()
    }

    fn explanation(&self, choice: &Choice, total: &Parts) -> Explanation {
        Explanation {
            evidence: self.evidence(&choice.chosen, total),
            alternates: choice
                .alternates
                .iter()
                .take(ALTERNATES_MAX)
                .map(|scored| self.evidence(scored, total))
                .collect(),
            alternates_total: choice.alternates.len() as u64,
        }
    }

    fn evidence(&self, scored: &Scored, total: &Parts) -> Evidence {
        let members: Vec<usize> = self.groupings.members(&scored.slice).leaves().collect();
        let inside = self.leaves.sum(members.iter().copied());
        let share = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
        let support_a = share(inside.a.rows, total.a.rows);
        let support_b = share(inside.b.rows, total.b.rows);
        let normal = match self.comparison {
            Comparison::Elsewhere => outside(&total.a, &inside.a),
            Comparison::Baseline | Comparison::Expected => inside.b,
        };
        let contribution = (self.contribution)(&members);
        Evidence {
            items: self.items(&scored.slice),
            rows_a: inside.a.rows,
            rows_b: inside.b.rows,
            support_a,
            support_b,
            support_ratio: (support_b > 0.0).then(|| support_a / support_b),
            risk_ratio: None,
            ci: None,
            value_a: self.value(&inside.a),
            value_b: self.value(&normal),
            contribution: Some(contribution).filter(|contribution| contribution.is_finite()),
            q_value: scored.q,
            score: scored.score,
        }
    }

    /// Percentiles do not add up; they are filled in from the rows.
    fn value(&self, part: &Part) -> Option<f64> {
        let value = match self.measure.agg {
            Agg::Sum => part.sum,
            Agg::Avg if self.comparison == Comparison::Expected => part.sum,
            Agg::Avg => part.sum / part.rows as f64,
            Agg::Ratio { .. } => part.sum / part.weight,
            Agg::Percentile(_) => return None,
        };
        Some(value).filter(|value| value.is_finite())
    }

    fn items(&self, slice: &Slice) -> Vec<ReportItem> {
        let item = |at: usize| {
            let dimension = &self.leaves.dimensions[at];
            let value = &dimension.values[dimension.codes[slice.leaf as usize] as usize];
            let condition = match value {
                crate::items::Value::Null => format!("{} IS NULL", dimension.name),
                value => format!("{} = {value}", dimension.name),
            };
            ReportItem { dimension: dimension.name.clone(), value: value.to_string(), condition, aliases: Vec::new() }
        };
        slice.items().map(item).collect()
    }
}

fn outside(total: &Part, inside: &Part) -> Part {
    Part {
        rows: total.rows - inside.rows,
        value: total.value - inside.value,
        weight: total.weight - inside.weight,
        sum: total.sum - inside.sum,
    }
}
