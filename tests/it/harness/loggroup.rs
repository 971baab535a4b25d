//! Log groups as the clients of the SLS API send them. The messages stand here again, so that a mistake in ours is found.

use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub(crate) struct LogGroupList {
    #[prost(message, repeated, tag = "1")]
    pub(crate) groups: Vec<LogGroup>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct LogGroup {
    #[prost(message, repeated, tag = "1")]
    pub(crate) logs: Vec<Log>,
    #[prost(string, optional, tag = "3")]
    pub(crate) topic: Option<String>,
    #[prost(string, optional, tag = "4")]
    pub(crate) source: Option<String>,
    #[prost(message, repeated, tag = "6")]
    pub(crate) tags: Vec<LogTag>,
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

/// The value is bytes: clients send what they find.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Content {
    #[prost(string, required, tag = "1")]
    pub(crate) key: String,
    #[prost(bytes = "vec", required, tag = "2")]
    pub(crate) value: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct LogTag {
    #[prost(string, required, tag = "1")]
    pub(crate) key: String,
    #[prost(string, required, tag = "2")]
    pub(crate) value: String,
}

impl Log {
    pub(crate) fn new(time: u32, contents: &[(&str, &str)]) -> Self {
        let content =
            |(key, value): &(&str, &str)| Content { key: (*key).to_owned(), value: value.as_bytes().to_vec() };
        Self { time, contents: contents.iter().map(content).collect(), time_ns: None }
    }

    /// The text of a content.
    pub(crate) fn get(&self, key: &str) -> &str {
        let content = self.contents.iter().find(|content| content.key == key);
        let content = content.unwrap_or_else(|| panic!("there is no {key} in {self:?}"));
        std::str::from_utf8(&content.value).unwrap()
    }
}

impl LogGroup {
    pub(crate) fn of(logs: Vec<Log>) -> Self {
        Self { logs, ..Self::default() }
    }
}

/// A raw lz4 block of one run of literals: valid, and not smaller than what goes in.
pub(crate) fn lz4_block(plain: &[u8]) -> Vec<u8> {
    let mut block = vec![u8::try_from(plain.len().min(15)).unwrap() << 4];
    if let Some(mut rest) = plain.len().checked_sub(15) {
        while rest >= 255 {
            block.push(255);
            rest -= 255;
        }
        block.push(u8::try_from(rest).unwrap());
    }
    block.extend_from_slice(plain);
    block
}

/// The plain bytes of a raw lz4 block, by the description of the format.
pub(crate) fn lz4_unblock(block: &[u8]) -> Vec<u8> {
    let mut input = block.iter().copied();
    let mut plain = Vec::new();
    while let Some(token) = input.next() {
        for _ in 0..run_length(token >> 4, &mut input) {
            plain.push(input.next().expect("as many literals as announced"));
        }
        let Some(low) = input.next() else { break };
        let offset = usize::from(u16::from_le_bytes([low, input.next().expect("an offset has two bytes")]));
        for _ in 0..run_length(token & 15, &mut input) + 4 {
            plain.push(plain[plain.len() - offset]);
        }
    }
    plain
}

fn run_length(nibble: u8, input: &mut impl Iterator<Item = u8>) -> usize {
    let mut length = usize::from(nibble);
    if nibble == 15 {
        loop {
            let more = input.next().expect("a length ends");
            length += usize::from(more);
            if more < 255 {
                break;
            }
        }
    }
    length
}
