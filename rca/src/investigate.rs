//! From many pieces of evidence to one report: what else moved when the trouble began, in which order, and what of it the
//! explanation of the anomalous rows has in common with it.
//!
//! A [`Finding`] is one piece with its sentence, its time of onset and its corrected probability; an [`Investigation`] is
//! all of them, ranked on one scale, with a time line and a sentence. Nothing at all is an answer. All but `gather` is
//! pure: series, counts and reports in, findings out.

mod calls;
mod changes;
mod counters;
mod finding;
mod gather;
mod messages;
mod rank;
mod recall;
mod suspects;
mod words;

pub use crate::anomaly::{Direction, MetricSeries, Shift, shifts};
pub use calls::{Calls, own_excess};
pub use finding::{Detail, Finding, Investigation, Label, Moment, Span};
pub use gather::{AlertFacts, Inquiry, Past, SeriesFiles, Slice, investigate, investigate_files};
pub use suspects::{Alarm, LabelledSeries, Suspect, SuspectReport, suspects};
