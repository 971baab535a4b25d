//! Finds the pattern of a sentence that was not seen before, by the first word that is no slot.

use std::collections::HashMap;

use super::shape::{Words, key};
use super::tokens::SLOT;
use crate::limits::PATTERNS_COMPARED_MAX;

/// Sentences with slots, each of a pattern.
#[derive(Debug, Default)]
pub(super) struct Index {
    forms: Vec<(Words, usize)>,
    /// By length, place of the first word and that word.
    by_first_word: HashMap<(usize, usize, u64), Vec<usize>>,
}

impl Index {
    pub(super) fn insert(&mut self, words: Words, pattern: usize) {
        let place = words.iter().position(|word| *word != SLOT).unwrap_or(words.len());
        let first = words.get(place).copied().unwrap_or(SLOT);
        self.by_first_word.entry((words.len(), place, first)).or_default().push(self.forms.len());
        self.forms.push((words, pattern));
    }

    /// The pattern with the most words in common with the sentence; all of the pattern's words must be in it.
    pub(super) fn find(&self, sentence: &[u64]) -> Option<usize> {
        let all_slots = [(sentence.len(), SLOT)];
        let firsts = sentence.iter().copied().enumerate().chain(all_slots);
        let forms = firsts.filter_map(|(place, word)| self.by_first_word.get(&(sentence.len(), place, word))).flatten();
        let of = |words: &Words| words.iter().zip(sentence).all(|(ours, theirs)| *ours == SLOT || ours == theirs);
        let fitting = forms.take(PATTERNS_COMPARED_MAX).map(|form| &self.forms[*form]).filter(|(words, _)| of(words));
        let best = fitting.max_by_key(|(words, _)| {
            let common = words.iter().filter(|word| **word != SLOT).count();
            (common, key(words.iter().copied()))
        });
        best.map(|(_, pattern)| *pattern)
    }
}
