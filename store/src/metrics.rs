//! The metrics face: series with labels in, series with samples out.
//!
//! Behind it samples are rows of `_time`, `series`, `value` in the same log and the same segments as everything else, and the labels of a series stand in the
//! catalog and in an inverted index in memory. Callers see neither, so that chunks and codecs can replace the rows.

mod index;
mod labels;
mod matcher;
mod samples;
mod series;

pub use labels::{Label, Labels, METRIC_NAME};
pub use matcher::{LabelMatcher, MatchValue};
pub use series::{STALE_NAN_BITS, SampleRange, Samples, Series, is_stale, stale_nan};

pub(crate) use index::SeriesIndex;
pub(crate) use samples::{SERIES, VALUE, sample_schema};
