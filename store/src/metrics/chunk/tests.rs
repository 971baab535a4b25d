//! Everything comes back bit for bit, damage is an error, and the sizes are what the format's page claims.

use proptest::prelude::*;

use super::*;
use crate::{STALE_NAN_BITS, stale_nan};

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn check(values: &[f64]) -> usize {
    let times: Vec<i64> = (0..values.len() as i64).map(|at| 1_790_000_000_137 + at * 15_000).collect();
    let encoded = encode_values(values);
    let mut decoder = ChunkDecoder::default();
    let (decoded_times, decoded) = decoder.decode(&encode_integers(&times), &encoded, values.len()).unwrap();
    assert_eq!(decoded_times, times);
    assert_eq!(bits(decoded), bits(values));
    encoded.len()
}

/// A generator of our own, so that sizes do not change with a crate's version.
fn noise(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Bytes of 280 samples: what a shard's flush has of 10,000 series.
#[test]
fn kinds_of_series_take_so_many_bytes() {
    let mut next = noise(5);
    let mut seconds = 0.0;
    let counter_of_seconds: Vec<f64> = (0..280)
        .map(|_| {
            seconds += (-next().ln() * 250.0).round() / 100.0;
            seconds
        })
        .collect();
    let mut total = 0.0;
    let counter: Vec<f64> = (0..280)
        .map(|_| {
            total += (next() * 40.0).floor();
            total
        })
        .collect();
    let mut pages = 1_000_000.0;
    let memory: Vec<f64> = (0..280)
        .map(|_| {
            pages += (next() * 500.0).floor() - 250.0;
            pages * 4096.0
        })
        .collect();
    let load: Vec<f64> = (0..280).map(|_| (200.0 + next() * 100.0).round() / 100.0).collect();
    let random: Vec<f64> = (0..280).map(|_| next()).collect();
    let kinds: [(&str, &[f64]); 7] = [
        ("constant", &[1.0; 280]),
        ("counter", &counter),
        ("counter of seconds", &counter_of_seconds),
        ("memory", &memory),
        ("load", &load),
        ("noise", &random),
        ("stale", &[stale_nan(); 280]),
    ];
    let sizes = kinds.map(|(kind, values)| format!("{kind} {}\n", check(values)));
    expect_test::expect![[r#"
        constant 4
        counter 208
        counter of seconds 398
        memory 345
        load 252
        noise 1974
        stale 16
    "#]]
    .assert_eq(&sizes.concat());
}

#[test]
fn odd_values_keep_their_bits() {
    check(&[]);
    check(&[0.1 + 0.2]);
    check(&[f64::MAX, f64::MIN, f64::MIN_POSITIVE, 5e-324, -0.0, 0.0, f64::INFINITY, f64::NEG_INFINITY]);
    check(&[1.5, 2.5, f64::from_bits(STALE_NAN_BITS), f64::NAN, f64::from_bits(u64::MAX), 3.5, -0.0]);
    check(&[1e300, 1.0, 9_007_199_254_740_993.0, -1e18]);
}

#[test]
fn damage_is_an_error() {
    let encoded = encode_values(&[1.0, 2.5, 7.25, 3.0]);
    let times = encode_integers(&[1, 2, 3, 4]);
    let mut decoder = ChunkDecoder::default();
    assert!(matches!(decoder.decode(&times, &encoded[..encoded.len() - 1], 4), Err(ChunkError::Short)));
    let long = [&encoded[..], &[0]].concat();
    assert!(matches!(decoder.decode(&times, &long, 4), Err(ChunkError::Long)));
    assert!(matches!(decoder.decode(&times, &[13], 4), Err(ChunkError::Short)));
    assert!(matches!(decoder.decode(&[0xff, 0, 0], &encoded, 3), Err(ChunkError::Header)));
    decoder.decode(&times, &encoded, 4).unwrap();
}

proptest! {
    #[test]
    fn any_bits_come_back(words in prop::collection::vec(any::<u64>(), 0..200)) {
        check(&words.into_iter().map(f64::from_bits).collect::<Vec<_>>());
    }

    #[test]
    fn decimals_with_markers_come_back(
        numbers in prop::collection::vec(prop_oneof![20 => (-1_000_000i64..1_000_000).prop_map(Some), 1 => Just(None)], 0..300),
        scale in 0..6,
    ) {
        check(&numbers.into_iter().map(|n| n.map_or(stale_nan(), |n| n as f64 / 10f64.powi(scale))).collect::<Vec<_>>());
    }

    #[test]
    fn any_integers_come_back(integers in prop::collection::vec(any::<i64>(), 0..200), narrow in 0..64u32) {
        let integers: Vec<i64> = integers.into_iter().map(|integer| integer >> narrow).collect();
        let mut decoded = Vec::new();
        decode_integers(&encode_integers(&integers), integers.len(), &mut decoded).unwrap();
        prop_assert_eq!(decoded, integers);
    }

    /// Whatever the bytes are, reading them ends, with numbers or with an error.
    #[test]
    fn any_bytes_are_numbers_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..100), count in 0..1000usize) {
        let mut decoder = ChunkDecoder::default();
        if let Ok((times, values)) = decoder.decode(&bytes, &bytes, count) {
            prop_assert_eq!((times.len(), values.len()), (count, count));
        }
    }
}
