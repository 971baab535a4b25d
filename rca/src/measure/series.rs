//! Metrics as a leaf table: the labels of a series are its dimensions, its values now and before are real and expected.

use std::collections::{BTreeSet, HashMap};

use super::agg::{Agg, Measure};
use super::answer::Answer;
use super::deviation;
use super::groupings::Groupings;
use super::leaves::{LeafDimension, Leaves, Part, Parts};
use super::sentence::Comparison;
use crate::dimensions::LeftOut;
use crate::input::Options;
use crate::items::Value;
use crate::limits::LEAF_DIMENSIONS_MAX;
use crate::report::Report;
use crate::workers::Stop;

/// A label of a series: name and value.
pub type Label = (String, String);

/// Says which labels set the series apart whose value in A is not what B lets expect. `labels`, `a` and `b` have one
/// entry per series; a series that is not there (or not finite) on one side counts as zero there. `name` is what the
/// metric is called in the sentence.
pub fn explain_series(
    name: &str,
    labels: &[Vec<Label>],
    a: &[f64],
    b: &[f64],
    options: &Options,
    stop: Stop<'_>,
) -> Report {
    assert!(labels.len() == a.len() && a.len() == b.len(), "one value of A and one of B per series");
    let leaves = leaves(labels, a, b);
    let groupings = Groupings::of(&leaves, options.max_order, stop);
    let expected: Vec<f64> = leaves.parts.iter().map(|parts| parts.b.value).collect();
    let choices = deviation::search(&leaves, &groupings, &expected, options.alpha, stop);
    let off = |leaf: usize| leaves.parts[leaf].a.value - expected[leaf];
    let all: f64 = (0..leaves.len()).map(off).sum();
    let contribution = |members: &[usize]| members.iter().map(|leaf| off(*leaf)).sum::<f64>() / all;
    let measure = Measure::new(name, Some(Agg::Sum), None);
    Answer {
        measure: &measure,
        noun: "series",
        leaves: &leaves,
        groupings: &groupings,
        choices: &choices,
        contribution: &contribution,
        comparison: Comparison::Baseline,
        mix: None,
    }
    .report()
}

fn leaves(labels: &[Vec<Label>], a: &[f64], b: &[f64]) -> Leaves {
    let names: BTreeSet<&str> = labels.iter().flatten().map(|(name, _)| name.as_str()).collect();
    let mut leaves = Leaves::default();
    for name in names {
        let dimension = dimension(name, labels);
        let why = match dimension.values.len() {
            1 => "constant",
            _ if leaves.dimensions.len() == LEAF_DIMENSIONS_MAX => "too many labels",
            _ => {
                leaves.dimensions.push(dimension);
                continue;
            }
        };
        leaves.left_out.push(LeftOut { dimension: name.to_owned(), why: why.to_owned() });
    }
    let part = |value: f64| {
        let value = if value.is_finite() { value } else { 0.0 };
        Part { rows: 1, value, weight: 1.0, sum: value }
    };
    leaves.parts = a.iter().zip(b).map(|(a, b)| Parts { a: part(*a), b: part(*b) }).collect();
    leaves
}

/// A series without the label has NULL for it.
fn dimension(name: &str, labels: &[Vec<Label>]) -> LeafDimension {
    let mut dimension = LeafDimension { name: name.to_owned(), values: Vec::new(), codes: Vec::new() };
    let mut code_of: HashMap<Option<&str>, u32> = HashMap::new();
    for labels in labels {
        let value = labels.iter().find(|label| label.0 == name).map(|label| label.1.as_str());
        let next = code_of.len() as u32;
        let code = *code_of.entry(value).or_insert(next);
        if code == next {
            dimension.values.push(value.map_or(Value::Null, |value| Value::Text(value.to_owned())));
        }
        dimension.codes.push(code);
    }
    dimension
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_the_series_that_jumped_are_named() {
        let mut labels = Vec::new();
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for host in 0..12 {
            for (at, route) in ["/", "/cart", "/pay"].into_iter().enumerate() {
                let zone = if host < 6 { "east" } else { "west" };
                let mut series = vec![("host".to_owned(), format!("h{host}")), ("route".to_owned(), route.to_owned())];
                series.extend((host != 11).then(|| ("zone".to_owned(), zone.to_owned())));
                series.push(("job".to_owned(), "shop".to_owned()));
                labels.push(series);
                let before = 100.0 + f64::from(host) + at as f64;
                b.push(before);
                let noise = 1.0 + 0.01 * f64::from((host * 7 + at as i32 * 5) % 11 - 5);
                a.push(before * noise * if zone == "east" && route == "/pay" { 3.0 } else { 1.0 });
            }
        }
        let report = explain_series("shop_errors_total", &labels, &a, &b, &Options::default(), &|| false);
        let named: Vec<String> = report.explanations.iter().map(|one| one.evidence.condition()).collect();
        assert_eq!(named, ["route = /pay and zone = east"], "{report:#?}");
        let east: Vec<usize> = (0..36).filter(|at| at / 3 < 6 && at % 3 == 2).collect();
        let sum = |of: &[f64]| east.iter().map(|at| of[*at]).sum::<f64>();
        let evidence = &report.explanations[0].evidence;
        assert!(
            (evidence.value_a.unwrap() - sum(&a)).abs() < 1e-6 && (evidence.value_b.unwrap() - sum(&b)).abs() < 1e-6
        );
        assert_eq!(report.left_out, [LeftOut { dimension: "job".into(), why: "constant".into() }]);
        let calm = explain_series("shop_errors_total", &labels, &b, &b, &Options::default(), &|| false);
        assert!(
            calm.explanations.is_empty() && calm.sentence.starts_with("No dimension value explains it"),
            "{calm:#?}"
        );
    }
}
