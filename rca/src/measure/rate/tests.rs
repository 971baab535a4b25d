//! The oracle looks at every set of values by itself, with the distribution of statrs instead of tables of gains.

use std::collections::BTreeMap;

use proptest::prelude::*;
use statrs::distribution::{Discrete, NegativeBinomial};

use super::super::leaves::{LeafDimension, Part};
use super::*;
use crate::items::Value;

const DIMENSIONS: usize = 3;

/// Failed and sent in A, failed and sent in B.
type Row = ([usize; DIMENSIONS], [u32; 4]);

/// Dimension and value.
type Items = BTreeMap<usize, usize>;

fn rows() -> impl Strategy<Value = BTreeMap<[usize; DIMENSIONS], [u32; 4]>> {
    let codes = [0usize..3, 0..3, 0..2];
    let counts =
        (0u32..40, 0u32..60, 0u32..10, 0u32..200).prop_map(|(a, more_a, b, more_b)| [a, a + more_a, b, b + more_b]);
    prop::collection::btree_map(codes, counts, 1..18)
}

fn leaves(rows: &[Row]) -> Leaves {
    let part =
        |value: u32, weight: u32| Part { rows: 1, value: value.into(), weight: weight.into(), sum: value.into() };
    let dimension = |at: usize| LeafDimension {
        name: format!("d{at}"),
        values: (0..3).map(Value::Int).collect(),
        codes: rows.iter().map(|(codes, _)| codes[at] as u32).collect(),
    };
    Leaves {
        dimensions: (0..DIMENSIONS).map(dimension).collect(),
        parts: rows.iter().map(|(_, [fa, sa, fb, sb])| Parts { a: part(*fa, *sa), b: part(*fb, *sb) }).collect(),
        left_out: Vec::new(),
    }
}

fn has(row: &Row, items: &Items) -> bool {
    items.iter().all(|(at, value)| row.0[*at] == *value)
}

/// Every set of up to three values that some row has.
fn all_items(rows: &[Row]) -> Vec<Items> {
    let subsets = |row: &Row| {
        let codes = row.0;
        (1usize..1 << DIMENSIONS).map(move |set| {
            (0..DIMENSIONS).filter(|at| set >> at & 1 == 1).map(|at| (at, codes[at])).collect::<Items>()
        })
    };
    let mut all: Vec<Items> = rows.iter().flat_map(subsets).collect();
    all.sort();
    all.dedup();
    all
}

struct Naive<'a> {
    rows: &'a [Row],
    items: Vec<Items>,
    expected: Vec<f64>,
    rises: bool,
}

impl<'a> Naive<'a> {
    fn new(rows: &'a [Row]) -> Self {
        let expected = expected(rows);
        let actual: f64 = rows.iter().map(|(_, counts)| f64::from(counts[0])).sum();
        let surplus: f64 =
            rows.iter().zip(&expected).map(|((_, counts), expected)| f64::from(counts[0]) - expected).sum();
        assert!((surplus - (actual - expected.iter().sum::<f64>())).abs() < 1e-6);
        Self { rows, items: all_items(rows), expected, rises: surplus >= 0.0 }
    }

    fn total(&self, of: impl Fn(&Row) -> bool) -> [f64; 4] {
        let mut total = [0.0; 4];
        for (_, counts) in self.rows.iter().filter(|row| row.1[1] > 0 && of(row)) {
            total.iter_mut().zip(counts).for_each(|(sum, count)| *sum += f64::from(*count));
        }
        total
    }

    /// None where no row of A is, or no more than a rise of everything explains.
    fn pooled(&self, items: &Items) -> f64 {
        let [all_fa, all_sa, all_fb, all_sb] = self.total(|_| true);
        let [fa, sa, fb, sb] = self.total(|row| has(row, items));
        let all = (all_fb / all_sb.max(f64::MIN_POSITIVE)).max(0.5 / (all_sb + 1.0));
        let own = (fb + 20.0 * all) / (sb + 20.0);
        let rest = ((all_fa - fa) / (all_sa - sa)) / ((all_fb - fb) / (all_sb - sb));
        let comparable = all_sa > sa && all_sb > sb && all_fb > fb;
        let inflation = match (comparable, self.rises) {
            (false, _) => 1.0,
            (true, true) => rest.max(1.0),
            (true, false) => rest.min(1.0),
        };
        let rate = own * inflation;
        let counts = if self.rises { fa > rate * sa && fa >= 5.0 } else { fa < rate * sa && rate * sa >= 5.0 };
        if !counts || sa == 0.0 {
            return 0.0;
        }
        let ln = |count: f64, of: f64| if count > 0.0 { count * (count / of).ln() } else { 0.0 };
        ln(fa, rate * sa) + ln(sa - fa, sa * (1.0 - rate.min(0.999)))
    }

    fn ripple(&self, items: &Items) -> f64 {
        let ln_pmf = |r: f64, at: usize, factor: f64| {
            let mean = self.expected[at] * factor;
            NegativeBinomial::new(r, r / (r + mean)).unwrap().ln_pmf(self.rows[at].1[0].into())
        };
        let counted = || (0..self.rows.len()).filter(|at| self.rows[*at].1[1] > 0);
        let best = |factors: &[f64]| {
            let mut best = f64::NEG_INFINITY;
            for r in [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 64.0] {
                for factor in factors {
                    let sum = counted().map(|at| ln_pmf(r, at, if has(&self.rows[at], items) { *factor } else { 1.0 }));
                    best = best.max(sum.sum());
                }
            }
            best
        };
        let step = (100.0f64 / 1.2).powf(1.0 / 23.0);
        let factors =
            (0..24).map(|at| 1.2 * step.powi(at)).map(|factor| if self.rises { factor } else { 1.0 / factor });
        best(&factors.collect::<Vec<_>>()) - best(&[1.0])
    }

    /// Score and significance; none where the search has none.
    fn scored(&self, items: &Items) -> Option<(f64, f64)> {
        let of_order = self.items.iter().filter(|other| other.len() == items.len()).count() as f64;
        let (pooled, ripple) = (self.pooled(items), self.ripple(items));
        let cost = 0.25 * items.len() as f64 * of_order.max(2.0).ln();
        let q = erfc(ripple.max(0.0).sqrt()) * of_order * 2f64.powi(items.len() as i32);
        (pooled > 0.0 && ripple > cost).then(|| ((ripple - cost).ln() + pooled.ln(), q.min(1.0)))
    }
}

/// A leaf's rate: that of all rows, times one factor per value, fitted one dimension after the other, twice.
fn expected(rows: &[Row]) -> Vec<f64> {
    let sum = |at: usize| rows.iter().map(|(_, counts)| f64::from(counts[at])).sum::<f64>();
    let all = (sum(2) + 0.5) / (sum(3) + 1.0);
    let mut rates = vec![all; rows.len()];
    for at in [0, 1, 2, 0, 1, 2] {
        let before = rates.clone();
        for (rate, (codes, _)) in rates.iter_mut().zip(rows) {
            let with_value = || rows.iter().zip(&before).filter(|((other, _), _)| other[at] == codes[at]);
            let failed: f64 = with_value().map(|((_, counts), _)| f64::from(counts[2])).sum();
            let fitted: f64 = with_value().map(|((_, counts), rate)| f64::from(counts[3]) * rate).sum();
            *rate *= (failed + 50.0 * all) / (fitted + 50.0 * all);
        }
    }
    let of_row = |((_, counts), rate): (&Row, f64)| {
        let rate = rate.clamp(all / 30.0, all * 30.0);
        f64::from(counts[1]) * (f64::from(counts[2]) + 20.0 * rate) / (f64::from(counts[3]) + 20.0)
    };
    rows.iter().zip(rates).map(of_row).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// A slice that only a union may use has no likelihood of its own, and is left out of the comparison.
    #[test]
    fn slices_compete_with_the_scores_that_a_naive_search_gives_them(rows in rows()) {
        let rows: Vec<Row> = rows.into_iter().collect();
        let leaves = leaves(&rows);
        let groupings = Groupings::of(&leaves, DIMENSIONS, &|| false);
        let options = Options::default();
        let rates = Rates::new(&leaves, &groupings, &options);
        let naive = Naive::new(&rows);
        for (ours, theirs) in rates.expected.iter().zip(&naive.expected) {
            prop_assert!((ours - theirs).abs() <= 1e-9 * theirs.max(1.0), "{ours} {theirs}");
        }
        let left = Left { leaves: (0..rows.len()).filter(|at| rows[*at].1[1] > 0).collect() };
        let round = rates.round(&left);
        let items = |slice: &Slice| -> Items {
            slice.items().map(|at| (at, rows[slice.leaf as usize].0[at])).collect()
        };
        let found: BTreeMap<Items, (f64, f64)> = round
            .rivals
            .iter()
            .filter(|rival| rival.pooled > 0.0)
            .map(|rival| (items(&rival.scored.slice), (rival.scored.score, rival.scored.q)))
            .collect();
        let expected: BTreeMap<Items, (f64, f64)> =
            naive.items.iter().filter_map(|items| Some((items.clone(), naive.scored(items)?))).collect();
        prop_assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
        for (items, (score, q)) in &expected {
            let (found_score, found_q) = found[items];
            prop_assert!((score - found_score).abs() < 1e-5, "{items:?}: {score} {found_score}");
            prop_assert!((q - found_q).abs() <= 1e-6 * q.max(1e-9), "{items:?}: {q} {found_q}");
        }
    }

    /// What is named is significant and covers disjoint rows; nothing is named twice in the list.
    #[test]
    fn explanations_are_disjoint_and_significant(rows in rows()) {
        let rows: Vec<Row> = rows.into_iter().collect();
        let leaves = leaves(&rows);
        let groupings = Groupings::of(&leaves, DIMENSIONS, &|| false);
        let options = Options::default();
        let rates = Rates::new(&leaves, &groupings, &options);
        let choices = rates.search(&|| false);
        let mut explained = 0.0;
        let mut left: Vec<usize> = (0..rows.len()).filter(|at| rows[*at].1[1] > 0).collect();
        for choice in &choices.explanations {
            prop_assert!(choice.chosen.q <= options.alpha);
            let members = groupings.members(&choice.chosen.slice);
            let (inside, outside): (Vec<usize>, Vec<usize>) = left.iter().partition(|leaf| members.has(**leaf));
            prop_assert!(!inside.is_empty());
            let contribution = rates.contribution(&inside);
            prop_assert!(contribution >= CONTRIBUTION_MIN, "{contribution}");
            explained += contribution;
            left = outside;
        }
        prop_assert!((explained + rates.contribution(&left) - 1.0).abs() < 1e-6 || choices.explanations.is_empty());
        let first = choices.explanations.first().map(|choice| choice.chosen.slice);
        prop_assert!(choices.otherwise.iter().all(|other| Some(other.slice) != first && other.q <= options.alpha));
    }
}
