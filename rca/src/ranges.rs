//! Numbers as items: the upper tail, the lower tail and the interval of a numeric column that separate A from B best.
//!
//! The column is cut at quantiles of both slices, so that edges exist wherever either slice has its mass; the best range
//! of each kind is an item. How many were tried enters the correction.

use crate::bitmap::Bitmap;
use crate::column::Column;
use crate::input::Slice;
use crate::items::{Item, Value};
use crate::limits::{CUT_SAMPLE_ROWS, CUTS_PER_SLICE};
use crate::significance::{Choices, Table};

/// Bin of a missing value and of NaN.
const NO_BIN: u8 = u8::MAX;

/// None when there is nothing to cut. Choices count the ranges that were compared.
pub(crate) fn items(column: &Column<'_>, min_rows: u64) -> Option<(Vec<Item>, Choices)> {
    let cuts = cuts(column);
    if cuts.len() < 2 {
        return None;
    }
    let bins_a = bins(column, &column.slices.a, &cuts);
    let bins_b = bins(column, &column.slices.b, &cuts);
    let histogram = Histogram::new(&bins_a, &bins_b, cuts.len());
    let mut items: Vec<Item> = histogram
        .best_ranges(min_rows)
        .into_iter()
        .map(|(from, to)| Item::new(value(&cuts, from, to), select(&bins_a, from..to), select(&bins_b, from..to)))
        .collect();
    let missing = select(&bins_a, NO_BIN as usize..NO_BIN as usize + 1);
    if missing.count() >= min_rows {
        items.push(Item::new(Value::Null, missing, select(&bins_b, NO_BIN as usize..NO_BIN as usize + 1)));
    }
    // Neighbouring ranges share nearly all of their rows: about three tests per cut are independent.
    Some((items, Choices { values: 0.0, ranges: 3.0 * cuts.len() as f64 }))
}

/// Bin i holds `cuts[i] <= x < cuts[i + 1]`; the first cut is the smallest value there is.
fn cuts(column: &Column<'_>) -> Vec<f64> {
    let mut cuts = Vec::new();
    for slice in [&column.slices.a, &column.slices.b] {
        let mut sample = Vec::new();
        column.sample(slice, CUT_SAMPLE_ROWS, |cells, row| {
            sample.extend(cells.number(row).filter(|number| !number.is_nan()));
        });
        sample.sort_unstable_by(f64::total_cmp);
        let quantile = |i: usize| sample.get(sample.len() * i / CUTS_PER_SLICE).copied();
        cuts.extend((0..CUTS_PER_SLICE).filter_map(quantile));
        let tails = [0.98, 0.99, 0.995].map(|share| sample.get((sample.len() as f64 * share) as usize).copied());
        cuts.extend(tails.into_iter().flatten());
    }
    cuts.sort_unstable_by(f64::total_cmp);
    cuts.dedup();
    if let Some(first) = cuts.first_mut() {
        *first = f64::NEG_INFINITY;
    }
    cuts
}

fn bins(column: &Column<'_>, slice: &Slice, cuts: &[f64]) -> Vec<u8> {
    let bin = |number: f64| {
        if number.is_nan() { NO_BIN } else { (cuts.partition_point(|cut| *cut <= number) - 1) as u8 }
    };
    let mut bins = Vec::with_capacity(slice.len);
    for (cells, rows) in column.cells.iter().zip(&slice.rows) {
        bins.extend(rows.iter().map(|row| cells.number(*row as usize).map_or(NO_BIN, bin)));
    }
    bins
}

fn select(bins: &[u8], range: std::ops::Range<usize>) -> Bitmap {
    let mut rows = Bitmap::zeros(bins.len());
    for (row, bin) in bins.iter().enumerate() {
        if range.contains(&usize::from(*bin)) {
            rows.set(row);
        }
    }
    rows
}

fn value(cuts: &[f64], from: usize, to: usize) -> Value {
    if to == cuts.len() {
        Value::AtLeast(cuts[from])
    } else if from == 0 {
        Value::Below(cuts[to])
    } else {
        Value::Within(cuts[from], cuts[to])
    }
}

/// Running counts over the bins: `a[i]` rows of A lie below bin i.
struct Histogram {
    a: Vec<u64>,
    b: Vec<u64>,
    rows_a: u64,
    rows_b: u64,
}

impl Histogram {
    fn new(bins_a: &[u8], bins_b: &[u8], bins: usize) -> Self {
        let running = |of: &[u8]| {
            let mut below = vec![0u64; bins + 1];
            of.iter().filter(|bin| **bin != NO_BIN).for_each(|bin| below[usize::from(*bin) + 1] += 1);
            (0..bins).for_each(|bin| below[bin + 1] += below[bin]);
            below
        };
        Self { a: running(bins_a), b: running(bins_b), rows_a: bins_a.len() as u64, rows_b: bins_b.len() as u64 }
    }

    fn g(&self, from: usize, to: usize, min_rows: u64) -> f64 {
        let (a, b) = (self.a[to] - self.a[from], self.b[to] - self.b[from]);
        if a < min_rows { 0.0 } else { Table::new(a, b, self.rows_a, self.rows_b).g() }
    }

    /// The best range of each kind, where one leans towards A at all.
    fn best_ranges(&self, min_rows: u64) -> Vec<(usize, usize)> {
        let bins = self.a.len() - 1;
        let upper = (1..bins).map(|from| (from, bins)).collect::<Vec<_>>();
        let lower = (1..bins).map(|to| (0, to)).collect();
        let inner = (1..bins).flat_map(|from| (from + 1..bins).map(move |to| (from, to))).collect();
        let best = |ranges: Vec<(usize, usize)>| {
            let scored = ranges.into_iter().map(|(from, to)| (self.g(from, to, min_rows), (from, to)));
            scored.filter(|(g, _)| *g > 0.0).max_by(|x, y| x.0.total_cmp(&y.0)).map(|(_, range)| range)
        };
        [upper, lower, inner].into_iter().filter_map(best).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_tail_starts_where_the_slices_part() {
        // A lies in bins 2 and 3, B evenly in 0 to 3, and one row of each has no number.
        let a = [2, 2, 3, 3, 3, NO_BIN];
        let b = [0, 0, 0, 1, 1, 2, 3, NO_BIN];
        let histogram = Histogram::new(&a, &b, 4);
        let best = histogram.best_ranges(2);
        assert_eq!(best[0], (2, 4));
        assert!(best.iter().all(|(from, to)| histogram.g(*from, *to, 2) > 0.0));
        assert_eq!(select(&a, 2..4).count(), 5);
    }

    #[test]
    fn ranges_are_named_by_their_edges() {
        let cuts = [f64::NEG_INFINITY, 10.0, 20.0];
        assert_eq!(value(&cuts, 1, 3), Value::AtLeast(10.0));
        assert_eq!(value(&cuts, 0, 1), Value::Below(10.0));
        assert_eq!(value(&cuts, 1, 2), Value::Within(10.0, 20.0));
    }
}
