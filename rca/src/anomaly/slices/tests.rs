use super::super::noise::Noise;
use super::*;

const MINUTE: i64 = 60_000_000_000;
const PAST: i64 = 240;
const WINDOW: (i64, i64) = (PAST * MINUTE, (PAST + 14) * MINUTE);

type Series = (Vec<i64>, Vec<f64>);

fn found(series: &[Series], fdr: f64) -> Vec<SliceAnomaly> {
    let series: Vec<(&[i64], &[f64])> = series.iter().map(|(times, values)| (&times[..], &values[..])).collect();
    anomalous_slices(&series, WINDOW, fdr)
}

/// A quiet slice of the kind; `lift` multiplies or moves what it does from `onset` on.
fn slice(kind: usize, noise: &mut Noise, lift: f64, onset: i64) -> Series {
    let rate = (3.0 * noise.normal()).exp().clamp(0.02, 500.0);
    let mut wave = 0.0;
    let value = |minute: i64, noise: &mut Noise| {
        let lift = if minute >= onset { lift } else { 1.0 };
        wave = 0.8 * wave + noise.normal();
        match kind {
            0 => noise.poisson(rate * lift),
            1 => {
                let clumped = (0.5 * noise.normal()).exp();
                noise.poisson(rate * lift * clumped)
            }
            2 => 50.0 + noise.normal() + (lift - 1.0),
            3 => 50.0 + wave + 3.0 * (lift - 1.0),
            _ => (noise.normal() + (lift - 1.0)).exp(),
        }
    };
    let minutes = 0..PAST + 15;
    let values = minutes.clone().scan(value, |value, minute| Some(value(minute, noise))).collect();
    (minutes.map(|minute| minute * MINUTE).collect(), values)
}

/// Without any jump every discovery is false, and the rate bounds how often there is one.
#[test]
fn quiet_slices_stay_quiet() {
    let (mut sets, mut slices) = (0, 0);
    for kind in 0..5 {
        let mut with_any = 0;
        for seed in 0..20 {
            let mut noise = Noise::new(1000 * kind as u64 + seed);
            let series: Vec<Series> = (0..200).map(|_| slice(kind, &mut noise, 1.0, PAST)).collect();
            let false_ones = found(&series, 0.05).len();
            slices += false_ones;
            with_any += usize::from(false_ones > 0);
        }
        assert!(with_any <= 4, "kind {kind}: {with_any} of 20 sets");
        sets += with_any;
    }
    assert!(sets <= 9, "{sets} of 100 sets have a discovery, {slices} of 20,000 slices");
}

/// Slices that jump, all kinds mixed: those that can be seen are, at the minute, and few others are named.
#[test]
fn jumps_are_found_and_dated() {
    let (mut right, mut wrong, mut dated) = (0, 0, 0);
    for seed in 0..5 {
        let mut noise = Noise::new(seed);
        let onset = PAST + 3;
        let series: Vec<Series> =
            (0..500).map(|i| slice(i % 5, &mut noise, if i % 25 < 5 { 6.0 } else { 1.0 }, onset)).collect();
        for anomaly in found(&series, 0.05) {
            if anomaly.index % 25 < 5 {
                right += 1;
                dated += usize::from((anomaly.onset / MINUTE - onset).abs() <= 2);
                assert!(anomaly.actual > anomaly.expected, "{anomaly:?}");
            } else {
                wrong += 1;
            }
        }
    }
    // A fifth of the 500 are counts below one in five minutes, where six times as many is still nearly nothing.
    assert!(right >= 400, "{right} of 500 found");
    assert!(wrong * 20 <= right + wrong + 40, "{wrong} false beside {right}");
    assert!(dated * 10 >= right * 9, "{dated} of {right} dated");
}

#[test]
fn what_vanished_and_what_is_new_are_found() {
    let minutes: Vec<i64> = (0..PAST + 15).map(|minute| minute * MINUTE).collect();
    let mut noise = Noise::new(5);
    let gone = (0..PAST + 15).map(|minute| if minute < PAST { noise.poisson(20.0) } else { 0.0 }).collect();
    let new = (0..PAST + 15).map(|minute| if minute < PAST + 5 { 0.0 } else { 4.0 }).collect();
    let constant = (0..PAST + 15).map(|minute| if minute < PAST + 5 { 0.5 } else { 0.75 }).collect();
    let steady = vec![0.5; minutes.len()];
    let series: Vec<Series> =
        [gone, new, constant, steady].into_iter().map(|values: Vec<f64>| (minutes.clone(), values)).collect();
    let mut found = found(&series, 0.05);
    found.sort_by_key(|anomaly| anomaly.index);
    let seen: Vec<(usize, i64)> = found.iter().map(|anomaly| (anomaly.index, anomaly.onset / MINUTE)).collect();
    assert_eq!(seen, [(0, PAST), (1, PAST + 5), (2, PAST + 5)]);
}

#[test]
fn gaps_and_short_series_are_quiet() {
    let times: Vec<i64> = (0..PAST + 15).map(|minute| minute * MINUTE).collect();
    let nan = vec![f64::NAN; times.len()];
    let late = (times[PAST as usize - 3..].to_vec(), vec![1.0; 18]);
    let early = (times[..PAST as usize].to_vec(), vec![1.0; PAST as usize]);
    assert_eq!(found(&[(times, nan), late, early, (Vec::new(), Vec::new())], 0.05), []);
    assert_eq!(anomalous_slices(&[], WINDOW, 0.05), []);
}
