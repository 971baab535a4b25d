use super::super::noise::Noise;
use super::*;

fn times(points: usize) -> Vec<i64> {
    (0..points as i64).map(|minute| minute * 60_000_000_000).collect()
}

#[test]
fn a_step_is_found_where_it_is() {
    for (points, at, seed) in [(60, 30, 1), (60, 50, 2), (200, 20, 3), (1000, 990, 4)] {
        let mut noise = Noise::new(seed);
        let values: Vec<f64> = (0..points).map(|i| if i < at { 10.0 } else { 16.0 } + noise.normal()).collect();
        let shift = level_shift(&times(points), &values).unwrap();
        assert!((shift.at / 60_000_000_000 - at as i64).abs() <= 2, "{at}: {shift:?}");
        assert!((shift.before - 10.0).abs() < 1.0 && (shift.after - 16.0).abs() < 1.0, "{shift:?}");
    }
}

/// 2,000 series without a change, of four kinds: more than twice the promised hundredth would be a lie.
#[test]
fn no_change_is_seldom_seen_as_one() {
    let kinds: [fn(&mut Noise, f64) -> f64; 4] = [
        |noise, _| noise.normal(),
        |noise, _| noise.poisson(2.0),
        |noise, _| (2.0 * noise.normal()).exp(),
        |noise, before| 0.5 * before + noise.normal(),
    ];
    for (kind, next) in kinds.iter().enumerate() {
        let mut noise = Noise::new(kind as u64);
        let seen = (0..500).filter(|series| {
            let mut last = 0.0;
            let points = 40 + series % 200;
            let values: Vec<f64> = (0..points)
                .map(|_| {
                    last = next(&mut noise, last);
                    last
                })
                .collect();
            level_shift(&times(points), &values).is_some()
        });
        let seen = seen.count();
        assert!(seen <= 10, "kind {kind}: {seen} of 500");
    }
}

#[test]
fn what_is_short_constant_or_no_number_has_no_shift() {
    assert_eq!(level_shift(&[], &[]), None);
    assert_eq!(level_shift(&times(5), &[1.0, 1.0, 1.0, 9.0, 9.0]), None);
    assert_eq!(level_shift(&times(100), &[7.0; 100]), None);
    assert_eq!(level_shift(&times(100), &[f64::NAN; 100]), None);
    let spike: Vec<f64> = (0..100).map(|i| if i == 70 { 1e9 } else { f64::from(i % 3) }).collect();
    assert_eq!(level_shift(&times(100), &spike), None);
}
