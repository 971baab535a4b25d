//! What vanished: what is common in B and missing, or nearly, in A.
//!
//! A host that is dead sends no rows, so the search for explanations, which looks at what A has, cannot see it. Here the
//! slices change places: the values that are common in B, alone and the most frequent of them in pairs, are counted in A.
//!
//! They are judged on the rows that no explanation has. When one version fails, the others are a smaller part of A than
//! of B; that is the explanation's complement and nothing has vanished. It may be the other way round: when a region is
//! gone, the others are a greater part of A, and the search for explanations names them one after the other until no row
//! is left. Then what vanished screens them off (see [`Vanished::screens_off`]), and they are its shadows.
//!
//! B alone decides what is looked at, so the number of hypotheses is counted and not estimated; they get an eighth of
//! alpha, so that they add little to the false alarms of the search for explanations.

use std::sync::Arc;

use crate::bitmap::Bitmap;
use crate::cover::{Choice, Folded};
use crate::dimensions::{Common, Lack};
use crate::items::{Item, ItemList};
use crate::itemset::{Found, Itemset};
use crate::limits::{ROWS_MIN, VANISHED_MAX, VANISHED_RATIO_MIN};
use crate::population::{Counts, Population, ordered};
use crate::significance::{Family, Table};
use crate::workers::share_out;

/// Hypotheses about what vanished get an eighth of alpha.
const SHARE_OF_ALPHA: f64 = 8.0;

/// What has vanished, the most telling first, and the items that it is made of.
pub(crate) struct Vanished<'r> {
    pub(crate) list: ItemList<'r>,
    pub(crate) choices: Vec<Choice>,
    judge: Judge<'r>,
}

impl Vanished<'_> {
    /// Whether an explanation is only what is left when this is missing: without its rows it explains nothing, and outside
    /// of the explanation's rows this is missing as well. The second half tells it from the explanation's complement.
    pub(crate) fn screens_off(&self, all: &Population<'_>, told: &Itemset) -> bool {
        let judged = &self.judge.all;
        let rest = judged.without(self.choices.iter().map(|choice| &choice.found.set));
        let rest = Population { items: all.items.clone(), family: all.family.clone(), ..rest };
        let outside = all.without([told]);
        let outside = Population { items: judged.items.clone(), family: judged.family.clone(), ..outside };
        !rest.explains(told.order(), rest.counts(told))
            && self.choices.iter().any(|choice| self.judge.has_vanished(&outside, &choice.found.set))
    }
}

/// The share of A that must be missing to make the least of some explanations as frequent as it is: when a share v of B is
/// missing in A, everything else is 1 / (1 - v) times as frequent there.
pub(crate) fn share_missing_behind<'c>(all: &Population<'_>, told: impl Iterator<Item = &'c Choice>) -> f64 {
    // What vanished may not have been quite even over all else.
    const SLACK: f64 = 0.8;
    let missing = |choice: &Choice| {
        let Counts { a, b } = choice.found.counts();
        1.0 - (b as f64 / all.rows_b as f64) / (a as f64 / all.rows_a as f64)
    };
    SLACK * told.map(missing).fold(1.0, f64::min)
}

/// What counts as common, and as lacking, among the rows left; none when too few are.
pub(crate) fn lack(left: &Population<'_>, expected_min: u64) -> Option<Lack> {
    (left.rows_a >= ROWS_MIN && left.rows_sampled >= ROWS_MIN).then(|| Lack {
        expected_min: expected_min as f64,
        ratio_min: left.min_ratio.max(VANISHED_RATIO_MIN),
        scale: left.rows_a as f64 / left.rows_sampled as f64,
    })
}

/// What vanished among some of all rows.
pub(crate) fn vanished<'r>(
    among: &Population<'r>,
    all: &Population<'r>,
    common: Common<'r>,
    lack: &Lack,
) -> Vanished<'r> {
    let Common { list, tested } = common;
    let items: Arc<[Arc<Item<'r>>]> = Arc::from(&list.items[..]);
    let mut left = Population { items: items.clone(), ..among.without([]) };
    let narrowed: Vec<Narrowed> = (0..items.len()).map(|index| Narrowed::of(&left, index)).collect();
    let (lacking, there): (Vec<&Narrowed>, Vec<&Narrowed>) =
        narrowed.iter().partition(|item| lack.is_likely(item.a.count(), item.sample.count()));
    let (pairs, pairs_tested) = lacking_pairs(&there, lack);
    let sizes = [tested, pairs_tested].map(|tested| tested * SHARE_OF_ALPHA);
    left.family = Family::of_sizes(sizes.into(), left.family.alpha());
    let all = Population { items, family: left.family.clone(), ..all.without([]) };
    let sets = lacking.iter().map(|item| Itemset::of([item.index])).chain(pairs).collect();
    let judge = Judge { all, ratio_min: lack.ratio_min };
    Vanished { list, choices: judge.choose(left, sets), judge }
}

/// An item's rows among those left.
struct Narrowed {
    index: usize,
    dimension: u32,
    a: Bitmap,
    sample: Bitmap,
}

impl Narrowed {
    fn of(left: &Population<'_>, index: usize) -> Self {
        let item = &left.items[index];
        let (mut a, mut sample) = (item.a.clone(), item.sample.clone());
        a.and_assign(&left.rows.a);
        sample.and_assign(&left.rows.sample);
        Self { index, dimension: item.dimension, a, sample }
    }
}

/// Pairs that A seems to lack, and how many were looked at.
fn lacking_pairs(items: &[&Narrowed], lack: &Lack) -> (Vec<Itemset>, f64) {
    let partners = |at: usize| {
        let one = items[at];
        items[at + 1..].iter().filter(|other| other.dimension != one.dimension).map(move |other| (one, *other))
    };
    let lacks = |(one, other): &(&Narrowed, &Narrowed)| {
        lack.is_likely(one.a.count_and(&other.a), one.sample.count_and(&other.sample))
    };
    let work = |at: usize| {
        let pairs = partners(at).filter(lacks).map(|(one, other)| Itemset::of([one.index, other.index]));
        (pairs.collect::<Vec<_>>(), partners(at).count())
    };
    let done = share_out(items.len(), work, &|| false);
    let tested = done.iter().flatten().map(|(_, tested)| *tested as f64).sum();
    (done.into_iter().flatten().flat_map(|(pairs, _)| pairs).collect(), tested)
}

struct Judge<'r> {
    all: Population<'r>,
    ratio_min: f64,
}

impl Judge<'_> {
    /// A greedy cover of what B has more: the next is judged without the rows of those before, and what lacks nothing
    /// then is folded under the one that took its rows.
    fn choose(&self, mut left: Population<'_>, mut sets: Vec<Itemset>) -> Vec<Choice> {
        let mut choices: Vec<Choice> = Vec::new();
        sets.retain(|set| self.has_vanished(&left, set));
        while choices.len() < VANISHED_MAX
            && left.rows_a > 0
            && left.rows_b > 0
            && let Some(set) =
                sets.iter().copied().max_by_key(|set| (ordered(score(&left, set)), std::cmp::Reverse(*set)))
        {
            let next = left.without([&set]);
            let (still, mut shadows): (Vec<_>, Vec<_>) =
                sets.into_iter().partition(|set| self.has_vanished(&next, set));
            shadows.retain(|shadow| *shadow != set);
            let mut choice = self.choice(&left, set);
            choice.folded = shadows.iter().map(|shadow| self.folded(shadow)).collect();
            choice.folded.sort_by_key(|folded| (std::cmp::Reverse(folded.rank()), folded.found.set));
            choices.push(choice);
            (left, sets) = (next, still);
        }
        choices
    }

    fn has_vanished(&self, left: &Population<'_>, set: &Itemset) -> bool {
        let inside = left.counts(set);
        inside.b >= ROWS_MIN
            && self.is_rare(inside, left)
            && self.is_rare(self.all.counts(set), &self.all)
            && left.q(set.order(), inside) <= left.family.alpha()
            && set.proper_parts().all(|part| is_rarer_within(left, inside, left.counts(&part)))
    }

    fn is_rare(&self, inside: Counts, of: &Population<'_>) -> bool {
        inside.a as f64 * of.rows_b as f64 * self.ratio_min <= inside.b as f64 * of.rows_a as f64
    }

    fn choice(&self, left: &Population<'_>, set: Itemset) -> Choice {
        let (score, q) = (score(left, &set), left.q(set.order(), left.counts(&set)));
        Choice { found: self.all.counted(set), score, q, folded: Vec::new() }
    }

    fn folded(&self, set: &Itemset) -> Folded {
        let found: Found = self.all.counted(*set);
        Folded { found, score: score(&self.all, set), q: self.all.q(set.order(), found.counts()), restates: false }
    }
}

/// Loss in likelihood, were it nothing, less the cost of the set's length.
fn score(left: &Population<'_>, set: &Itemset) -> f64 {
    -left.table(left.counts(set)).thinned(left.deff).g() - left.family.length_cost(set.order())
}

/// Whether, among the rows of `whole`, those of its `part` are in A less often than the rest.
fn is_rarer_within(left: &Population<'_>, part: Counts, whole: Counts) -> bool {
    let table = Table::new(part.a, part.b, whole.a, whole.b).thinned(left.deff);
    table.g() < 0.0 && left.family.significant(1, table.p())
}
