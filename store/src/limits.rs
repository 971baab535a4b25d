//! Every bound of the store, with its reason.

use std::time::Duration;

/// A project's or store's name becomes part of a path and of a URL.
pub const NAME_BYTES_MAX: usize = 128;
/// More columns make every schema message, footer and plan heavy; the rest goes to the overflow map.
pub const STORE_COLUMNS_MAX: usize = 512;
/// Shards of a store without a wish of its own: two keep both cores of a small machine busy while flushing.
pub const STORE_SHARDS_DEFAULT: u16 = 2;
/// Read-write shards of a store at once; each is a queue of its own to flush, to consume and to count.
pub const STORE_SHARDS_MAX: u16 = 256;
/// Where splits end unless the store says otherwise.
pub const STORE_SHARDS_SPLIT_MAX: u16 = 64;
/// Producers of a store that number their writes; beyond it the longest silent ones are forgotten, and could write again what they wrote. Each costs 64 bytes.
pub const STORE_SEQUENCES_MAX: usize = 32_768;
/// Stores in a view: a shard of a view is named by its member's ordinal and its number there, 16 bits each, and ordinals are not used again.
pub const VIEW_MEMBERS_MAX: usize = 64;
/// Descriptions and attributes of projects and stores are held in memory.
pub const ATTRIBUTES_BYTES_MAX: usize = 64 << 10;
/// Logs are kept this long unless the store says otherwise.
pub const STORE_TTL_DEFAULT: Duration = Duration::from_secs(30 * 24 * 3600);

/// One append in Arrow memory. It must fit into one group, and a group's length into u32.
pub const APPEND_BYTES_MAX: usize = 256 << 20;
/// A group is closed at this size: larger ones make the first writer in it wait for the last.
pub const GROUP_BYTES_MAX: usize = 16 << 20;
/// Appends waiting for the log; when it is full, writers wait here rather than in memory.
pub const LOG_QUEUE_MAX: usize = 1024;
/// Bytes of bodies that wait for the log; a writer beyond is refused as busy, unless nothing waits.
pub const LOG_QUEUE_BYTES_MAX: usize = 64 << 20;
/// Syncs of the log that stand before a writer may take so long together; beyond it is refused as busy.
pub const LOG_WAIT_MAX: Duration = Duration::from_secs(2);
/// Arrow memory of a batch from which on its body is encoded off the runtime: smaller ones cost less than the change of threads.
pub const ENCODE_INLINE_BYTES_MAX: usize = 64 << 10;
/// Arrow memory up to which a body is compressed in any case: it takes less than the sync that follows.
pub const LOG_COMPRESS_BYTES_MAX: usize = 64 << 10;
/// So much waits for the log when the disk, not the processor, is what writers wait for: larger bodies are compressed too.
pub const LOG_COMPRESS_BACKLOG_BYTES: usize = 8 << 20;
/// A body that claims to be larger inside is damage, not data.
pub const LOG_BODY_BYTES_MAX: usize = 2 * APPEND_BYTES_MAX;
/// All log files together; above it the shards that keep the oldest alive are flushed, so that a replay stays short.
pub const LOG_BYTES_MAX: u64 = 1 << 30;
/// Space that appends leave to segments and the catalog, without which nothing could be flushed and expired…
pub const DISK_FREE_BYTES_MIN: u64 = 256 << 20;
/// …or this share of a small disk.
pub const DISK_FREE_SHARE_MIN: f64 = 0.02;
/// A log file is closed at this size; the space of its rows comes back file by file.
pub const LOG_FILE_BYTES_MAX: u64 = 64 << 20;
/// What a group's header may claim; anything longer is damage, not data.
pub const GROUP_PAYLOAD_BYTES_MAX: u32 = 1 << 30;

/// A shard's recent rows become a segment at this size…
pub const FLUSH_BYTES: usize = 32 << 20;
/// …or at this age, whichever comes first. Longer makes better segments and a longer replay.
pub const FLUSH_AGE: Duration = Duration::from_secs(60);
/// Samples wait so many times longer: a series that is scraped every 15 seconds has four of them in a minute, and a chunk of four is mostly its own head.
pub const SAMPLES_FLUSH_AGES: u32 = 15;
/// Recent rows of all shards together; above it appends are refused as busy.
pub const RECENT_BYTES_MAX: usize = 1 << 30;
/// How often the background task looks for something to flush.
pub const FLUSH_TICK: Duration = Duration::from_secs(1);
/// How often expired segments are looked for.
pub const RETENTION_TICK: Duration = Duration::from_secs(30);

/// Rows of a row group: the unit that statistics can skip.
pub const ROW_GROUP_ROWS_MAX: usize = 128 * 1024;
/// Samples of a chunk: what a query of a few minutes decodes at least, and what shares one code.
pub const CHUNK_SAMPLES_MAX: usize = 1024;
/// Chunks of a page: what a query of one series reads at least. Fewer make a longer page index.
pub const CHUNK_PAGE_ROWS: usize = 128;
/// Names of stores listed in an error, so that the line stays a line.
pub const NAMES_SHOWN_MAX: usize = 12;

/// Keys are held in memory, and each request looks one up.
pub const KEYS_MAX: usize = 10_000;
/// Looked through for each right that is checked.
pub const GRANTS_MAX: usize = 256;
/// Ids stand in headers and in every list.
pub const KEY_ID_BYTES_MAX: usize = 64;
/// Longer than any that a cloud gives out.
pub const SECRET_BYTES_MAX: usize = 256;
