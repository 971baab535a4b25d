//! Requests of many skewed dimensions, from a seed, in which a few conjunctions fail more often: the form in which the
//! engine is measured at scale, small enough for every test run. The truth is what was planted.
//!
//! As in traffic, some dimensions are functions of others, two are correlated with another without being causes, and
//! the rows of one request share their dimensions and a propensity to fail.

use super::planted::Random;

#[derive(Debug, Clone)]
pub(super) struct Spec {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) causes: usize,
    /// Share of labels that are drawn anew, half of them wrongly.
    pub(super) noise: f64,
    pub(super) seed: u64,
}

#[derive(Debug, Clone)]
pub(super) struct Cause {
    /// Dimension and value, by dimension.
    pub(super) items: Vec<(usize, u32)>,
    pub(super) ratio: f64,
    /// Share of the requests.
    pub(super) share: f64,
}

#[derive(Debug)]
pub(super) struct Incident {
    /// Per dimension and row.
    pub(super) codes: Vec<Vec<u32>>,
    pub(super) request: Vec<u32>,
    pub(super) failed: Vec<bool>,
    pub(super) causes: Vec<Cause>,
}

/// Rate of failures without a cause.
const BASE: f64 = 0.01;

impl Incident {
    pub(super) fn generate(spec: &Spec) -> Self {
        let mut random = Random(spec.seed.wrapping_mul(0x9E37_79B9).wrapping_add(spec.rows as u64));
        let mut request = Vec::with_capacity(spec.rows + 8);
        let mut requests = 0;
        while request.len() < spec.rows {
            request.extend(std::iter::repeat_n(requests, 1 + random.below(8)));
            requests += 1;
        }
        request.truncate(spec.rows);
        let (codes, dependent) = dimensions(&mut random, spec.columns, requests as usize);
        let causes = plant(&mut random, &codes, &dependent, spec.causes);
        let has =
            |cause: &Cause, at: usize| cause.items.iter().all(|(dimension, value)| codes[*dimension][at] == *value);
        let rate =
            |at: usize| causes.iter().filter(|cause| has(cause, at)).map(|cause| cause.ratio).fold(1.0, f64::max);
        // Gamma of shape 2 and mean 1: a request fails as one.
        let propensity = |random: &mut Random| -0.5 * ((1.0 - random.unit()).ln() + (1.0 - random.unit()).ln());
        let rates: Vec<f64> = (0..requests as usize)
            .map(|at| ((BASE * rate(at)).min(0.95) * propensity(&mut random)).min(0.97))
            .collect();
        let mut fails = |request: &u32| {
            let failed = random.unit() < rates[*request as usize];
            failed ^ (random.unit() < spec.noise && random.unit() < 0.5)
        };
        let failed = request.iter().map(&mut fails).collect();
        let rows = |of: &Vec<u32>| request.iter().map(|at| of[*at as usize]).collect();
        Self { codes: codes.iter().map(rows).collect(), request, failed, causes }
    }
}

/// Codes per dimension and request, and which dimensions take part in a functional dependency.
fn dimensions(random: &mut Random, columns: usize, requests: usize) -> (Vec<Vec<u32>>, Vec<bool>) {
    let steps = (columns - 1).max(1) as f64;
    let mut sizes: Vec<usize> = (0..columns).map(|i| (4.0 * 250f64.powf(i as f64 / steps)) as usize).collect();
    for at in (1..columns).rev() {
        sizes.swap(at, random.below(at + 1));
    }
    let mut codes: Vec<Vec<u32>> = Vec::new();
    let mut dependent = vec![false; columns];
    for at in 0..columns {
        if at % 5 == 4 {
            let source = random.below(at);
            let values = (sizes[source] / 3).max(2);
            codes.push(codes[source].iter().map(|code| code % values as u32).collect());
            (sizes[at], dependent[at], dependent[source]) = (values, true, true);
            continue;
        }
        let zipf = Zipf::new(sizes[at], 0.6 + 0.7 * random.unit());
        let correlated = at == 3 || at == 7;
        let code = |request: usize| {
            let own = zipf.draw(random);
            if correlated && random.unit() < 0.5 { codes[at - 2][request] % sizes[at] as u32 } else { own }
        };
        let code: Vec<u32> = (0..requests).map(code).collect();
        codes.push(code);
    }
    (codes, dependent)
}

struct Zipf(Vec<f64>);

impl Zipf {
    fn new(values: usize, exponent: f64) -> Self {
        let mut total = 0.0;
        let sums = (1..=values).map(|rank| {
            total += (rank as f64).powf(-exponent);
            total
        });
        Self(sums.collect())
    }

    fn draw(&self, random: &mut Random) -> u32 {
        let at = random.unit() * self.0[self.0.len() - 1];
        self.0.partition_point(|sum| *sum <= at) as u32
    }
}

/// Conjunctions of one to three values that 0.2 % to 15 % of the requests have, of dimensions without a dependency; no two
/// of one pair of dimensions.
fn plant(random: &mut Random, codes: &[Vec<u32>], dependent: &[bool], causes: usize) -> Vec<Cause> {
    let requests = codes[0].len();
    let mut planted: Vec<Cause> = Vec::new();
    for _ in 0..400 * causes {
        let length = [1, 1, 2, 2, 3][random.below(5)];
        let mut chosen: Vec<usize> = Vec::new();
        while chosen.len() < length {
            let dimension = random.below(codes.len());
            if !chosen.contains(&dimension) {
                chosen.push(dimension);
            }
        }
        chosen.sort_unstable();
        let taken = |dimension: &usize| planted.iter().any(|cause| cause.items.iter().any(|(of, _)| of == dimension));
        if chosen.iter().any(|dimension| dependent[*dimension] || taken(dimension)) {
            continue;
        }
        let at = random.below(requests);
        let items: Vec<(usize, u32)> = chosen.iter().map(|dimension| (*dimension, codes[*dimension][at])).collect();
        let has = |at: &usize| items.iter().all(|(dimension, value)| codes[*dimension][*at] == *value);
        let share = (0..requests).filter(has).count() as f64 / requests as f64;
        if (0.002..=0.15).contains(&share) {
            let ratio = 3.0 * (40f64 / 3.0).powf(random.unit());
            planted.push(Cause { items, ratio, share });
        }
        if planted.len() == causes {
            break;
        }
    }
    planted
}
