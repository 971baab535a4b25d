use std::io::Write;

use super::*;
use crate::BodyFault;

const TEXT: &[u8] = b"the quick brown fox jumps over the lazy dog, the quick brown fox jumps over the lazy dog";

fn fault(codec: Codec, body: &[u8], raw_size: Option<usize>, limit: usize) -> Option<BodyFault> {
    codec.decompress(&Bytes::copy_from_slice(body), raw_size, limit).err().map(|error| error.body_fault().unwrap())
}

#[test]
fn names_are_those_of_the_header() {
    for (name, codec) in [
        ("", Some(Codec::None)),
        ("lz4", Some(Codec::Lz4)),
        ("ZSTD", Some(Codec::Zstd)),
        (" deflate ", Some(Codec::Deflate)),
        ("gzip", Some(Codec::Gzip)),
        ("br", None),
        ("none", None),
    ] {
        assert_eq!(Codec::parse(name), codec, "{name}");
    }
}

#[test]
fn there_and_back() {
    let long = TEXT.repeat(10_000);
    for codec in Codec::ALL {
        for raw in [&b"x"[..], TEXT, &long] {
            let body = Bytes::from(codec.compress(raw));
            assert_eq!(codec.decompress(&body, Some(raw.len()), raw.len()).unwrap(), raw, "{codec:?}");
            assert!(codec == Codec::None || raw.len() < 1000 || body.len() < raw.len() / 10, "{codec:?}");
        }
    }
    let body = Bytes::from(Codec::Zstd.compress(&long));
    assert_eq!(Codec::Zstd.decompress(&body, None, long.len()).unwrap(), long);
}

/// Written down once with the reference implementations: liblz4's block, and zlib's `deflate`.
#[test]
fn blocks_are_those_of_other_writers() {
    let lz4 = Bytes::from_static(b"\x1fa\x01\x00\x0e\x50aaaaa");
    assert_eq!(Codec::Lz4.decompress(&lz4, Some(39), 100).unwrap(), "a".repeat(39));
    let zlib = Bytes::from_static(b"\x78\x9c\x4b\x4c\x4c\x4c\x02\x00\x03\xcf\x01\x86");
    assert_eq!(Codec::Deflate.decompress(&zlib, Some(4), 100).unwrap(), "aaab");
}

#[test]
fn the_size_must_be_the_declared_one() {
    for codec in Codec::ALL.into_iter().filter(|codec| *codec != Codec::None) {
        let body = codec.compress(TEXT);
        assert_eq!(fault(codec, &body, Some(TEXT.len()), 1000), None, "{codec:?}");
        for wrong in [0, 1, TEXT.len() - 1, TEXT.len() + 1] {
            assert_eq!(fault(codec, &body, Some(wrong), 1000), Some(BodyFault::RawSize), "{codec:?} {wrong}");
        }
        assert_eq!(fault(codec, &body, Some(TEXT.len()), TEXT.len() - 1), Some(BodyFault::TooLarge), "{codec:?}");
        assert_eq!(fault(codec, &body, Some(usize::MAX), 1000), Some(BodyFault::TooLarge), "{codec:?}");
        assert_eq!(fault(codec, &body[..body.len() - 3], Some(TEXT.len()), 1000), Some(BodyFault::Compression));
        assert_eq!(fault(codec, b"", Some(0), 1000), Some(BodyFault::Compression), "{codec:?}");
    }
    assert_eq!(fault(Codec::Lz4, &Codec::Lz4.compress(TEXT), None, 1000), Some(BodyFault::NoRawSize));
    // Without compression 0 is what clients declare beside any body.
    assert_eq!(fault(Codec::None, TEXT, Some(0), 1000), None);
    assert_eq!(fault(Codec::None, TEXT, None, TEXT.len() - 1), Some(BodyFault::TooLarge));
}

#[test]
fn bombs_are_cut_at_what_was_declared() {
    let zeros = vec![0; 64 << 20];
    for codec in [Codec::Lz4, Codec::Zstd, Codec::Deflate, Codec::Gzip] {
        let body = codec.compress(&zeros);
        assert_eq!(fault(codec, &body, Some(1000), 1 << 20), Some(BodyFault::RawSize), "{codec:?}");
        if codec != Codec::Lz4 {
            assert_eq!(fault(codec, &body, None, 1 << 20), Some(BodyFault::TooLarge), "{codec:?}");
        }
    }
    // A window of 2 GB in a frame of a few bytes.
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(27).unwrap();
    encoder.write_all(TEXT).unwrap();
    let frame = encoder.finish().unwrap();
    assert_eq!(fault(Codec::Zstd, &frame, Some(TEXT.len()), 1000), Some(BodyFault::Compression));
}
