//! From bytes to stored rows: the protocols that Culprit speaks, and the way of a request into its shards.
//!
//! Its nouns: a [`Format`] decodes a body into one Arrow batch; a row that cannot be read becomes a [`Reason`] with its
//! line number, and its neighbours stay; [`Ingest`] takes a body and what the request says of it, and answers with an
//! [`IngestReport`] once the rows are durable.
//!
//! Contract: values go from the body's text into column builders, no tree or map of a row is ever built; a value that
//! does not fit its column is kept in the overflow map; what is refused is counted with its reason.
//!
//! [`Chunks`] cuts long files for clients that send them in parts.
//!
//! What it does not do: it opens no socket for HTTP (web/ hands over bytes and headers), and it knows no query.

mod batch;
mod chunks;
mod codec;
mod combined;
mod compression;
pub mod consume;
mod error;
mod format;
mod json;
mod limits;
mod line;
mod logfmt;
pub mod loggroup;
mod metrics;
mod ndjson;
mod overflow;
mod pipeline;
pub mod quota;
mod rejection;
pub mod remote_write;
mod row;
mod rows;
#[cfg(test)]
mod testing;
mod timestamp;

pub use chunks::{Chunk, ChunkError, Chunks};
pub use codec::Codec;
pub use compression::{decompress, decompressed};
pub use error::{BodyFault, IngestError};
pub use format::Format;
pub use json::{ElementScanner, Place};
pub use limits::{BODY_BYTES_MAX, LOGGROUP_RAW_BYTES_MAX, ROW_BYTES_MAX};
pub use pipeline::{Accepted, Ingest, IngestConfig, IngestReport, PutLogs, RequestMeta, WebTrack};
pub use rejection::{Reason, RejectionKind, Rejections, RowError};
pub use rows::{DecodeOptions, Decoded};
