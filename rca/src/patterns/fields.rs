//! Fields: tokens without white space between them, less the punctuation at their end.

use std::ops::Range;

use xxhash_rust::xxh3::xxh3_64;

/// Tokens from `start` to before `end`; never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Field {
    pub(super) fn range(&self) -> Range<usize> {
        self.start..self.end
    }
}

/// The fields of a sentence; punctuation at the end of a field is a field of its own.
pub(super) fn fields(words: &[u64], spaces: &[bool]) -> Vec<Field> {
    let marks = [",", ".", ":", ";", "!", "?"].map(|mark| xxh3_64(mark.as_bytes()));
    let mut fields = Vec::new();
    let mut start = 0;
    while start < words.len() {
        let end = (start + 1..words.len()).find(|at| spaces[*at]).unwrap_or(words.len());
        let mut core = end;
        while core - start > 1 && marks.contains(&words[core - 1]) {
            core -= 1;
        }
        fields.push(Field { start, end: core });
        if core < end {
            fields.push(Field { start: core, end });
        }
        start = end;
    }
    fields
}
