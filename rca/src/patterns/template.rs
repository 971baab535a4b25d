//! Templates: what messages have in common, as text with typed slots, and what stands in the slots of one message.

use std::fmt;

use serde::{Serialize, Serializer};
use xxhash_rust::xxh3::xxh3_64;

use super::fields::{Field, fields};
use super::kinds::SlotKind;
use super::shape::{Shape, Vocabulary, Writing};
use super::tokens::{SLOT, scan};

/// Hash of a template's text with every slot written `<*>`. The same text has the same id everywhere and for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PatternId(pub u64);

impl fmt::Display for PatternId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Serialize for PatternId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A sentence with slots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    id: PatternId,
    text: String,
    words: Box<[u64]>,
    writing: Writing,
}

impl Template {
    pub(super) fn new(words: Box<[u64]>, writing: Writing, vocabulary: &Vocabulary) -> Self {
        let text = |typed: bool| {
            let mut text = String::new();
            for (at, word) in words.iter().enumerate() {
                if at > 0 && writing.spaces[at] {
                    text.push(' ');
                }
                let kind = writing.kinds[at].filter(|_| typed).unwrap_or(SlotKind::Any);
                text.push_str(if *word == SLOT { kind.placeholder() } else { &vocabulary.look(*word).text });
            }
            text
        };
        Self { id: PatternId(xxh3_64(text(false).as_bytes())), text: text(true), words, writing }
    }

    /// The template of a message that is like no other.
    pub(super) fn of(message: &str) -> Self {
        let mut tokens = Vec::new();
        scan(message, &mut tokens);
        let mut vocabulary = Vocabulary::default();
        vocabulary.learn(message, &tokens);
        let Shape { words, writing, .. } = Shape::of(&tokens);
        Self::new(words, writing, &vocabulary)
    }

    /// What stands for the messages that no template was kept for.
    pub(super) fn rest() -> Self {
        let Shape { words, writing, .. } = Shape::rest();
        Self::new(words, writing, &Vocabulary::default())
    }

    /// The template as a shape that no message was counted for.
    pub(super) fn shape(&self) -> Shape {
        Shape { words: self.words.clone(), writing: self.writing.clone(), count: 0 }
    }

    pub fn id(&self) -> PatternId {
        self.id
    }

    /// The sentence as people read it: `Failed password for <*> from <ip> port <num>`.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The types of the slots, in their order.
    pub fn kinds(&self) -> impl Iterator<Item = SlotKind> {
        self.writing.kinds.iter().flatten().copied()
    }

    /// What stands in each slot of a message of this template; empty when the message is not of it.
    pub fn slots<'a>(&self, message: &'a str) -> Vec<&'a str> {
        let mut tokens = Vec::new();
        scan(message, &mut tokens);
        if self.words.len() == tokens.len() {
            let pairs = || self.words.iter().zip(&tokens);
            if pairs().all(|(word, token)| *word == SLOT || *word == token.word) {
                return pairs()
                    .filter(|(word, _)| **word == SLOT)
                    .map(|(_, token)| &message[token.span.clone()])
                    .collect();
            }
        }
        let words: Vec<u64> = tokens.iter().map(|token| token.word).collect();
        let spaces: Vec<bool> = tokens.iter().map(|token| token.space).collect();
        let span = |field: &Field| tokens[field.start].span.start..tokens[field.end - 1].span.end;
        self.align(&fields(&words, &spaces), &words)
            .map_or_else(Vec::new, |slots| slots.iter().map(|field| &message[span(field)]).collect())
    }

    /// Field by field, for messages that write a value in more tokens than the template.
    fn align(&self, message: &[Field], words: &[u64]) -> Option<Vec<Field>> {
        let ours = fields(&self.words, &self.writing.spaces);
        if ours.len() != message.len() {
            return None;
        }
        let mut slots = Vec::new();
        for (our, their) in ours.iter().zip(message) {
            let (our_words, their_words) = (&self.words[our.range()], &words[their.range()]);
            let same_length = our_words.len() == their_words.len();
            if our_words == [SLOT] {
                slots.push(*their);
            } else if same_length && our_words.iter().zip(their_words).all(|(our, their)| *our == SLOT || our == their)
            {
                let places = our.range().zip(their.range()).filter(|(our, _)| self.words[*our] == SLOT);
                slots.extend(places.map(|(_, at)| Field { start: at, end: at + 1 }));
            } else {
                return None;
            }
        }
        Some(slots)
    }
}
