//! The whole engine beside one that walks over every row and every set: on random small tables with missing values,
//! numbers that are cut, both baselines and rows of one request, every figure of every report is counted again.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use proptest::prelude::*;
use statrs::distribution::{ChiSquared, ContinuousCDF, Discrete, Hypergeometric};

use super::*;
use crate::limits::ROWS_MIN;

#[derive(Debug, Clone)]
struct Row {
    /// None is in neither slice.
    in_a: Option<bool>,
    host: Option<u8>,
    zone: Option<u8>,
    shard: Option<i64>,
    load: Option<f64>,
    request: Option<i64>,
}

/// What a cell is in the words of a report.
type Cell = Option<String>;

impl Row {
    fn cell(&self, dimension: &str) -> Cell {
        match dimension {
            "host" => self.host.map(|host| format!("h{host}")),
            "zone" => self.zone.map(|zone| format!("z{zone}")),
            "shard" => self.shard.map(|shard| shard.to_string()),
            other => panic!("{other} is no category"),
        }
    }

    /// Whether the row has the value, written as reports do.
    fn has(&self, dimension: &str, value: &str) -> bool {
        if dimension != "load" {
            return self.cell(dimension).as_deref().unwrap_or("NULL") == value;
        }
        let Some(load) = self.load.filter(|load| !load.is_nan()) else { return value == "NULL" };
        let number = |text: &str| text.trim().parse::<f64>().unwrap();
        if let Some(edge) = value.strip_prefix(">= ") {
            load >= number(edge)
        } else if let Some(edge) = value.strip_prefix("< ") {
            load < number(edge)
        } else if let Some((from, to)) =
            value.strip_prefix('[').and_then(|range| range.strip_suffix(')')?.split_once(','))
        {
            (number(from)..number(to)).contains(&load)
        } else {
            value != "NULL" && load == number(value)
        }
    }
}

/// Rows in both slices.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Both {
    a: f64,
    b: f64,
}

fn count(rows: &[Row], has: impl Fn(&Row) -> bool) -> Both {
    let of = |slice: bool| rows.iter().filter(|row| row.in_a == Some(slice) && has(row)).count() as f64;
    Both { a: of(true), b: of(false) }
}

/// A share of the rows of A has one triple, so that something is worth finding.
fn rows() -> impl Strategy<Value = Vec<Row>> {
    let small = |values: u8| proptest::option::weighted(0.9, 0..values);
    let load = prop_oneof![8 => (0u32..1_000).prop_map(|load| Some(f64::from(load) / 8.0)), 1 => Just(None), 1 => Just(Some(f64::NAN))];
    let slice = prop_oneof![2 => Just(Some(true)), 4 => Just(Some(false)), 1 => Just(None)];
    let row = (slice, small(4), small(3), small(5), load, 0i64..1_000).prop_map(
        |(in_a, host, zone, shard, load, request)| Row {
            in_a,
            host,
            zone,
            shard: shard.map(i64::from),
            load,
            request: (request > 50).then_some(request),
        },
    );
    (proptest::collection::vec((row, 0.0..1.0f64), 2..260), 0.0..0.9f64, 1usize..6).prop_map(
        |(rows, share, together)| {
            let plant = |(at, (mut row, chance)): (usize, (Row, f64))| {
                if row.in_a == Some(true) && chance < share {
                    (row.host, row.zone, row.shard) = (Some(2), Some(1), Some(3));
                    row.load = row.load.map(|load| load + 90.0);
                }
                row.request = row.request.map(|_| (at / together) as i64);
                row
            };
            rows.into_iter().enumerate().map(plant).collect()
        },
    )
}

fn table(rows: &[Row], with_requests: bool, baseline: Baseline) -> Input {
    let text =
        |name: &'static str| Arc::new(rows.iter().map(|row| row.cell(name)).collect::<StringArray>()) as ArrayRef;
    let mut columns: Vec<(&str, ArrayRef, bool)> = vec![
        ("host", text("host"), true),
        ("zone", text("zone"), true),
        ("shard", Arc::new(rows.iter().map(|row| row.shard).collect::<Int64Array>()), true),
        ("load", Arc::new(rows.iter().map(|row| row.load).collect::<Float64Array>()), true),
    ];
    if with_requests {
        columns.push(("request_id", Arc::new(rows.iter().map(|row| row.request).collect::<Int64Array>()), true));
    }
    Input {
        batches: vec![RecordBatch::try_from_iter_with_nullable(columns).unwrap()],
        slice: vec![rows.iter().map(|row| row.in_a).collect::<BooleanArray>()],
        predicate_columns: Vec::new(),
        baseline,
    }
}

/// The same rows in two batches, as two segments of a store give them.
fn split(input: &Input, at: usize) -> Input {
    let (batch, slice) = (&input.batches[0], &input.slice[0]);
    let (at, rows) = (at % slice.len(), slice.len());
    Input {
        batches: vec![batch.slice(0, at), batch.slice(at, rows - at)],
        slice: vec![slice.slice(0, at), slice.slice(at, rows - at)],
        ..input.clone()
    }
}

/// Kish's design effect of the share of A between requests, at least one; a row without a request is one.
fn design_effect(rows: &[Row]) -> f64 {
    let mut requests: BTreeMap<(bool, i64), Both> = BTreeMap::new();
    for (at, row) in rows.iter().enumerate() {
        let of =
            requests.entry(row.request.map_or((true, at as i64), |id| (false, id))).or_insert(Both { a: 0.0, b: 0.0 });
        of.a += f64::from(u8::from(row.in_a == Some(true)));
        of.b += f64::from(u8::from(row.in_a == Some(false)));
    }
    let all = count(rows, |_| true);
    let (n, rate) = (all.a + all.b, all.a / (all.a + all.b));
    let between: f64 = requests.values().map(|of| (of.a - (of.a + of.b) * rate).powi(2)).sum();
    (between / (n * rate * (1.0 - rate))).max(1.0)
}

/// Two-sided, by Wilks' theorem, or Fisher's mid-p where fewer than five rows are expected in a cell.
fn p_value(inside: Both, all: Both) -> f64 {
    let (n, m) = (all.a + all.b, inside.a + inside.b);
    let expected = [m * all.a / n, m * all.b / n, (n - m) * all.a / n, (n - m) * all.b / n];
    if expected.iter().any(|expected| *expected < 5.0) {
        let of = Hypergeometric::new(n as u64, all.a as u64, m as u64).unwrap();
        let (x, most) = (inside.a as u64, m.min(all.a) as u64);
        let half = of.pmf(x) / 2.0;
        let (lower, upper): (f64, f64) = ((0..x).map(|x| of.pmf(x)).sum(), (x + 1..=most).map(|x| of.pmf(x)).sum());
        return (2.0 * (half + lower.min(upper))).min(1.0);
    }
    let observed = [inside.a, inside.b, all.a - inside.a, all.b - inside.b];
    let terms = observed.iter().zip(expected).filter(|(observed, _)| **observed > 0.0);
    let g = terms.map(|(observed, expected)| observed * (observed / expected).ln()).sum::<f64>();
    ChiSquared::new(1.0).unwrap().sf(2.0 * g.max(0.0))
}

/// Katz' interval of the logarithm, widened by the design effect; Haldane's half where it needs one.
fn risk_ratio(inside: Both, all: Both, deff: f64) -> (f64, f64, f64) {
    let half = if inside.a == 0.0 || inside.a == all.a { 0.5 } else { 0.0 };
    let (a, c) = (inside.a + half, all.a - inside.a + half);
    let (n1, n0) = (a + inside.b + half, c + all.b - inside.b + half);
    let ratio = (a / n1) / (c / n0);
    let reach = 1.959_963_985 * (deff * (1.0 / a - 1.0 / n1 + 1.0 / c - 1.0 / n0)).max(0.0).sqrt();
    (ratio, ratio * (-reach).exp(), ratio * reach.exp())
}

fn close(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-9 * one.abs().max(other.abs()).max(1e-9)
}

fn check_evidence(
    evidence: &Evidence,
    rows: &[Row],
    all: Both,
    deff: f64,
    baseline: Baseline,
) -> Result<Both, TestCaseError> {
    let inside = count(rows, |row| evidence.items.iter().all(|item| row.has(&item.dimension, &item.value)));
    let condition = evidence.condition();
    prop_assert_eq!((evidence.rows_a as f64, evidence.rows_b as f64), (inside.a, inside.b), "{}", condition);
    prop_assert!(close(evidence.support_a, inside.a / all.a) && close(evidence.support_b, inside.b / all.b));
    match evidence.support_ratio {
        Some(ratio) => prop_assert!(close(ratio * inside.b * all.a, inside.a * all.b), "{}", condition),
        None => prop_assert_eq!(inside.b, 0.0),
    }
    prop_assert_eq!(evidence.risk_ratio.is_some(), baseline == Baseline::Complement);
    if let (Some(ratio), Some((low, high))) = (evidence.risk_ratio, evidence.ci) {
        let (own, own_low, own_high) = risk_ratio(inside, all, deff);
        prop_assert!(
            close(ratio, own) && close(low, own_low) && close(high, own_high),
            "{condition}: {ratio} {low} {high}"
        );
    }
    for item in &evidence.items {
        let own = count(rows, |row| row.has(&item.dimension, &item.value));
        for alias in &item.aliases {
            let both =
                count(rows, |row| row.has(&item.dimension, &item.value) && row.has(&alias.dimension, &alias.value));
            prop_assert_eq!(count(rows, |row| row.has(&alias.dimension, &alias.value)), own);
            prop_assert_eq!(both, own, "{} has not the rows of {}", alias.dimension, item.dimension);
        }
    }
    Ok(inside)
}

/// Every conjunction of up to three categories, with its rows.
fn all_sets(rows: &[Row], max_order: usize) -> BTreeMap<Vec<(&'static str, Cell)>, Both> {
    let mut sets = BTreeMap::new();
    for row in rows.iter().filter(|row| row.in_a.is_some()) {
        for mask in 1usize..8 {
            let chosen = ["host", "zone", "shard"].iter().enumerate().filter(|(at, _)| mask >> at & 1 == 1);
            let set: Vec<_> = chosen.map(|(_, name)| (*name, row.cell(name))).collect();
            if set.len() <= max_order {
                let of = sets.entry(set).or_insert(Both { a: 0.0, b: 0.0 });
                if row.in_a == Some(true) { of.a += 1.0 } else { of.b += 1.0 }
            }
        }
    }
    sets
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_figure_is_that_of_a_naive_count(
        rows in rows(), max_order in 1usize..=3, with_requests: bool, complement: bool, support in 0.001..0.3f64, at: usize,
    ) {
        let baseline = if complement { Baseline::Complement } else { Baseline::Other };
        let options = Options { max_order, min_support: support, ..Options::default() };
        let all = count(&rows, |_| true);
        let input = table(&rows, with_requests, baseline);
        let report = match explain(&input, &options, "rows", &|| false) {
            Ok(report) => report,
            Err(error) => {
                prop_assert!(all.a == 0.0 || all.b == 0.0, "{error}");
                return Ok(());
            }
        };
        prop_assert!(report.exact && report.cuts.is_empty());
        prop_assert_eq!(&explain(&split(&input, at), &options, "rows", &|| false).unwrap(), &report, "the counts of parts add up");
        prop_assert_eq!((report.rows_a as f64, report.rows_b as f64), (all.a, all.b));
        let deff = if with_requests { design_effect(&rows) } else { 1.0 };
        prop_assert!(close(report.unit.as_ref().map_or(1.0, |unit| unit.design_effect), deff), "{:?} {}", report.unit, deff);
        for evidence in report.ranked.iter().chain(report.explanations.iter().flat_map(|told| &told.alternates)) {
            check_evidence(evidence, &rows, all, deff, baseline)?;
            prop_assert!(evidence.items.len() <= max_order);
        }
        let least = (support * all.a).ceil().max(ROWS_MIN as f64);
        for (at, told) in report.explanations.iter().enumerate() {
            let inside = check_evidence(&told.evidence, &rows, all, deff, baseline)?;
            prop_assert!(told.evidence.q_value <= options.alpha && inside.a / all.a > inside.b / all.b);
            prop_assert!(inside.a >= ROWS_MIN as f64);
            if at == 0 && !with_requests && report.explanations.len() == 1 {
                prop_assert!(inside.a >= least && told.evidence.q_value >= p_value(inside, all) * 0.999_999, "{}", told.evidence.condition());
            }
        }
        for gone in &report.vanished {
            let inside = check_evidence(&gone.evidence, &rows, all, deff, baseline)?;
            prop_assert!(4.0 * inside.a / all.a <= inside.b / all.b && gone.evidence.q_value <= options.alpha);
        }
        // What no correction could take for chance must have led to an explanation.
        let sets = all_sets(&rows, max_order);
        let hypotheses = (sets.len() as f64 + 150.0).powi(2);
        let evident = |(set, inside): &(&Vec<_>, &Both)| {
            let (ratio, ..) = risk_ratio(**inside, all, 1.0);
            inside.a >= least && ratio >= options.min_ratio && inside.a / all.a > inside.b / all.b
                && p_value(**inside, all) * hypotheses * 2f64.powi(set.len() as i32) < options.alpha
        };
        if !with_requests && let Some(missed) = sets.iter().find(evident) {
            prop_assert!(!report.explanations.is_empty(), "{missed:?} of {all:?}: {}", report.sentence);
        }
    }
}
