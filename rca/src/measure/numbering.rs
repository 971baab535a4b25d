//! Numbers for keys, in the order in which they come.

use std::collections::HashMap;

use crate::cells::RowHash;

/// Possible keys per key there is, up to which a table beats hashing.
const SPARSE: usize = 4;

/// A table of this size costs nothing worth avoiding.
const SMALL: usize = 1 << 12;

#[derive(Debug)]
pub(crate) struct Numbered {
    /// Per key its number.
    pub(crate) numbers: Vec<u32>,
    /// Per number the place of the first key that has it.
    pub(crate) firsts: Vec<u32>,
}

impl Numbered {
    /// All keys are below `possible`.
    pub(crate) fn of(keys: impl ExactSizeIterator<Item = usize>, possible: usize) -> Self {
        let mut numbered = Self { numbers: Vec::with_capacity(keys.len()), firsts: Vec::new() };
        if possible <= SPARSE * keys.len().max(SMALL) {
            let mut table = vec![u32::MAX; possible];
            keys.enumerate().for_each(|(place, key)| numbered.push(&mut table[key], place));
        } else {
            let mut table: HashMap<u64, u32, RowHash> = HashMap::default();
            keys.enumerate().for_each(|(place, key)| numbered.push(table.entry(key as u64).or_insert(u32::MAX), place));
        }
        numbered
    }

    fn push(&mut self, number: &mut u32, place: usize) {
        if *number == u32::MAX {
            *number = self.firsts.len() as u32;
            self.firsts.push(place as u32);
        }
        self.numbers.push(*number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_and_hashing_number_alike() {
        let keys = [7, 3, 7, 0, 3, 9];
        for possible in [10, usize::MAX] {
            let Numbered { numbers, firsts } = Numbered::of(keys.into_iter(), possible);
            assert_eq!((numbers, firsts), (vec![0, 1, 0, 2, 1, 3], vec![0, 1, 3, 5]), "{possible}");
        }
    }
}
