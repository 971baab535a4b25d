//! Every bound of SQL, with its reason. PromQL's stand in `promql/limits.rs`.

use std::time::Duration;

/// A forgotten cross join must not hold a core for ever.
pub const SQL_TIMEOUT: Duration = Duration::from_secs(60);
/// All running queries together; beyond it sorts and aggregations spill, then fail.
pub const SQL_MEMORY_BYTES: usize = 2 << 30;
/// Query text: what a person or a dashboard writes is far below, and the parser is recursive.
pub const SQL_TEXT_BYTES_MAX: usize = 256 << 10;
/// Rows of an answer that is gathered in memory; streams have no such bound.
pub const SQL_ROWS_MAX: usize = 1_000_000;
/// Labels of a metricstore that become SQL columns; the rest is in the `labels` map.
pub const LABEL_COLUMNS_MAX: usize = 64;
/// Search words, as deep as somebody nests parentheses by hand.
pub const SEARCH_DEPTH_MAX: usize = 64;
