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
/// Cells of a batch that is read without a query, some 16 bytes each: batches of wide tables have fewer rows.
pub(crate) const READ_CELLS_MAX: usize = 4 << 20;
/// Search words, as deep as somebody nests parentheses by hand.
pub const SEARCH_DEPTH_MAX: usize = 64;
/// An index that clients send: a thousand keys with their separators fit.
pub const INDEX_BYTES_MAX: usize = 1 << 20;
/// Keys of an index, JSON paths included: each is a column of every query.
pub const INDEX_KEYS_MAX: usize = 1024;
/// Rows of one page of a search, as in the cloud service.
pub const LOGS_LINES_MAX: usize = 100;
/// How far a page may begin behind the first row: all rows up to it are sorted in memory.
pub const LOGS_OFFSET_MAX: usize = 1_000_000;
/// Rows of an answer to SQL that says no LIMIT, as in the cloud service.
pub const LOGS_SQL_LIMIT_DEFAULT: usize = 100;
/// Rows of an answer to SQL behind a search: it is gathered in memory as text.
pub const LOGS_SQL_ROWS_MAX: usize = 100_000;
/// Columns of a histogram whose interval nobody gave: what a chart shows.
pub const HISTOGRAM_BUCKETS_DEFAULT: u64 = 60;
/// Columns of any histogram.
pub const HISTOGRAM_BUCKETS_MAX: u64 = 10_000;
/// Rows before and behind one row.
pub const CONTEXT_LINES_MAX: usize = 100;
/// Shards of one store whose rows may stand at the same place, received in the same moment: as many as a store may have, with room.
pub(crate) const SHARDS_MAX: usize = 1024;
/// Topics in one answer.
pub const TOPICS_MAX: usize = 1000;
