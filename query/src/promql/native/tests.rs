use super::super::binary::Trim;
use super::*;
use crate::promql::sum::Sum;

fn exponential(schema: i32, first: i32, counts: &[f64]) -> NativeHistogram {
    let positive = counts.iter().zip(first..).map(|(count, index)| Bucket { index, count: *count }).collect();
    let count = counts.iter().sum();
    NativeHistogram { schema, count, sum: count, positive, ..NativeHistogram::default() }
}

fn custom(bounds: &[f64], counts: &[f64]) -> NativeHistogram {
    NativeHistogram { bounds: bounds.to_vec(), ..exponential(CUSTOM, 0, counts) }
}

#[test]
fn bounds_are_powers_of_two() {
    let histogram = exponential(1, 0, &[]);
    assert_eq!([-2, 0, 1, 2].map(|index| histogram.bound(index)), [0.5, 1.0, 2_f64.sqrt(), 2.0]);
    assert_eq!(exponential(0, 0, &[]).bound(1024), f64::MAX);
    assert_eq!(exponential(0, 0, &[]).bound(1025), f64::INFINITY);
}

#[test]
fn the_lower_resolution_wins() {
    let mut fine = exponential(1, -1, &[1.0, 2.0, 4.0, 8.0]);
    fine.add(&exponential(0, 0, &[10.0])).unwrap();
    assert_eq!(fine.schema, 0);
    assert_eq!(fine.positive, [Bucket { index: 0, count: 13.0 }, Bucket { index: 1, count: 12.0 }]);
    assert_eq!(fine.count, 25.0);
}

#[test]
fn a_wider_zero_bucket_swallows_whole_buckets() {
    let mut histogram = exponential(0, 0, &[1.0, 2.0, 4.0]);
    histogram.widen_zero(1.5);
    assert_eq!((histogram.zero_threshold, histogram.zero_count), (2.0, 3.0));
    assert_eq!(histogram.positive, [Bucket { index: 2, count: 4.0 }]);
}

#[test]
fn custom_bounds_are_reduced_to_the_shared_ones() {
    let mut histogram = custom(&[1.0, 5.0, 10.0], &[1.0, 2.0, 4.0, 8.0]);
    let reconciled = histogram.add(&custom(&[5.0, 7.0, 10.0], &[1.0, 1.0, 1.0, 1.0])).unwrap();
    assert!(reconciled.bounds);
    assert_eq!(histogram.bounds, [5.0, 10.0]);
    assert_eq!(histogram.positive.iter().map(|bucket| bucket.count).collect::<Vec<_>>(), [4.0, 6.0, 9.0]);
    assert_eq!(histogram.add(&exponential(0, 0, &[1.0])), Err(IncompatibleSchemas));
}

#[test]
fn sums_keep_what_rounding_takes() {
    let one = exponential(0, 0, &[1.0]);
    let big = exponential(0, 0, &[1e100]);
    let mut minus = big.clone();
    minus.multiply(-1.0);
    let mut sum = Histogram::<Sum>::from(&one);
    for next in [&big, &one, &minus] {
        sum.add(next).unwrap();
    }
    assert_eq!(sum.value().positive[0].count, 2.0);
    assert_eq!(sum.value().hint, ResetHint::Gauge);
}

#[test]
fn means_survive_sums_that_do_not() {
    let big = exponential(0, 0, &[f64::MAX]);
    let mut mean = HistogramMean::new(&big);
    mean.add(&big).unwrap();
    assert!(mean.value().almost_equals(&big, 1e-12));
}

#[test]
fn falling_counts_are_resets() {
    let before = exponential(0, 0, &[3.0, 2.0]);
    assert!(!exponential(0, 0, &[3.0, 2.0, 1.0]).is_reset_after(&before));
    assert!(exponential(0, 0, &[2.0, 4.0]).is_reset_after(&before));
    assert!(exponential(1, 0, &[9.0, 9.0]).is_reset_after(&before), "finer than before");
    let told = NativeHistogram { hint: ResetHint::NotReset, ..exponential(0, 0, &[]) };
    assert!(!told.is_reset_after(&before));
}

#[test]
fn quantiles_and_fractions_are_inverse() {
    let histogram = exponential(0, 0, &[1.0, 2.0, 1.0]);
    for q in [0.1, 0.3, 0.5, 0.75, 0.9] {
        let (value, note) = histogram.quantile(q);
        assert!((histogram.fraction(f64::NEG_INFINITY, value) - q).abs() < 1e-12, "{q}");
        assert_eq!(note, None);
    }
}

#[test]
fn trimming_divides_the_observations() {
    let histogram = exponential(0, 0, &[1.0, 2.0, 1.0]);
    let (below, above) = (trim(&histogram, Trim::Above, 1.5), trim(&histogram, Trim::Below, 1.5));
    assert!((below.count + above.count - histogram.count).abs() < 1e-12);
    assert_eq!(trim(&histogram, Trim::Below, 0.25), histogram);
}

#[test]
fn a_histogram_is_printed_with_its_bounds() {
    let mut histogram = exponential(0, 0, &[1.0]);
    histogram.zero_count = 2.0;
    histogram.zero_threshold = 0.001;
    histogram.negative = vec![Bucket { index: 1, count: 3.0 }];
    assert_eq!(histogram.to_string(), "{count:1, sum:1, [-2,-1):3, [-0.001,0.001]:2, (0.5,1]:1}");
}
