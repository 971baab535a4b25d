//! Says which dimension values explain an anomaly: what the anomalous rows have in common and the normal rows have not.
//!
//! The nouns: an [`Input`] is rows with the slice that each belongs to, A (anomalous), B (normal) or neither; an item is one
//! dimension with one of its values; an itemset is a conjunction of items; an [`Explanation`] is an itemset that is
//! asserted, with its [`Evidence`]; a [`Report`] is all that is said about one input.
//!
//! The contract: counts are exact over the rows given, or the report says where the search was cut; nothing is asserted
//! that chance would show in more than one of twenty searches without a cause; what is redundant is folded under what
//! makes it so; every column that was not searched is named with the reason.
//!
//! All but `gather` and `sql` is pure, Arrow in and explanations out, and reads neither files nor clocks: a time budget
//! comes in as a [`Stop`] condition. What is anomalous is decided in [`anomaly`](Detector).

mod anomaly;
mod bitmap;
mod cells;
mod codes;
mod column;
mod cover;
mod dimensions;
mod error;
mod explain;
mod functional;
mod gather;
mod implications;
mod input;
pub mod investigate;
mod items;
mod itemset;
mod key;
mod limits;
mod measure;
mod mine;
mod names;
mod patterns;
mod phrase;
mod population;
mod ranges;
mod report;
mod rows;
mod sample;
mod sentence;
mod significance;
mod sql;
mod tally;
mod units;
mod vanished;
mod workers;

pub use anomaly::{Detector, Scored, SliceAnomaly, anomalous_slices, scores};
pub use dimensions::LeftOut;
pub use error::RcaError;
pub use explain::{explain, explain_progressively};
pub use gather::{PartialReports, Question, explain_files, explain_store, explain_store_progressively};
pub use input::{Baseline, Input, Options};
pub use measure::{Agg, Label, Measure, explain_measure, explain_measure_progressively, explain_series, figure};
pub use patterns::{PatternCount, PatternId, PatternMiner, ShapeId, SlotKind, Template};
pub use report::{Alias, Evidence, Explanation, Measured, Report, ReportItem, Unit};
pub use sentence::sentence;
pub use sql::sql_functions;
pub use tally::{Tally, explain_tally};
pub use workers::Stop;
