//! What is common in B, whether A has it or not: where the search for what vanished begins.
//!
//! Counted on the rows that no explanation has, B by its sample. Bitmaps are built for the few values that A seems to
//! lack and for those that are combined, so that a table of many columns costs no more than a pass over its codes.

use std::collections::BTreeMap;

use super::{Categories, Counts, Dimensions, Values, bitmaps};
use crate::codes::Codes;
use crate::items::{Item, ItemList, Source};
use crate::limits::{VANISHED_COMBINED_MAX, VANISHED_SINGLES_MAX};
use crate::population::Population;
use crate::workers::share_out;

/// Items that are common in B.
#[derive(Debug)]
pub(crate) struct Common<'r> {
    pub(crate) list: ItemList<'r>,
    /// Values and ranges that B made hypotheses.
    pub(crate) tested: f64,
}

/// What A lacks, told by counts alone.
pub(crate) struct Lack {
    /// Rows of A that B lets expect, at least.
    pub(crate) expected_min: f64,
    /// How many times more frequent in B than in A.
    pub(crate) ratio_min: f64,
    /// Rows left of A over those of the sample.
    pub(crate) scale: f64,
}

impl Lack {
    pub(crate) fn is_common(&self, sampled: u64) -> bool {
        sampled as f64 * self.scale >= self.expected_min
    }

    /// With some slack, for the sample is not B.
    pub(crate) fn is_likely(&self, a: u64, sampled: u64) -> bool {
        const SLACK: f64 = 1.25;
        self.is_common(sampled) && a as f64 * self.ratio_min <= sampled as f64 * self.scale * SLACK
    }
}

/// A value or a range of one dimension, with its rows in the sample.
#[derive(Debug, Clone, Copy)]
struct Seen {
    dimension: usize,
    what: What,
    sampled: u64,
    is_lacking: bool,
}

#[derive(Debug, Clone, Copy)]
enum What {
    Code(u64),
    Range(usize, usize),
}

impl<'r> Dimensions<'r> {
    pub(crate) fn common(&self, left: &Population<'_>, lack: &Lack) -> Common<'r> {
        let seen = |at: usize| match &self.searched[at] {
            Values::Categories(categories) => categories.common(at, left, lack),
            Values::Ranges(ranges) => {
                let lacking = ranges.lacking(&left.rows, lack).into_iter();
                let seen = |((from, to), sampled)| Seen {
                    dimension: at,
                    what: What::Range(from, to),
                    sampled,
                    is_lacking: true,
                };
                (lacking.map(seen).collect(), ranges.tried())
            }
        };
        let of_dimensions = share_out(self.searched.len(), seen, &|| false);
        let tested = of_dimensions.iter().flatten().map(|(_, tested)| tested).sum();
        let (mut lacking, mut there): (Vec<Seen>, Vec<Seen>) =
            of_dimensions.into_iter().flatten().flat_map(|(seen, _)| seen).partition(|seen| seen.is_lacking);
        let most_first = |of: &mut Vec<Seen>, max: usize| {
            of.sort_by_key(|seen| (std::cmp::Reverse(seen.sampled), seen.dimension));
            of.truncate(max);
        };
        most_first(&mut lacking, VANISHED_SINGLES_MAX);
        most_first(&mut there, VANISHED_COMBINED_MAX);
        Common { list: self.listed(lacking.into_iter().chain(there)), tested }
    }

    fn listed(&self, wanted: impl Iterator<Item = Seen>) -> ItemList<'r> {
        let mut by_dimension: BTreeMap<usize, Vec<What>> = BTreeMap::new();
        wanted.for_each(|seen| by_dimension.entry(seen.dimension).or_default().push(seen.what));
        let mut list = ItemList::default();
        for (dimension, wanted) in by_dimension {
            match &self.searched[dimension] {
                Values::Categories(categories) => {
                    let mut codes: Vec<u64> = wanted.iter().filter_map(What::code).collect();
                    codes.sort_unstable();
                    categories.of_codes(dimension as u32, codes).for_each(|item| list.add(item));
                }
                Values::Ranges(ranges) => {
                    let wanted = wanted.iter().filter_map(What::range);
                    wanted.for_each(|range| list.add(ranges.item(dimension as u32, range)));
                }
            }
        }
        list
    }
}

impl What {
    fn code(&self) -> Option<u64> {
        if let What::Code(code) = self { Some(*code) } else { None }
    }

    fn range(&self) -> Option<(usize, usize)> {
        if let What::Range(from, to) = self { Some((*from, *to)) } else { None }
    }
}

impl<'r> Categories<'r> {
    fn sampled(&self) -> &Codes {
        self.sample.as_ref().unwrap_or(&self.column.b)
    }

    /// The common values, and how many there are.
    fn common(&self, dimension: usize, left: &Population<'_>, lack: &Lack) -> (Vec<Seen>, f64) {
        let in_a = Counts::of(&self.column.a, &left.rows.a);
        let in_sample = Counts::of(self.sampled(), &left.rows.sample);
        let common = in_sample.frequent(1).filter_map(|code| {
            let sampled = in_sample.get(code);
            lack.is_common(sampled).then(|| Seen {
                dimension,
                what: What::Code(code),
                sampled,
                is_lacking: lack.is_likely(in_a.get(code), sampled),
            })
        });
        let common: Vec<Seen> = common.collect();
        let tested = common.len() as f64;
        (common, tested)
    }

    /// The items of ascending codes, as far as their values are known by name.
    pub(super) fn of_codes(&self, dimension: u32, codes: Vec<u64>) -> impl Iterator<Item = Item<'r>> {
        let (column, is_sampled) = (self.column, self.sample.is_some());
        let [a, sampled] = [&column.a, self.sampled()].map(|of| bitmaps(of, &codes));
        codes.into_iter().zip(a).zip(sampled).filter_map(move |((code, a), sampled)| {
            let source = if is_sampled { Source::Code(&column.b, code) } else { Source::Sample };
            Some(Item::new(dimension, column.value(code)?, a, sampled, source))
        })
    }
}
