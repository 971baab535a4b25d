//! The bytes of a log file: a header, then groups. Integers are little-endian.
//!
//! A group's header has a checksum of its own, so that a damaged payload can be stepped over by its length; when the header is damaged, the next
//! group is found by its magic, which is believed only with both checksums. The magic also says how entries are laid out, so that groups behind a damaged
//! file header are read all the same.

use std::ops::Range;

use super::Entry;
use super::body::BodyCodec;
use crate::limits::GROUP_PAYLOAD_BYTES_MAX;
use crate::{Offset, Sequence, ShardId, UnixNanos};

pub(super) const FILE_MAGIC: &[u8; 8] = b"CULPLOG\0";
pub(super) const FILE_VERSION: u32 = 3;
/// magic, version, file number, checksum of these.
pub(super) const FILE_HEADER_BYTES: usize = 8 + 4 + 8 + 4;

/// Bytes above 0x7f and a line feed: neither text nor a text-mode transfer yields it by chance.
const GROUP_MAGIC: &[u8; 8] = b"\xc1CULGR3\n";
/// Of format 2: no entry has a sequence.
const GROUP_MAGIC_2: &[u8; 8] = b"\xc1CULGR2\n";
/// Of format 1: entries say no codec, since all bodies are zstd.
const GROUP_MAGIC_1: &[u8; 8] = b"\xc1CULGRP\n";
/// magic, sequence, payload length, entries, checksum of the payload, checksum of these.
pub(super) const GROUP_HEADER_BYTES: usize = 8 + 8 + 4 + 4 + 4 + 4;
/// shard, offset, received, body length, codec.
const ENTRY_HEADER_BYTES: usize = 8 + 8 + 8 + 4 + 4;
const ENTRY_HEADER_BYTES_1: usize = 8 + 8 + 8 + 4;
/// In the number of the codec: a sequence stands before the body.
const HAS_SEQUENCE: u32 = 1 << 31;
/// key, number.
const SEQUENCE_BYTES: usize = 16 + 8;

pub(super) fn file_header(number: u64) -> [u8; FILE_HEADER_BYTES] {
    let mut header = [0; FILE_HEADER_BYTES];
    header[..8].copy_from_slice(FILE_MAGIC);
    header[8..12].copy_from_slice(&FILE_VERSION.to_le_bytes());
    header[12..20].copy_from_slice(&number.to_le_bytes());
    let checksum = crc32c::crc32c(&header[..20]);
    header[20..].copy_from_slice(&checksum.to_le_bytes());
    header
}

pub(super) enum FileHeader {
    Good,
    /// Too short or damaged; groups may follow all the same.
    Damaged,
    NewerVersion(u32),
}

pub(super) fn read_file_header(bytes: &[u8]) -> FileHeader {
    if bytes.len() < FILE_HEADER_BYTES
        || &bytes[..8] != FILE_MAGIC
        || crc32c::crc32c(&bytes[..20]) != le_u32(&bytes[20..])
    {
        return FileHeader::Damaged;
    }
    match le_u32(&bytes[8..]) {
        version if version > FILE_VERSION => FileHeader::NewerVersion(version),
        _ => FileHeader::Good,
    }
}

pub(super) fn encode_group(sequence: u64, entries: &[Entry], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + GROUP_HEADER_BYTES, 0);
    for entry in entries {
        out.extend_from_slice(&entry.shard.0.to_le_bytes());
        out.extend_from_slice(&entry.offset.0.to_le_bytes());
        out.extend_from_slice(&entry.received.0.to_le_bytes());
        out.extend_from_slice(&narrow(entry.body.bytes.len()).to_le_bytes());
        let flag = if entry.sequence.is_some() { HAS_SEQUENCE } else { 0 };
        out.extend_from_slice(&(entry.body.codec.number() | flag).to_le_bytes());
        if let Some(Sequence { key, number }) = entry.sequence {
            out.extend_from_slice(&key.to_le_bytes());
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&entry.body.bytes);
    }
    let payload = &out[start + GROUP_HEADER_BYTES..];
    let (length, payload_checksum) = (narrow(payload.len()), crc32c::crc32c(payload));
    let header = &mut out[start..start + GROUP_HEADER_BYTES];
    header[..8].copy_from_slice(GROUP_MAGIC);
    header[8..16].copy_from_slice(&sequence.to_le_bytes());
    header[16..20].copy_from_slice(&length.to_le_bytes());
    header[20..24].copy_from_slice(&narrow(entries.len()).to_le_bytes());
    header[24..28].copy_from_slice(&payload_checksum.to_le_bytes());
    let header_checksum = crc32c::crc32c(&header[..28]);
    header[28..].copy_from_slice(&header_checksum.to_le_bytes());
}

fn narrow(length: usize) -> u32 {
    u32::try_from(length).expect("an append is bounded by APPEND_BYTES_MAX and a group by GROUP_BYTES_MAX on top of it")
}

/// An entry, and where its body is from the beginning of its group.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct EntryAt {
    pub(super) shard: ShardId,
    pub(super) offset: Offset,
    pub(super) received: UnixNanos,
    pub(super) sequence: Option<Sequence>,
    pub(super) codec: BodyCodec,
    pub(super) body: Range<usize>,
}

/// What stands at the beginning of `bytes`.
pub(super) enum Found {
    Group {
        sequence: u64,
        entries: Vec<EntryAt>,
        length: usize,
    },
    /// The header is sound, the payload is not; the next group begins after `length`.
    DamagedPayload {
        length: usize,
    },
    /// The bytes end inside the group.
    CutOff,
    NoGroup,
}

pub(super) fn read_group(bytes: &[u8]) -> Found {
    if bytes.len() < GROUP_HEADER_BYTES {
        let start = &bytes[..bytes.len().min(8)];
        let may_begin = [GROUP_MAGIC, GROUP_MAGIC_2, GROUP_MAGIC_1].iter().any(|magic| magic.starts_with(start));
        return if may_begin { Found::CutOff } else { Found::NoGroup };
    }
    let header = &bytes[..GROUP_HEADER_BYTES];
    let payload_bytes = le_u32(&header[16..]);
    let Some(layout) = EntryLayout::of_magic(&header[..8]) else { return Found::NoGroup };
    if crc32c::crc32c(&header[..28]) != le_u32(&header[28..]) || payload_bytes > GROUP_PAYLOAD_BYTES_MAX {
        return Found::NoGroup;
    }
    let length = GROUP_HEADER_BYTES + payload_bytes as usize;
    if bytes.len() < length {
        return Found::CutOff;
    }
    let payload = &bytes[GROUP_HEADER_BYTES..length];
    if crc32c::crc32c(payload) != le_u32(&header[24..]) {
        return Found::DamagedPayload { length };
    }
    match read_entries(payload, le_u32(&header[20..]), layout) {
        Some(entries) => Found::Group { sequence: le_u64(&header[8..]), entries, length },
        None => Found::DamagedPayload { length },
    }
}

/// What the formats of groups differ in.
#[derive(Clone, Copy, PartialEq)]
enum EntryLayout {
    ZstdAlone,
    Codec,
    CodecAndSequence,
}

impl EntryLayout {
    fn of_magic(magic: &[u8]) -> Option<Self> {
        let layouts =
            [(GROUP_MAGIC, Self::CodecAndSequence), (GROUP_MAGIC_2, Self::Codec), (GROUP_MAGIC_1, Self::ZstdAlone)];
        layouts.into_iter().find_map(|(known, layout)| (known == magic).then_some(layout))
    }

    fn header_bytes(self) -> usize {
        if self == Self::ZstdAlone { ENTRY_HEADER_BYTES_1 } else { ENTRY_HEADER_BYTES }
    }

    /// How the body is compressed, and whether a sequence stands before it.
    fn codec(self, header: &[u8]) -> Option<(BodyCodec, bool)> {
        match self {
            Self::ZstdAlone => Some((BodyCodec::Zstd, false)),
            Self::Codec => Some((BodyCodec::of_number(le_u32(&header[28..]))?, false)),
            Self::CodecAndSequence => {
                let number = le_u32(&header[28..]);
                Some((BodyCodec::of_number(number & !HAS_SEQUENCE)?, number & HAS_SEQUENCE != 0))
            }
        }
    }
}

fn read_entries(mut payload: &[u8], count: u32, layout: EntryLayout) -> Option<Vec<EntryAt>> {
    let mut entries = Vec::new();
    let mut at = GROUP_HEADER_BYTES;
    for _ in 0..count {
        let (header, rest) = payload.split_at_checked(layout.header_bytes())?;
        let (codec, has_sequence) = layout.codec(header)?;
        let (sequence, rest) = rest.split_at_checked(if has_sequence { SEQUENCE_BYTES } else { 0 })?;
        let (body, rest) = rest.split_at_checked(le_u32(&header[24..]) as usize)?;
        let start = at + header.len() + sequence.len();
        at = start + body.len();
        entries.push(EntryAt {
            shard: ShardId(le_u64(header).cast_signed()),
            offset: Offset(le_u64(&header[8..])),
            received: UnixNanos(le_u64(&header[16..]).cast_signed()),
            sequence: has_sequence.then(|| read_sequence(sequence)),
            codec,
            body: start..at,
        });
        payload = rest;
    }
    payload.is_empty().then_some(entries)
}

fn read_sequence(bytes: &[u8]) -> Sequence {
    let key = u128::from(le_u64(bytes)) | u128::from(le_u64(&bytes[8..])) << 64;
    Sequence { key, number: le_u64(&bytes[16..]).cast_signed() }
}

/// Where the next believable group begins, searching from the second byte on.
pub(super) fn find_group(bytes: &[u8]) -> Option<usize> {
    (1..bytes.len().saturating_sub(GROUP_HEADER_BYTES - 1)).find(|at| {
        bytes[*at] == GROUP_MAGIC[0]
            && matches!(read_group(&bytes[*at..]), Found::Group { .. } | Found::DamagedPayload { .. })
    })
}

fn le_u32(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

fn le_u64(bytes: &[u8]) -> u64 {
    u64::from(le_u32(bytes)) | u64::from(le_u32(&bytes[4..])) << 32
}

#[cfg(test)]
mod tests {
    use super::super::Body;
    use super::*;

    fn entries() -> Vec<Entry> {
        (0..3)
            .map(|i| Entry {
                shard: ShardId(i),
                offset: Offset(7),
                received: UnixNanos(-i),
                sequence: (i != 1).then_some(Sequence { key: u128::MAX - i as u128, number: i - 1 }),
                body: Body { codec: BodyCodec::Lz4, bytes: vec![i as u8; 5 * i as usize].into() },
            })
            .collect()
    }

    fn whole(group: &[u8], entry: EntryAt) -> Entry {
        let bytes = group[entry.body].to_vec().into();
        let EntryAt { shard, offset, received, sequence, codec, .. } = entry;
        Entry { shard, offset, received, sequence, body: Body { codec, bytes } }
    }

    #[test]
    fn a_group_reads_back() {
        let mut bytes = Vec::new();
        encode_group(9, &entries(), &mut bytes);
        let Found::Group { sequence, entries: read, length } = read_group(&bytes) else { panic!("no group") };
        let read: Vec<Entry> = read.into_iter().map(|entry| whole(&bytes, entry)).collect();
        assert_eq!((sequence, read, length), (9, entries(), bytes.len()));
    }

    #[test]
    fn no_flipped_bit_passes() {
        let mut bytes = Vec::new();
        encode_group(9, &entries(), &mut bytes);
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(!matches!(read_group(&damaged), Found::Group { .. }), "bit {bit}");
        }
    }

    fn from_hex(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    fn golden_entry(codec: BodyCodec) -> Entry {
        let body = Body { codec, bytes: b"body".to_vec().into() };
        Entry { shard: ShardId(2), offset: Offset(3), received: UnixNanos(4), sequence: None, body }
    }

    /// The bytes of format 1, as released.
    const GOLDEN_1: &str = "43554c504c4f4700010000000100000000000000b82af6f1c143554c4752500a010000000000000020000000010000004e0aa1b3c51217dc02000000000000000300000000000000040000000000000004000000626f6479";

    /// Those of format 2.
    const GOLDEN_2: &str = "43554c504c4f4700020000000100000000000000e85664a2c143554c4752320a0100000000000000240000000100000083cbc141a4d6c7920200000000000000030000000000000004000000000000000400000001000000626f6479";

    #[test]
    fn older_formats_are_read() {
        for (golden, codec) in [(GOLDEN_1, BodyCodec::Zstd), (GOLDEN_2, BodyCodec::Lz4)] {
            let bytes = from_hex(golden);
            assert!(matches!(read_file_header(&bytes), FileHeader::Good));
            let group = &bytes[FILE_HEADER_BYTES..];
            let Found::Group { sequence: 1, mut entries, .. } = read_group(group) else { panic!("no group") };
            assert_eq!(whole(group, entries.remove(0)), golden_entry(codec));
        }
    }

    /// The bytes of format 3: a change here is a new format.
    #[test]
    fn golden_bytes() {
        let mut bytes = file_header(1).to_vec();
        let sequence = Some(Sequence { key: 5, number: 6 });
        encode_group(1, &[Entry { sequence, ..golden_entry(BodyCodec::Lz4) }], &mut bytes);
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        expect_test::expect!["43554c504c4f4700030000000100000000000000d8821593c143554c4752330a01000000000000003c00000001000000150bf297c11681eb0200000000000000030000000000000004000000000000000400000001000080050000000000000000000000000000000600000000000000626f6479"].assert_eq(&hex);
    }
}
