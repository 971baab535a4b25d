use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::bitmap::Bitmap;
use crate::items::{ItemList, Source, Value};
use crate::limits::FOUND_MAX;
use crate::population::RowSet;
use crate::significance::{Choices, Family};

/// All items of a table of small codes.
fn items(a: &[Vec<u8>], b: &[Vec<u8>], dimensions: usize) -> ItemList<'static> {
    let rows = |of: &[Vec<u8>], dimension: usize, code: u8| {
        let mut map = Bitmap::zeros(of.len());
        of.iter().enumerate().filter(|(_, row)| row[dimension] == code).for_each(|(at, _)| map.set(at));
        map
    };
    let mut list = ItemList::default();
    for dimension in 0..dimensions {
        for code in 0..4 {
            let (in_a, in_b) = (rows(a, dimension, code), rows(b, dimension, code));
            list.add(Item::new(dimension as u32, Value::Int(i64::from(code)), in_a, in_b, Source::Sample));
        }
    }
    list
}

fn population<'r>(list: &ItemList<'r>, len_a: usize, len_b: usize) -> Population<'r> {
    let choices = vec![Choices { values: 4.0, ranges: 0.0 }; 5];
    let family = |rows_a: u64, _| Family::new(&choices, 4, 0.05, 1.0, rows_a as f64);
    Population::new(Arc::from(&list.items[..]), RowSet::all(len_a, len_b, len_b), None, 1.25, family)
}

type Named = Vec<(u32, String)>;

/// An itemset by all the names of its items.
fn named(list: &ItemList<'_>, set: &Itemset) -> Vec<Named> {
    let names = |index| list.names(index).into_iter().map(|(dimension, value)| (dimension, value.to_string()));
    set.items().map(|index| names(index).collect()).collect()
}

/// Counts by walking over every row and every combination of its cells.
fn naive(rows: &[Vec<u8>], max_order: usize) -> BTreeMap<Named, u64> {
    let mut counts = BTreeMap::new();
    for row in rows {
        for mask in 1u32..1 << row.len() {
            if mask.count_ones() as usize <= max_order {
                let cells = (0..row.len()).filter(|at| mask >> at & 1 == 1);
                let set: Named = cells.map(|at| (at as u32, row[at].to_string())).collect();
                *counts.entry(set).or_insert(0) += 1;
            }
        }
    }
    counts
}

fn table(rows: usize) -> impl Strategy<Value = Vec<Vec<u8>>> {
    proptest::collection::vec(proptest::collection::vec(0u8..4, 5), 1..rows)
}

/// A in which one conjunction is frequent, so that something is worth finding.
fn leaning(rows: usize) -> impl Strategy<Value = Vec<Vec<u8>>> {
    (table(rows), any::<[bool; 60]>()).prop_map(|(mut table, planted)| {
        table
            .iter_mut()
            .zip(planted)
            .filter(|(_, planted)| *planted)
            .for_each(|(row, _)| row[1..4].copy_from_slice(&[2, 0, 1]));
        table
    })
}

proptest! {
    /// What is found has exact counts, and nothing significant that is better is missing, but what has the very rows of
    /// a part of it.
    #[test]
    fn the_best_are_those_of_a_naive_miner(a in leaning(60), b in table(120), min_rows in 1u64..6, order in 1usize..5) {
        let list = items(&a, &b, 5);
        let left = population(&list, a.len(), b.len());
        let mined = mine(&left, &Implications::default(), order, min_rows, &|| false);
        prop_assert!(mined.cuts.is_empty());
        let (naive_a, naive_b) = (naive(&a, order), naive(&b, order));
        let counts = |set: &Named| Counts { a: naive_a[set], b: naive_b.get(set).copied().unwrap_or(0) };
        let mut worst = f64::INFINITY;
        for found in &mined.found {
            let set: Named = { let mut set: Named = named(&list, &found.set).iter().map(|names| names[0].clone()).collect(); set.sort(); set };
            prop_assert_eq!(found.counts(), counts(&set), "{:?}", set);
            worst = worst.min(left.score(set.len(), found.counts()));
        }
        let has = |set: &Named| {
            let same = |names: &Vec<Named>| names.len() == set.len() && set.iter().all(|item| names.iter().any(|names| names.contains(item)));
            mined.found.iter().any(|found| same(&named(&list, &found.set)))
        };
        for (set, in_a) in naive_a.iter().filter(|(_, rows)| **rows >= min_rows) {
            let of = Counts { a: *in_a, ..counts(set) };
            let part = |mask: u32| -> Named { (0..set.len()).filter(|at| mask >> at & 1 == 1).map(|at| set[at].clone()).collect() };
            let is_closed = (1..(1u32 << set.len()) - 1).all(|mask| counts(&part(mask)) != of);
            if is_closed && left.explains(set.len(), of) && !has(set) {
                prop_assert!(mined.found.len() == FOUND_MAX && left.score(set.len(), of) <= worst + 1e-9, "{:?} is missing", set);
            }
        }
    }
}

#[test]
fn a_spent_budget_leaves_the_single_items_and_says_what_may_be_missed() {
    let rows: Vec<Vec<u8>> = (0..64u8).map(|row| vec![row % 4, row / 4 % 4, row / 16, 0, 0]).collect();
    let (a, b): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row[0] == 1 || row[1] == 3);
    let list = items(&a, &b, 3);
    let mined = mine(&population(&list, a.len(), b.len()), &Implications::default(), 3, 1, &|| true);
    assert!(mined.found.iter().all(|found| found.set.order() == 1) && !mined.found.is_empty());
    assert!(mined.cuts[0].contains("time budget") && mined.cuts[0].contains("anomalous rows"), "{:?}", mined.cuts);
}
