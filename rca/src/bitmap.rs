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
        count(self.words.iter().zip(&other.words).map(|(x, y)| x & y))
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

/// Few of many rows, to be looked up in other bitmaps: the words that are not zero, or, when these have hardly more than
/// a bit each, the rows themselves.
#[derive(Debug, Clone)]
pub(crate) enum Sparse {
    Words(Vec<(u32, u64)>),
    Rows(Vec<u32>),
}

/// Bits per word below which a row at a time is faster.
const BITS_PER_WORD: u64 = 4;

impl Sparse {
    /// The rows that are in both, within a range of words.
    pub(crate) fn of(map: &Bitmap, within: &Bitmap, range: std::ops::Range<usize>) -> Self {
        let words = map.words[range.clone()].iter().zip(&within.words[range.clone()]);
        let words = (range.start as u32..).zip(words).map(|(at, (x, y))| (at, x & y));
        Self::of_words(words.filter(|(_, bits)| *bits != 0).collect())
    }

    fn of_words(words: Vec<(u32, u64)>) -> Self {
        let rows = count(words.iter().map(|(_, bits)| *bits));
        if rows >= BITS_PER_WORD * words.len() as u64 {
            return Sparse::Words(words);
        }
        let mut all = Vec::with_capacity(rows as usize);
        for (at, mut bits) in words {
            while bits != 0 {
                all.push(at * 64 + bits.trailing_zeros());
                bits &= bits - 1;
            }
        }
        Sparse::Rows(all)
    }

    /// The rows that are in all the maps too.
    pub(crate) fn restricted(&self, maps: &[&Bitmap]) -> Self {
        match self {
            Sparse::Rows(rows) => {
                let has = |row: &u32| maps.iter().all(|map| map.get(*row as usize));
                Sparse::Rows(rows.iter().copied().filter(has).collect())
            }
            Sparse::Words(words) => {
                let both = |(at, bits): &(u32, u64)| {
                    let bits = maps.iter().fold(*bits, |bits, map| bits & map.words[*at as usize]);
                    (bits != 0).then_some((*at, bits))
                };
                Self::of_words(words.iter().filter_map(both).collect())
            }
        }
    }

    pub(crate) fn count_and(&self, map: &Bitmap) -> u64 {
        match self {
            Sparse::Rows(rows) => rows.iter().map(|row| map.words[*row as usize / 64] >> (row % 64) & 1).sum(),
            Sparse::Words(words) => count(words.iter().map(|(at, bits)| bits & map.words[*at as usize])),
        }
    }

    pub(crate) fn count(&self) -> u64 {
        match self {
            Sparse::Rows(rows) => rows.len() as u64,
            Sparse::Words(words) => count(words.iter().map(|(_, bits)| *bits)),
        }
    }
}

fn count(words: impl Iterator<Item = u64>) -> u64 {
    words.map(|word| u64::from(word.count_ones())).sum()
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
