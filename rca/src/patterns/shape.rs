//! Shapes: messages with their values blanked, counted; and what is known of the words in them.

use std::collections::HashMap;

use super::kinds::SlotKind;
use super::tokens::{SLOT, Token};

/// A sentence as hashes of its words; [`SLOT`] where a value stands.
pub(super) type Words = Box<[u64]>;

/// How a sentence is written: of what type its slots are and where its spaces stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Writing {
    pub(super) kinds: Box<[Option<SlotKind>]>,
    pub(super) spaces: Box<[bool]>,
}

impl Writing {
    fn of(tokens: &[Token]) -> Self {
        Self {
            kinds: tokens.iter().map(|token| token.kind).collect(),
            spaces: tokens.iter().map(|token| token.space).collect(),
        }
    }

    /// Widens to what another message has; true when that is new. Commutative: the order of messages leaves no trace.
    fn learn(&mut self, tokens: &[Token]) -> bool {
        let wider = tokens.iter().enumerate().map(|(at, token)| self.widen(at, token.kind, token.space));
        wider.fold(false, std::ops::BitOr::bitor)
    }

    /// Widens to another writing of a sentence as long as this; a word of one that is a slot in the other is a slot.
    pub(super) fn join(&mut self, other: &Self) {
        for at in 0..self.kinds.len() {
            self.widen(at, other.kinds[at], other.spaces[at]);
        }
    }

    fn widen(&mut self, at: usize, kind: Option<SlotKind>, space: bool) -> bool {
        let joined = match (self.kinds[at], kind) {
            (Some(one), Some(other)) => Some(one.join(other)),
            (None, None) => None,
            _ => Some(SlotKind::Any),
        };
        let is_new = joined != self.kinds[at] || space && !self.spaces[at];
        self.kinds[at] = joined;
        self.spaces[at] |= space;
        is_new
    }
}

#[derive(Debug)]
pub(super) struct Shape {
    pub(super) words: Words,
    pub(super) writing: Writing,
    pub(super) count: u64,
}

impl Shape {
    pub(super) fn of(tokens: &[Token]) -> Self {
        Self { words: tokens.iter().map(|token| token.word).collect(), writing: Writing::of(tokens), count: 0 }
    }

    /// The shape of the messages that no other is kept for.
    pub(super) fn rest() -> Self {
        let writing = Writing { kinds: [Some(SlotKind::Any)].into(), spaces: [false].into() };
        Self { words: [SLOT].into(), writing, count: 0 }
    }

    pub(super) fn join(&mut self, other: &Self) {
        if self.words.len() == other.words.len() {
            self.writing.join(&other.writing);
        }
    }

    /// Counts a message; true when it is written in a way that is new. A message of the shape may have more tokens than
    /// it, where one of its values is compound.
    pub(super) fn learn(&mut self, tokens: &[Token]) -> bool {
        self.count += 1;
        tokens.len() == self.words.len() && self.writing.learn(tokens)
    }
}

/// Hash of a sentence, the same on every machine.
pub(super) fn key(words: impl Iterator<Item = u64>) -> u64 {
    words.fold(0x9e37_79b9_7f4a_7c15, |key, word| mix(key.rotate_left(5) ^ word))
}

/// Spreads a word's bits, so that sums of words tell places apart.
pub(super) fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    word ^ (word >> 32)
}

/// What a word looks like, as far as merging asks.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) text: Box<str>,
    /// It has a letter: it says something, which marks and rulers do not.
    pub(super) letters: bool,
    /// It has a letter or a digit: it may turn out to be a value.
    pub(super) may_vary: bool,
    /// It is written like a name in a program or a network (`db-7.internal`, `user_id`) and not like a word of a language.
    pub(super) name: bool,
    /// Hash of the word without the digits at its end.
    pub(super) stem: u64,
}

impl Look {
    fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let letters = bytes.iter().any(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii());
        let inner = |byte: &u8| matches!(byte, b'.' | b'_' | b'@' | b'\\' | b'/' | b'$' | b'#' | b'-');
        let stem = text.trim_end_matches(|letter: char| letter.is_ascii_digit());
        Self {
            text: text.into(),
            letters,
            may_vary: letters || bytes.iter().any(u8::is_ascii_digit),
            name: letters && bytes.iter().any(inner),
            stem: xxhash_rust::xxh3::xxh3_64(stem.as_bytes()),
        }
    }
}

/// The words of all shapes.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    looks: HashMap<u64, Look>,
}

impl Vocabulary {
    pub(super) fn learn(&mut self, message: &str, tokens: &[Token]) {
        for token in tokens.iter().filter(|token| !token.is_slot()) {
            self.looks.entry(token.word).or_insert_with(|| Look::of(&message[shown(message, token)]));
        }
    }

    pub(super) fn look(&self, word: u64) -> &Look {
        self.looks.get(&word).expect("the words of every shape are in the vocabulary")
    }

    /// Words of the sentence that say something.
    pub(super) fn letters(&self, words: &[u64]) -> usize {
        words.iter().filter(|word| **word != SLOT && self.look(**word).letters).count()
    }

    pub(super) fn absorb(&mut self, other: Self) {
        self.looks.extend(other.looks);
    }

    pub(super) fn keep(&mut self, is_used: impl Fn(u64) -> bool) {
        self.looks.retain(|word, _| is_used(*word));
    }
}

/// The part of the message that is the word: of a ruler the first three marks.
fn shown(message: &str, token: &Token) -> std::ops::Range<usize> {
    let bytes = &message.as_bytes()[token.span.clone()];
    let is_ruler = bytes.len() > 3 && bytes.iter().all(|byte| super::tokens::is_filler(*byte));
    token.span.start..if is_ruler { token.span.start + 3 } else { token.span.end }
}
