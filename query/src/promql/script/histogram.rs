//! Native histograms as scripts write them: `{{schema:0 sum:5 count:4 buckets:[1 2 1] offset:-1}}`.

use super::super::native::{Bucket, CUSTOM, NativeHistogram, ResetHint};
use super::series::parse_number;

/// A histogram, and whether it says something about resets.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Written {
    pub(super) histogram: NativeHistogram,
    pub(super) hinted: bool,
}

/// `text` is what stands between the double braces.
pub(super) fn parse(text: &str) -> Option<Written> {
    let mut written = Written::default();
    let (mut offset, mut n_offset) = (0, 0);
    let (mut buckets, mut n_buckets) = (Vec::new(), Vec::new());
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (key, after) = rest.split_once(':')?;
        let end = match after.starts_with('[') {
            true => after.find(']')? + 1,
            false => after.find(char::is_whitespace).unwrap_or(after.len()),
        };
        let (value, after) = after.split_at(end);
        rest = after.trim_start();
        let histogram = &mut written.histogram;
        match key.trim() {
            "schema" => histogram.schema = value.parse().ok()?,
            "sum" => histogram.sum = parse_number(value)?,
            "count" => histogram.count = parse_number(value)?,
            "z_bucket" => histogram.zero_count = parse_number(value)?,
            "z_bucket_w" => histogram.zero_threshold = parse_number(value)?,
            "offset" => offset = value.parse().ok()?,
            "n_offset" => n_offset = value.parse().ok()?,
            "buckets" => buckets = list(value)?,
            "n_buckets" => n_buckets = list(value)?,
            "custom_values" => histogram.bounds = list(value)?,
            "counter_reset_hint" => {
                written.hinted = true;
                histogram.hint = hint(value)?;
            }
            _ => return None,
        }
    }
    written.histogram.positive = sparse(&buckets, offset);
    written.histogram.negative = sparse(&n_buckets, n_offset);
    Some(written)
}

fn hint(text: &str) -> Option<ResetHint> {
    Some(match text {
        "unknown" => ResetHint::Unknown,
        "reset" => ResetHint::Reset,
        "not_reset" => ResetHint::NotReset,
        "gauge" => ResetHint::Gauge,
        _ => return None,
    })
}

fn list(text: &str) -> Option<Vec<f64>> {
    let inside = text.strip_prefix('[')?.strip_suffix(']')?;
    inside.split_whitespace().map(parse_number).collect()
}

fn sparse(counts: &[f64], first: i32) -> Vec<Bucket<f64>> {
    let all = counts.iter().zip(first..).map(|(count, index)| Bucket { index, count: *count });
    all.filter(|bucket| bucket.count != 0.0).collect()
}

/// From the cumulative counts of a classic histogram at one time, by ascending bound. Without a count, the last bucket's is it;
/// what it has beyond the last bucket lies above.
pub(super) fn from_classic(mut buckets: Vec<(f64, f64)>, count: Option<f64>, sum: f64) -> NativeHistogram {
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    let count = count.or(buckets.last().map(|last| last.1)).unwrap_or(0.0);
    if buckets.last().is_none_or(|last| last.0 != f64::INFINITY) {
        buckets.push((f64::INFINITY, count));
    }
    let bounds = buckets[..buckets.len() - 1].iter().map(|bucket| bucket.0).collect();
    let before = [0.0].into_iter().chain(buckets.iter().map(|bucket| bucket.1));
    let counts: Vec<f64> = buckets.iter().zip(before).map(|(bucket, before)| bucket.1 - before).collect();
    NativeHistogram { schema: CUSTOM, count, sum, bounds, positive: sparse(&counts, 0), ..NativeHistogram::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn histograms_are_read() {
        let written =
            parse("schema:-1 sum:-3.5 count:7 buckets:[1 0 2] offset:-1 n_buckets:[4] counter_reset_hint:gauge");
        let Written { histogram, hinted } = written.unwrap();
        assert!(hinted);
        assert_eq!((histogram.schema, histogram.sum, histogram.hint), (-1, -3.5, ResetHint::Gauge));
        assert_eq!(histogram.positive, [Bucket { index: -1, count: 1.0 }, Bucket { index: 1, count: 2.0 }]);
        assert_eq!(parse(""), Some(Written::default()));
        for bad in ["schema", "schema:x", "buckets:[1", "buckets:1", "foo:1", "counter_reset_hint:maybe"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn classic_histograms_become_native_ones() {
        let histogram = from_classic(vec![(2.0, 3.0), (1.0, 1.0)], Some(4.0), 5.0);
        assert_eq!(histogram.bounds, [1.0, 2.0]);
        assert_eq!(histogram.positive.iter().map(|bucket| bucket.count).collect::<Vec<_>>(), [1.0, 2.0, 1.0]);
    }
}
