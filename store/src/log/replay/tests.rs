//! Damage, byte by byte and bit by bit, against what was written.

use super::super::body::BodyCodec;
use super::super::group::{encode_group, file_header};
use super::*;
use crate::UnixNanos;
use crate::disk::simulation::Simulation;

/// Thousands of quarantined files need no sync.
fn disk() -> Disk {
    Disk::simulate(Simulation::new(0))
}

struct Fixture {
    folder: tempfile::TempDir,
    layout: Layout,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path());
        std::fs::create_dir_all(layout.log_folder()).unwrap();
        std::fs::create_dir_all(layout.quarantine_folder()).unwrap();
        Self { folder, layout }
    }

    fn replay(&self) -> (Vec<Entry>, Replayed) {
        let mut replay = Replay::open(&disk(), &self.layout).unwrap();
        let mut entries = Vec::new();
        while let Some(more) = replay.next_file(|_, _| true).unwrap() {
            entries.extend(more);
        }
        (entries, replay.finish())
    }

    fn quarantined_files(&self) -> usize {
        std::fs::read_dir(self.folder.path().join("quarantine")).unwrap().count()
    }
}

fn entry(offset: u64) -> Entry {
    Entry {
        shard: ShardId(1),
        offset: Offset(offset),
        received: UnixNanos(5),
        sequence: None,
        body: Body { codec: BodyCodec::Lz4, bytes: format!("rows of batch {offset}").into() },
    }
}

/// A file of `groups` groups of one entry, and where each group begins; the last number is the file's length.
fn file(groups: u64) -> (Vec<u8>, Vec<usize>) {
    let mut bytes = file_header(1).to_vec();
    let mut starts = Vec::new();
    for i in 0..groups {
        starts.push(bytes.len());
        encode_group(i, &[entry(i)], &mut bytes);
    }
    starts.push(bytes.len());
    (bytes, starts)
}

#[test]
fn cut_at_each_byte_of_the_last_group_leaves_all_before_it() {
    let (bytes, starts) = file(3);
    let last = starts[2];
    for length in last..bytes.len() {
        let fixture = Fixture::new();
        let path = fixture.layout.log_file(1);
        std::fs::write(&path, &bytes[..length]).unwrap();
        let (entries, replayed) = fixture.replay();
        assert_eq!(entries, [entry(0), entry(1)], "cut at {length}");
        assert_eq!(replayed.torn_bytes, (length - last) as u64);
        assert_eq!(replayed.quarantined_groups, 0);
        assert_eq!(std::fs::metadata(&path).unwrap().len(), last as u64, "the torn end is gone from the file");
    }
}

#[test]
fn a_flipped_bit_costs_its_group_alone() {
    let (bytes, starts) = file(4);
    for bit in starts[1] * 8..starts[2] * 8 {
        let fixture = Fixture::new();
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(fixture.layout.log_file(1), &damaged).unwrap();
        let (entries, replayed) = fixture.replay();
        assert_eq!(entries, [entry(0), entry(2), entry(3)], "bit {bit}");
        assert_eq!((replayed.quarantined_groups, replayed.torn_bytes), (1, 0), "bit {bit}");
        assert_eq!(fixture.quarantined_files(), 1);
    }
}

#[test]
fn a_damaged_file_header_costs_nothing() {
    let (mut bytes, _) = file(2);
    bytes[3] ^= 0xff;
    let fixture = Fixture::new();
    std::fs::write(fixture.layout.log_file(1), &bytes).unwrap();
    let (entries, _) = fixture.replay();
    assert_eq!(entries, [entry(0), entry(1)]);
}

#[test]
fn what_is_not_wanted_is_stepped_over_and_still_counted() {
    let (bytes, _) = file(3);
    let fixture = Fixture::new();
    std::fs::write(fixture.layout.log_file(1), &bytes).unwrap();
    let mut replay = Replay::open(&disk(), &fixture.layout).unwrap();
    assert_eq!(replay.next_file(|_, offset| offset.0 == 1).unwrap(), Some(vec![entry(1)]));
    assert_eq!(replay.next_file(|_, _| true).unwrap(), None);
    let contents = &replay.finish().files[&1];
    assert_eq!((contents.bytes, contents.highest[&ShardId(1)]), (bytes.len() as u64, Offset(2)));
}

#[test]
fn a_torn_end_with_files_behind_it_is_damage() {
    let (bytes, _) = file(2);
    let fixture = Fixture::new();
    std::fs::write(fixture.layout.log_file(1), &bytes[..bytes.len() - 3]).unwrap();
    let mut second = file_header(2).to_vec();
    encode_group(7, &[entry(9)], &mut second);
    std::fs::write(fixture.layout.log_file(2), &second).unwrap();
    let (entries, replayed) = fixture.replay();
    assert_eq!(entries, [entry(0), entry(9)]);
    assert_eq!((replayed.quarantined_groups, replayed.next_sequence), (1, 8));
}

#[test]
fn a_newer_version_is_refused_by_name() {
    let fixture = Fixture::new();
    let mut bytes = file_header(1).to_vec();
    bytes[8..12].copy_from_slice(&(FILE_VERSION + 1).to_le_bytes());
    let checksum = crc32c::crc32c(&bytes[..20]);
    bytes[20..24].copy_from_slice(&checksum.to_le_bytes());
    std::fs::write(fixture.layout.log_file(1), &bytes).unwrap();
    let mut replay = Replay::open(&disk(), &fixture.layout).unwrap();
    let refused = replay.next_file(|_, _| true).unwrap_err().to_string();
    assert!(refused.contains("format 4") && refused.contains("up to 3"), "{refused}");
}
