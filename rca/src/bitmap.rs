//! Fixed-length bit sets over the rows of one slice: which rows have an item.

/// One bit per row of a slice. Bits beyond the slice's length are zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bitmap {
    words: Box<[u64]>,
}

impl Bitmap {
    pub(crate) fn zeros(rows: usize) -> Self {
        Self { words: vec![0; rows.div_ceil(64)].into_boxed_slice() }
    }

    pub(crate) fn ones(rows: usize) -> Self {
        let mut words = vec![u64::MAX; rows.div_ceil(64)].into_boxed_slice();
        if let Some(last) = words.last_mut()
            && !rows.is_multiple_of(64)
        {
            *last = (1 << (rows % 64)) - 1;
        }
        Self { words }
    }

    pub(crate) fn of_words(words: Box<[u64]>) -> Self {
        Self { words }
    }

    /// The rows whose bin is within the range.
    pub(crate) fn of_bins(bins: &[u8], range: std::ops::Range<usize>) -> Self {
        let is_in = |bin: &u8| u64::from(range.contains(&usize::from(*bin)));
        let word = |rows: &[u8]| rows.iter().rev().fold(0u64, |word, bin| word << 1 | is_in(bin));
        Self { words: bins.chunks(64).map(word).collect() }
    }

    pub(crate) fn set(&mut self, row: usize) {
        self.words[row / 64] |= 1 << (row % 64);
    }

    pub(crate) fn get(&self, row: usize) -> bool {
        self.words[row / 64] >> (row % 64) & 1 == 1
    }

    pub(crate) fn words(&self) -> &[u64] {
        &self.words
    }

    /// Rows that are in both, ascending.
    pub(crate) fn rows_and<'m>(&'m self, other: &'m Bitmap) -> impl Iterator<Item = u32> + 'm {
        let words = (0u32..).zip(self.words.iter().zip(&other.words));
        words.flat_map(|(at, (x, y))| {
            let mut bits = x & y;
            std::iter::from_fn(move || {
                let row = (bits != 0).then(|| at * 64 + bits.trailing_zeros());
                bits &= bits.wrapping_sub(1);
                row
            })
        })
    }

    pub(crate) fn count(&self) -> u64 {
        count(self.words.iter().copied())
    }

    /// Rows in both, without building the intersection.
    pub(crate) fn count_and(&self, other: &Bitmap) -> u64 {
        count_words(&self.words, &other.words)
    }

    /// Rows in all of them; fused, since the intersections are not needed.
    pub(crate) fn count_all(maps: &[&Bitmap]) -> u64 {
        match maps {
            [x, y, z] => count(x.words.iter().zip(&y.words).zip(&z.words).map(|((x, y), z)| x & y & z)),
            [w, x, y, z] => {
                let pairs = w.words.iter().zip(&x.words).zip(y.words.iter().zip(&z.words));
                count(pairs.map(|((w, x), (y, z))| w & x & y & z))
            }
            [x, y] => x.count_and(y),
            [x] => x.count(),
            [x, rest @ ..] => {
                let mut all = (*x).clone();
                rest.iter().for_each(|map| all.and_assign(map));
                all.count()
            }
            [] => 0,
        }
    }

    pub(crate) fn and_assign(&mut self, other: &Bitmap) {
        self.words.iter_mut().zip(&other.words).for_each(|(x, y)| *x &= y);
    }

    pub(crate) fn and_not_assign(&mut self, other: &Bitmap) {
        self.words.iter_mut().zip(&other.words).for_each(|(x, y)| *x &= !y);
    }
}

/// Rows in both of two stretches of equal length.
pub(crate) fn count_words(x: &[u64], y: &[u64]) -> u64 {
    count(x.iter().zip(y).map(|(x, y)| x & y))
}

fn count(words: impl Iterator<Item = u64>) -> u64 {
    with_popcnt(|| words.map(|word| u64::from(word.count_ones())).sum())
}

/// Runs the work with the processor's own instructions for counting bits, where it has them. The x86-64 that binaries are
/// built for is older than these, and counts a word in a dozen steps.
fn with_popcnt<T>(work: impl FnOnce() -> T) -> T {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "popcnt,avx2")]
        fn counting<T>(work: impl FnOnce() -> T) -> T {
            work()
        }
        #[target_feature(enable = "popcnt,avx2,avx512f,avx512vl,avx512vpopcntdq")]
        fn counting_vectors<T>(work: impl FnOnce() -> T) -> T {
            work()
        }
        if is_x86_feature_detected!("avx512vpopcntdq") && is_x86_feature_detected!("avx512vl") {
            #[expect(unsafe_code, reason = "the features that it needs were just detected")]
            // SAFETY: as said; whatever has these has the older ones too.
            return unsafe { counting_vectors(work) };
        }
        if is_x86_feature_detected!("popcnt") && is_x86_feature_detected!("avx2") {
            #[expect(unsafe_code, reason = "the features that it needs were just detected")]
            // SAFETY: as said.
            return unsafe { counting(work) };
        }
    }
    work()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bitmap(bits: &[bool]) -> Bitmap {
        let mut map = Bitmap::zeros(bits.len());
        bits.iter().enumerate().filter(|(_, bit)| **bit).for_each(|(row, _)| map.set(row));
        map
    }

    proptest! {
        #[test]
        fn set_algebra_agrees_with_booleans(pairs in proptest::collection::vec((any::<bool>(), any::<bool>()), 0..300)) {
            let (x, y): (Vec<bool>, Vec<bool>) = pairs.iter().copied().unzip();
            let (bx, by) = (bitmap(&x), bitmap(&y));
            let both = pairs.iter().filter(|(x, y)| *x && *y).count() as u64;
            let only_x = pairs.iter().filter(|(x, y)| *x && !*y).count() as u64;
            prop_assert_eq!(bx.count_and(&by), both);
            let mut and = bx.clone();
            and.and_assign(&by);
            prop_assert_eq!(and.count(), both);
            prop_assert_eq!(Bitmap::count_all(&[&bx, &by, &bx]), both);
            prop_assert_eq!(Bitmap::count_all(&[&bx, &by, &bx, &by]), both);
            prop_assert_eq!(Bitmap::count_all(&[&bx, &by, &bx, &by, &bx]), both);
            let mut rest = bx.clone();
            rest.and_not_assign(&by);
            prop_assert_eq!(rest.count(), only_x);
            prop_assert_eq!(Bitmap::ones(x.len()).count(), x.len() as u64);
            prop_assert!((0..x.len()).all(|row| bx.get(row) == x[row]));
        }
    }
}
