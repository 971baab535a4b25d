//! The statistics of a two-by-two table, and how small a p-value must be after so much searching.
//!
//! G is the logarithm of the binomial likelihood ratio "inside and outside differ" against "they do not" (nats), signed:
//! positive when the rows inside lean towards A. Twice G is chi-square with one degree of freedom (Wilks); where a count
//! below five is expected, Fisher's exact test with the mid-p correction (Lancaster 1961) takes its place.
//!
//! The correction is Bonferroni with alpha halved per order, as in STUCCO (Bay and Pazzani 1999). What it divides by is
//! not the number of itemsets that reached the minimum support in A, because A's own luck chose those, but the number
//! that could have: see [`Family`].

use statrs::function::erf::erfc;
use statrs::function::factorial::ln_binomial;
use statrs::function::gamma::gamma_lr;

/// Rows inside and outside a set, of each slice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Table {
    pub(crate) a_in: f64,
    pub(crate) b_in: f64,
    pub(crate) a_out: f64,
    pub(crate) b_out: f64,
}

impl Table {
    /// `a` of the `all_a` anomalous rows and `b` of the `all_b` normal rows are inside.
    pub(crate) fn new(a: u64, b: u64, all_a: u64, all_b: u64) -> Self {
        debug_assert!(a <= all_a && b <= all_b, "{a} of {all_a}, {b} of {all_b}");
        Self { a_in: a as f64, b_in: b as f64, a_out: (all_a - a) as f64, b_out: (all_b - b) as f64 }
    }

    /// Counts as if only every `deff`-th row were independent.
    pub(crate) fn thinned(self, deff: f64) -> Self {
        let Self { a_in, b_in, a_out, b_out } = self;
        Self { a_in: a_in / deff, b_in: b_in / deff, a_out: a_out / deff, b_out: b_out / deff }
    }

    fn total(&self) -> f64 {
        self.a_in + self.b_in + self.a_out + self.b_out
    }

    /// Signed log-likelihood ratio in nats.
    pub(crate) fn g(&self) -> f64 {
        let (inside, outside) = (self.a_in + self.b_in, self.a_out + self.b_out);
        let (a, b, n) = (self.a_in + self.a_out, self.b_in + self.b_out, self.total());
        if inside == 0.0 || outside == 0.0 || a == 0.0 || b == 0.0 {
            return 0.0;
        }
        let size = x_ln(self.a_in, inside * a / n)
            + x_ln(self.b_in, inside * b / n)
            + x_ln(self.a_out, outside * a / n)
            + x_ln(self.b_out, outside * b / n);
        size.max(0.0).copysign(if self.a_in * outside >= self.a_out * inside { 1.0 } else { -1.0 })
    }

    /// Whether rows inside are more often of A than rows outside.
    pub(crate) fn leans_to_a(&self) -> bool {
        self.a_in * (self.a_out + self.b_out) > self.a_out * (self.a_in + self.b_in)
    }

    /// Two-sided p of "inside and outside have the same rate of A".
    pub(crate) fn p(&self) -> f64 {
        let (inside, outside, n) = (self.a_in + self.b_in, self.a_out + self.b_out, self.total());
        let (a, b) = (self.a_in + self.a_out, self.b_in + self.b_out);
        let least_expected = inside.min(outside) * a.min(b) / n;
        if least_expected < 5.0 { self.fisher_mid_p() } else { erfc(self.g().abs().sqrt()) }
    }

    /// Doubled smaller tail, the observed table counted half.
    fn fisher_mid_p(&self) -> f64 {
        let whole = |x: f64| x.floor() as u64;
        let (a_in, b_in, a_out, b_out) = (whole(self.a_in), whole(self.b_in), whole(self.a_out), whole(self.b_out));
        let (inside, a, n) = (a_in + b_in, a_in + a_out, a_in + b_in + a_out + b_out);
        if n == 0 {
            return 1.0;
        }
        let ln_all = ln_binomial(n, inside);
        let probability = |x: u64| (ln_binomial(a, x) + ln_binomial(n - a, inside - x) - ln_all).exp();
        let (least, most) = ((inside + a).saturating_sub(n), inside.min(a));
        let upper = tail(a_in, most, &probability, |x| x + 1);
        let lower = tail(a_in, least, &probability, |x| x - 1);
        (2.0 * upper.min(lower)).min(1.0)
    }

    /// How many times likelier a row inside is anomalous than one outside.
    pub(crate) fn risk_ratio(&self) -> RiskRatio {
        // Haldane's half keeps the ratio finite when nobody outside is anomalous or nobody inside is normal.
        let half = if self.a_in == 0.0 || self.a_out == 0.0 { 0.5 } else { 0.0 };
        let (a_in, a_out) = (self.a_in + half, self.a_out + half);
        let (inside, outside) = (self.a_in + self.b_in + 2.0 * half, self.a_out + self.b_out + 2.0 * half);
        let ratio = (a_in / inside) / (a_out / outside);
        let variance = 1.0 / a_in - 1.0 / inside + 1.0 / a_out - 1.0 / outside;
        RiskRatio { ratio, log_error: variance.max(0.0).sqrt() }
    }
}

/// Sums `probability` from `at` (counted half) to `end` inclusive; stops where a term no longer changes the sum.
fn tail(at: u64, end: u64, probability: &impl Fn(u64) -> f64, step: impl Fn(u64) -> u64) -> f64 {
    let mut sum = probability(at) / 2.0;
    let mut x = at;
    while x != end {
        x = step(x);
        let term = probability(x);
        sum += term;
        if term < sum * 1e-12 {
            break;
        }
    }
    sum
}

fn x_ln(observed: f64, expected: f64) -> f64 {
    if observed == 0.0 { 0.0 } else { observed * (observed / expected).ln() }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RiskRatio {
    pub(crate) ratio: f64,
    /// Standard error of the ratio's logarithm for independent rows.
    pub(crate) log_error: f64,
}

impl RiskRatio {
    /// 95 % interval; the variance grows with the design effect.
    pub(crate) fn interval(&self, deff: f64) -> (f64, f64) {
        let reach = 1.959_963_985 * self.log_error * deff.sqrt();
        (self.ratio * (-reach).exp(), self.ratio * reach.exp())
    }
}

/// How many hypotheses a search of each order stands for.
///
/// Within one combination of dimensions the itemsets share out the rows, so at most 1/f of them have a share of f or
/// more, and no more than the product of the dimensions' value counts exist. An itemset whose expected rows in A are so
/// few that chance lifts none of its kind over the minimum support is not a hypothesis; f is the largest such share.
#[derive(Debug, Clone)]
pub(crate) struct Family {
    /// Per order, from 1.
    sizes: Vec<f64>,
    alpha: f64,
}

/// A dimension as the family sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Choices {
    /// Values that share out the rows, as far as A lets us guess.
    pub(crate) values: f64,
    /// Overlapping ranges that were tried.
    pub(crate) ranges: f64,
}

/// Combinations of dimensions that are added up one by one; with more, each counts as the most it can be.
const COMBINATIONS_MAX: f64 = 200_000.0;

impl Family {
    pub(crate) fn new(choices: &[Choices], max_order: usize, alpha: f64, min_rows: f64, rows_a: f64) -> Self {
        let sizes = (1..=max_order).map(|order| {
            let combinations = binomial(choices.len(), order);
            let share_max = hypotheses_per_combination(combinations, min_rows, rows_a, alpha / 2f64.powi(order as i32));
            if combinations > COMBINATIONS_MAX {
                return combinations * share_max;
            }
            sum_over_combinations(choices, order, 1.0, 1.0, share_max).max(1.0)
        });
        Self { sizes: sizes.collect(), alpha }
    }

    /// Of a search that counted its hypotheses, per order from 1.
    pub(crate) fn of_sizes(sizes: Vec<f64>, alpha: f64) -> Self {
        Self { sizes: sizes.into_iter().map(|size| size.max(1.0)).collect(), alpha }
    }

    /// The p-value corrected for the search: what `alpha` is compared with.
    pub(crate) fn q(&self, order: usize, p: f64) -> f64 {
        (p * self.size(order) * 2f64.powi(order as i32)).min(1.0)
    }

    pub(crate) fn significant(&self, order: usize, p: f64) -> bool {
        self.q(order, p) <= self.alpha
    }

    pub(crate) fn alpha(&self) -> f64 {
        self.alpha
    }

    pub(crate) fn size(&self, order: usize) -> f64 {
        self.sizes[order - 1]
    }

    /// What a set must gain in likelihood to be worth its length: a quarter of the cost of naming it (measured flat
    /// between 0 and a half on real incidents).
    pub(crate) fn length_cost(&self, order: usize) -> f64 {
        0.25 * order as f64 * self.size(order).max(2.0).ln()
    }
}

fn binomial(n: usize, k: usize) -> f64 {
    if k > n { 0.0 } else { ln_binomial(n as u64, k as u64).exp().round() }
}

/// The largest number of itemsets of one combination of dimensions that could reach `min_rows` in A by chance: 1/f for
/// the expected count f·|A| at which, over all combinations, chance lifts a tenth of alpha above the minimum.
fn hypotheses_per_combination(combinations: f64, min_rows: f64, rows_a: f64, alpha: f64) -> f64 {
    let lifted = |expected: f64| combinations * (rows_a / expected) * gamma_lr(min_rows, expected);
    let (mut low, mut high) = (1e-9_f64, min_rows);
    for _ in 0..60 {
        let middle = (low * high).sqrt();
        if lifted(middle) > alpha / 10.0 { high = middle } else { low = middle }
    }
    (rows_a / low).max(1.0)
}

fn sum_over_combinations(rest: &[Choices], order: usize, values: f64, ranges: f64, share_max: f64) -> f64 {
    if order == 0 {
        return values.min(share_max) * ranges;
    }
    let mut sum = 0.0;
    for (index, choice) in rest.iter().enumerate() {
        let tail = &rest[index + 1..];
        if choice.values > 0.0 {
            sum += sum_over_combinations(tail, order - 1, values * choice.values, ranges, share_max);
        }
        if choice.ranges > 0.0 {
            sum += sum_over_combinations(tail, order - 1, values, ranges * choice.ranges, share_max);
        }
    }
    sum
}

#[cfg(test)]
mod tests;
