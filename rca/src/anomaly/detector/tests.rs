use proptest::prelude::*;

use super::super::noise::Noise;
use super::*;

const STEP: i64 = 300_000_000_000;
const DAY: usize = 288;

fn times(points: usize) -> Vec<i64> {
    (0..points as i64).map(|point| point * STEP).collect()
}

fn noise(points: usize, seed: u64) -> Vec<f64> {
    let mut noise = Noise::new(seed);
    (0..points).map(|_| 50.0 + noise.normal()).collect()
}

/// Where the highest score is.
fn loudest(values: &[f64]) -> (usize, f64) {
    let scores = scores(&times(values.len()), values);
    scores.into_iter().enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap()
}

/// Four things that operators call anomalies, each the loudest of its series within a stretch of its begin.
#[test]
fn what_begins_is_the_loudest() {
    let spike = |row: usize, value: f64| if row == 2000 { value + 15.0 } else { value };
    let dip = |row: usize, value: f64| if (2000..2010).contains(&row) { value - 6.0 } else { value };
    let level = |row: usize, value: f64| if row >= 2000 { value + 4.0 } else { value };
    let restless = |row: usize, value: f64| if row >= 2000 { 50.0 + (value - 50.0) * 5.0 } else { value };
    type Kind<'a> = &'a dyn Fn(usize, f64) -> f64;
    let kinds: [(&str, Kind<'_>); 4] = [("spike", &spike), ("dip", &dip), ("level", &level), ("restless", &restless)];
    for (name, kind) in kinds {
        let values: Vec<f64> = noise(3000, 7).into_iter().enumerate().map(|(row, value)| kind(row, value)).collect();
        let (row, score) = loudest(&values);
        assert!((2000..2100).contains(&row) && score > 0.4, "{name}: {score} at {row}");
    }
}

/// A nightly peak is usual after some nights; the night without it is not.
#[test]
fn a_missing_night_stands_out_and_the_others_do_not() {
    let peak = |row: usize| row % DAY < 24 && row / DAY != 12;
    let values: Vec<f64> = noise(15 * DAY, 3)
        .into_iter()
        .enumerate()
        .map(|(row, value)| if peak(row) { value + 40.0 } else { value })
        .collect();
    let all = scores(&times(values.len()), &values);
    let loudest_from = |from: usize, to: usize| all[from..to].iter().copied().fold(0.0, f64::max);
    let (night, other) = (loudest_from(12 * DAY, 12 * DAY + 30), loudest_from(8 * DAY, 12 * DAY));
    assert!(night > 0.4 && night > other, "{night} beside {other}");
}

/// An incident that lasts is said once: of its points few score, and those at its begin.
#[test]
fn what_lasts_is_not_said_again() {
    let values: Vec<f64> = noise(3000, 9)
        .into_iter()
        .enumerate()
        .map(|(row, value)| if row >= 2000 { value + 30.0 } else { value })
        .collect();
    let all = scores(&times(values.len()), &values);
    assert!(all[2000] > 0.5);
    let later = all[2110..].iter().filter(|score| **score > 0.5).count();
    assert_eq!(later, 0);
}

#[test]
fn constant_series_score_nothing() {
    for value in [0.0, 45.0, 0.1, -1e12] {
        assert!(scores(&times(2000), &[value; 2000]).iter().all(|score| *score == 0.0), "{value}");
    }
}

/// A detector that meets a gap goes on as if it had not been there.
#[test]
fn gaps_score_and_teach_nothing() {
    let values = noise(600, 5);
    let mut with_gaps = Detector::new();
    let mut without = Detector::new();
    for (row, (time, value)) in times(600).into_iter().zip(values).enumerate() {
        if row % 7 == 0 {
            assert_eq!(with_gaps.push(time, f64::NAN), 0.0);
            assert_eq!(with_gaps.push(time, f64::INFINITY), 0.0);
        }
        assert_eq!(with_gaps.push(time, value), without.push(time, value));
    }
}

proptest! {
    /// Whatever comes: a score between 0 and 1 for each point, decided by the points before it alone.
    #[test]
    fn scores_are_bounded_and_causal(
        points in prop::collection::vec((any::<i64>(), prop::num::f64::ANY), 0..300),
        cut in 0usize..300,
    ) {
        let (times, values): (Vec<i64>, Vec<f64>) = points.into_iter().unzip();
        let all = scores(&times, &values);
        prop_assert_eq!(all.len(), values.len());
        prop_assert!(all.iter().all(|score| (0.0..=1.0).contains(score)), "{:?}", all);
        let cut = cut.min(values.len());
        prop_assert_eq!(&scores(&times[..cut], &values[..cut])[..], &all[..cut]);
    }
}
