//! Quantiles and fractions of histograms: of native ones, and of classic ones, which have a series per bucket with its upper
//! bound in the label `le`.

use std::cmp::Ordering;
use std::collections::HashMap;

use culprit_store::Labels;

use super::PromqlError;
use super::column::{Column, Output, join_same};
use super::eval::Evaluator;
use super::grid::Grid;
use super::labels::text;
use super::native::{NanNote, NativeHistogram};
use super::notes::Notes;
use super::number::{almost_equal, display};
use super::plan::Node;
use super::quantile::check_quantile;

const BUCKET_LABEL: &str = "le";

/// Relative differences between cumulative counts that only rounding can have made.
const ROUNDING_TOLERANCE: f64 = 1e-12;

pub(super) fn quantile(evaluator: &mut Evaluator<'_>, args: &[Node], grid: &Grid) -> Result<Output, PromqlError> {
    let quantiles = evaluator.scalar(&args[0], grid)?;
    evaluator.about_argument(0);
    quantiles.iter().for_each(|q| check_quantile(*q, &mut evaluator.notes));
    let histograms = Histograms::read(evaluator, args, 1, grid)?;
    Ok(Output::Vector(histograms.quantiles(&quantiles, evaluator, grid)?))
}

/// Several quantiles at once, told apart by a label.
pub(super) fn quantiles(evaluator: &mut Evaluator<'_>, args: &[Node], grid: &Grid) -> Result<Output, PromqlError> {
    let label = text(args, 1)?;
    let histograms = Histograms::read(evaluator, args, 0, grid)?;
    let mut results: Vec<Column> = Vec::new();
    for (at, argument) in args.iter().enumerate().skip(2) {
        let quantiles = evaluator.scalar(argument, grid)?;
        evaluator.about_argument(at);
        quantiles.iter().for_each(|q| check_quantile(*q, &mut evaluator.notes));
        evaluator.about_argument(0);
        for column in histograms.quantiles(&quantiles, evaluator, grid)? {
            for (step, q) in quantiles.iter().enumerate() {
                let Some(value) = column.get(step) else { continue };
                let labels = column.labels.with(label, &open_metrics(*q));
                let at = results.iter().position(|result| result.labels == labels).unwrap_or_else(|| {
                    results.push(Column::empty(labels, true, grid.steps));
                    results.len() - 1
                });
                if results[at].is_present(step) {
                    return Err(PromqlError::same_labels());
                }
                results[at].values[step] = value;
            }
        }
    }
    Ok(Output::Vector(results))
}

/// A number as OpenMetrics writes the values of labels: never without a point.
fn open_metrics(value: f64) -> String {
    if value.is_finite() && value.fract() == 0.0 { format!("{value:.1}") } else { display(value) }
}

/// The share of observations between two values.
pub(super) fn fraction(evaluator: &mut Evaluator<'_>, args: &[Node], grid: &Grid) -> Result<Output, PromqlError> {
    let lower = evaluator.scalar(&args[0], grid)?;
    let upper = evaluator.scalar(&args[1], grid)?;
    let histograms = Histograms::read(evaluator, args, 2, grid)?;
    let of_classic =
        |buckets: &mut Buckets, _: &str, step: usize, _: &mut Notes| buckets.fraction(lower[step], upper[step]);
    let of_native = |histogram: &NativeHistogram, metric: &str, step: usize, notes: &mut Notes| {
        if histogram.sum.is_nan() {
            notes.info(format_args!(
                "input to histogram_fraction has NaN observations, which are excluded from all fractions for metric name \
                 {metric:?}"
            ));
        }
        histogram.fraction(lower[step], upper[step])
    };
    Ok(Output::Vector(histograms.per_step(evaluator, grid, of_classic, of_native)?))
}

/// The histograms of a vector.
struct Histograms {
    classic: Vec<Classic>,
    native: Vec<Column>,
}

/// The bucket series that share all labels but `le`, by ascending bound.
struct Classic {
    labels: Labels,
    buckets: Vec<(f64, Column)>,
}

impl Histograms {
    fn read(evaluator: &mut Evaluator<'_>, args: &[Node], at: usize, grid: &Grid) -> Result<Self, PromqlError> {
        let mut classic: Vec<Classic> = Vec::new();
        let mut native: Vec<Column> = Vec::new();
        let mut index: HashMap<Labels, usize> = HashMap::new();
        let columns = evaluator.vector(&args[at], grid)?;
        evaluator.about_argument(at);
        for mut column in columns {
            if !column.histograms.is_empty() {
                let mut histograms = Column::empty(column.labels.clone(), column.drop_name, grid.steps);
                histograms.histograms = std::mem::take(&mut column.histograms);
                native.push(histograms);
                if !column.has_values() {
                    continue;
                }
            }
            let text = column.labels.get(BUCKET_LABEL).unwrap_or("");
            let Ok(bound) = text.parse::<f64>() else {
                evaluator.notes.warn(format_args!(
                    "bucket label {BUCKET_LABEL:?} is missing or has a malformed value of {text:?} for metric name {:?}",
                    column.labels.metric_name().unwrap_or("")
                ));
                continue;
            };
            let labels = column.labels.with(BUCKET_LABEL, "");
            let at = *index.entry(labels.clone()).or_insert_with(|| {
                classic.push(Classic { labels, buckets: Vec::new() });
                classic.len() - 1
            });
            classic[at].buckets.push((bound, column));
        }
        for histogram in &mut classic {
            histogram.buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        }
        let mut all = Self { classic, native };
        all.drop_doubles(&index, &mut evaluator.notes);
        Ok(all)
    }

    /// A histogram that is there in both ways at once is not evaluated.
    fn drop_doubles(&mut self, index: &HashMap<Labels, usize>, notes: &mut Notes) {
        for native in &mut self.native {
            let Some(at) = index.get(&native.labels.with(BUCKET_LABEL, "")) else { continue };
            for step in 0..native.values.len() {
                let buckets = &mut self.classic[*at].buckets;
                if native.is_present(step) && buckets.iter().any(|(_, column)| column.is_present(step)) {
                    notes.warn(format_args!(
                        "vector contains a mix of classic and native histograms for metric name {:?}",
                        native.labels.metric_name().unwrap_or("")
                    ));
                    native.clear(step);
                    buckets.iter_mut().for_each(|(_, column)| column.clear(step));
                }
            }
        }
    }

    fn quantiles(
        &self,
        quantiles: &[f64],
        evaluator: &mut Evaluator<'_>,
        grid: &Grid,
    ) -> Result<Vec<Column>, PromqlError> {
        let of_classic = |buckets: &mut Buckets, metric: &str, step: usize, notes: &mut Notes| {
            if buckets.make_monotonic() {
                notes.info(format_args!(
                    "input to histogram_quantile needed to be fixed for monotonicity (see \
                     https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile) for metric name \
                     {metric:?}"
                ));
            }
            buckets.quantile(quantiles[step])
        };
        let of_native = |histogram: &NativeHistogram, metric: &str, step: usize, notes: &mut Notes| {
            let (value, note) = histogram.quantile(quantiles[step]);
            if let Some(note) = note {
                let result = match note {
                    NanNote::ResultIsNan => "NaN",
                    NanNote::SkewedHigher => "skewed higher",
                };
                notes.info(format_args!(
                    "input to histogram_quantile has NaN observations, result is {result} for metric name {metric:?}"
                ));
            }
            value
        };
        self.per_step(evaluator, grid, of_classic, of_native)
    }

    fn per_step(
        &self,
        evaluator: &mut Evaluator<'_>,
        grid: &Grid,
        of_classic: impl Fn(&mut Buckets, &str, usize, &mut Notes) -> f64,
        of_native: impl Fn(&NativeHistogram, &str, usize, &mut Notes) -> f64,
    ) -> Result<Vec<Column>, PromqlError> {
        let mut columns = Vec::with_capacity(self.classic.len() + self.native.len());
        let mut buckets = Buckets::default();
        for histogram in &self.classic {
            evaluator.check_stop()?;
            let metric = histogram.labels.metric_name().unwrap_or("");
            let mut column = Column::empty(histogram.labels.clone(), true, grid.steps);
            for step in 0..grid.steps {
                buckets.fill(&histogram.buckets, step);
                if !buckets.0.is_empty() {
                    column.values[step] = of_classic(&mut buckets, metric, step, &mut evaluator.notes);
                }
            }
            columns.push(column);
        }
        for histograms in &self.native {
            evaluator.check_stop()?;
            let metric = histograms.labels.metric_name().unwrap_or("");
            let mut column = Column::empty(histograms.labels.clone(), true, grid.steps);
            for step in 0..grid.steps {
                if let Some(histogram) = histograms.histogram(step) {
                    column.values[step] = of_native(histogram, metric, step, &mut evaluator.notes);
                }
            }
            columns.push(column);
        }
        columns.retain(Column::has_values);
        join_same(columns)
    }
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
