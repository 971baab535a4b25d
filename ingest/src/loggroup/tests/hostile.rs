//! Groups cut at every byte, and good ones with seeded damage: an answer always, and never a panic.

use prost::Message;

use super::super::messages::{LogGroup, Package, PackageList, log, tag};
use super::super::{decode, encode, unpack};
use super::*;
use crate::{Codec, IngestError};

fn seed() -> LogGroup {
    let logs = (0..6).map(|i| {
        let mut log =
            log(1_700_000_000 + i, &[("level", "info"), ("msg", "ünïcode"), ("long", &"x".repeat(200)), ("a", "")]);
        log.contents.rotate_left(i as usize % 3);
        log.time_ns = (i % 2 == 0).then_some(i * 1000);
        log
    });
    LogGroup {
        logs: logs.collect(),
        category: Some("c".into()),
        topic: Some("topic".into()),
        source: Some("source".into()),
        machine_uuid: Some("uuid".into()),
        tags: vec![tag("k", "v"), tag("__pack_id__", "9F-1")],
    }
}

/// Ours and prost must agree on which bytes are a group at all, where prost knows: it also refuses values of the header
/// that are no UTF-8, and takes groups of fields and logs without Time.
#[test]
fn cut_at_every_byte() {
    let whole = seed().encode_to_vec();
    for length in 0..whole.len() {
        let ours = decode(&whole[..length], &schema(&[]));
        let theirs = LogGroup::decode(&whole[..length]);
        assert_eq!(ours.is_ok(), theirs.is_ok(), "{length}: {ours:?}");
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }

    /// One to four damages: a byte changed, bytes out, bytes doubled, a length blown up.
    fn damage(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(4) {
            if bytes.is_empty() {
                return;
            }
            let at = self.below(bytes.len());
            let end = (at + self.below(20)).min(bytes.len());
            match self.below(5) {
                0 => bytes[at] = self.below(256) as u8,
                1 => bytes[at] ^= 1 << self.below(8),
                2 => drop(bytes.drain(at..end)),
                3 => {
                    let copy = bytes[at..end].to_vec();
                    let to = self.below(bytes.len());
                    bytes.splice(to..to, copy);
                }
                _ => drop(bytes.splice(at..at, [0xff; 9].into_iter().take(1 + end - at))),
            }
        }
    }
}

fn mutations() -> u64 {
    std::env::var("CULPRIT_MUTATIONS").map_or(20_000, |text| text.parse().unwrap())
}

#[test]
fn damaged_groups_are_refused_or_read() {
    let whole = seed().encode_to_vec();
    let (mut read, mut refused) = (0, 0);
    for number in 0..mutations() {
        let mut bytes = whole.clone();
        Random(number).damage(&mut bytes);
        match decode(&bytes, &schema(&[("level", ColumnType::Utf8)])) {
            Err(_) => refused += 1,
            Ok(decoded) => {
                read += 1;
                let Some(batch) = decoded.batch else { continue };
                // A few hundred bytes never unfold to more than rows times columns allow.
                assert!(batch.get_array_memory_size() < 1 << 20, "mutation {number}");
                let mut written = Vec::new();
                encode(&batch, &mut written);
                assert_eq!(LogGroup::decode(&*written).unwrap().logs.len(), decoded.rows, "mutation {number}");
            }
        }
    }
    assert!(read > 0 && refused > 0, "{read} read, {refused} refused");
}

#[test]
fn damaged_packages_are_refused_or_read() {
    let raw = seed().encode_to_vec();
    for codec in Codec::ALL {
        let package = Package { data: codec.compress(&raw), raw_size: Some(raw.len() as i32) };
        let whole = PackageList { packages: vec![package; 3] }.encode_to_vec();
        let groups = unpack(&whole.clone().into(), codec, 3 * raw.len()).unwrap();
        assert_eq!(groups, vec![raw.clone(); 3], "{codec:?}");
        for number in 0..mutations() / 10 {
            let mut bytes = whole.clone();
            Random(number).damage(&mut bytes);
            let room = 10 * raw.len();
            let groups = unpack(&bytes.into(), codec, room).unwrap_or_default();
            assert!(groups.iter().map(bytes::Bytes::len).sum::<usize>() <= room, "mutation {number} of {codec:?}");
            for group in groups {
                drop(decode(&group, &schema(&[])));
            }
        }
    }
}

#[test]
fn the_room_is_for_all_packages_together() {
    let raw = seed().encode_to_vec();
    let package = Package { data: Codec::Lz4.compress(&raw), raw_size: Some(raw.len() as i32) };
    let body = PackageList { packages: vec![package; 3] }.encode_to_vec();
    let error = unpack(&body.into(), Codec::Lz4, 3 * raw.len() - 1).unwrap_err();
    assert!(matches!(error, IngestError::RawTooLarge { bytes, .. } if bytes == 3 * raw.len()), "{error}");
    let negative = Package { data: Codec::Lz4.compress(&raw), raw_size: Some(-1) };
    let body = PackageList { packages: vec![negative] }.encode_to_vec();
    assert!(matches!(unpack(&body.into(), Codec::Lz4, 1 << 20), Err(IngestError::RawTooLarge { .. })));
}
