//! The rows that no explanation covers yet, and how itemsets lie in them.

use crate::bitmap::Bitmap;
use crate::items::Item;
use crate::limits::ROWS_MIN;
use crate::mine::Itemset;
use crate::significance::{Family, Table};
use crate::units::Units;

/// A part of both slices, with the tests that hold in it.
#[derive(Debug)]
pub(crate) struct Population<'a> {
    pub(crate) items: &'a [Item],
    pub(crate) family: &'a Family,
    pub(crate) units: Option<&'a Units>,
    pub(crate) min_ratio: f64,
    pub(crate) a: Bitmap,
    pub(crate) b: Bitmap,
    pub(crate) rows_a: u64,
    pub(crate) rows_b: u64,
    pub(crate) deff: f64,
}

/// Rows of both slices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) a: u64,
    pub(crate) b: u64,
}

/// Uncorrected level at which a shadow is said to add nothing to the cause that casts it.
const SHADOW_P: f64 = 0.01;

impl<'a> Population<'a> {
    /// The same tests over other rows.
    pub(crate) fn restricted(&self, a: Bitmap, b: Bitmap) -> Population<'a> {
        let (rows_a, rows_b) = (a.count(), b.count());
        let deff = self.units.map_or(1.0, |units| units.design_effect(&a, &b));
        Population { a, b, rows_a, rows_b, deff, ..*self }
    }

    /// The rows outside of all the sets.
    pub(crate) fn without<'s>(&self, sets: impl IntoIterator<Item = &'s Itemset>) -> Population<'a> {
        let (mut a, mut b) = (self.a.clone(), self.b.clone());
        for set in sets {
            a.and_not_assign(&self.rows(set, |item| &item.a));
            b.and_not_assign(&self.rows(set, |item| &item.b));
        }
        self.restricted(a, b)
    }

    /// A set's rows on one side, in the whole slice.
    pub(crate) fn rows(&self, set: &Itemset, side: impl Fn(&'a Item) -> &'a Bitmap) -> Bitmap {
        let mut maps = set.items().map(|index| side(&self.items[index]));
        let first = maps.next().expect("an itemset has an item").clone();
        maps.fold(first, |mut rows, map| {
            rows.and_assign(map);
            rows
        })
    }

    pub(crate) fn count_a(&self, set: &Itemset) -> u64 {
        self.count(&self.a, set, None, |item| &item.a)
    }

    pub(crate) fn count_b(&self, set: &Itemset) -> u64 {
        self.count(&self.b, set, None, |item| &item.b)
    }

    pub(crate) fn counts(&self, set: &Itemset) -> Counts {
        Counts { a: self.count_a(set), b: self.count_b(set) }
    }

    /// Rows that are in both sets.
    pub(crate) fn joint(&self, one: &Itemset, other: &Itemset) -> Counts {
        Counts {
            a: self.count(&self.a, one, Some(other), |item| &item.a),
            b: self.count(&self.b, one, Some(other), |item| &item.b),
        }
    }

    fn count(
        &self,
        within: &Bitmap,
        one: &Itemset,
        other: Option<&Itemset>,
        side: impl Fn(&'a Item) -> &'a Bitmap,
    ) -> u64 {
        let more = other.into_iter().flat_map(Itemset::items).filter(|item| !one.contains(*item));
        let maps: Vec<&Bitmap> =
            std::iter::once(within).chain(one.items().chain(more).map(|index| side(&self.items[index]))).collect();
        Bitmap::count_all(&maps)
    }

    fn table(&self, inside: Counts) -> Table {
        Table::new(inside.a, inside.b, self.rows_a, self.rows_b)
    }

    /// Gain in likelihood less the cost of the set's length.
    pub(crate) fn score(&self, order: usize, inside: Counts) -> f64 {
        self.table(inside).thinned(self.deff).g() - self.family.length_cost(order)
    }

    /// The corrected p-value of the set's lean towards A.
    pub(crate) fn q(&self, order: usize, inside: Counts) -> f64 {
        self.family.q(order, self.table(inside).thinned(self.deff).p())
    }

    /// True when rows inside are anomalous so much more often that it matters, whatever the significance.
    pub(crate) fn is_large(&self, inside: Counts) -> bool {
        let table = self.table(inside);
        inside.a >= ROWS_MIN && table.g() > 0.0 && table.risk_ratio().ratio >= self.min_ratio
    }

    pub(crate) fn explains(&self, order: usize, inside: Counts) -> bool {
        self.is_large(inside) && self.q(order, inside) <= self.family.alpha()
    }

    /// True when, among the rows of `whole`, those of its `part` are anomalous more often than the rest.
    pub(crate) fn matters_within(&self, order: usize, part: Counts, whole: Counts) -> bool {
        let table = Table::new(part.a, part.b, whole.a, whole.b).thinned(self.deff);
        table.g() > 0.0 && self.family.significant(order, table.p())
    }

    /// True when, among the rows of `whole`, there is no sign that those of its `part` are anomalous more often.
    pub(crate) fn adds_nothing_within(&self, part: Counts, whole: Counts) -> bool {
        let table = Table::new(part.a, part.b, whole.a, whole.b).thinned(self.deff);
        table.g() <= 0.0 || table.p() > SHADOW_P
    }
}
