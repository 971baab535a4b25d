//! Numbers as items: the upper tail, the lower tail and the interval of a numeric column that separate A from B best.
//!
//! The column is cut at quantiles of both slices, so that edges exist wherever either slice has its mass; the best range
//! of each kind is an item. How many were tried enters the correction.

use crate::bitmap::Bitmap;
use crate::codes::Codes;
use crate::column::Column;
use crate::dimensions::Lack;
use crate::items::{Item, Source, Value};
use crate::limits::{CUT_SAMPLE_ROWS, CUTS_PER_SLICE};
use crate::population::RowSet;
use crate::sample::Sample;
use crate::significance::Table;

/// Bin of a missing value and of NaN.
const NO_BIN: u8 = u8::MAX;

/// The range of such bins.
const MISSING: (usize, usize) = (NO_BIN as usize, NO_BIN as usize + 1);

/// A numeric column, with the rows of A and of the sample in bins.
#[derive(Debug)]
pub(crate) struct Ranges<'r> {
    column: &'r Column,
    cuts: Vec<f64>,
    a: Vec<u8>,
    sample: Vec<u8>,
    is_cut: bool,
}

impl<'r> Ranges<'r> {
    /// None when there is nothing to cut.
    pub(crate) fn of(column: &'r Column, sample: &Sample) -> Option<Self> {
        let cuts = cuts(column);
        let binned = |codes: &Codes| bins(column, codes, &cuts);
        let (a, sample) = match sample {
            Sample::Whole => (binned(&column.a), binned(&column.b)),
            Sample::Rows(rows) => (binned(&column.a), binned(&column.b.take(rows))),
        };
        (cuts.len() > 1).then_some(Self { column, cuts, a, sample, is_cut: false })
    }

    /// How many ranges are compared. Neighbours share nearly all of their rows: about three tests per cut are independent.
    pub(crate) fn tried(&self) -> f64 {
        3.0 * self.cuts.len() as f64
    }

    /// The ranges that separate the slices best, and the missing values; nothing when asked again. What an explanation
    /// leaves is not cut anew: a range beside the one that explains would take what its edge has missed for a cause.
    pub(crate) fn items(&mut self, dimension: u32, min_rows: u64) -> Vec<Item<'r>> {
        if std::mem::replace(&mut self.is_cut, true) {
            return Vec::new();
        }
        let histogram = Histogram::new(&self.a, &self.sample, self.cuts.len());
        let missing = self.a.iter().filter(|bin| **bin == NO_BIN).count() as u64;
        let ranges = histogram.best_ranges(min_rows).into_iter().chain((missing >= min_rows).then_some(MISSING));
        ranges.map(|range| self.item(dimension, range)).collect()
    }

    /// The ranges that A lacks most, with their rows in the sample, and the missing values if it lacks those.
    pub(crate) fn lacking(&self, left: &RowSet, lack: &Lack) -> Vec<((usize, usize), u64)> {
        let kept = |bins: &[u8], rows: &Bitmap| rows.rows_and(rows).map(|row| bins[row as usize]).collect::<Vec<u8>>();
        let (a, sample) = (kept(&self.a, &left.a), kept(&self.sample, &left.sample));
        let histogram = Histogram::new(&a, &sample, self.cuts.len());
        let [missing_a, missing] = [&a, &sample].map(|bins| bins.iter().filter(|bin| **bin == NO_BIN).count() as u64);
        let numbers = histogram.lacking_ranges(lack).into_iter();
        numbers.chain(lack.is_likely(missing_a, missing).then_some((MISSING, missing))).collect()
    }

    pub(crate) fn item(&self, dimension: u32, range: (usize, usize)) -> Item<'r> {
        let [a, sample] = [&self.a, &self.sample].map(|of| Bitmap::of_bins(of, range.0..range.1));
        let (value, source) = if range == MISSING {
            (Value::Null, Source::Missing(self.column))
        } else {
            let to = self.cuts.get(range.1).copied().unwrap_or(f64::INFINITY);
            (value(&self.cuts, range.0, range.1), Source::Within(self.column, self.cuts[range.0], to))
        };
        Item::new(dimension, value, a, sample, source)
    }
}

/// True for a number between the edges; a value of infinity lies in the last range, whose edge it is.
pub(crate) fn is_within(number: Option<f64>, from: f64, to: f64) -> bool {
    number.is_some_and(|number| number >= from && (number < to || to == f64::INFINITY))
}

/// Bin i holds `cuts[i] <= x < cuts[i + 1]`; the first cut is the smallest value there is.
fn cuts(column: &Column) -> Vec<f64> {
    let mut cuts = Vec::new();
    for codes in [&column.a, &column.b] {
        let numbers = column.sample(codes, CUT_SAMPLE_ROWS).filter_map(|payload| column.number(payload));
        let mut sample: Vec<f64> = numbers.filter(|number| !number.is_nan()).collect();
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

fn bins(column: &Column, codes: &Codes, cuts: &[f64]) -> Vec<u8> {
    let mut bins = Vec::with_capacity(codes.len());
    codes.for_each(|_, payload| {
        let number = column.number(payload).filter(|number| !number.is_nan());
        bins.push(number.map_or(NO_BIN, |number| (cuts.partition_point(|cut| *cut <= number) - 1) as u8));
    });
    bins
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
        let best = |ranges: Vec<(usize, usize)>| {
            let scored = ranges.into_iter().map(|(from, to)| (self.g(from, to, min_rows), (from, to)));
            scored.filter(|(g, _)| *g > 0.0).max_by(|x, y| x.0.total_cmp(&y.0)).map(|(_, range)| range)
        };
        self.kinds().into_iter().filter_map(best).collect()
    }

    /// The range of each kind that leans away from A most, among those that A lacks, with its rows in the sample.
    fn lacking_ranges(&self, lack: &Lack) -> Vec<((usize, usize), u64)> {
        let most = |ranges: Vec<(usize, usize)>| {
            let lacking = ranges.into_iter().filter_map(|(from, to)| {
                let (a, sampled) = (self.a[to] - self.a[from], self.b[to] - self.b[from]);
                lack.is_likely(a, sampled).then(|| (self.g(from, to, 0), (from, to), sampled))
            });
            lacking.min_by(|x, y| x.0.total_cmp(&y.0)).map(|(_, range, sampled)| (range, sampled))
        };
        self.kinds().into_iter().filter_map(most).collect()
    }

    /// Upper tails, lower tails and intervals.
    fn kinds(&self) -> [Vec<(usize, usize)>; 3] {
        let bins = self.a.len() - 1;
        let upper = (1..bins).map(|from| (from, bins)).collect();
        let lower = (1..bins).map(|to| (0, to)).collect();
        let inner = (1..bins).flat_map(|from| (from + 1..bins).map(move |to| (from, to))).collect();
        [upper, lower, inner]
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
        assert_eq!(Bitmap::of_bins(&a, 2..4).count(), 5);
    }

    #[test]
    fn ranges_are_named_by_their_edges() {
        let cuts = [f64::NEG_INFINITY, 10.0, 20.0];
        assert_eq!(value(&cuts, 1, 3), Value::AtLeast(10.0));
        assert_eq!(value(&cuts, 0, 1), Value::Below(10.0));
        assert_eq!(value(&cuts, 1, 2), Value::Within(10.0, 20.0));
    }
}
