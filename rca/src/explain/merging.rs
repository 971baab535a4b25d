//! Counts of parts of the data, put together, say what the whole says.

use arrow::array::BooleanArray;

use super::planted::{Random, input, requests};
use super::*;
use crate::{Tally, explain_tally};

fn report(tally: &Tally, of: &Input) -> Report {
    let options = Options::default();
    explain_tally(tally, &of.predicate_columns, of.baseline, &options, "failing requests", &|| false).unwrap()
}

/// The rows of one part; those of the others are in neither slice.
fn part(whole: &Input, parts: &[Vec<usize>], wanted: usize) -> Input {
    let of_part = |(slice, parts): (&BooleanArray, &Vec<usize>)| {
        let flags = slice.iter().zip(parts).map(|(flag, part)| flag.filter(|_| *part == wanted));
        flags.collect::<BooleanArray>()
    };
    Input { slice: whole.slice.iter().zip(parts).map(of_part).collect(), ..whole.clone() }
}

/// Rows dealt out at random, counted apart, sent as JSON and merged in any order: the same report to the byte, and the
/// same explanations with the same counts as the rows themselves give.
#[test]
fn tallies_of_parts_merge_into_that_of_the_whole() {
    for (seed, count) in [(1, 2), (2, 3), (3, 7)] {
        let rate = |r: &super::planted::Request| if r.host == "host-7" && r.version == "v1" { 0.5 } else { 0.02 };
        let whole = input(&requests(40 + seed, 6_000, 3, rate));
        let mut random = Random(seed);
        let deal = |slice: &BooleanArray, random: &mut Random| (0..slice.len()).map(|_| random.below(count)).collect();
        let parts: Vec<Vec<usize>> = whole.slice.iter().map(|slice| deal(slice, &mut random)).collect();
        let mut tallies: Vec<Tally> =
            (0..count).map(|wanted| Tally::of(&part(&whole, &parts, wanted)).unwrap()).collect();
        let mut merged = Tally::default();
        while !tallies.is_empty() {
            let sent = serde_json::to_string(&tallies.swap_remove(random.below(tallies.len()))).unwrap();
            merged.merge(serde_json::from_str(&sent).unwrap()).unwrap();
        }
        let at_once = Tally::of(&whole).unwrap();
        assert_eq!(merged.len(), at_once.len());
        let told = report(&merged, &whole);
        assert_eq!(serde_json::to_string(&told).unwrap(), serde_json::to_string(&report(&at_once, &whole)).unwrap());
        let by_rows = explain(&whole, &Options::default(), "failing requests", &|| false).unwrap();
        let said = |report: &Report| -> Vec<_> {
            let of = |one: &Explanation| (one.evidence.condition(), one.evidence.rows_a, one.evidence.rows_b);
            report.explanations.iter().map(of).collect()
        };
        assert_eq!(said(&told), said(&by_rows));
        let first = said(&told).swap_remove(0).0;
        assert!(first.contains("host = host-7") && first.contains("version = v1"), "{}", told.sentence);
        assert_eq!(told.left_out, by_rows.left_out);
    }
}

/// Equal rows are one combination, and weigh what they did.
#[test]
fn equal_rows_are_counted_not_kept() {
    let whole = input(&requests(50, 4_000, 4, |r| if r.region == "eu" { 0.4 } else { 0.05 }));
    let tally = Tally::of(&whole).unwrap();
    assert_eq!(tally.len(), 1_000);
    let told = report(&tally, &whole);
    assert_eq!((told.rows, told.explanations.len()), (4_000, 1), "{}", told.sentence);
}

#[test]
fn tallies_of_other_columns_are_refused() {
    let whole = input(&requests(51, 100, 1, |_| 0.5));
    let batches = whole.batches.iter().map(|batch| batch.project(&[1, 2]).unwrap()).collect();
    let narrow = Input { batches, ..whole.clone() };
    let error = Tally::of(&whole).unwrap().merge(Tally::of(&narrow).unwrap()).unwrap_err().to_string();
    assert!(error.contains("customer_id, region"), "{error}");
}
