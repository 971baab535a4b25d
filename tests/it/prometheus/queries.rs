//! The same queries to both: the same series, the same times, and values within 1e-9.
//!
//! Prometheus 2 closes a window at both ends, 3 and we at its end alone. The queries' times are therefore chosen so that
//! no sample lies on an edge of any window: all steps, ranges and offsets are whole seconds, and no scrape of the stretch
//! has the same fraction of a second.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use super::{Pair, Window, scrapes};
use crate::harness::Client;

/// Before the first evaluation, so that all windows are full.
const LONGEST_RANGE_MS: i64 = 16_000;
const TOLERANCE: f64 = 1e-9;

const QUERIES: [&str; 24] = [
    "up",
    "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes",
    "rate(node_cpu_seconds_total[10s])",
    "sum by (mode) (rate(node_cpu_seconds_total[15s]))",
    "100 * (1 - avg by (instance) (rate(node_cpu_seconds_total{mode=\"idle\"}[10s])))",
    "irate(node_cpu_seconds_total{mode=~\"user|system\"}[10s])",
    "increase(node_context_switches_total[15s])",
    "delta(node_memory_MemFree_bytes[10s])",
    "deriv(node_memory_MemFree_bytes[15s])",
    "node_filesystem_avail_bytes{fstype!~\"tmpfs|ramfs\"} offset 5s",
    "max_over_time(node_memory_MemFree_bytes[10s]) - min_over_time(node_memory_MemFree_bytes[10s])",
    "avg_over_time(node_load1[15s])",
    "stddev_over_time(node_memory_MemFree_bytes[10s])",
    "quantile_over_time(0.9, node_scrape_collector_duration_seconds[10s])",
    "last_over_time({job=\"node-exporter\"}[15s])",
    "topk(3, node_scrape_collector_duration_seconds)",
    "count by (__name__) ({job=\"prometheus\"})",
    "histogram_quantile(0.9, sum by (le, handler) (rate(prometheus_http_request_duration_seconds_bucket[15s])))",
    "changes(node_context_switches_total[10s]) + resets(node_context_switches_total[10s])",
    "node_scrape_collector_success == 1 unless on (instance) up == 0",
    "sum by (job) (rate(prometheus_tsdb_head_samples_appended_total[10s])) > bool 100",
    "rate(node_cpu_seconds_total{mode=\"idle\"}[5s]) * on (instance) group_left (nodename) node_uname_info",
    "predict_linear(node_memory_MemFree_bytes[15s], 60) or absent(up)",
    "max_over_time(sum(rate(node_cpu_seconds_total[5s]))[10s:1s])",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promql_answers_as_prometheus_does() {
    let Some(pair) = Pair::start("PromQL beside Prometheus").await else { return };
    let window = pair.window(Duration::from_secs(32)).await;
    let (start, end) = grid(&pair.theirs, &window).await;
    let mut differences = Vec::new();
    for query in QUERIES {
        for step in ["1", "5"] {
            let (ours, theirs) = (
                range(&pair.ours.client, query, (start, end), step).await,
                range(&pair.theirs, query, (start, end), step).await,
            );
            assert!(!theirs.is_empty(), "{query} finds nothing in Prometheus: it tests nothing");
            if let Some(why) = difference(&ours, &theirs) {
                differences.push(format!("{query} (step {step} s): {why}"));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Start and end, in ms, at a fraction of a second at which no sample was taken.
async fn grid(server: &Client, window: &Window) -> (i64, i64) {
    let times = scrapes(server).await.expect("both are up");
    let taken: BTreeSet<i64> = times.into_values().flatten().map(|at| at.rem_euclid(1_000)).collect();
    let start = (window.begin_ms + LONGEST_RANGE_MS..).find(|at| !taken.contains(&at.rem_euclid(1_000))).unwrap();
    let end = start + (window.end_ms - start).div_euclid(1_000) * 1_000;
    assert!(end - start >= 10_000, "the stretch is too short for a range");
    (start, end)
}

/// By labels, the samples as (time in ms, value).
type Answer = BTreeMap<String, Vec<(i64, f64)>>;

async fn range(server: &Client, query: &str, (start, end): (i64, i64), step: &str) -> Answer {
    let seconds = |millis: i64| format!("{}.{:03}", millis / 1_000, millis % 1_000);
    let parameters = [("query", query), ("start", &seconds(start)), ("end", &seconds(end)), ("step", step)];
    let data = server.prometheus("/api/v1/query_range", &parameters).await;
    assert_eq!(data["resultType"], "matrix", "{query}");
    let series = data["result"].as_array().expect("a list of series");
    let answer: Answer = series.iter().map(|one| (labels(&one["metric"]), samples(&one["values"]))).collect();
    assert_eq!(answer.len(), series.len(), "{query} answers a series twice");
    answer
}

fn labels(metric: &Value) -> String {
    let labels: BTreeMap<String, String> = serde_json::from_value(metric.clone()).unwrap();
    format!("{labels:?}")
}

fn samples(values: &Value) -> Vec<(i64, f64)> {
    let values = values.as_array().expect("samples");
    values.iter().map(|pair| (super::millis(&pair[0]), pair[1].as_str().unwrap().parse().unwrap())).collect()
}

fn difference(ours: &Answer, theirs: &Answer) -> Option<String> {
    let (our_names, their_names) = (ours.keys().collect::<BTreeSet<_>>(), theirs.keys().collect::<BTreeSet<_>>());
    if our_names != their_names {
        let more: Vec<_> = our_names.difference(&their_names).take(3).collect();
        let less: Vec<_> = their_names.difference(&our_names).take(3).collect();
        return Some(format!("only we have {more:?}, only they have {less:?}"));
    }
    theirs.iter().find_map(|(name, expected)| {
        let found = &ours[name];
        if !found.iter().map(|(at, _)| at).eq(expected.iter().map(|(at, _)| at)) {
            return Some(format!("{name}: other times: {found:?} instead of {expected:?}"));
        }
        let (found, expected) = found.iter().zip(expected).find(|((_, a), (_, b))| !is_close(*a, *b))?;
        Some(format!("{name}: {found:?} instead of {expected:?}"))
    })
}

/// Also for infinities and NaN.
fn is_close(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= TOLERANCE * a.abs().max(b.abs())
}
