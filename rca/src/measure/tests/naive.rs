//! Measures over small random tables, against a search that looks at every set of values by itself.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::report::Evidence;

const DIMENSIONS: usize = 3;

#[derive(Debug, Clone)]
struct Row {
    codes: Vec<usize>,
    real: Option<f64>,
    expected: f64,
}

impl Row {
    fn counts(&self) -> bool {
        self.real.is_some_and(f64::is_finite) && self.expected.is_finite()
    }

    fn real(&self) -> f64 {
        self.real.expect("the row counts")
    }
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![8 => 0.0..100.0f64, 1 => Just(0.0), 1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, 1e6, -5.0])]
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (prop::array::uniform3(0usize..3), prop::option::weighted(0.9, number()), number())
        .prop_map(|(codes, real, expected)| Row { codes: codes.to_vec(), real, expected });
    prop::collection::vec(row, 1..36)
}

fn asked(rows: &[Row]) -> Input {
    let texts = |at: usize| {
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| format!("v{}", row.codes[at])))) as ArrayRef
    };
    let real: Float64Array = rows.iter().map(|row| row.real).collect();
    let expected: Float64Array = rows.iter().map(|row| Some(row.expected)).collect();
    let numbers = [("real", Arc::new(real) as ArrayRef), ("expected", Arc::new(expected) as ArrayRef)];
    let dimensions = ["d0", "d1", "d2"].into_iter().enumerate().map(|(at, name)| (name, texts(at)));
    input(RecordBatch::try_from_iter(dimensions.chain(numbers)).unwrap(), vec![true; rows.len()])
}

/// Value by dimension.
type Items = BTreeMap<usize, usize>;

fn items(evidence: &Evidence) -> Items {
    let number = |text: &str| text[1..].parse::<usize>().unwrap();
    evidence.items.iter().map(|item| (number(&item.dimension), number(&item.value))).collect()
}

fn has(codes: &[usize], items: &Items) -> bool {
    items.iter().all(|(at, value)| codes[*at] == *value)
}

/// Leaves that count, by their codes: real and expected.
fn leaves(rows: &[Row]) -> BTreeMap<Vec<usize>, (f64, f64)> {
    let counted = || rows.iter().filter(|row| row.counts());
    let varies = |at: &usize| counted().map(|row| row.codes[*at]).collect::<BTreeSet<_>>().len() > 1;
    let searched: Vec<usize> = (0..DIMENSIONS).filter(varies).collect();
    let mut leaves: BTreeMap<Vec<usize>, (f64, f64)> = BTreeMap::new();
    for row in counted() {
        // A constant is none of the dimensions; a value that no row has keeps the places of the others.
        let code = |at: usize| if searched.contains(&at) { row.codes[at] } else { usize::MAX };
        let leaf = leaves.entry((0..DIMENSIONS).map(code).collect()).or_default();
        *leaf = (leaf.0 + row.real(), leaf.1 + row.expected);
    }
    leaves
}

fn all_items(leaves: &BTreeMap<Vec<usize>, (f64, f64)>) -> BTreeSet<Items> {
    let subsets = |codes: &Vec<usize>| {
        let codes = codes.clone();
        (1usize..1 << DIMENSIONS).map(move |set| {
            (0..DIMENSIONS).filter(|at| set >> at & 1 == 1).map(|at| (at, codes[at])).collect::<Items>()
        })
    };
    let is_searched = |items: &Items| items.values().all(|value| *value != usize::MAX);
    leaves.keys().flat_map(subsets).filter(is_searched).collect()
}

/// The scores of all sets of values on the leaves left.
fn scores(left: &BTreeMap<Vec<usize>, (f64, f64)>, all: &BTreeSet<Items>) -> BTreeMap<Items, f64> {
    let deviations: Vec<(&Vec<usize>, f64)> = left
        .iter()
        .filter(|(_, (real, expected))| real.abs() + expected.abs() > 0.0)
        .map(|(codes, (real, expected))| (codes, 2.0 * (real - expected) / (real.abs() + expected.abs())))
        .collect();
    let mut sizes: Vec<f64> = deviations.iter().map(|(_, deviation)| deviation.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    let Some(median) = sizes.get(sizes.len() / 2) else {
        return BTreeMap::new();
    };
    let noise = (1.482_602_218_505_602 * median).max(1e-3);
    let score = |items: &Items| {
        let z: Vec<f64> =
            deviations.iter().filter(|(codes, _)| has(codes, items)).map(|(_, deviation)| deviation / noise).collect();
        let of_order = all.iter().filter(|other| other.len() == items.len()).count() as f64;
        let cost = of_order.ln() + items.len() as f64 * 2f64.ln();
        (!z.is_empty()).then(|| z.iter().sum::<f64>().powi(2) / (2.0 * z.len() as f64) - cost)
    };
    all.iter().filter_map(|items| Some((items.clone(), score(items)?))).collect()
}

fn near(x: f64, y: f64) -> bool {
    (x - y).abs() <= 1e-9 * x.abs().max(y.abs()).max(1.0)
}

proptest! {
    /// Counts that a slice lacks altogether, and denominators of nothing.
    #[test]
    fn every_ratio_gets_a_sound_answer(
        rows in prop::collection::vec((prop::array::uniform3(0usize..3), any::<bool>(), 0u8..20, 0u8..40), 2..60),
    ) {
        let codes: Vec<Vec<usize>> = rows.iter().map(|row| row.0.to_vec()).collect();
        let requests = rows.iter().map(|row| f64::from(row.3)).collect();
        // Of every second case B has no count.
        let failed: Vec<f64> = rows.iter().map(|row| if row.1 || rows.len() % 2 == 0 { row.2.into() } else { 0.0 }).collect();
        let batch = batch(&codes, &[("failed", failed), ("requests", requests)]);
        let input = input(batch, rows.iter().map(|row| row.1).collect());
        let measure = Measure::new("failed", Some(Agg::Ratio { denominator: "requests".to_owned() }), None);
        let options = Options { max_order: measure.default_order(), ..Options::default() };
        let Ok(report) = explain_measure(&input, &measure, &options, "rows", &|| false) else { return Ok(()) };
        for told in report.explanations.iter().map(|told| &told.evidence).chain(&report.ranked) {
            prop_assert!(told.score.is_finite() && (0.0..=1.0).contains(&told.q_value), "{told:?}");
            let values = [told.value_a, told.value_b, told.contribution];
            prop_assert!(values.into_iter().flatten().all(f64::is_finite), "{told:?}");
        }
    }

    /// Fewer than forty leaves have no tail that is shrunk.
    #[test]
    fn deviations_are_explained_by_what_a_naive_search_finds(rows in rows()) {
        let measure = against_expected();
        let options = Options { max_order: measure.default_order(), ..Options::default() };
        let counted = rows.iter().filter(|row| row.counts()).count();
        let report = match explain_measure(&asked(&rows), &measure, &options, "rows", &|| false) {
            Ok(report) => report,
            Err(error) => {
                prop_assert!(counted == 0, "{error}");
                return Ok(());
            }
        };
        prop_assert_eq!(report.rows_a, counted as u64);
        let leaves = leaves(&rows);
        let all = all_items(&leaves);
        let mut left = leaves.clone();
        for explanation in &report.explanations {
            let chosen = items(&explanation.evidence);
            let scores = scores(&left, &all);
            let best = scores.values().copied().fold(f64::NEG_INFINITY, f64::max);
            prop_assert!(near(scores[&chosen], best), "{chosen:?}: {} is not {best}", scores[&chosen]);
            prop_assert!(near(explanation.evidence.score, best), "{} {best}", explanation.evidence.score);
            prop_assert!((-best).exp() <= options.alpha);
            let inside = || leaves.iter().filter(|(codes, _)| has(codes, &chosen)).map(|(_, leaf)| *leaf);
            let (real, expected): (f64, f64) = inside().fold((0.0, 0.0), |sum, leaf| (sum.0 + leaf.0, sum.1 + leaf.1));
            prop_assert!(near(explanation.evidence.value_a.unwrap(), real));
            prop_assert!(near(explanation.evidence.value_b.unwrap(), expected));
            left.retain(|codes, _| !has(codes, &chosen));
        }
        let best = scores(&left, &all).values().copied().fold(f64::NEG_INFINITY, f64::max);
        prop_assert!((-best).exp() > options.alpha * (1.0 - 1e-9), "{best} was left");
    }
}
