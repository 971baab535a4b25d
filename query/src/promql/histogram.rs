//! Classic histograms: one series per bucket, with its upper bound in the label `le`.

use std::cmp::Ordering;
use std::collections::HashMap;

use culprit_store::{Labels, METRIC_NAME};

use super::PromqlError;
use super::column::{Column, Output};
use super::eval::Evaluator;
use super::grid::Grid;
use super::notes::Notes;
use super::number::almost_equal;
use super::plan::Node;
use super::quantile::check_quantile;

const BUCKET_LABEL: &str = "le";

/// Relative differences between cumulative counts that only rounding can have made.
const ROUNDING_TOLERANCE: f64 = 1e-12;

pub(super) fn quantile(evaluator: &mut Evaluator<'_>, args: &[Node], grid: &Grid) -> Result<Output, PromqlError> {
    let quantiles = evaluator.scalar(&args[0], grid)?;
    quantiles.iter().for_each(|q| check_quantile(*q, &mut evaluator.notes));
    let histograms = histograms(evaluator, &args[1], grid)?;
    per_step(evaluator, histograms, grid, |buckets, labels, step, notes| {
        let forced = buckets.make_monotonic();
        if forced {
            notes.info(format_args!(
                "input to histogram_quantile needed to be fixed for monotonicity (see \
                 https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile) for metric name {:?}",
                labels.metric_name().unwrap_or("")
            ));
        }
        buckets.quantile(quantiles[step])
    })
}

/// The share of observations between two values.
pub(super) fn fraction(evaluator: &mut Evaluator<'_>, args: &[Node], grid: &Grid) -> Result<Output, PromqlError> {
    let lower = evaluator.scalar(&args[0], grid)?;
    let upper = evaluator.scalar(&args[1], grid)?;
    let histograms = histograms(evaluator, &args[2], grid)?;
    per_step(evaluator, histograms, grid, |buckets, _, step, _| buckets.fraction(lower[step], upper[step]))
}

/// The bucket series that share all labels but `le`, by ascending bound.
struct Histogram {
    labels: Labels,
    buckets: Vec<(f64, Column)>,
}

fn histograms(evaluator: &mut Evaluator<'_>, node: &Node, grid: &Grid) -> Result<Vec<Histogram>, PromqlError> {
    let mut found: Vec<Histogram> = Vec::new();
    let mut index: HashMap<Labels, usize> = HashMap::new();
    for column in evaluator.vector(node, grid)? {
        let text = column.labels.get(BUCKET_LABEL).unwrap_or("");
        let Ok(bound) = text.parse::<f64>() else {
            evaluator.notes.warn(format_args!(
                "bucket label {BUCKET_LABEL:?} is missing or has a malformed value of {text:?} for metric name {:?}",
                column.labels.get(METRIC_NAME).unwrap_or("")
            ));
            continue;
        };
        let labels = column.labels.with(BUCKET_LABEL, "");
        let at = *index.entry(labels.clone()).or_insert_with(|| {
            found.push(Histogram { labels, buckets: Vec::new() });
            found.len() - 1
        });
        found[at].buckets.push((bound, column));
    }
    for histogram in &mut found {
        histogram.buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    Ok(found)
}

fn per_step(
    evaluator: &mut Evaluator<'_>,
    histograms: Vec<Histogram>,
    grid: &Grid,
    value: impl Fn(&mut Buckets, &Labels, usize, &mut Notes) -> f64,
) -> Result<Output, PromqlError> {
    let mut columns = Vec::with_capacity(histograms.len());
    let mut buckets = Buckets::default();
    for histogram in histograms {
        evaluator.check_stop()?;
        let mut column = Column::empty(histogram.labels, true, grid.steps);
        for step in 0..grid.steps {
            buckets.fill(&histogram.buckets, step);
            if !buckets.0.is_empty() {
                column.values[step] = value(&mut buckets, &column.labels, step, &mut evaluator.notes);
            }
        }
        columns.push(column);
    }
    columns.retain(Column::has_values);
    Ok(Output::Vector(columns))
}

/// One histogram at one step: ascending upper bounds, cumulative counts.
#[derive(Default)]
struct Buckets(Vec<Bucket>);

#[derive(Clone, Copy)]
struct Bucket {
    bound: f64,
    count: f64,
}

impl Buckets {
    /// Bounds that are the same number in different texts ("0.2", "2e-1") are one bucket.
    fn fill(&mut self, series: &[(f64, Column)], step: usize) {
        self.0.clear();
        for (bound, column) in series {
            let Some(count) = column.get(step) else { continue };
            match self.0.last_mut() {
                Some(last) if last.bound == *bound => last.count += count,
                _ => self.0.push(Bucket { bound: *bound, count }),
            }
        }
    }

    /// A histogram without a `+Inf` bucket does not know how many observations it has.
    fn total(&self) -> Option<f64> {
        self.0.last().filter(|last| last.bound == f64::INFINITY).map(|last| last.count)
    }

    /// Cumulative counts cannot fall, but scrapes that are not atomic and sums over instances make them. Lifts what fell; true
    /// when it fell by more than rounding explains.
    fn make_monotonic(&mut self) -> bool {
        let mut forced = false;
        let Some(first) = self.0.first() else { return false };
        let mut highest = first.count;
        for bucket in &mut self.0[1..] {
            if almost_equal(bucket.count, highest, ROUNDING_TOLERANCE) {
                bucket.count = highest;
            } else if bucket.count < highest {
                bucket.count = highest;
                forced = true;
            } else {
                highest = bucket.count;
            }
        }
        forced
    }

    /// Interpolates linearly inside the bucket that holds the rank. The lowest bucket begins at 0 if it ends above; a rank in
    /// the `+Inf` bucket gives the highest finite bound.
    fn quantile(&self, q: f64) -> f64 {
        if q.is_nan() {
            return f64::NAN;
        }
        if q < 0.0 {
            return f64::NEG_INFINITY;
        }
        if q > 1.0 {
            return f64::INFINITY;
        }
        let buckets = &self.0;
        let Some(total) = self.total().filter(|total| *total != 0.0 && buckets.len() >= 2) else { return f64::NAN };
        let highest_finite = buckets.len() - 2;
        let rank = q * total;
        let at = buckets[..=highest_finite]
            .partition_point(|bucket| bucket.count.partial_cmp(&rank).is_none_or(Ordering::is_lt));
        if at > highest_finite {
            return buckets[highest_finite].bound;
        }
        let (end, count) = (buckets[at].bound, buckets[at].count);
        if at == 0 {
            return if end <= 0.0 { end } else { end * (rank / count) };
        }
        let (start, before) = (buckets[at - 1].bound, buckets[at - 1].count);
        start + (end - start) * ((rank - before) / (count - before))
    }

    fn fraction(&self, lower: f64, upper: f64) -> f64 {
        match self.total() {
            Some(total) if total != 0.0 && !lower.is_nan() && !upper.is_nan() => {
                if lower >= upper {
                    return 0.0;
                }
                (self.rank_of(upper).min(total) - self.rank_of(lower).min(total)) / total
            }
            _ => f64::NAN,
        }
    }

    /// How many observations are at most `value`, linear inside a bucket. A bucket without an end on one side cannot be
    /// divided: the first counts as a whole, the last not at all.
    fn rank_of(&self, value: f64) -> f64 {
        let first_bound = self.0.first().map_or(0.0, |bucket| bucket.bound);
        let mut start = if first_bound > 0.0 { 0.0 } else { f64::NEG_INFINITY };
        let mut rank = 0.0;
        for bucket in &self.0 {
            if start >= value {
                return rank;
            }
            if bucket.bound > value {
                return if bucket.bound == f64::INFINITY {
                    rank
                } else if start == f64::NEG_INFINITY {
                    bucket.count
                } else {
                    rank + (bucket.count - rank) * (value - start) / (bucket.bound - start)
                };
            }
            rank = bucket.count;
            start = bucket.bound;
        }
        rank
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(pairs: &[(f64, f64)]) -> Buckets {
        Buckets(pairs.iter().map(|(bound, count)| Bucket { bound: *bound, count: *count }).collect())
    }

    #[test]
    fn quantiles_lie_inside_their_bucket() {
        let histogram = buckets(&[(1.0, 2.0), (2.0, 6.0), (4.0, 8.0), (f64::INFINITY, 10.0)]);
        for (q, value) in [(0.0, 0.0), (0.1, 0.5), (0.4, 1.5), (0.7, 3.0), (0.8, 4.0), (0.99, 4.0), (1.0, 4.0)] {
            assert_eq!(histogram.quantile(q), value, "{q}");
        }
        assert!(histogram.quantile(f64::NAN).is_nan());
        assert_eq!(histogram.quantile(-1.0), f64::NEG_INFINITY);
        assert_eq!(buckets(&[(-1.0, 5.0), (f64::INFINITY, 5.0)]).quantile(0.5), -1.0);
        for useless in [vec![(1.0, 2.0)], vec![(f64::INFINITY, 2.0)], vec![(1.0, 0.0), (f64::INFINITY, 0.0)], vec![]] {
            assert!(buckets(&useless).quantile(0.5).is_nan(), "{useless:?}");
        }
    }

    #[test]
    fn counts_that_fall_are_lifted() {
        let mut falling = buckets(&[(1.0, 4.0), (2.0, 3.0), (3.0, 6.0), (f64::INFINITY, 5.0)]);
        assert!(falling.make_monotonic());
        assert_eq!(falling.0.iter().map(|bucket| bucket.count).collect::<Vec<_>>(), [4.0, 4.0, 6.0, 6.0]);
        let mut rounded = buckets(&[(1.0, 1.0), (f64::INFINITY, 1.0 - 1e-13)]);
        assert!(!rounded.make_monotonic());
        assert_eq!(rounded.total(), Some(1.0));
    }

    #[test]
    fn fractions_add_up() {
        let histogram = buckets(&[(1.0, 2.0), (2.0, 6.0), (f64::INFINITY, 10.0)]);
        for (lower, upper, share) in [
            (0.0, 1.0, 0.2),
            (0.5, 1.5, 0.3),
            (1.5, f64::INFINITY, 0.6),
            (f64::NEG_INFINITY, f64::INFINITY, 1.0),
            (3.0, 9.0, 0.0),
            (2.0, 1.0, 0.0),
        ] {
            assert!((histogram.fraction(lower, upper) - share).abs() < 1e-15, "{lower}..{upper}");
        }
        assert!(histogram.fraction(f64::NAN, 1.0).is_nan());
    }
}
