//! Values written in more than one token: where one sentence has a value and another a name with a value in brackets or
//! the like (`10.0.0.1` and `LOCAL(0)`), both have a value.

use std::collections::HashMap;

use super::fields::{Field, fields};
use super::shape::{Vocabulary, Words, key, mix};
use super::tokens::SLOT;

/// Words that must be left over for a sentence to be known by them.
const LEFT_WORDS_MIN: usize = 2;

/// Of each sentence, the one with a plain value where it has a compound one; itself for most.
pub(super) fn with_plain_values(sentences: &[(&Words, &[bool])], vocabulary: &Vocabulary) -> Vec<usize> {
    let fields: Vec<Vec<Field>> = sentences.iter().map(|(words, spaces)| fields(words, spaces)).collect();
    let keys: Vec<u64> =
        fields.iter().zip(sentences).map(|(fields, (words, _))| sentence_key(fields, words, None)).collect();
    let by_key: HashMap<u64, usize> = keys.iter().enumerate().map(|(index, key)| (*key, index)).collect();
    let mut plain: Vec<usize> = (0..sentences.len()).collect();
    for (index, (words, _)) in sentences.iter().enumerate() {
        let compound = (0..fields[index].len()).filter(|at| {
            let field = &words[fields[index][*at].range()];
            field.len() > 1 && field.contains(&SLOT)
        });
        let mut of_plain = compound.filter_map(|at| by_key.get(&sentence_key(&fields[index], words, Some(at))));
        if let Some(found) = of_plain.find(|found| vocabulary.letters(sentences[**found].0) >= LEFT_WORDS_MIN) {
            plain[index] = *found;
        }
    }
    // Each step makes a field shorter, so that following the steps ends.
    (0..sentences.len())
        .map(|mut index| {
            while plain[index] != index {
                index = plain[index];
            }
            index
        })
        .collect()
}

/// Hash of a sentence by fields, one of them taken for a plain value.
fn sentence_key(fields: &[Field], words: &[u64], plain: Option<usize>) -> u64 {
    key(fields.iter().enumerate().map(|(at, field)| {
        let as_value = plain == Some(at);
        if as_value { mix(key([SLOT].into_iter())) } else { mix(key(words[field.range()].iter().copied())) }
    }))
}
