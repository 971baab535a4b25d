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

    pub(crate) fn set(&mut self, row: usize) {
        self.words[row / 64] |= 1 << (row % 64);
    }

    pub(crate) fn get(&self, row: usize) -> bool {
        self.words[row / 64] >> (row % 64) & 1 == 1
    }

    pub(crate) fn words(&self) -> &[u64] {
        &self.words
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
