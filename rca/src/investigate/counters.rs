//! From samples as they are stored to series that have a level: counters become rates, a sum and its count become a mean
//! that knows how much it stands for.

use std::collections::BTreeMap;

use culprit_store::{Labels, Series};

use crate::investigate::finding::Label;

/// A series that can be judged.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Level {
    pub(crate) labels: Vec<Label>,
    /// Nanoseconds.
    pub(crate) times: Vec<i64>,
    pub(crate) values: Vec<f64>,
    pub(crate) weights: Vec<f64>,
}

const NANOS_PER_MS: i64 = 1_000_000;

/// Buckets of histograms say with many series what their sum and count say with two; they are left out.
pub(crate) fn levels(series: &[Series]) -> Vec<Level> {
    let counts: BTreeMap<(String, Labels), &Series> = series
        .iter()
        .filter_map(|series| {
            let base = series.labels.metric_name()?.strip_suffix("_count")?;
            Some(((base.to_owned(), series.labels.without_metric_name()), series))
        })
        .collect();
    series.iter().filter_map(|series| level(series, &counts)).collect()
}

fn level(series: &Series, counts: &BTreeMap<(String, Labels), &Series>) -> Option<Level> {
    let name = series.labels.metric_name().unwrap_or("");
    if name.ends_with("_bucket") || name.ends_with("_created") {
        return None;
    }
    if let Some(base) = name.strip_suffix("_sum")
        && let Some(count) = counts.get(&(base.to_owned(), series.labels.without_metric_name()))
    {
        return Some(mean(base, series, count));
    }
    if ["_total", "_count", "_sum"].iter().any(|end| name.ends_with(end)) {
        return Some(rate(series));
    }
    Some(Level {
        labels: labels(&series.labels, name),
        times: series.samples.timestamps_ms.iter().map(|ms| ms.saturating_mul(NANOS_PER_MS)).collect(),
        values: series.samples.values.clone(),
        weights: Vec::new(),
    })
}

/// Increase per second between one sample and the next. A counter that fell began anew from zero.
fn rate(series: &Series) -> Level {
    let name = series.labels.metric_name().unwrap_or("");
    let mut level = Level {
        labels: labels(&series.labels, &format!("rate({name})")),
        times: vec![],
        values: vec![],
        weights: vec![],
    };
    for (time, seconds, increase) in increases(series) {
        level.times.push(time);
        level.values.push(increase / seconds);
    }
    level
}

fn mean(base: &str, sum: &Series, count: &Series) -> Level {
    let mut level =
        Level { labels: labels(&sum.labels, &format!("mean({base})")), times: vec![], values: vec![], weights: vec![] };
    let counted: BTreeMap<i64, f64> = increases(count).map(|(time, _, increase)| (time, increase)).collect();
    for (time, _, increase) in increases(sum) {
        if let Some(count) = counted.get(&time).filter(|count| **count > 0.0) {
            level.times.push(time);
            level.values.push(increase / count);
            level.weights.push(*count);
        }
    }
    level
}

/// Time (ns), seconds since the sample before, increase since then. Stale markers are no samples.
fn increases(series: &Series) -> impl Iterator<Item = (i64, f64, f64)> {
    let samples = series.samples.timestamps_ms.iter().zip(&series.samples.values);
    let mut last: Option<(i64, f64)> = None;
    samples.filter(|(_, value)| value.is_finite()).filter_map(move |(ms, value)| {
        let (last_ms, last_value) = last.replace((*ms, *value))?;
        let seconds = (ms - last_ms) as f64 / 1e3;
        let increase = if *value >= last_value { value - last_value } else { *value };
        (seconds > 0.0).then(|| (ms.saturating_mul(NANOS_PER_MS), seconds, increase))
    })
}

fn labels(labels: &Labels, name: &str) -> Vec<Label> {
    let named = (!name.is_empty()).then(|| Label::new("__name__", name));
    let others = labels.iter().filter(|label| &*label.name != "__name__");
    named.into_iter().chain(others.map(|label| Label::new(&*label.name, &*label.value))).collect()
}

#[cfg(test)]
mod tests {
    use culprit_store::Samples;

    use super::*;

    fn series(name: &str, values: &[f64]) -> Series {
        let labels = Labels::new([("__name__", name), ("job", "web")]).unwrap();
        let timestamps_ms = (0..values.len() as i64).map(|at| at * 10_000).collect();
        Series { labels, samples: Samples { timestamps_ms, values: values.to_vec() } }
    }

    #[test]
    fn counters_become_rates_and_survive_a_restart() {
        let levels = levels(&[series("requests_total", &[100.0, 120.0, 150.0, 10.0, f64::NAN, 30.0])]);
        assert_eq!(levels[0].values, [2.0, 3.0, 1.0, 1.0], "20, 30, 10 after the restart, 20 in twice the time");
        assert_eq!(levels[0].labels[0], Label::new("__name__", "rate(requests_total)"));
    }

    #[test]
    fn a_sum_and_its_count_become_a_mean_with_weights() {
        let levels = levels(&[
            series("latency_seconds_bucket", &[1.0, 2.0]),
            series("latency_seconds_count", &[0.0, 10.0, 10.0, 30.0]),
            series("latency_seconds_sum", &[0.0, 5.0, 5.0, 45.0]),
            series("temperature", &[20.0, 21.0]),
        ]);
        let of = |name: &str| levels.iter().find(|level| level.labels[0].value == name).unwrap();
        assert_eq!(levels.len(), 3);
        assert_eq!(
            (&of("mean(latency_seconds)").values[..], &of("mean(latency_seconds)").weights[..]),
            (&[0.5, 2.0][..], &[10.0, 20.0][..])
        );
        assert_eq!(of("rate(latency_seconds_count)").values, [1.0, 0.0, 2.0]);
        assert_eq!(of("temperature").values, [20.0, 21.0]);
    }
}
