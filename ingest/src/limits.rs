//! Every bound of ingest, with its reason. What a bound refuses is counted in `metrics.rs`.

use std::time::Duration;

/// A body after decompression, unless the configuration says otherwise: one body becomes one batch in memory.
pub const BODY_BYTES_MAX: usize = 64 << 20;
/// One line or JSON element. Longer ones are rather a file sent as a line than an event.
pub const ROW_BYTES_MAX: usize = 1 << 20;
/// Fields of one row after flattening.
pub(crate) const ROW_FIELDS_MAX: usize = 2_000;
/// Rows times columns of one batch. A null costs as much as a number, so a body of many short rows with ever new fields
/// would unfold to any size; a real one stays far below.
pub(crate) const BATCH_CELLS_MAX: usize = 32 << 20;
/// A field's name becomes a column's name in every schema, footer and plan.
pub(crate) const FIELD_NAME_BYTES_MAX: usize = 512;
/// Objects nested deeper are kept as JSON text: each level is scanned once more, and names grow with it.
pub(crate) const FLATTEN_DEPTH_MAX: usize = 16;
/// Reasons handed back for one request; the counts cover the rest.
pub(crate) const REASONS_MAX: usize = 10;
/// Characters of a refused value that a reason shows.
pub(crate) const REASON_VALUE_CHARS_MAX: usize = 64;
/// Labels of one series, as many as the series table indexes without strain.
pub(crate) const SERIES_LABELS_MAX: usize = 128;
pub(crate) const LABEL_NAME_BYTES_MAX: usize = 512;
pub(crate) const LABEL_VALUE_BYTES_MAX: usize = 16 << 10;

/// A project's bucket holds so much time of its rate: a producer that sends once a second in bursts stays within it.
pub(crate) const PROJECT_BURST: Duration = Duration::from_secs(2);
/// A shard's bucket.
pub(crate) const SHARD_BURST: Duration = Duration::from_secs(1);
/// The longest that one mistake can lock a project or shard out: debts beyond it are forgiven.
pub(crate) const QUOTA_DEBT_MAX: Duration = Duration::from_secs(60);
/// Rates are shown, and shards judged, over one to two of these.
pub(crate) const RATE_WINDOW: Duration = Duration::from_secs(5);
/// Locks of the quota service, and the parts that it could be spread over.
pub(crate) const QUOTA_PARTITIONS: usize = 64;
/// Projects that are metered at once; those beyond pass unmetered and are counted. Each costs about 300 bytes.
pub(crate) const PROJECTS_METERED_MAX: usize = 4 << 20;
/// A project without requests is forgotten after this, when its buckets are full.
pub(crate) const METER_IDLE: Duration = Duration::from_secs(120);
/// A bar lasts at least so long: telling every front end of shorter ones would cost more than they save.
pub(crate) const BAR_MIN: Duration = Duration::from_millis(250);
/// A bar that runs is told anew when it has become longer by this much.
pub(crate) const BAR_EXTENSION_MIN: Duration = Duration::from_secs(1);
/// Bars that are kept for pollers; beyond it the oldest are not told to those who come late.
pub(crate) const BARS_TOLD_MAX: usize = 1 << 18;
/// After the first change, so long is waited for more before pollers are answered.
pub(crate) const POLL_GATHER: Duration = Duration::from_millis(50);
pub(crate) const POLL_WAIT_MAX: Duration = Duration::from_secs(60);
/// Projects whose usage waits to be told to one service; it is sent every few hundred milliseconds.
pub(crate) const REPORTED_PROJECTS_MAX: usize = 1 << 17;
/// At this pressure of the store shard quotas become exact…
pub(crate) const PRESSURE_EXACT: f32 = 0.8;
/// …and below this one soft again.
pub(crate) const PRESSURE_SOFT: f32 = 0.6;
/// At this pressure the store takes nothing more.
pub(crate) const PRESSURE_FULL: f32 = 1.0;
/// How old the reading of the pressure may be: in this time a node takes a few megabytes.
pub(crate) const PRESSURE_AGE: Duration = Duration::from_millis(10);
/// Locks over the loads of shards.
pub(crate) const SHARD_LOCKS: usize = 16;
/// The load of a shard that nobody asked for so long is forgotten.
pub(crate) const SHARD_LOAD_IDLE: Duration = Duration::from_secs(600);
/// A shard that was refused within this time is chosen last.
pub(crate) const SHARD_REFUSED_LATELY: Duration = Duration::from_secs(1);
/// Keys that are remembered per shard to find where to split it: the middle is off by a few percent.
pub(crate) const KEYS_SAMPLED: usize = 128;
/// Projects in one usage report: more than anybody reads.
pub(crate) const USAGE_PROJECTS_MAX: usize = 1_000;
/// Projects that are named in metrics because they were refused most.
pub(crate) const REFUSED_PROJECTS_SHOWN_MAX: usize = 20;
/// How often shards are looked at for splits and merges.
pub(crate) const SCALING_TICK: Duration = Duration::from_secs(1);
/// How often still projects and shards are forgotten.
pub(crate) const METERS_SWEEP_TICK: Duration = Duration::from_secs(10);
/// A shard is hot when it is asked for more than this share of its quota…
pub(crate) const HOT_SHARE: f64 = 1.0;
/// …until it is asked for less than this.
pub(crate) const NO_LONGER_HOT_SHARE: f64 = 0.8;
/// Two neighbours that are asked for less than this each are merged: together they are at half of the quota at most.
pub(crate) const CALM_SHARE: f64 = 0.25;

/// One LogGroup, or all packages of one request together, after decompression. Python's client sends up to 30 MB.
pub const LOGGROUP_RAW_BYTES_MAX: usize = 30 << 20;
/// Logs of one LogGroup. A log of four bytes is a valid one, and takes room in every column.
pub(crate) const LOGGROUP_LOGS_MAX: usize = 512_000;
/// Topic, source and tags are written once in a LogGroup and once per row in columns: a long tag over many short rows
/// would unfold to any size. Counted with the names.
pub(crate) const LOGGROUP_HEADER_BYTES_MAX: usize = 128 << 20;
/// Contents of one LogGroup that find no column. An empty one takes two bytes of a body and many times that in a map.
pub(crate) const LOGGROUP_OVERFLOW_MAX: usize = 4_000_000;
/// Tags of one LogGroup; each is a column.
pub(crate) const LOGGROUP_TAGS_MAX: usize = 128;
/// Groups in one request of packages. Agents join a few dozen.
pub(crate) const PACKAGES_MAX: usize = 4096;
/// Bodies up to this size are decoded where they arrive, in some tens of microseconds.
pub(crate) const INLINE_DECODE_BYTES_MAX: usize = 64 << 10;

/// Encoded blocks of recent rows, unless the configuration says otherwise.
pub(crate) const TAIL_CACHE_BYTES: usize = 128 << 20;
/// Segments read back for readers, and blocks of them, unless the configuration says otherwise.
pub(crate) const COLD_CACHE_BYTES: usize = 256 << 20;
/// LogGroups of one answer to a pull; what clients ask for.
pub(crate) const BLOCK_GROUPS_MAX: usize = 1_000;
/// Rows of one block, in Arrow: clients that got a few megabytes come back at once, others pause.
pub(crate) const BLOCK_BYTES_MAX: usize = 4 << 20;
/// A sample is 24 bytes in a column and some 200 as texts, with its labels.
pub(crate) const SAMPLE_GROWTH: usize = 8;
/// What a block costs beside its bytes.
pub(crate) const BLOCK_ENTRY_BYTES: usize = 256;
/// So long a block that could have more by now is sent all the same: readers that come a little apart go one way.
pub(crate) const SMALL_BLOCK_AGE: Duration = Duration::from_millis(100);
/// Rows up to this size are encoded where they are asked for, in some tens of microseconds.
pub(crate) const ENCODE_INLINE_BYTES_MAX: usize = 64 << 10;
/// Segments that are read back at once: each takes its whole size in memory, and a sort.
pub(crate) const COLD_LOADS_MAX: usize = 2;
/// Segments that are remembered after they were dropped from the cache, to see which come back.
pub(crate) const DROPPED_SEGMENTS_MAX: usize = 1_024;
pub(crate) const DROPPED_SEGMENT_AGE: Duration = Duration::from_secs(60);
/// Consumers of one group that are heard of within its timeout.
pub(crate) const CONSUMERS_MAX: usize = 1_000;
pub(crate) const CONSUMER_NAME_BYTES_MAX: usize = 256;
pub(crate) const GROUP_TIMEOUT_S_MAX: u32 = 86_400;
/// Shards that a heartbeat may name.
pub(crate) const HELD_SHARDS_MAX: usize = 65_536;
/// Batches of one shard between a fanout group's checkpoint and what it delivers next: one that nobody acknowledges holds
/// up so many.
pub(crate) const FANOUT_WINDOW_BATCHES: u64 = 4_096;
/// Batches and bytes (in Arrow) of one answer to a fanout pull.
pub(crate) const FANOUT_BATCHES_MAX: usize = 1_000;
pub(crate) const FANOUT_BYTES_MAX: usize = 16 << 20;
pub(crate) const FANOUT_WAIT_MAX: Duration = Duration::from_secs(30);
pub(crate) const FANOUT_ACK_TIMEOUT_MAX: Duration = Duration::from_secs(12 * 3_600);
/// A follower that reads faster than it may pauses so long, unless the quota says how long.
pub(crate) const FOLLOWER_PAUSE: Duration = Duration::from_millis(100);
/// A follower of all shards looks for new ones after so long, beside whenever one ends.
pub(crate) const SHARDS_LISTED_AGE: Duration = Duration::from_secs(5);
