//! All itemsets that are frequent in A, with their exact counts in A and in B.
//!
//! Eclat (Zaki 2000) on bitmaps, one order after the other so that a short budget still ends with the short explanations
//! complete. Only A is searched; B is counted for what A has shown. A set whose rows are those of one of its parts is
//! that part (its extra item is implied) and is not extended.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::bitmap::Bitmap;
use crate::items::Item;
use crate::limits::{CANDIDATES_MAX, COMBINED_ITEMS_MAX, ORDER_MAX};
use crate::significance::Table;
use crate::workers::{Stop, share_out};

/// Up to [`ORDER_MAX`] items by index, ascending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Itemset {
    items: [u32; ORDER_MAX],
    len: u8,
}

impl Itemset {
    pub(crate) fn single(item: usize) -> Self {
        let mut items = [u32::MAX; ORDER_MAX];
        items[0] = item as u32;
        Self { items, len: 1 }
    }

    /// `item` must be beyond all items of the set.
    fn with(mut self, item: usize) -> Self {
        self.items[usize::from(self.len)] = item as u32;
        self.len += 1;
        self
    }

    pub(crate) fn order(&self) -> usize {
        usize::from(self.len)
    }

    pub(crate) fn items(&self) -> impl Iterator<Item = usize> + Clone + '_ {
        self.items[..self.order()].iter().map(|item| *item as usize)
    }

    pub(crate) fn contains(&self, item: usize) -> bool {
        self.items().any(|own| own == item)
    }

    /// All parts that are neither empty nor the set itself.
    pub(crate) fn proper_parts(&self) -> impl Iterator<Item = Itemset> + '_ {
        (1..(1u32 << self.len) - 1).map(|mask| {
            let mut part = Itemset { items: [u32::MAX; ORDER_MAX], len: 0 };
            for (at, item) in self.items().enumerate() {
                if mask >> at & 1 == 1 {
                    part = part.with(item);
                }
            }
            part
        })
    }
}

/// An itemset with its rows in both slices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) set: Itemset,
    pub(crate) a: u64,
    pub(crate) b: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Mined {
    /// In ascending order of length.
    pub(crate) found: Vec<Found>,
    /// What was cut, for the reader; empty when every frequent itemset is there.
    pub(crate) cuts: Vec<String>,
}

/// `items` all reach `min_rows` in A.
pub(crate) fn mine(items: &[Item], max_order: usize, min_rows: u64, stop: Stop<'_>) -> Mined {
    let single =
        |(index, item): (usize, &Item)| Found { set: Itemset::single(index), a: item.count_a, b: item.count_b };
    let mut mined = Mined { found: items.iter().enumerate().map(single).collect(), cuts: Vec::new() };
    let combined = combined_items(items);
    if combined.len() < items.len() {
        mined.cuts.push(format!(
            "{} of {} items were combined with others; those that separate least were looked at alone",
            combined.len(),
            items.len()
        ));
    }
    let search = Search { items, combined, min_rows, kept: AtomicUsize::new(items.len()), stop };
    let mut previous: Vec<Found> = search.combined.iter().map(|index| mined.found[*index]).collect();
    let mut pairs = Pairs::all(items.len());
    for order in 2..=max_order {
        let halted = || stop() || search.kept.load(Ordering::Relaxed) > CANDIDATES_MAX;
        let extended = share_out(previous.len(), |at| search.extend(&previous[at], &pairs), &halted);
        let extended: Vec<Vec<Found>> = extended.into_iter().flatten().flatten().collect();
        let done = extended.len();
        if done < previous.len() {
            let why = if stop() { "the time budget" } else { "the limit on itemsets" };
            let all = previous.len();
            mined.cuts.push(format!("{why} ended the search in order {order}, {done} of {all} prefixes done"));
        }
        let complete = done == previous.len();
        previous = extended.into_iter().flatten().collect();
        mined.found.extend_from_slice(&previous);
        if order == 2 {
            pairs = Pairs::of(items.len(), &previous);
        }
        if !complete || previous.is_empty() {
            break;
        }
    }
    mined
}

/// Indexes of the items that are worth combining, ascending: all, or those that lean most towards A.
fn combined_items(items: &[Item]) -> Vec<usize> {
    let mut indexes: Vec<usize> = (0..items.len()).collect();
    if items.len() > COMBINED_ITEMS_MAX {
        let all = |rows: &Bitmap| rows.words().len() as u64 * 64;
        let lean = |index: &usize| {
            let item = &items[*index];
            Table::new(item.count_a, item.count_b, all(&item.a), all(&item.b)).g()
        };
        indexes.sort_by(|x, y| lean(y).total_cmp(&lean(x)));
        indexes.truncate(COMBINED_ITEMS_MAX);
        indexes.sort_unstable();
    }
    indexes
}

struct Search<'a> {
    items: &'a [Item],
    combined: Vec<usize>,
    min_rows: u64,
    kept: AtomicUsize,
    stop: Stop<'a>,
}

impl Search<'_> {
    /// The frequent sets of `prefix` and one later item; None when the budget ended before all were seen.
    fn extend(&self, prefix: &Found, pairs: &Pairs) -> Option<Vec<Found>> {
        let set = prefix.set;
        let last = set.items().last().unwrap_or(0);
        let rows_a = self.rows(&set, |item| &item.a);
        let mut rows_b = None;
        let mut found = Vec::new();
        let later = self.combined.partition_point(|index| *index <= last);
        for index in self.combined[later..].iter().copied() {
            let item = &self.items[index];
            if item.count_a < self.min_rows || !self.fits(&set, index, pairs) {
                continue;
            }
            let a = rows_a.count_and(&item.a);
            if a < self.min_rows {
                continue;
            }
            if (self.stop)() {
                return None;
            }
            let b = rows_b.get_or_insert_with(|| self.rows(&set, |item| &item.b)).count_and(&item.b);
            let implied =
                (a, b) == (prefix.a, prefix.b) || (set.order() == 1 && (a, b) == (item.count_a, item.count_b));
            if !implied {
                found.push(Found { set: set.with(index), a, b });
            }
        }
        self.kept.fetch_add(found.len(), Ordering::Relaxed);
        Some(found)
    }

    fn fits(&self, set: &Itemset, index: usize, pairs: &Pairs) -> bool {
        let dimension = self.items[index].dimension;
        set.items().all(|own| self.items[own].dimension != dimension && pairs.contains(own, index))
    }

    fn rows(&self, set: &Itemset, side: impl Fn(&Item) -> &Bitmap) -> Bitmap {
        let mut maps = set.items().map(|index| side(&self.items[index]));
        let mut rows = maps.next().cloned().unwrap_or_else(|| Bitmap::zeros(0));
        maps.for_each(|map| rows.and_assign(map));
        rows
    }
}

/// Which pairs are frequent and imply neither of their items: a longer set needs all of its pairs.
struct Pairs {
    items: usize,
    frequent: Option<Bitmap>,
}

impl Pairs {
    fn all(items: usize) -> Self {
        Self { items, frequent: None }
    }

    fn of(items: usize, pairs: &[Found]) -> Self {
        let mut frequent = Bitmap::zeros(items * items);
        for pair in pairs {
            let mut of = pair.set.items();
            if let (Some(first), Some(second)) = (of.next(), of.next()) {
                frequent.set(first * items + second);
            }
        }
        Self { items, frequent: Some(frequent) }
    }

    fn contains(&self, first: usize, second: usize) -> bool {
        self.frequent.as_ref().is_none_or(|pairs| pairs.get(first * self.items + second))
    }
}

#[cfg(test)]
mod tests;
