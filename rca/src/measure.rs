//! What is explained when the question is about a number instead of a predicate: which column, how it adds up, and what
//! it was expected to be.

mod agg;

pub use agg::{Agg, Measure};
