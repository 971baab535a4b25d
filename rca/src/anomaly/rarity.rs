//! How rare a size is, by all sizes before: a histogram on a logarithmic scale, and beyond its end a power law.

/// Bins per unit of the natural logarithm: sizes within a tenth of each other are alike.
const BINS_PER_UNIT: f64 = 10.0;
/// Logarithms of the sizes that have bins of their own.
const LOG_MIN: f64 = -40.0;
const BINS: usize = 800;
/// Sizes before the first answer.
const SEEN_MIN: u32 = 50;
/// When as many were seen all counts are halved, so that old habits fade.
const SEEN_MAX: u32 = 40_000;

/// Share of the largest sizes that the power law is fitted to.
const TAIL_SHARE: f64 = 0.05;
/// What is believed of the tail before any is seen, and the sizes that this belief is worth.
const TAIL_INDEX: f64 = 0.25;
const TAIL_WEIGHT: f64 = 10.0;
/// However far a size is beyond all others: a hundred thousandth of the chance of the largest.
const BEYOND_MAX: f64 = 5.0;

#[derive(Debug, Clone)]
pub(super) struct Rarity {
    counts: Vec<u32>,
    seen: u32,
    /// The highest bin that has any.
    top: usize,
}

impl Rarity {
    pub(super) fn new() -> Self {
        Self { counts: vec![0; BINS], seen: 0, top: 0 }
    }

    fn bin(size: f64) -> usize {
        // Zero has no logarithm and the lowest bin; the conversion saturates.
        if size > 0.0 { (((size.ln() - LOG_MIN) * BINS_PER_UNIT) as usize).min(BINS - 1) } else { 0 }
    }

    /// Decimal digits of the odds against a size as great: 2 for what one in a hundred was, 0 for the usual.
    pub(super) fn surprise(&self, size: f64) -> f64 {
        if self.seen < SEEN_MIN {
            return 0.0;
        }
        let (bin, seen) = (Self::bin(size), f64::from(self.seen));
        let tail_count = TAIL_SHARE * seen;
        let mut above = 0.0;
        for at in (bin..=self.top.max(bin)).rev() {
            // Of the sizes in its own bin half count as greater.
            above += f64::from(self.counts[at]) * if at == bin { 0.5 } else { 1.0 };
            if above > tail_count {
                return 0.0;
            }
        }
        let mut surprise = -((above + 1.0) / (seen + 1.0)).log10();
        if bin > self.top {
            let beyond = (bin - self.top) as f64 / BINS_PER_UNIT / self.tail_index(tail_count);
            surprise += beyond.min(BEYOND_MAX * std::f64::consts::LN_10) / std::f64::consts::LN_10;
        }
        surprise
    }

    /// Hill's estimate from the largest sizes: the mean of their logarithms over the smallest of them.
    fn tail_index(&self, tail_count: f64) -> f64 {
        let (mut count, mut bins_above) = (0.0, 0.0);
        for at in (0..=self.top).rev() {
            count += f64::from(self.counts[at]);
            if count >= tail_count {
                break;
            }
            // Each step down lifts all that were counted by one bin.
            bins_above += count;
        }
        (bins_above / BINS_PER_UNIT + TAIL_WEIGHT * TAIL_INDEX) / (count.min(tail_count) + TAIL_WEIGHT)
    }

    pub(super) fn learn(&mut self, size: f64) {
        let bin = Self::bin(size);
        self.counts[bin] += 1;
        self.seen += 1;
        self.top = self.top.max(bin);
        if self.seen >= SEEN_MAX {
            self.counts.iter_mut().for_each(|count| *count /= 2);
            self.seen = self.counts.iter().sum();
            self.top = self.counts.iter().rposition(|count| *count > 0).unwrap_or(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odds_are_those_of_the_past() {
        let mut rarity = Rarity::new();
        for i in 0..10_000 {
            rarity.learn(if i % 1000 == 0 { 100.0 } else { 1.0 + f64::from(i % 7) / 10.0 });
        }
        assert_eq!(rarity.surprise(1.2), 0.0);
        // Ten of ten thousand were alike: half of them and itself, so 6 in 10,001.
        assert!((rarity.surprise(100.0) - 3.222).abs() < 0.001, "{}", rarity.surprise(100.0));
        let (twice, tenfold) = (rarity.surprise(200.0), rarity.surprise(1000.0));
        assert!(4.0 < twice && twice < tenfold && tenfold < 9.1, "{twice} {tenfold}");
    }

    #[test]
    fn the_first_and_the_extreme_are_no_trouble() {
        let mut rarity = Rarity::new();
        assert_eq!(rarity.surprise(1.0), 0.0);
        for size in [0.0, f64::INFINITY, f64::MIN_POSITIVE, 1e300].into_iter().cycle().take(100_000) {
            assert!(rarity.surprise(size).is_finite());
            rarity.learn(size);
        }
        assert!(rarity.seen < SEEN_MAX);
    }
}
