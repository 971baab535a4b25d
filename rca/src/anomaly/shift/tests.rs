use proptest::prelude::*;

use super::*;

const STEP: i64 = 15_000_000_000;

fn times(points: usize) -> Vec<i64> {
    (0..points as i64).map(|at| at * STEP).collect()
}

fn of(values: &[f64], window: usize, direction: Direction) -> Vec<Shift> {
    let times = times(values.len());
    let from = times[values.len() - window];
    let series = MetricSeries { times: &times, values, weights: &[] };
    shifts(&[series], (from, i64::MAX), direction)
}

/// A seeded stream of numbers that are uniform between 0 and 1 (splitmix64).
struct Noise(u64);

impl Noise {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().max(1e-300).ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Memory of 0.9 from point to point, as gauges of queues and caches have it.
    fn wandering(&mut self, points: usize) -> Vec<f64> {
        let mut level = 0.0;
        (0..points)
            .map(|_| {
                level = 0.9 * level + self.normal();
                50.0 + level
            })
            .collect()
    }

    /// Quiet with rare bursts of any size (their variance is infinite), as error counts and pauses have them.
    fn bursty(&mut self, points: usize) -> Vec<f64> {
        (0..points).map(|_| if self.uniform() < 0.05 { self.uniform().max(1e-6).powf(-0.5) } else { 0.0 }).collect()
    }
}

#[test]
fn a_step_is_found_where_it_is() {
    let mut noise = Noise(1);
    let mut values: Vec<f64> = (0..300).map(|_| 80.0 + noise.normal()).collect();
    values[280..].iter_mut().for_each(|value| *value += 40.0);
    let found = of(&values, 30, Direction::Either);
    let shift = &found[0];
    assert!(shift.q_value < 1e-3, "{shift:?}");
    assert_eq!(shift.onset, 280 * STEP);
    assert!((shift.before - 80.0).abs() < 1.0 && shift.after > 100.0, "{shift:?}");
    assert!(shift.excess > 700.0, "20 points of 40 are 800: {shift:?}");
    assert_eq!(of(&values, 30, Direction::Down)[0].p_value, 1.0);
}

#[test]
fn a_window_with_closer_points_has_not_moved_for_that() {
    let (mut noise, mut told) = (Noise(2), 0);
    for _ in 0..200 {
        // Half an hour at 15 s, then two minutes at one second.
        let times: Vec<i64> =
            (0..120).map(|at| at * STEP).chain((0..124).map(|at| 120 * STEP + at * STEP / 15)).collect();
        let values: Vec<f64> = times.iter().map(|_| 0.1 + 0.03 * noise.normal()).collect();
        let series = MetricSeries { times: &times, values: &values, weights: &[] };
        told += usize::from(shifts(&[series], (120 * STEP, i64::MAX), Direction::Either)[0].p_value < 0.01);
        let risen: Vec<f64> =
            times.iter().zip(&values).map(|(at, value)| value + if *at < 120 * STEP { 0.0 } else { 0.2 }).collect();
        let series = MetricSeries { times: &times, values: &risen, weights: &[] };
        let shift = &shifts(&[series], (120 * STEP, i64::MAX), Direction::Either)[0];
        assert!(shift.p_value < 0.01 && shift.onset == 120 * STEP, "{shift:?}");
    }
    assert!(told <= 6, "{told} of 200 series that did not move");
}

#[test]
fn a_series_that_was_elsewhere_before_has_not_moved() {
    let mut values = vec![1.0; 200];
    values.extend([5.0; 60]);
    assert_eq!(of(&values, 20, Direction::Either)[0].p_value, 1.0, "it moved long before the window");
    let mut values: Vec<f64> = (0..240).map(|at| f64::from(at % 7)).collect();
    values.extend((0..10).map(|_| 40.0));
    values.extend((0..10).map(|at| f64::from(at % 7)));
    assert!(of(&values, 10, Direction::Either)[0].p_value > 0.05, "it is back at its usual level");
}

#[test]
fn a_history_that_never_moved_gives_no_more_certainty_than_its_length() {
    let mut values = vec![0.0; 99];
    values.push(1.0);
    assert!((of(&values, 1, Direction::Up)[0].p_value - 0.01).abs() < 1e-12, "one of a hundred");
    values.extend([1.0, 1.0]);
    // 3 of 3 points of the window, of 102 in all: 3! / (102 * 101 * 100).
    let expected = 6.0 / (102.0 * 101.0 * 100.0);
    assert!((of(&values, 3, Direction::Up)[0].p_value / expected - 1.0).abs() < 1e-9);
}

#[test]
fn a_daily_cycle_is_no_shift_and_more_than_it_is() {
    let wave = |at: usize| (at as f64 / 96.0 * std::f64::consts::TAU).sin() * 10.0;
    let mut noise = Noise(3);
    let mut values: Vec<f64> = (0..960).map(|at| 100.0 + wave(at) + noise.normal()).collect();
    assert!(of(&values, 12, Direction::Either)[0].p_value > 0.02);
    values[948..].iter_mut().for_each(|value| *value += 60.0);
    assert!(of(&values, 12, Direction::Either)[0].p_value < 1e-3);
}

#[test]
fn weights_say_how_much_a_point_stands_for() {
    let values: Vec<f64> = (0..100).map(|at| f64::from(at % 5)).chain([30.0, 30.0]).collect();
    let times = times(values.len());
    let excess = |weight: f64| {
        let mut weights = vec![1.0; 100];
        weights.extend([weight, weight]);
        let series = MetricSeries { times: &times, values: &values, weights: &weights };
        shifts(&[series], (times[100], i64::MAX), Direction::Up)[0].excess
    };
    assert!((excess(10.0) - 10.0 * excess(1.0)).abs() < 1e-9);
}

#[test]
fn what_cannot_be_judged_is_left_out() {
    assert!(of(&[1.0; 5], 2, Direction::Either).is_empty(), "no history to speak of");
    let mut values = vec![1.0; 100];
    values.extend([f64::NAN, f64::NAN]);
    assert!(of(&values, 2, Direction::Either).is_empty(), "no point in the window");
}

#[test]
fn series_without_a_cause_are_seldom_named() {
    let mut reported = 0;
    for seed in 0..100 {
        let mut noise = Noise(1000 + seed);
        let values: Vec<Vec<f64>> =
            (0..20).map(|at| if at % 2 == 0 { noise.wandering(400) } else { noise.bursty(400) }).collect();
        let times = times(400);
        let series: Vec<_> = values.iter().map(|values| MetricSeries { times: &times, values, weights: &[] }).collect();
        let found = shifts(&series, (times[370], i64::MAX), Direction::Either);
        reported += usize::from(found.iter().any(|shift| shift.q_value < 0.05));
    }
    assert!(reported <= 5, "{reported} of 100 sets of 20 calm series have a shift");
}

#[test]
fn corrected_probabilities_are_those_of_benjamini_and_hochberg() {
    // The example of their paper of 1995: at 0.05 the first four are kept.
    let p = [
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590,
        1.0,
    ];
    let kept = false_discovery(&p).iter().filter(|q| **q <= 0.05).count();
    assert_eq!(kept, 4);
}

proptest! {
    #[test]
    fn any_series_has_an_answer_within_bounds(
        values in prop::collection::vec(prop_oneof![-1e9..1e9f64, Just(0.0), Just(f64::NAN), Just(f64::INFINITY)], 1..80),
        window in 1usize..80,
    ) {
        let window = window.min(values.len());
        for shift in of(&values, window, Direction::Either) {
            prop_assert!((0.0..=1.0).contains(&shift.p_value) && shift.q_value >= shift.p_value - 1e-15);
            prop_assert!(shift.excess.is_finite() && shift.before.is_finite() && shift.after.is_finite());
            prop_assert!(shift.onset >= times(values.len())[values.len() - window]);
        }
    }
}
