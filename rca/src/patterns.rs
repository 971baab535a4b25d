//! Log patterns: which messages are the same sentence with other values in it.
//!
//! A [`PatternMiner`] learns messages one by one and keeps their *shapes*: the words of a message with everything that is
//! a value by its form (numbers, addresses, paths, times) blanked. Shapes that differ in one place become one *template*
//! when what stands in that place varies as values do. A [`Template`] has a text with typed slots and an id, the hash of that text
//! with the types left out, so that an id outlives a slot that turns from number to anything.
//!
//! What is settled depends on the set of shapes alone, not on the order in which they came.

mod compound;
mod fields;
mod index;
mod kinds;
mod merge;
mod messages;
mod miner;
mod shape;
mod template;
mod tokens;

pub use kinds::SlotKind;
pub(crate) use messages::{Messages, is_prose};
pub use miner::{PatternCount, PatternMiner, ShapeId};
pub use template::{PatternId, Template};
