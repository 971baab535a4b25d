use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::items::Value as ItemValue;

/// Items of a table of small codes: one per dimension and code with at least `min_rows` rows in A.
fn items(a: &[Vec<u8>], b: &[Vec<u8>], dimensions: usize, min_rows: u64) -> Vec<Item> {
    let rows = |of: &[Vec<u8>], dimension: usize, code: u8| {
        let mut map = Bitmap::zeros(of.len());
        of.iter().enumerate().filter(|(_, row)| row[dimension] == code).for_each(|(at, _)| map.set(at));
        map
    };
    let mut items = Vec::new();
    for dimension in 0..dimensions {
        for code in 0..4 {
            let value = ItemValue::Int(i64::from(code));
            let item = Item::new(value, rows(a, dimension, code), rows(b, dimension, code));
            items.push(Item { dimension: dimension as u32, ..item });
        }
    }
    items.retain(|item| item.count_a >= min_rows);
    items
}

type Named = Vec<(u32, String)>;

fn named(items: &[Item], set: &Itemset) -> Named {
    set.items().map(|index| (items[index].dimension, items[index].value.to_string())).collect()
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

proptest! {
    /// Every frequent itemset is there with exact counts, or has the very rows of a part of it that is there.
    #[test]
    fn counts_agree_with_a_naive_miner(a in table(60), b in table(120), min_rows in 1u64..6, order in 1usize..5) {
        let items = items(&a, &b, 5, min_rows);
        let mined = mine(&items, order, min_rows, &|| false);
        prop_assert!(mined.cuts.is_empty());
        let (naive_a, naive_b) = (naive(&a, order), naive(&b, order));
        let found: BTreeMap<Named, (u64, u64)> =
            mined.found.iter().map(|found| (named(&items, &found.set), (found.a, found.b))).collect();
        prop_assert_eq!(found.len(), mined.found.len(), "no set twice");
        for (set, counts) in &found {
            prop_assert_eq!(*counts, (naive_a[set], naive_b.get(set).copied().unwrap_or(0)), "{:?}", set);
        }
        for (set, in_a) in naive_a.iter().filter(|(_, rows)| **rows >= min_rows) {
            let counts = (*in_a, naive_b.get(set).copied().unwrap_or(0));
            let implied = || found.iter().any(|(part, of)| *of == counts && part.iter().all(|item| set.contains(item)));
            prop_assert!(found.contains_key(set) || implied(), "{:?} is missing", set);
        }
    }
}

#[test]
fn a_spent_budget_leaves_the_single_items_and_says_so() {
    let rows: Vec<Vec<u8>> = (0..64u8).map(|row| vec![row % 4, row / 4 % 4, row / 16]).collect();
    let items = items(&rows, &rows, 3, 1);
    let mined = mine(&items, 3, 1, &|| true);
    assert_eq!(mined.found.len(), items.len());
    assert!(mined.cuts[0].contains("time budget"), "{:?}", mined.cuts);
}

#[test]
fn parts_of_a_set() {
    let set = Itemset::single(1).with(4).with(9);
    let parts: Vec<Vec<usize>> = set.proper_parts().map(|part| part.items().collect()).collect();
    assert_eq!(parts, [vec![1], vec![4], vec![1, 4], vec![9], vec![1, 9], vec![4, 9]]);
    assert!(set.contains(4) && !set.contains(5));
}
