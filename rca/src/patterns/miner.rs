//! The miner: learns messages in bounded memory and settles what their patterns are.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Serialize;

use super::compound::with_plain_values;
use super::index::Index;
use super::merge::merge;
use super::shape::{Shape, Vocabulary, Words, Writing, key};
use super::template::{PatternId, Template};
use super::tokens::{Token, scan};
use crate::limits::{SHAPE_IDS_MAX, SHAPES_MAX};

/// Stands for all messages that are one shape. It stays valid whatever is merged later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ShapeId(u32);

/// Of the messages that no pattern is kept for.
const REST: ShapeId = ShapeId(0);

/// A pattern with the messages that were of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PatternCount {
    pub id: PatternId,
    pub template: String,
    pub count: u64,
}

/// Learns messages; see the head of this module's parent for what it makes of them.
#[derive(Debug)]
pub struct PatternMiner {
    shapes_max: usize,
    vocabulary: Vocabulary,
    /// The first is the rest.
    shapes: Vec<Shape>,
    by_key: HashMap<u64, ShapeId>,
    /// Of each shape id, the index of the shape that it is part of.
    homes: Vec<u32>,
    /// Shapes were given up, so that a message not seen before may be of a pattern that is kept.
    compacted: bool,
    settled: Settled,
    /// Something was learnt that `settled` does not know.
    unsettled: bool,
    tokens: Vec<Token>,
}

/// What is known as of the last settling.
#[derive(Debug, Default)]
struct Settled {
    templates: Vec<Template>,
    /// Of each shape, its template.
    of_shape: Vec<usize>,
    /// Of each template, one of its shapes.
    shape_of_template: Vec<usize>,
    by_id: HashMap<PatternId, usize>,
    index: Index,
}

impl Default for PatternMiner {
    fn default() -> Self {
        Self::new()
    }
}

impl PatternMiner {
    pub fn new() -> Self {
        Self::with_shapes_max(SHAPES_MAX)
    }

    /// A miner that holds fewer shapes than the limit of this crate; at least four, one of them for the rest.
    pub fn with_shapes_max(shapes_max: usize) -> Self {
        let mut miner = Self {
            shapes_max: shapes_max.clamp(4, SHAPES_MAX),
            vocabulary: Vocabulary::default(),
            shapes: Vec::new(),
            by_key: HashMap::new(),
            homes: Vec::new(),
            compacted: false,
            settled: Settled::default(),
            unsettled: false,
            tokens: Vec::new(),
        };
        miner.shapes.push(Shape::rest());
        miner.homes.push(0);
        miner.settle_now();
        miner
    }

    /// Learns a message and says which shape it has; its pattern is known when the miner has settled.
    pub fn learn(&mut self, message: &str) -> ShapeId {
        let mut tokens = std::mem::take(&mut self.tokens);
        scan(message, &mut tokens);
        let id = self.shape_of(message, &tokens);
        let shape = &mut self.shapes[self.homes[id.0 as usize] as usize];
        self.unsettled |= shape.learn(&tokens);
        self.tokens = tokens;
        id
    }

    fn shape_of(&mut self, message: &str, tokens: &[Token]) -> ShapeId {
        let words = || tokens.iter().map(|token| token.word);
        let key = key(words());
        if let Some(id) = self.by_key.get(&key) {
            return *id;
        }
        if self.homes.len() >= SHAPE_IDS_MAX {
            return REST;
        }
        if self.shapes.len() >= self.shapes_max {
            self.compact();
        }
        let kept = if self.compacted { self.settled.index.find(&words().collect::<Vec<_>>()) } else { None };
        let home = kept.map_or_else(
            || {
                self.vocabulary.learn(message, tokens);
                self.shapes.push(Shape::of(tokens));
                self.unsettled = true;
                self.shapes.len() - 1
            },
            |template| self.settled.shape_of_template[template],
        );
        self.remember(key, home)
    }

    fn remember(&mut self, key: u64, home: usize) -> ShapeId {
        let id = ShapeId(self.homes.len() as u32);
        self.homes.push(home as u32);
        // Past compaction many shapes share a home, and a key forgotten is found again by the index.
        if self.compacted && self.by_key.len() >= 2 * self.shapes_max {
            self.by_key.clear();
        }
        self.by_key.insert(key, id);
        id
    }

    /// Takes over what another miner learnt; of each of its shapes, the shape here.
    pub fn absorb(&mut self, other: Self) -> impl Fn(ShapeId) -> ShapeId + use<> {
        self.vocabulary.absorb(other.vocabulary);
        self.shapes[0].count += other.shapes[0].count;
        let learnt = other.shapes.into_iter().skip(1).map(|shape| self.absorb_shape(shape));
        let ids: Vec<ShapeId> = std::iter::once(REST).chain(learnt.collect::<Vec<_>>()).collect();
        let homes = other.homes;
        move |id| ids[homes[id.0 as usize] as usize]
    }

    fn absorb_shape(&mut self, shape: Shape) -> ShapeId {
        let key = key(shape.words.iter().copied());
        self.unsettled = true;
        if let Some(id) = self.by_key.get(&key) {
            let known = &mut self.shapes[self.homes[id.0 as usize] as usize];
            known.count += shape.count;
            known.join(&shape);
            return *id;
        }
        if self.homes.len() >= SHAPE_IDS_MAX {
            self.shapes[0].count += shape.count;
            return REST;
        }
        // Twice the limit for a moment: compacting here would forget words of shapes that are still to come.
        self.shapes.push(shape);
        self.remember(key, self.shapes.len() - 1)
    }

    /// Decides what the patterns of all messages so far are. Costs nothing when nothing new was learnt.
    pub fn settle(&mut self) {
        if self.unsettled {
            self.settle_now();
        }
    }

    /// Settles when a sixteenth of the shapes is new: what it costs then is little beside what was learnt.
    pub(crate) fn settle_when_grown(&mut self) {
        let new = self.shapes.len() - self.settled.of_shape.len();
        if new * 16 > self.shapes.len() {
            self.settle();
        }
    }

    fn settle_now(&mut self) {
        // The rest stays apart: one slot would swallow every message of one word.
        let sentences = self.shapes[1..].iter().map(|shape| shape.words.clone()).collect();
        let merged = merge(sentences, &self.vocabulary);
        let mut writings: Vec<Option<Writing>> = vec![None; merged.sentences.len()];
        for (shape, of) in self.shapes[1..].iter().zip(&merged.of) {
            match &mut writings[*of] {
                Some(writing) => writing.join(&shape.writing),
                none => *none = Some(shape.writing.clone()),
            }
        }
        let writings: Vec<Writing> =
            writings.into_iter().map(|writing| writing.expect("every sentence has a shape")).collect();
        let spaced: Vec<(&Words, &[bool])> =
            merged.sentences.iter().zip(&writings).map(|(words, writing)| (words, &*writing.spaces)).collect();
        let plain = with_plain_values(&spaced, &self.vocabulary);
        self.settled = Settled::new(&merged.sentences, writings, &plain, &self.vocabulary);
        let of_sentence = std::mem::take(&mut self.settled.of_shape);
        self.settled.place_shapes(merged.of.iter().map(|of| of_sentence[*of]));
        self.unsettled = false;
    }

    /// Makes one shape of those of a pattern and gives up the rarest patterns.
    fn compact(&mut self) {
        self.settle();
        let mut merged: Vec<Shape> = self.settled.templates.iter().map(Template::shape).collect();
        for (shape, of) in self.shapes.iter().zip(&self.settled.of_shape) {
            merged[*of].count += shape.count;
        }
        let mut by_count: Vec<usize> = (1..merged.len()).collect();
        by_count.sort_by_key(|index| (std::cmp::Reverse(merged[*index].count), self.settled.templates[*index].id()));
        let mut place = vec![0; merged.len()];
        by_count.iter().take(self.shapes_max / 2).zip(1..).for_each(|(index, at)| place[*index] = at);
        let of_shape = &self.settled.of_shape;
        self.homes.iter_mut().for_each(|home| *home = place[of_shape[*home as usize]] as u32);
        let kept = place.iter().max().map_or(1, |most| most + 1);
        let mut shapes: Vec<Shape> = (0..kept).map(|_| Shape::rest()).collect();
        for (shape, at) in merged.into_iter().zip(place) {
            let given_up = shapes[at].count;
            shapes[at] = if at == 0 { Shape { count: given_up + shape.count, ..Shape::rest() } } else { shape };
        }
        self.shapes = shapes;
        self.by_key.clear();
        let used: std::collections::HashSet<u64> =
            self.shapes.iter().flat_map(|shape| shape.words.iter().copied()).collect();
        self.vocabulary.keep(|word| used.contains(&word));
        self.compacted = true;
        self.keep_templates();
    }

    /// The templates of the shapes as they stand, in their order, without merging: they are what merging left.
    fn keep_templates(&mut self) {
        let sentences: Vec<Words> = self.shapes[1..].iter().map(|shape| shape.words.clone()).collect();
        let writings = self.shapes[1..].iter().map(|shape| shape.writing.clone()).collect();
        let plain: Vec<usize> = (0..sentences.len()).collect();
        self.settled = Settled::new(&sentences, writings, &plain, &self.vocabulary);
        let of_sentence = std::mem::take(&mut self.settled.of_shape);
        self.settled.place_shapes(of_sentence.into_iter());
    }

    /// The template of a shape; none while the miner has not settled since it was new.
    pub fn template_of(&self, shape: ShapeId) -> Option<&Template> {
        let home = *self.homes.get(shape.0 as usize)? as usize;
        self.settled.of_shape.get(home).map(|template| &self.settled.templates[*template])
    }

    pub fn template(&self, id: PatternId) -> Option<&Template> {
        self.settled.by_id.get(&id).map(|template| &self.settled.templates[*template])
    }

    /// The pattern of a message among those settled; nothing is learnt.
    pub fn find(&self, message: &str) -> Option<&Template> {
        let mut tokens = Vec::new();
        scan(message, &mut tokens);
        let words: Vec<u64> = tokens.iter().map(|token| token.word).collect();
        let known = self.by_key.get(&key(words.iter().copied())).and_then(|id| self.template_of(*id));
        known.or_else(|| self.settled.index.find(&words).map(|template| &self.settled.templates[template]))
    }

    /// The pattern of a message, whether settled or its own alone; nothing is learnt.
    pub(crate) fn read(&self, message: &str) -> Cow<'_, Template> {
        self.find(message).map_or_else(|| Cow::Owned(Template::of(message)), Cow::Borrowed)
    }

    /// The settled patterns with the messages learnt, the most frequent first.
    pub fn counts(&self) -> Vec<PatternCount> {
        let mut counts = vec![0; self.settled.templates.len()];
        for (shape, of) in self.shapes.iter().zip(&self.settled.of_shape) {
            counts[*of] += shape.count;
        }
        let counted = self.settled.templates.iter().zip(counts).filter(|(_, count)| *count > 0);
        let mut counts: Vec<PatternCount> = counted
            .map(|(template, count)| PatternCount { id: template.id(), template: template.text().to_owned(), count })
            .collect();
        counts.sort_by_key(|pattern| (std::cmp::Reverse(pattern.count), pattern.id));
        counts
    }
}

impl Settled {
    /// `plain` says of each sentence whose pattern it shares; `of_shape` is left by sentence.
    fn new(sentences: &[Words], writings: Vec<Writing>, plain: &[usize], vocabulary: &Vocabulary) -> Self {
        let mut settled = Self::default();
        let rest = Template::rest();
        settled.by_id.insert(rest.id(), 0);
        settled.templates.push(rest);
        let templates: Vec<usize> = sentences
            .iter()
            .zip(writings)
            .zip(plain)
            .enumerate()
            .map(|(index, ((words, writing), plain))| match *plain == index {
                true => settled.add(Template::new(words.clone(), writing, vocabulary)),
                false => 0,
            })
            .collect();
        settled.of_shape = plain.iter().map(|plain| templates[*plain]).collect();
        for (words, template) in sentences.iter().zip(&settled.of_shape) {
            settled.index.insert(words.clone(), *template);
        }
        settled
    }

    /// Takes the templates of all shapes but the first, which is the rest.
    fn place_shapes(&mut self, templates: impl Iterator<Item = usize>) {
        self.of_shape = std::iter::once(0).chain(templates).collect();
        self.shape_of_template = vec![0; self.templates.len()];
        for (shape, template) in self.of_shape.iter().enumerate().rev() {
            self.shape_of_template[*template] = shape;
        }
    }

    /// Two sentences may have one text, as when a message spells out `<*>`: they are one pattern.
    fn add(&mut self, template: Template) -> usize {
        let next = self.templates.len();
        let place = *self.by_id.entry(template.id()).or_insert(next);
        if place == next {
            self.templates.push(template);
        }
        place
    }
}

#[cfg(test)]
mod tests;
