//! The messages as prost reads and writes them: what the tests hold our own reader and writer against.

use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Content {
    #[prost(string, required, tag = "1")]
    pub(crate) key: String,
    #[prost(bytes = "vec", required, tag = "2")]
    pub(crate) value: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Log {
    #[prost(uint32, required, tag = "1")]
    pub(crate) time: u32,
    #[prost(message, repeated, tag = "2")]
    pub(crate) contents: Vec<Content>,
    #[prost(fixed32, optional, tag = "4")]
    pub(crate) time_ns: Option<u32>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct LogTag {
    #[prost(string, required, tag = "1")]
    pub(crate) key: String,
    #[prost(string, required, tag = "2")]
    pub(crate) value: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct LogGroup {
    #[prost(message, repeated, tag = "1")]
    pub(crate) logs: Vec<Log>,
    #[prost(string, optional, tag = "2")]
    pub(crate) category: Option<String>,
    #[prost(string, optional, tag = "3")]
    pub(crate) topic: Option<String>,
    #[prost(string, optional, tag = "4")]
    pub(crate) source: Option<String>,
    #[prost(string, optional, tag = "5")]
    pub(crate) machine_uuid: Option<String>,
    #[prost(message, repeated, tag = "6")]
    pub(crate) tags: Vec<LogTag>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct LogGroupList {
    #[prost(message, repeated, tag = "1")]
    pub(crate) groups: Vec<LogGroup>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Package {
    #[prost(bytes = "vec", required, tag = "1")]
    pub(crate) data: Vec<u8>,
    #[prost(int32, optional, tag = "2")]
    pub(crate) raw_size: Option<i32>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct PackageList {
    #[prost(message, repeated, tag = "1")]
    pub(crate) packages: Vec<Package>,
}

pub(crate) fn log(time: u32, contents: &[(&str, &str)]) -> Log {
    let content = |(key, value): &(&str, &str)| Content { key: (*key).to_owned(), value: value.as_bytes().to_vec() };
    Log { time, contents: contents.iter().map(content).collect(), time_ns: None }
}

pub(crate) fn tag(key: &str, value: &str) -> LogTag {
    LogTag { key: key.to_owned(), value: value.to_owned() }
}
