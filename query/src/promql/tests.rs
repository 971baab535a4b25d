//! The engine on scripts, on hostile queries, and against a naive evaluator.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use culprit_store::{
    LabelMatcher, Labels, METRIC_NAME, ProjectName, SampleRange, Samples, Series, Storage, StorageConfig, StoreKind,
    StoreName, StoreSpec, is_stale, stale_nan,
};
use proptest::prelude::*;

use super::limits::{NESTING_MAX, OPERATORS_MAX};
use super::*;

fn memory(series: Vec<Series>) -> SeriesSource {
    SeriesSource::Memory(Arc::new(series))
}

fn series(name: &str, samples: &[(i64, f64)]) -> Series {
    let (timestamps_ms, values) = samples.iter().copied().unzip();
    Series { labels: Labels::new([(METRIC_NAME, name)]).unwrap(), samples: Samples { timestamps_ms, values } }
}

fn scripts(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "test"));
    files.sort();
    files
}

async fn run_file(file: &Path) -> ScriptReport {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    run_script(&text).await
}

#[tokio::test]
async fn our_scripts_pass() {
    let files = scripts(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/promql"));
    assert!(files.len() >= 10, "{files:?}");
    for file in files {
        let report = run_file(&file).await;
        assert_eq!(report.failures, [], "{}", file.display());
        assert!(report.passed > 0, "{} tests nothing", file.display());
    }
}

/// Evals of Prometheus' own scripts that pass, per file: all of them.
const CORPUS_FLOORS: [(&str, usize); 15] = [
    ("aggregators.test", 160),
    ("duration_expression.test", 59),
    ("extended_vectors.test", 169),
    ("fill-modifier.test", 46),
    ("functions.test", 431),
    ("histograms.test", 185),
    ("info.test", 53),
    ("limit.test", 37),
    ("literals.test", 25),
    ("name_label_dropping.test", 30),
    ("native_histograms.test", 522),
    ("selectors.test", 31),
    ("start_timestamps.test", 26),
    ("trig_functions.test", 19),
    ("type_and_unit.test", 58),
];

fn corpora(what: &str) -> Option<PathBuf> {
    let Some(shared) = std::env::var_os("CULPRIT_SHARED") else {
        eprintln!("SKIPPED: {what}: CULPRIT_SHARED is not set");
        return None;
    };
    Some(Path::new(&shared).join("data/promql"))
}

#[tokio::test]
async fn prometheus_scripts_pass() {
    let Some(folder) = corpora("the test scripts of Prometheus") else { return };
    for (name, floor) in CORPUS_FLOORS {
        let report = run_file(&folder.join(name)).await;
        assert!(report.passed >= floor, "{name}: {} of at least {floor} passed: {:#?}", report.passed, report.failures);
    }
}

#[tokio::test]
async fn compliance_queries_evaluate() {
    #[derive(serde::Deserialize)]
    struct Case {
        expr: String,
        fail: bool,
    }
    let Some(folder) = corpora("the queries of the PromQL compliance tester") else { return };
    let text = std::fs::read_to_string(folder.join("compliance_queries.json")).expect("the corpus is complete");
    let cases: Vec<Case> = serde_json::from_str(&text).unwrap();
    assert!(cases.len() > 200);
    let samples: Vec<(i64, f64)> = (0..100).map(|i| (i * 15_000, i as f64)).collect();
    let source = memory(vec![series("demo_memory_usage_bytes", &samples)]);
    for Case { expr, fail } in cases {
        let result = Engine::default().range(&source, &expr, 600_000, 1_200_000, 60_000).await;
        assert_eq!(result.is_err(), fail, "{expr}: {result:?}");
    }
}

/// Another parser of the same grammar as oracle, where it has no gaps: what it takes, ours takes, and what ours writes for it
/// means the same to it.
#[test]
fn the_grammar_is_that_of_others() {
    let Some(folder) = corpora("the queries of the PromQL compliance tester") else { return };
    let text = std::fs::read_to_string(folder.join("compliance_queries.json")).expect("the corpus is complete");
    let cases: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    for query in cases.iter().map(|case| case["expr"].as_str().expect("each case has a query")) {
        let Ok(wanted) = promql_parser::parser::parse(query) else { continue };
        let ours = format(query).unwrap_or_else(|error| panic!("{query}: {error}"));
        let again = promql_parser::parser::parse(&ours).unwrap_or_else(|error| panic!("{ours}: {error}"));
        assert_eq!(again.to_string(), wanted.to_string());
    }
}

#[tokio::test]
async fn the_deepest_queries_that_parse_can_be_evaluated() {
    let source = memory(vec![series("a", &[(0, 1.0)])]);
    let nested = format!("{}a{}", "abs(".repeat(NESTING_MAX), ")".repeat(NESTING_MAX));
    let sums = format!("{}a{}", "sum(".repeat(NESTING_MAX), ")".repeat(NESTING_MAX));
    let chain = vec!["a"; OPERATORS_MAX + 1].join(" + on() ");
    let negated = format!("{}a", "-".repeat(OPERATORS_MAX));
    for (query, value) in [(nested, 1.0), (sums, 1.0), (chain, OPERATORS_MAX as f64 + 1.0), (negated, 1.0)] {
        let Value::Vector(samples) = Engine::default().instant(&source, &query, 0).await.unwrap().value else {
            panic!()
        };
        assert_eq!(samples[0].value, value);
    }
}

#[tokio::test]
async fn limits_are_errors() {
    let samples: Vec<(i64, f64)> = (0..1_000).map(|i| (i * 1_000, i as f64)).collect();
    let source = memory(vec![series("a", &samples), series("b", &samples)]);
    let engine = Engine { samples_max: 1_500, ..Engine::default() };
    let range = |query: &'static str, end_ms, step_ms| engine.range(&source, query, 0, end_ms, step_ms);

    assert!(range("a", 999_000, 1_000).await.is_ok());
    for query in ["{__name__=~\"a|b\"}", "a + b", "count_values(\"v\", a)", "sum_over_time(vector(1)[1y:1s])"] {
        let error = range(query, 999_000, 1_000).await.unwrap_err();
        assert!(matches!(error, PromqlError::TooManySamples { limit: 1_500 }), "{query}: {error}");
    }
    assert!(range("1", 11_000_000, 1_000).await.is_ok());
    let error = range("1", 11_001_000, 1_000).await.unwrap_err();
    assert!(error.to_string().starts_with("exceeded maximum resolution of 11,000 points per timeseries"), "{error}");
    assert!(matches!(range("1", -1, 1_000).await, Err(PromqlError::BadRange(_))));
    assert!(matches!(range("1", 1, 0).await, Err(PromqlError::BadRange(_))));
    assert!(matches!(range("a[5m]", 1, 1).await, Err(PromqlError::Parse { .. })));
    assert!(matches!(engine.instant(&source, "a", i64::MAX).await, Err(PromqlError::BadRange(_))));
}

#[tokio::test]
async fn a_query_that_takes_too_long_is_given_up() {
    let samples: Vec<(i64, f64)> = (0..200_000).map(|i| (i * 1_000, i as f64)).collect();
    let source = memory(vec![series("a", &samples)]);
    let engine = Engine { timeout: Duration::from_millis(50), ..Engine::default() };
    let slow = "sum_over_time(quantile_over_time(0.9, a[2d])[2d:1s])";
    let error = engine.instant(&source, slow, 200_000_000).await.unwrap_err();
    assert!(matches!(error, PromqlError::Timeout { .. }), "{error}");
}

/// Irregular times with gaps, some stale markers, values that rise and reset.
fn any_samples() -> impl Strategy<Value = Vec<(i64, f64)>> {
    let value = prop_oneof![8 => (0..50_i32).prop_map(f64::from), 1 => Just(stale_nan()), 1 => Just(f64::NAN)];
    prop::collection::vec((1..90_000_i64, value), 0..60).prop_map(|steps| {
        let times = steps.iter().scan(0, |time, (gap, _)| {
            *time += gap;
            Some(*time)
        });
        times.zip(steps.iter().map(|(_, value)| *value)).collect()
    })
}

/// The definition, step by step: the samples in `(end - range, end]` without stale markers.
fn naive_window(samples: &[(i64, f64)], end_ms: i64, range_ms: i64) -> Vec<(i64, f64)> {
    let inside =
        samples.iter().filter(|(time, value)| *time > end_ms - range_ms && *time <= end_ms && !is_stale(*value));
    inside.copied().collect()
}

fn naive_lookback(samples: &[(i64, f64)], at_ms: i64) -> Option<f64> {
    let (time, value) = samples.iter().rfind(|(time, _)| *time <= at_ms)?;
    (*time > at_ms - 300_000 && !is_stale(*value)).then_some(*value)
}

fn naive_rate(window: &[(i64, f64)], start_ms: i64, end_ms: i64) -> Option<f64> {
    let [(first_time, first), .., (last_time, last)] = window else { return None };
    let resets: f64 = window.windows(2).filter(|pair| pair[1].1 < pair[0].1).map(|pair| pair[0].1).sum();
    let rise = last - first + resets;
    let sampled = (last_time - first_time) as f64;
    let average = sampled / (window.len() - 1) as f64;
    let mut before = (first_time - start_ms) as f64;
    if before >= 1.1 * average {
        before = average / 2.0;
    }
    if rise > 0.0 && *first >= 0.0 && sampled * first / rise < before {
        before = sampled * first / rise;
    }
    let mut after = (end_ms - last_time) as f64;
    if after >= 1.1 * average {
        after = average / 2.0;
    }
    Some(rise * (before + sampled + after) / sampled / ((end_ms - start_ms) as f64 / 1000.0))
}

fn values_at(result: &Evaluated, times: &[i64]) -> Vec<Option<f64>> {
    let Value::Matrix(series) = &result.value else { panic!("{result:?}") };
    let at = |time: &i64| {
        let samples = &series.first()?.samples;
        samples.timestamps_ms.binary_search(time).ok().map(|index| samples.values[index])
    };
    times.iter().map(at).collect()
}

fn assert_same(query: &str, times: &[i64], given: &[Option<f64>], wanted: &[Option<f64>]) {
    for ((time, given), wanted) in times.iter().zip(given).zip(wanted) {
        let same = match (given, wanted) {
            (Some(a), Some(b)) => (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-9 * a.abs().max(1.0),
            (None, None) => true,
            _ => false,
        };
        assert!(same, "{query} at {time}: {given:?}, wanted {wanted:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn windows_agree_with_their_definition(
        samples in any_samples(),
        start_ms in 0..600_000_i64,
        step_ms in 1..200_000_i64,
        range_s in 1..600_i64,
        offset_s in -200..200_i64,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let source = memory(vec![series("m", &samples)]);
        let end_ms = start_ms + 20 * step_ms;
        let times: Vec<i64> = (0..=20).map(|step| start_ms + step * step_ms).collect();
        let run = |query: &str| {
            values_at(&runtime.block_on(Engine::default().range(&source, query, start_ms, end_ms, step_ms)).unwrap(), &times)
        };
        let offset = if offset_s == 0 { String::new() } else { format!(" offset {offset_s}s") };
        let (range_ms, offset_ms) = (range_s * 1000, offset_s * 1000);
        let windows: Vec<_> = times.iter().map(|time| naive_window(&samples, time - offset_ms, range_ms)).collect();
        let naive = |of: fn(&[(i64, f64)]) -> f64| -> Vec<Option<f64>> {
            windows.iter().map(|window| (!window.is_empty()).then(|| of(window))).collect()
        };

        let lookback: Vec<_> = times.iter().map(|time| naive_lookback(&samples, time - offset_ms)).collect();
        let query = format!("m{offset}");
        assert_same(&query, &times, &run(&query), &lookback);

        let rates: Vec<_> = times.iter().zip(&windows)
            .map(|(time, window)| naive_rate(window, time - offset_ms - range_ms, time - offset_ms)).collect();
        for (function, wanted) in [
            ("count_over_time", naive(|window| window.len() as f64)),
            ("sum_over_time", naive(|window| window.iter().map(|sample| sample.1).sum())),
            ("last_over_time", naive(|window| window[window.len() - 1].1)),
            ("min_over_time", naive(|window| window.iter().map(|sample| sample.1).fold(f64::NAN, f64::min))),
            ("rate", rates),
        ] {
            let query = format!("{function}(m[{range_s}s]{offset})");
            assert_same(&query, &times, &run(&query), &wanted);
        }
    }
}

#[tokio::test]
async fn a_store_answers_like_memory() {
    let counter = |host: &str, gap_ms: i64| {
        let labels = Labels::new([(METRIC_NAME, "requests_total"), ("host", host)]).unwrap();
        let timestamps_ms: Vec<i64> = (1..200).map(|i| i * gap_ms).collect();
        let values = (1..200).map(|i| if i == 150 { stale_nan() } else { f64::from(i % 70) }).collect();
        Series { labels, samples: Samples { timestamps_ms, values } }
    };
    let all = vec![counter("a", 15_000), counter("b", 17_300), counter("c", 61_000)];
    let folder = tempfile::tempdir().unwrap();
    let storage = Storage::open(StorageConfig::new(folder.path())).await.unwrap();
    let (project, name) = (ProjectName::default_project(), StoreName::parse("metrics").unwrap());
    let store = storage.create_store(&project, &name, StoreSpec::new(StoreKind::Metrics)).await.unwrap();
    storage.append_samples(&store, all.clone()).await.unwrap();
    let stored = SeriesSource::Store { storage: storage.clone(), store };
    let remembered = memory(all);
    for query in
        ["requests_total", "sum by (host) (rate(requests_total[5m]))", "count(requests_total{host=~\"a|c\"} offset 3m)"]
    {
        let run = |source| async move { Engine::default().range(source, query, 0, 3_000_000, 30_000).await.unwrap() };
        let wanted = run(&remembered).await;
        assert_eq!(run(&stored).await, wanted, "{query}, recent rows");
        storage.flush().await.unwrap();
        assert_eq!(run(&stored).await, wanted, "{query}, segments");
    }
    storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn memory_selects_like_a_store() {
    let source = memory(vec![series("b", &[(0, 1.0), (10, 2.0), (20, 3.0)]), series("a", &[(20, 4.0)])]);
    let all = LabelMatcher::regex(METRIC_NAME, ".+").unwrap();
    let selected = source.select(&[all], SampleRange { start_ms: 10, end_ms: 19 }).await.unwrap();
    assert_eq!(selected, [series("b", &[(10, 2.0)])]);
}
