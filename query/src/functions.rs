//! Functions that the engine lacks, as expressions; one file per function.

mod json_text;
mod overflow;
mod words;

pub(crate) use json_text::{json_text, json_text_function};
pub(crate) use overflow::{overflow_text, overflow_value};
pub(crate) use words::{Words, has_words};
