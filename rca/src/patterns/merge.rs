//! Merging: sentences that are equal but for one place become one, when what stands in that place varies as values do.
//!
//! A place is taken for a value's when enough different words stand in it, fewer words for a long sentence than for a
//! short one, since a long sentence that is equal by accident is rarer; fewer for names of hosts and files than for words of
//! a language. It is also taken for one when a value by form stands there too, when its words differ in a number at
//! their end alone, or when all of its words are known as values after the same word. Two places may vary together:
//! then no two sentences are equal but for one, and pairs of places are tried, with twice the evidence.
//!
//! All decisions rest on hashes of the words, so the order of the sentences decides nothing.

use std::collections::{HashMap, HashSet};

use xxhash_rust::xxh3::xxh3_64;

use super::shape::{Vocabulary, Words, mix};
use super::tokens::SLOT;
use crate::limits::{PAIRED_PLACES_MAX, PAIRED_SENTENCES_MAX};

/// Different words that make a place a value's in a sentence long enough: three states of a machine are still a word.
const WORDS_OF_A_VALUE: usize = 4;
/// The same for names, which say less about the sentence.
const NAMES_OF_A_VALUE: usize = 3;
/// More words are asked for in sentences of few words: this many over the square of the words that are left.
const SHORT_SENTENCE: usize = 6;
/// Words that must be left over for a sentence to be known by them.
const LEFT_WORDS_MIN: usize = 2;
/// How much more evidence two places at once need.
const PAIR_FACTOR: usize = 2;

/// What became of the sentences given.
#[derive(Debug)]
pub(super) struct Merged {
    pub(super) sentences: Vec<Words>,
    /// Of each sentence given, the one that it is part of.
    pub(super) of: Vec<usize>,
}

/// Merges different sentences until nothing varies any more.
pub(super) fn merge(sentences: Vec<Words>, vocabulary: &Vocabulary) -> Merged {
    let parents = (0..sentences.len()).collect();
    let mut merger =
        Merger { vocabulary, sentences: sentences.into_iter().map(Some).collect(), parents, known: HashMap::new() };
    loop {
        while merger.round(Merger::single_places) {}
        if !merger.round(Merger::pairs_of_places) {
            return merger.finish();
        }
    }
}

struct Merger<'a> {
    vocabulary: &'a Vocabulary,
    /// None once it is part of another.
    sentences: Vec<Option<Words>>,
    parents: Vec<usize>,
    /// By the word before a slot, the words that were merged into it.
    known: HashMap<u64, HashSet<u64>>,
}

/// A sentence with blanks that others share: sorted by `key`, equals stand together.
struct Blanked {
    key: u64,
    sentence: usize,
    places: [usize; 2],
}

/// Sentences that are to be one.
struct Candidate {
    key: u64,
    sentences: Vec<usize>,
    places: [usize; 2],
}

impl Merger<'_> {
    /// Merges what varies most first, each sentence once; false when nothing was merged.
    fn round(&mut self, blank: impl Fn(&Self) -> Vec<Blanked>) -> bool {
        let mut blanked = blank(self);
        blanked.sort_unstable_by_key(|blanked| (blanked.key, blanked.sentence));
        let groups = blanked.chunk_by(|one, other| one.key == other.key).filter(|group| group.len() > 1);
        let mut candidates: Vec<Candidate> = groups.filter_map(|group| self.candidate(group)).collect();
        candidates.sort_by_key(|candidate| (std::cmp::Reverse(candidate.sentences.len()), candidate.key));
        let mut merged = false;
        let mut used = vec![false; self.sentences.len()];
        for candidate in candidates {
            if candidate.sentences.iter().all(|sentence| !used[*sentence]) {
                candidate.sentences.iter().for_each(|sentence| used[*sentence] = true);
                self.apply(&candidate);
                merged = true;
            }
        }
        merged
    }

    fn single_places(&self) -> Vec<Blanked> {
        let mut all = Vec::new();
        for (sentence, words) in self.active() {
            let whole = sum(words);
            for place in self.places(words) {
                let key = blanked_key(words, whole, &[place]);
                all.push(Blanked { key, sentence, places: [place, place] });
            }
        }
        all
    }

    fn pairs_of_places(&self) -> Vec<Blanked> {
        let mut all = Vec::new();
        if self.active().count() > PAIRED_SENTENCES_MAX {
            return all;
        }
        for (sentence, words) in self.active() {
            let whole = sum(words);
            let places: Vec<usize> = self.places(words).take(PAIRED_PLACES_MAX + 1).collect();
            if places.len() > PAIRED_PLACES_MAX {
                continue;
            }
            for (at, first) in places.iter().enumerate() {
                for second in &places[at + 1..] {
                    let key = blanked_key(words, whole, &[*first, *second]);
                    all.push(Blanked { key, sentence, places: [*first, *second] });
                }
            }
        }
        all
    }

    fn active(&self) -> impl Iterator<Item = (usize, &Words)> {
        self.sentences.iter().enumerate().filter_map(|(index, words)| Some((index, words.as_ref()?)))
    }

    /// Places that vary or may turn out to.
    fn places(&self, words: &[u64]) -> impl Iterator<Item = usize> {
        let may_vary = |word: u64| word == SLOT || self.vocabulary.look(word).may_vary;
        words.iter().enumerate().filter(move |(_, word)| may_vary(**word)).map(|(place, _)| place)
    }

    fn words(&self, sentence: usize) -> &[u64] {
        self.sentences[sentence].as_ref().expect("a round begins with active sentences")
    }

    fn candidate(&self, group: &[Blanked]) -> Option<Candidate> {
        let places = group[0].places;
        let first = self.words(group[0].sentence);
        let left: usize = self.vocabulary.letters(first)
            - places[..if places[0] == places[1] { 1 } else { 2 }]
                .iter()
                .filter(|place| first[**place] != SLOT && self.vocabulary.look(first[**place]).letters)
                .count();
        let varies = if places[0] == places[1] {
            left > 0 && self.varies(group, places[0], left)
        } else {
            left >= LEFT_WORDS_MIN && places.iter().all(|place| self.varies_with_another(group, *place, left))
        };
        let sentences = || group.iter().map(|blanked| blanked.sentence).collect();
        varies.then(|| Candidate { key: group[0].key, sentences: sentences(), places })
    }

    fn varies(&self, group: &[Blanked], place: usize, left: usize) -> bool {
        let values: Vec<u64> = group.iter().map(|blanked| self.words(blanked.sentence)[place]).collect();
        let words = || values.iter().filter(|value| **value != SLOT);
        let has_value = values.contains(&SLOT);
        if has_value && left >= LEFT_WORDS_MIN {
            return true;
        }
        let names = words().all(|word| self.vocabulary.look(*word).name);
        if values.len() >= different_words_needed(left, place, names) {
            return true;
        }
        let stems: HashSet<u64> = words().map(|word| self.vocabulary.look(*word).stem).collect();
        if !has_value && stems.len() == 1 {
            return true;
        }
        let known = self.known.get(&word_before(self.words(group[0].sentence), place));
        left >= LEFT_WORDS_MIN && known.is_some_and(|known| values.iter().all(|value| known.contains(value)))
    }

    fn varies_with_another(&self, group: &[Blanked], place: usize, left: usize) -> bool {
        let values: HashSet<u64> = group.iter().map(|blanked| self.words(blanked.sentence)[place]).collect();
        values.len() >= PAIR_FACTOR * different_words_needed(left, place, false)
    }

    fn apply(&mut self, candidate: &Candidate) {
        let [kept, others @ ..] = &candidate.sentences[..] else { return };
        let mut words: Words = self.words(*kept).into();
        for place in candidate.places {
            let before = word_before(&words, place);
            let values: Vec<u64> = candidate.sentences.iter().map(|sentence| self.words(*sentence)[place]).collect();
            self.known.entry(before).or_default().extend(values);
            words[place] = SLOT;
        }
        for other in others {
            self.sentences[*other] = None;
            self.parents[*other] = *kept;
        }
        self.sentences[*kept] = Some(words);
    }

    fn finish(self) -> Merged {
        let mut place = vec![usize::MAX; self.sentences.len()];
        let mut sentences = Vec::new();
        for (index, words) in self.sentences.into_iter().enumerate() {
            if let Some(words) = words {
                place[index] = sentences.len();
                sentences.push(words);
            }
        }
        let root = |mut index: usize| {
            while self.parents[index] != index {
                index = self.parents[index];
            }
            place[index]
        };
        let of = (0..self.parents.len()).map(root).collect();
        Merged { sentences, of }
    }
}

/// Different words that a place needs to be a value's. At the beginning of a sentence stands its subject: it needs more.
fn different_words_needed(left: usize, place: usize, names: bool) -> usize {
    let least = if names { NAMES_OF_A_VALUE } else { WORDS_OF_A_VALUE };
    let beginning = if place == 0 { 2 } else { 1 };
    least + beginning * SHORT_SENTENCE / (left * left)
}

/// What tells slots apart: the word before, and of `name=` the name.
fn word_before(words: &[u64], place: usize) -> u64 {
    match words[..place] {
        [.., name, before] if before == xxh3_64(b"=") => mix(name ^ mix(before)),
        [.., before] => before,
        [] => SLOT,
    }
}

fn term(word: u64, place: usize) -> u64 {
    mix(word ^ mix(place as u64 + 1))
}

fn sum(words: &[u64]) -> u64 {
    words.iter().enumerate().fold(0, |sum: u64, (place, word)| sum.wrapping_add(term(*word, place)))
}

/// The sum without the blanked places, which are part of the key, as is the length.
fn blanked_key(words: &[u64], whole: u64, places: &[usize]) -> u64 {
    let left = places.iter().fold(whole, |sum, place| sum.wrapping_sub(term(words[*place], *place)));
    let form = places.iter().fold(words.len() as u64, |form, place| (form << 16) | *place as u64);
    mix(left) ^ mix(form)
}

#[cfg(test)]
mod tests {
    use super::super::shape::Shape;
    use super::super::tokens::scan;
    use super::*;

    /// How many sentences are left of these.
    fn left(messages: &[&str]) -> usize {
        let mut vocabulary = Vocabulary::default();
        let mut tokens = Vec::new();
        let mut sentences: Vec<Words> = Vec::new();
        for message in messages {
            scan(message, &mut tokens);
            vocabulary.learn(message, &tokens);
            let words = Shape::of(&tokens).words;
            if !sentences.contains(&words) {
                sentences.push(words);
            }
        }
        let merged = merge(sentences, &vocabulary);
        assert!(merged.of.iter().all(|of| *of < merged.sentences.len()));
        merged.sentences.len()
    }

    #[test]
    fn places_that_vary_are_merged_and_states_are_not() {
        for (messages, count) in [
            (&["session opened for user ann", "session opened for user bob"][..], 2),
            (&["login of user ann failed", "login of user bob failed", "login of user 17 failed"], 1),
            (&["mounted on eth0 of host", "mounted on eth1 of host"], 1),
            (
                &[
                    "session closed for user a",
                    "session closed for user b",
                    "session closed for user c",
                    "session closed for user d",
                ],
                1,
            ),
            (&["link is up", "link is down", "link is lost"], 3),
            (&["boot done", "halt done", "wait done", "stop done", "kill done"], 5),
        ] {
            assert_eq!(left(messages), count, "{messages:?}");
        }
    }

    #[test]
    fn values_known_after_a_word_are_values_there_in_other_sentences() {
        let closed = ["ann", "bob", "cid", "dan"].map(|user| format!("session closed for user {user}"));
        let opened = ["ann", "bob"].map(|user| format!("session opened for user {user} today"));
        let messages: Vec<&str> = closed.iter().chain(&opened).map(String::as_str).collect();
        assert_eq!(left(&messages), 2);
    }

    #[test]
    fn two_places_that_vary_together_are_found() {
        let names = ["ann", "bob", "cid", "dan", "eve", "fay", "gil", "hal", "ida", "jim"];
        let messages: Vec<String> =
            names.iter().map(|name| format!("request of {name} was sent to x{name}host and lost")).collect();
        assert_eq!(left(&messages.iter().map(String::as_str).collect::<Vec<_>>()), 1);
    }
}
