//! The rows that no explanation covers yet, and how itemsets lie in them.

use std::sync::Arc;

use crate::bitmap::Bitmap;
use crate::items::Item;
use crate::itemset::{Found, Itemset};
use crate::limits::ROWS_MIN;
use crate::sample::at_least;
use crate::significance::{Family, Table};
use crate::units::Units;

/// Rows of both slices, and of the sample of B.
#[derive(Debug, Clone)]
pub(crate) struct RowSet {
    pub(crate) a: Bitmap,
    pub(crate) b: Bitmap,
    pub(crate) sample: Bitmap,
}

impl RowSet {
    pub(crate) fn all(len_a: usize, len_b: usize, len_sample: usize) -> Self {
        Self { a: Bitmap::ones(len_a), b: Bitmap::ones(len_b), sample: Bitmap::ones(len_sample) }
    }
}

/// A part of both slices, with the tests that hold in it.
#[derive(Debug)]
pub(crate) struct Population<'r> {
    pub(crate) items: Arc<[Arc<Item<'r>>]>,
    pub(crate) family: Family,
    pub(crate) min_ratio: f64,
    pub(crate) rows: RowSet,
    pub(crate) rows_a: u64,
    pub(crate) rows_b: u64,
    pub(crate) rows_sampled: u64,
    pub(crate) deff: f64,
}

/// The first words of the sample.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FirstLook {
    pub(crate) words: usize,
    /// Rows in them.
    sampled: u64,
}

/// Rows of B that a first look takes at least.
const FIRST_LOOK_MIN: usize = 1 << 13;

/// Rows of both slices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) a: u64,
    pub(crate) b: u64,
}

impl Found {
    pub(crate) fn counts(&self) -> Counts {
        Counts { a: self.a, b: self.b }
    }
}

/// Uncorrected level at which a shadow is said to add nothing to the cause that casts it.
const SHADOW_P: f64 = 0.01;

impl<'r> Population<'r> {
    /// The design effect is that of the rows themselves.
    pub(crate) fn new(
        items: Arc<[Arc<Item<'r>>]>,
        rows: RowSet,
        units: Option<&Units>,
        min_ratio: f64,
        family: impl FnOnce(u64, f64) -> Family,
    ) -> Self {
        let deff = units.map_or(1.0, |units| units.design_effect(&rows.a, &rows.b));
        let (rows_a, rows_b, rows_sampled) = (rows.a.count(), rows.b.count(), rows.sample.count());
        Self { items, family: family(rows_a, deff), min_ratio, rows, rows_a, rows_b, rows_sampled, deff }
    }

    /// The same tests on the rows outside of all the sets.
    pub(crate) fn without<'s>(&self, sets: impl IntoIterator<Item = &'s Itemset>) -> Self {
        let mut rows = self.rows.clone();
        for set in sets {
            rows.a.and_not_assign(&self.rows_of(set, |item| &item.a));
            rows.b.and_not_assign(&self.rows_of(set, |item| item.b()));
            rows.sample.and_not_assign(&self.rows_of(set, |item| &item.sample));
        }
        let (rows_a, rows_b, rows_sampled) = (rows.a.count(), rows.b.count(), rows.sample.count());
        Self { items: self.items.clone(), family: self.family.clone(), rows, rows_a, rows_b, rows_sampled, ..*self }
    }

    /// A set's rows on one side, in the whole slice.
    pub(crate) fn rows_of<'p>(&'p self, set: &Itemset, side: impl Fn(&'p Item<'r>) -> &'p Bitmap) -> Bitmap {
        let mut maps = set.items().map(|index| side(&self.items[index]));
        let first = maps.next().expect("an itemset has an item").clone();
        maps.fold(first, |mut rows, map| {
            rows.and_assign(map);
            rows
        })
    }

    pub(crate) fn counted(&self, set: Itemset) -> Found {
        let Counts { a, b } = self.counts(&set);
        Found { set, a, b }
    }

    pub(crate) fn counts(&self, set: &Itemset) -> Counts {
        Counts { a: self.count_a(set), b: self.count_b(set) }
    }

    fn count_a(&self, set: &Itemset) -> u64 {
        count(&self.rows.a, set.items().map(|index| &self.items[index].a))
    }

    pub(crate) fn count_b(&self, set: &Itemset) -> u64 {
        count(&self.rows.b, set.items().map(|index| self.items[index].b()))
    }

    pub(crate) fn count_sample(&self, set: &Itemset) -> u64 {
        count(&self.rows.sample, set.items().map(|index| &self.items[index].sample))
    }

    /// The least rows of B that are plausible with so many in the sample.
    pub(crate) fn b_at_least(&self, seen: u64) -> u64 {
        at_least(seen, self.rows_sampled, self.rows_b)
    }

    /// Rows of B, if the sample is like them.
    pub(crate) fn b_estimate(&self, seen: u64) -> u64 {
        self.b_like(seen, self.rows_sampled)
    }

    fn b_like(&self, seen: u64, sampled: u64) -> u64 {
        ((seen as f64 * (self.rows_b as f64 / sampled.max(1) as f64)) as u64).min(self.rows_b)
    }

    /// A first part of the sample that is enough to reject most sets; none when all of B is at hand.
    pub(crate) fn first_look(&self) -> Option<FirstLook> {
        let words = (FIRST_LOOK_MIN.max(2 * self.rows_a as usize)).div_ceil(64);
        let all = self.rows.sample.words();
        (self.rows_sampled < self.rows_b && words * 2 < all.len())
            .then(|| FirstLook { words, sampled: all[..words].iter().map(|word| u64::from(word.count_ones())).sum() })
    }

    /// True when a first look is enough: the set cannot be significant, and does not seem to lean towards A at all.
    pub(crate) fn is_rejected(&self, look: &FirstLook, order: usize, a: u64, seen: u64) -> bool {
        let like = Counts { a, b: self.b_like(seen, look.sampled) };
        let least = Counts { a, b: at_least(seen, look.sampled, self.rows_b) };
        self.score(order, like) <= 0.0 && !self.explains(order, least)
    }

    /// Rows that are in both sets.
    pub(crate) fn joint(&self, one: &Itemset, other: &Itemset) -> Counts {
        let both = || one.items().chain(other.items().filter(|item| !one.contains(*item)));
        Counts {
            a: count(&self.rows.a, both().map(|index| &self.items[index].a)),
            b: count(&self.rows.b, both().map(|index| self.items[index].b())),
        }
    }

    pub(crate) fn table(&self, inside: Counts) -> Table {
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
        inside.a >= ROWS_MIN && table.leans_to_a() && table.risk_ratio().ratio >= self.min_ratio
    }

    /// Whether the rows inside are a greater part of A than of B.
    pub(crate) fn leans_to_a(&self, inside: Counts) -> bool {
        self.table(inside).leans_to_a()
    }

    /// True when the set is large and gains more than the cost of its length, so that it may appear in the ranking at all.
    /// With more rows of B it never becomes true again.
    pub(crate) fn is_worth_reporting(&self, order: usize, inside: Counts) -> bool {
        self.is_large(inside) && self.score(order, inside) > 0.0
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

fn count<'m>(within: &'m Bitmap, maps: impl Iterator<Item = &'m Bitmap>) -> u64 {
    Bitmap::count_all(&std::iter::once(within).chain(maps).collect::<Vec<_>>())
}

/// A float in the order of its value, as an integer that can be compared.
pub(crate) fn ordered(value: f64) -> i64 {
    let bits = value.to_bits().cast_signed();
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}
