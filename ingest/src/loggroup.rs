//! LogGroups: the protobuf messages in which SLS clients send logs and read them back.
//!
//! ```text
//! Log      { uint32 Time = 1; repeated Content { string Key = 1; bytes Value = 2 } Contents = 2; fixed32 Time_ns = 4 }
//! LogGroup { repeated Log Logs = 1; string Category = 2; Topic = 3; Source = 4; MachineUUID = 5;
//!            repeated LogTag { string Key = 1; string Value = 2 } LogTags = 6 }
//! ```
//! [`decode`] reads a message straight into columns and [`encode`] writes columns as a message; no object of a log ever
//! exists. [`batch`] fixes which column stands for what.

mod batch;
mod decode;
mod encode;
mod error;
#[cfg(test)]
pub(crate) mod messages;
mod metrics;
mod package;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use batch::{GroupBuilder, Header};
pub use batch::{SOURCE, TAG_PREFIX, TOPIC};
pub use decode::{Decoded, decode};
pub use encode::{encode, encode_entry};
pub use error::LogGroupError;
pub(crate) use metrics::{read_samples, write_samples};
pub(crate) use package::unpack;
