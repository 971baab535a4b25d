//! The itemsets that separate A from B best, among all that are frequent in A.
//!
//! Only A is searched: its rows are few, and each carries the list of its items, so that the items which extend a prefix
//! are counted by walking over the prefix's rows (the projection of PrefixSpan and H-mine; Pei 2001). The items are ranked
//! from rare to frequent and a prefix consists of its rarest items, so walks are short.
//!
//! B is counted for what A has shown, and only as far as it matters. A set with `a` rows in A scores most when it has no
//! row in B, and so do its extensions: a set whose bound does not reach the floor is neither counted nor extended. The
//! others are counted in a sample of B, which gives a closer bound (see `sample.rs`). Then those with the highest bounds
//! are counted in all of B, until no bound reaches the score of the 64th best set (the threshold algorithm;
//! Fagin 2001). That score is the floor of the next order.
//!
//! One order comes after the other, and in each the prefixes with the most rows come first, so that a short budget still
//! ends with the short explanations complete and with a bound on what was missed.

mod best;
mod row_items;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use self::best::{Best, Candidate};
use self::row_items::{Projection, RowItems};
use crate::bitmap::count_words;
use crate::implications::Implications;
use crate::items::Item;
use crate::itemset::{Found, Itemset};
use crate::limits::{CANDIDATES_MAX, COMBINED_ITEMS_MAX, ORDER_MAX};
use crate::population::{Counts, FirstLook, Population, ordered};
use crate::workers::{Stop, share_out};

#[derive(Debug, Default)]
pub(crate) struct Mined {
    /// Best first; counts on the rows of the population.
    pub(crate) found: Vec<Found>,
    /// Itemsets frequent in A, per order from 1.
    pub(crate) counted: Vec<u64>,
    /// The most rows of A that an itemset beyond the last order can have.
    pub(crate) rows_of_longer_max: u64,
    /// What was cut, for the reader; empty when the best are the best of all.
    pub(crate) cuts: Vec<String>,
}

/// Searches conjunctions of up to `max_order` items with at least `min_rows` rows in A.
pub(crate) fn mine(
    left: &Population<'_>,
    implications: &Implications,
    max_order: usize,
    min_rows: u64,
    stop: Stop<'_>,
) -> Mined {
    let mut search = Search::new(left, implications, min_rows);
    let mut counted = vec![search.ranked.len() as u64];
    let mut cuts = search.combined_cut();
    let rows_of_longer_max = search.rows_of_longer_max(max_order);
    let singles: Vec<u32> = (0..search.combined as u32).collect();
    let mut level: Vec<Prefix> =
        singles.into_iter().map(|rank| Prefix { ranks: Ranks::of(rank), a: search.counts[rank as usize].a }).collect();
    for order in 2..=max_order {
        let firsts = level.chunk_by(|x, y| x.ranks.first() == y.ranks.first()).collect::<Vec<_>>();
        let mut by_rows: Vec<usize> = (0..firsts.len()).collect();
        by_rows.sort_by_key(|at| Reverse(search.counts[firsts[*at][0].ranks.first()].a));
        let kept = AtomicU64::new(0);
        let halted = || stop() || kept.load(Ordering::Relaxed) > CANDIDATES_MAX;
        let extended = share_out(
            by_rows.len(),
            |at| {
                let extended = search.extend_all(firsts[by_rows[at]], order == max_order, &halted);
                kept.fetch_add(extended.prefixes.len() as u64, Ordering::Relaxed);
                extended
            },
            &halted,
        );
        let missed = (0..by_rows.len()).find(|at| extended[*at].as_ref().is_none_or(|extended| !extended.complete));
        if let Some(at) = missed {
            let why = if stop() { "the time budget" } else { "the limit on itemsets" };
            let rows = search.counts[firsts[by_rows[at]][0].ranks.first()].a;
            cuts.push(format!(
                "{why} ended the search among conjunctions of {order}: one that is missed has at most {rows} of the {} \
                 anomalous rows",
                left.rows_a
            ));
        }
        let mut next: Vec<Extended> = extended.into_iter().flatten().collect();
        counted.push(next.iter().map(|extended| extended.counted).sum());
        next.sort_by_key(|extended| extended.first);
        if order == 2 {
            search.implied.extend(next.iter_mut().flat_map(|extended| std::mem::take(&mut extended.implied)));
            search.implied.sort_unstable();
        }
        let candidates = next.iter_mut().flat_map(|extended| std::mem::take(&mut extended.candidates)).collect();
        search.best.take(left, candidates);
        level = next.into_iter().flat_map(|extended| extended.prefixes).collect();
        if missed.is_some() || level.is_empty() {
            break;
        }
    }
    counted.resize(max_order, 0);
    Mined { found: search.best.into_found(), counted, rows_of_longer_max, cuts }
}

/// Items by rank, ascending; the last ones are unused.
#[derive(Debug, Clone, Copy)]
struct Ranks {
    of: [u32; ORDER_MAX],
    len: u8,
}

impl Ranks {
    fn of(rank: u32) -> Self {
        let mut of = [u32::MAX; ORDER_MAX];
        of[0] = rank;
        Self { of, len: 1 }
    }

    /// `rank` is beyond all others.
    fn with(mut self, rank: u32) -> Self {
        self.of[usize::from(self.len)] = rank;
        self.len += 1;
        self
    }

    fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.of[..usize::from(self.len)].iter().map(|rank| *rank as usize)
    }

    fn first(&self) -> usize {
        self.of[0] as usize
    }

    fn last(&self) -> u32 {
        self.of[usize::from(self.len) - 1]
    }
}

/// A set that may be extended, with its rows in A.
#[derive(Debug, Clone, Copy)]
struct Prefix {
    ranks: Ranks,
    a: u64,
}

/// What became of the prefixes that begin with one item.
#[derive(Default)]
struct Extended {
    first: usize,
    prefixes: Vec<Prefix>,
    candidates: Vec<Candidate>,
    /// Pairs of which one item implies the other.
    implied: Vec<(u32, u32)>,
    counted: u64,
    complete: bool,
}

impl Extended {
    /// For the next order.
    fn keep(&mut self, prefix: &Prefix, rank: u32, a: u64, is_last_order: bool) {
        if !is_last_order {
            self.prefixes.push(Prefix { ranks: prefix.ranks.with(rank), a });
        }
    }
}

/// The part of the sample that a first look takes, and the rest of it.
#[derive(Clone, Copy)]
enum Half {
    First,
    Rest,
}

/// A prefix's rows in both halves of the sample, as far as they were asked for. The room is used again for every prefix.
#[derive(Default)]
struct Halves {
    rows: [Vec<u64>; 2],
    known: [bool; 2],
}

impl Halves {
    fn forget(&mut self) {
        self.known = [false; 2];
    }

    fn half(&mut self, half: Half, fill: impl FnOnce(&mut Vec<u64>)) -> &[u64] {
        let (rows, known) = (&mut self.rows[half as usize], &mut self.known[half as usize]);
        if !std::mem::replace(known, true) {
            rows.clear();
            fill(rows);
        }
        rows
    }

    fn count(&self) -> u64 {
        self.rows.iter().zip(self.known).filter(|(_, known)| *known).map(|(rows, _)| count_words(rows, rows)).sum()
    }
}

/// Rows of B of the first item and of a whole prefix.
#[derive(Default)]
struct Looks {
    of_first: Halves,
    of_prefix: Halves,
}

impl Looks {
    fn of(&self, prefix: &Prefix) -> &Halves {
        if prefix.ranks.len == 1 { &self.of_first } else { &self.of_prefix }
    }
}

/// What is known of an item alone.
#[derive(Debug, Clone, Copy)]
struct Single {
    a: u64,
    sampled: u64,
    /// With the least plausible rows in B, in the form of [`ordered`].
    score: i64,
}

struct Search<'a, 'r> {
    left: &'a Population<'r>,
    implications: &'a Implications,
    min_rows: u64,
    /// Items by rank, from rare to frequent in A; those beyond `combined` stay alone.
    ranked: Vec<usize>,
    combined: usize,
    counts: Vec<Single>,
    /// Per row of A the ranks of its items, ascending.
    rows: RowItems,
    implied: Vec<(u32, u32)>,
    look: Option<FirstLook>,
    best: Best,
}

impl<'a, 'r> Search<'a, 'r> {
    fn new(left: &'a Population<'r>, implications: &'a Implications, min_rows: u64) -> Self {
        let items = &left.items;
        let count = |index: usize| (index, items[index].a.count_and(&left.rows.a));
        let mut frequent: Vec<(usize, u64)> = (0..items.len()).map(count).filter(|(_, a)| *a >= min_rows).collect();
        let mut best = Best::default();
        let (mut alone, mut candidates) = (Vec::new(), Vec::new());
        for (index, a) in &frequent {
            let set = Itemset::of([*index]);
            let sampled = left.count_sample(&set);
            let score = ordered(left.score(1, Counts { a: *a, b: left.b_at_least(sampled) }));
            candidates.extend(best.candidate(left, set, *a, sampled));
            alone.push(Single { a: *a, sampled, score });
        }
        best.take(left, candidates);
        let combined = frequent.len().min(COMBINED_ITEMS_MAX);
        let mut places: Vec<usize> = (0..frequent.len()).collect();
        places.sort_by_key(|at| Reverse(alone[*at].score));
        places[..combined].sort_by_key(|at| (alone[*at].a, frequent[*at].0));
        let counts = places.iter().map(|at| alone[*at]).collect();
        frequent = places.iter().map(|at| frequent[*at]).collect();
        let ranked: Vec<usize> = frequent.into_iter().map(|(index, _)| index).collect();
        let rows = RowItems::new(left, &ranked[..combined]);
        let look = left.first_look();
        Self { left, implications, min_rows, ranked, combined, counts, rows, implied: Vec::new(), look, best }
    }

    /// A conjunction has an item of each of its dimensions, and no more rows than the rarest of them.
    fn rows_of_longer_max(&self, order: usize) -> u64 {
        let mut most: BTreeMap<u32, u64> = BTreeMap::new();
        for (index, count) in self.ranked.iter().zip(&self.counts) {
            let of = most.entry(self.left.items[*index].dimension).or_default();
            *of = count.a.max(*of);
        }
        let mut most: Vec<u64> = most.into_values().collect();
        most.sort_unstable_by_key(|rows| Reverse(*rows));
        most.get(order).copied().unwrap_or(0)
    }

    fn combined_cut(&self) -> Vec<String> {
        let (combined, all) = (self.combined, self.ranked.len());
        let cut = || format!("{combined} of {all} items were combined; those that separate least were looked at alone");
        (combined < all).then(cut).into_iter().collect()
    }

    /// Extends the prefixes, which all begin with the same item.
    fn extend_all(&self, prefixes: &[Prefix], is_last_order: bool, halted: &dyn Fn() -> bool) -> Extended {
        let first = prefixes[0].ranks.first();
        let mut extended = Extended { first, complete: true, ..Extended::default() };
        let rows = self.item(first).a.rows_and(&self.left.rows.a);
        let mut projection = Projection::new(&self.rows, first, rows);
        let mut counts = vec![0u32; self.combined];
        let mut looks = Looks::default();
        for prefix in prefixes {
            if halted() {
                extended.complete = false;
                return extended;
            }
            if !self.may_extend(usize::from(prefix.ranks.len) + 1, prefix.a) {
                continue;
            }
            let others: Vec<usize> = prefix.ranks.iter().skip(1).collect();
            projection.count(&others, &mut counts);
            self.extend(prefix, &counts, &mut looks, &mut extended, is_last_order);
            counts[prefix.ranks.last() as usize..].fill(0);
        }
        extended
    }

    /// Counts B for the frequent extensions of one prefix. `looks` keep the rows of B of the first item.
    fn extend(&self, prefix: &Prefix, counts: &[u32], looks: &mut Looks, extended: &mut Extended, is_last_order: bool) {
        let order = usize::from(prefix.ranks.len) + 1;
        looks.of_prefix.forget();
        for rank in prefix.ranks.last() + 1..self.combined as u32 {
            let a = u64::from(counts[rank as usize]);
            if a < self.min_rows || !self.fits(prefix, rank) {
                continue;
            }
            extended.counted += 1;
            if !self.may_extend(order, a) {
                continue;
            }
            if self.implies(prefix, rank, a) {
                extended.implied.push((prefix.ranks.first() as u32, rank));
                continue;
            }
            let map = self.item(rank as usize).sample.words();
            let [first, rest] = [Half::First, Half::Rest].map(|half| &map[self.words(half)]);
            let seen = count_words(self.sample_of(prefix, Half::First, looks), first);
            if self.look.is_some_and(|look| self.left.is_rejected(&look, order, a, seen)) {
                extended.keep(prefix, rank, a, is_last_order);
                continue;
            }
            let sampled = seen + count_words(self.sample_of(prefix, Half::Rest, looks), rest);
            let is_exact = self.left.rows_sampled == self.left.rows_b;
            if is_exact && self.coincides(prefix, rank, a, [sampled, looks.of(prefix).count()]) {
                if order == 2 {
                    extended.implied.push((prefix.ranks.first() as u32, rank));
                }
                continue;
            }
            extended.keep(prefix, rank, a, is_last_order);
            let set = Itemset::of(prefix.ranks.iter().chain([rank as usize]).map(|rank| self.ranked[rank]));
            extended.candidates.extend(self.best.candidate(self.left, set, a, sampled));
        }
    }

    /// A set whose rows are those of one of its parts is that part: its extra item is implied. In A they are the same.
    /// Where B is only sampled, dependencies between whole columns are told; what else coincides, [`Best`] finds out.
    fn implies(&self, prefix: &Prefix, rank: u32, a: u64) -> bool {
        let of_item = self.counts[rank as usize];
        let (first, item) = (self.item(prefix.ranks.first()), self.item(rank as usize));
        prefix.ranks.len == 1
            && (a == prefix.a && self.implications.holds(first, item)
                || a == of_item.a && self.implications.holds(item, first))
    }

    /// The same where the sample is all of B. `sampled` are the rows of the set and of its prefix.
    fn coincides(&self, prefix: &Prefix, rank: u32, a: u64, [sampled, of_prefix]: [u64; 2]) -> bool {
        let of_item = self.counts[rank as usize];
        a == prefix.a && sampled == of_prefix || prefix.ranks.len == 1 && a == of_item.a && sampled == of_item.sampled
    }

    /// True when a set with so many rows in A, and none in B, could be among the best.
    fn may_extend(&self, order: usize, a: u64) -> bool {
        self.best.bound(self.left, order, Counts { a, b: 0 }).is_some()
    }

    fn fits(&self, prefix: &Prefix, rank: u32) -> bool {
        let dimension = self.item(rank as usize).dimension;
        prefix.ranks.iter().all(|own| {
            self.item(own).dimension != dimension && self.implied.binary_search(&(own as u32, rank)).is_err()
        })
    }

    /// The prefix's rows in one half of the sample; most prefixes never need the second.
    fn sample_of<'l>(&self, prefix: &Prefix, half: Half, looks: &'l mut Looks) -> &'l [u64] {
        let range = self.words(half);
        let words = |rank: usize| &self.item(rank).sample.words()[range.clone()];
        let Looks { of_first, of_prefix } = looks;
        let first = of_first.half(half, |rows| {
            let within = &self.left.rows.sample.words()[range.clone()];
            rows.extend(words(prefix.ranks.first()).iter().zip(within).map(|(x, y)| x & y));
        });
        if prefix.ranks.len == 1 {
            return first;
        }
        of_prefix.half(half, |rows| {
            rows.extend_from_slice(first);
            for rank in prefix.ranks.iter().skip(1) {
                rows.iter_mut().zip(words(rank)).for_each(|(x, y)| *x &= y);
            }
        })
    }

    /// Where a half of the sample stands in it.
    fn words(&self, half: Half) -> Range<usize> {
        let middle = self.look.map_or(0, |look| look.words);
        match half {
            Half::First => 0..middle,
            Half::Rest => middle..self.left.rows.sample.words().len(),
        }
    }

    fn item(&self, rank: usize) -> &'a Item<'r> {
        &self.left.items[self.ranked[rank]]
    }
}

#[cfg(test)]
mod tests;
