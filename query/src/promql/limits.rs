//! Every bound of the PromQL engine, in one place.

use std::time::Duration;

/// Longer texts are refused before the parser sees them.
pub const QUERY_BYTES_MAX: usize = 32 * 1024;

/// Open parentheses, brackets and braces at one point of the text. The parser and the evaluator recurse once per level,
/// on stacks of 2 MiB.
pub const NESTING_MAX: usize = 200;

/// Operators of one text. A flat chain `a + a + …` is a tree as deep as it is long.
pub const OPERATORS_MAX: usize = 500;

/// Regular expressions of one text. Compiling one may take milliseconds and a megabyte.
pub const PATTERNS_MAX: usize = 200;

/// Points per series of a range query, as in Prometheus.
pub const POINTS_MAX: i64 = 11_000;

/// Samples that one query may load, and points that one of its operators may produce. 8 bytes each, 16 when loaded.
pub const SAMPLES_MAX: usize = 50_000_000;

/// A sample is valid for this long, unless the next one or a stale marker comes earlier.
pub const LOOKBACK: Duration = Duration::from_secs(5 * 60);

/// The step of a subquery that names none: Prometheus' default evaluation interval.
pub const SUBQUERY_STEP: Duration = Duration::from_secs(60);

/// Evaluation is given up after this time.
pub const QUERY_TIMEOUT: Duration = Duration::from_secs(120);

/// Distinct warnings and notes of one query; the rest is counted in one last line.
pub const NOTES_MAX: usize = 20;

/// Series that a core takes at a time: fewer share the work better, more ask for it less often.
pub const BLOCK_SERIES: usize = 64;

/// Cores of one query, so that one query does not starve all others.
pub const WORKERS_MAX: usize = 8;
