//! Every bound of ingest, with its reason. What a bound refuses is counted in `metrics.rs`.

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
