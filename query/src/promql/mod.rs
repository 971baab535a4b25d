//! PromQL with the semantics of Prometheus 3, apart from SQL: a query is parsed, planned, its series are loaded once, and each
//! operator then works on whole series over all steps of the query at once.
//!
//! - `Engine` evaluates a text at one time (`instant`) or over a grid of times (`range`) on a `SeriesSource`.
//! - A `Column` is one series over the steps of a grid; a `Window` is what a range selector sees at one step.
//! - Windows and look-back are open on the left; names go at the end of the query (Prometheus' delayed name removal).
//! - `run_script` runs Prometheus' test scripts.
//!
//! Sums are compensated and run in label order, so that values agree with Prometheus beyond nine digits. Native histograms
//! stand beside numbers in every series, window and result. Nothing here reads a clock or a file.

mod absent;
mod aggregate;
mod aggregate_mixed;
mod binary;
mod binary_mixed;
mod blocks;
mod column;
mod count_values;
mod date;
mod engine;
mod error;
mod eval;
mod extended;
mod functions;
mod grid;
mod histogram;
mod histogram_parts;
mod info;
mod labels;
mod limit;
pub mod limits;
mod matching;
mod math;
mod native;
mod notes;
mod number;
mod over_time;
mod parse;
mod plan;
mod planner;
mod quantile;
mod rate;
mod regression;
mod scalar;
mod script;
mod set;
mod sort;
mod source;
mod start_time;
mod sum;
mod syntax;
mod topk;
mod window;

#[cfg(test)]
mod tests;

pub use engine::{Engine, Evaluated, InstantSample, MatrixSeries, Value};
pub use error::PromqlError;
pub use native::{Histogram, ResetHint};
pub use parse::{format, parse, parse_matchers};
pub use script::{ScriptFailure, ScriptReport, run_script};
pub use source::{RecordedSeries, SeriesSource};
pub use syntax::Expr;
