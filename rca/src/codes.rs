//! One column of one slice, as numbers that are equal where the cells are equal: small codes of a dictionary, or, when
//! there are too many values for one, eight bytes per cell.

/// Codes of a column's rows.
#[derive(Debug, Clone)]
pub(crate) enum Codes {
    Narrow(Vec<u8>),
    Medium(Vec<u16>),
    /// Payloads of [`crate::column::Payload`], not codes of a dictionary.
    Wide(Vec<u64>),
}

impl Codes {
    pub(crate) fn new() -> Self {
        Codes::Narrow(Vec::new())
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Codes::Narrow(codes) => codes.len(),
            Codes::Medium(codes) => codes.len(),
            Codes::Wide(codes) => codes.len(),
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        let width = match self {
            Codes::Narrow(_) => 1,
            Codes::Medium(_) => 2,
            Codes::Wide(_) => 8,
        };
        self.len() * width
    }

    pub(crate) fn get(&self, row: usize) -> u64 {
        match self {
            Codes::Narrow(codes) => u64::from(codes[row]),
            Codes::Medium(codes) => u64::from(codes[row]),
            Codes::Wide(codes) => codes[row],
        }
    }

    /// Adds codes below `limit`; widens when they do not fit.
    pub(crate) fn extend(&mut self, limit: usize, codes: impl Iterator<Item = u16>) {
        if limit > 1 << 8
            && let Codes::Narrow(narrow) = self
        {
            *self = Codes::Medium(narrow.iter().map(|code| u16::from(*code)).collect());
        }
        match self {
            Codes::Narrow(own) => own.extend(codes.map(|code| code as u8)),
            Codes::Medium(own) => own.extend(codes),
            Codes::Wide(own) => own.extend(codes.map(u64::from)),
        }
    }

    pub(crate) fn extend_wide(&mut self, payloads: impl Iterator<Item = u64>) {
        if let Codes::Wide(own) = self {
            own.extend(payloads);
        }
    }

    /// Every code becomes what `to` makes of it.
    pub(crate) fn widen(&mut self, to: impl Fn(u64) -> u64) {
        *self = Codes::Wide((0..self.len()).map(|row| to(self.get(row))).collect());
    }

    pub(crate) fn for_each(&self, mut visit: impl FnMut(usize, u64)) {
        match self {
            Codes::Narrow(codes) => codes.iter().enumerate().for_each(|(row, code)| visit(row, u64::from(*code))),
            Codes::Medium(codes) => codes.iter().enumerate().for_each(|(row, code)| visit(row, u64::from(*code))),
            Codes::Wide(codes) => codes.iter().enumerate().for_each(|(row, code)| visit(row, *code)),
        }
    }

    /// The codes of some rows.
    pub(crate) fn take(&self, rows: &[u32]) -> Self {
        let rows = rows.iter().map(|row| *row as usize);
        match self {
            Codes::Narrow(codes) => Codes::Narrow(rows.map(|row| codes[row]).collect()),
            Codes::Medium(codes) => Codes::Medium(rows.map(|row| codes[row]).collect()),
            Codes::Wide(codes) => Codes::Wide(rows.map(|row| codes[row]).collect()),
        }
    }

    /// One bit per row that has the code.
    pub(crate) fn select(&self, wanted: u64) -> Box<[u64]> {
        fn words<T: Copy + PartialEq>(codes: &[T], wanted: T) -> Box<[u64]> {
            // Eight comparisons become eight bytes of 0 or 1, and a multiplication gathers them into the top byte.
            let word = |rows: &[T; 64]| {
                let equal: [u8; 64] = std::array::from_fn(|at| u8::from(rows[at] == wanted));
                let bytes = equal.as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes));
                let bits = bytes.map(|bytes| bytes.wrapping_mul(0x0102_0408_1020_4080) >> 56);
                bits.rev().fold(0, |word, bits| word << 8 | bits)
            };
            let (whole, rest) = codes.as_chunks::<64>();
            let mut words: Vec<u64> = whole.iter().map(word).collect();
            if !rest.is_empty() {
                words.push(rest.iter().rev().fold(0, |word, code| word << 1 | u64::from(*code == wanted)));
            }
            words.into_boxed_slice()
        }
        match self {
            Codes::Narrow(codes) => words(codes, wanted as u8),
            Codes::Medium(codes) => words(codes, wanted as u16),
            Codes::Wide(codes) => words(codes, wanted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_widen_and_stay_what_they_are() {
        let mut codes = Codes::new();
        codes.extend(3, [0u16, 2, 1].into_iter());
        assert!(matches!(codes, Codes::Narrow(_)));
        codes.extend(300, [299u16].into_iter());
        assert!(matches!(codes, Codes::Medium(_)));
        assert_eq!((codes.len(), codes.get(1), codes.get(3)), (4, 2, 299));
        codes.widen(|code| code * 1_000);
        codes.extend_wide([7].into_iter());
        assert_eq!((0..5).map(|row| codes.get(row)).collect::<Vec<_>>(), [0, 2_000, 1_000, 299_000, 7]);
        assert_eq!(codes.take(&[4, 1]).get(0), 7);
        assert_eq!(*codes.select(7), [1 << 4]);
    }
}
