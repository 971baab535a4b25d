//! What makes a LogGroup unreadable. The whole group is refused then: its sender has one answer for all of its logs.

/// Positions count bytes of the group after decompression, logs count from 0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogGroupError {
    #[error("the log group is cut off: {what} at byte {at} has no end")]
    Cut { at: usize, what: &'static str },
    #[error("byte {at} of the log group begins {what}")]
    Malformed { at: usize, what: &'static str },
    #[error("log {log} of the log group has no Time")]
    NoTime { log: usize },
    #[error("the log group has the key {key:?}, which is not UTF-8")]
    KeyNotText { key: String },
    #[error("the log group has {bytes} bytes, more than the {limit} of one request; send it in parts")]
    TooLarge { bytes: usize, limit: usize },
    #[error("the log group has more than {limit} {what}; send it in parts")]
    TooMany { what: &'static str, limit: usize },
    #[error("topic, source and tags take {bytes} bytes over all logs, more than {limit}; send the group in parts")]
    HeaderTooLarge { bytes: usize, limit: usize },
}

impl LogGroupError {
    /// A smaller group would pass.
    pub fn is_about_size(&self) -> bool {
        matches!(self, Self::TooLarge { .. } | Self::TooMany { .. } | Self::HeaderTooLarge { .. })
    }
}
