//! The metrics face: series with labels in, series with samples out.
//!
//! Behind it samples are rows of `_time`, `series`, `value` in the same log as everything else, and chunks of one series in segments of their own kind. The
//! labels of a series stand in the catalog and in an inverted index in memory. Callers see none of it.

mod chunk;
mod gathered;
mod ids;
mod index;
mod labels;
mod matcher;
mod pattern;
mod samples;
pub(crate) mod segment;
mod series;

pub use labels::{Label, Labels, METRIC_NAME};
pub use matcher::{LabelMatcher, MatchValue};
pub use series::{STALE_NAN_BITS, SampleRange, Samples, Series, is_stale, stale_nan};

pub(crate) use index::SeriesIndex;
pub(crate) use samples::sample_schema;
