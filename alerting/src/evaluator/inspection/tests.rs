//! What an inspection fetches and what it makes of the answer; whether a series jumped is asked of a double.

use std::sync::{Arc, Mutex};

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray, TimestampNanosecondArray};
use culprit_query::promql::Engine;
use culprit_store::{Samples, Series};
use futures::FutureExt;

use super::*;
use crate::evaluator::MetricSource;
use crate::hooks::Window;
use crate::rules::parse_rule_file;

const MINUTE: i64 = 60_000_000_000;
/// Forty seconds past a whole minute.
const NOW: UnixNanos = UnixNanos(1_700_000_040_000_000_000 - 1_700_000_040_000_000_000 % MINUTE + 40_000_000_000);

type Asked = Arc<Mutex<Vec<(Vec<WatchedSeries>, Window)>>>;

/// Says that the last series jumped in the last minute.
fn double(asked: Asked) -> crate::Inspect {
    Arc::new(move |series, window| {
        let jump = Jump {
            index: series.len() - 1,
            onset: UnixNanos(window.1.0 - MINUTE),
            expected: 12.5,
            actual: 80.0,
            q_value: 2e-5,
        };
        asked.lock().unwrap().push((series, window));
        async move { Ok(vec![jump]) }.boxed()
    })
}

fn expression(rule: &str) -> Expression {
    let file = parse_rule_file("r.yml", &format!("groups:\n- name: g\n  rules:\n  - alert: X\n{rule}"));
    assert_eq!(file.problems, []);
    file.groups[0].rules[0].expression.clone()
}

#[tokio::test]
async fn series_of_promql_are_inspected_at_whole_steps() {
    let end = NOW.0 - NOW.0 % MINUTE;
    let series = |name: &str, scale: f64| Series {
        labels: Labels::new([("__name__", "load"), ("host", name)]).unwrap(),
        samples: Samples {
            timestamps_ms: (0..=60).map(|minute| (end - minute * MINUTE) / 1_000_000).rev().collect(),
            values: (0..=60).map(|minute| scale * minute as f64).collect(),
        },
    };
    let asked = Asked::default();
    let memory = MetricSource::Memory(Arc::new(Mutex::new(vec![series("a", 1.0), series("b", 2.0)])));
    let evaluator = Evaluator::new(Engine::default(), memory, None).with_inspect(double(asked.clone()));
    let rule = expression("    expr: sum by (host) (load)\n    inspect: {window: 5m, history: 30m}\n");
    let found = evaluator.evaluate(&rule, NOW).await.unwrap();
    let shown: Vec<String> = found.iter().map(|m| format!("{} {}", m.labels, m.value)).collect();
    assert_eq!(shown, [r#"{host="b"} 80"#]);
    let note = found[0].note.as_deref().unwrap();
    assert!(note.starts_with("80.00 on average since ") && note.contains("where 12.50 was expected"), "{note}");
    let (series, window) = asked.lock().unwrap().remove(0);
    assert_eq!(window, (UnixNanos(end - 5 * MINUTE), UnixNanos(end)));
    // A sample at a minute's end tells of the minute: the first of thirty began thirty minutes ago.
    assert_eq!(series[1].times, (1..=30).map(|minute| end - (31 - minute) * MINUTE).collect::<Vec<_>>());
    assert_eq!(series[1].values.last(), Some(&120.0));
}

fn batch(value: ArrayRef) -> RecordBatch {
    let times = [0, 1, 3, 1].map(|minute| minute * MINUTE);
    let times: ArrayRef = Arc::new(TimestampNanosecondArray::from_iter_values(times).with_timezone("UTC"));
    let services: ArrayRef = Arc::new(StringArray::from(vec!["cart", "cart", "cart", "pay"]));
    RecordBatch::try_from_iter([("minute", times), ("service", services), ("value", value)]).unwrap()
}

/// Counts have zeros where they have no row, up to the end; measures have gaps.
#[test]
fn what_nobody_counted_is_none() {
    let span = Span { from: UnixNanos(0), window: UnixNanos(3 * MINUTE), end: UnixNanos(5 * MINUTE), step: MINUTE };
    let values = |value: ArrayRef| -> Vec<Vec<f64>> {
        let watched = watched_rows(&[batch(value)], span).unwrap();
        watched.into_values().map(|points| points.into_values().collect()).collect()
    };
    let counts = values(Arc::new(Int64Array::from(vec![5, 6, 7, 8])));
    assert_eq!(counts, [[5.0, 6.0, 0.0, 7.0, 0.0], [0.0, 8.0, 0.0, 0.0, 0.0]]);
    let measures = values(Arc::new(Float64Array::from(vec![5.0, 6.0, 7.0, 8.0])));
    assert_eq!(measures, [vec![5.0, 6.0, 7.0], vec![8.0]]);
}

#[test]
fn a_query_without_times_is_refused() {
    let span = Span { from: UnixNanos(0), window: UnixNanos(0), end: UnixNanos(MINUTE), step: MINUTE };
    let timeless = batch(Arc::new(Int64Array::from(vec![1, 2, 3, 4]))).project(&[1, 2]).unwrap();
    let error = watched_rows(&[timeless], span).unwrap_err().to_string();
    assert!(error.contains("columns: service, value"), "{error}");
    assert_eq!(watched_rows(&[], span).unwrap(), Watched::new());
}

#[tokio::test]
async fn without_the_hook_the_rule_fails_and_says_why() {
    let memory = MetricSource::Memory(Arc::new(Mutex::new(Vec::new())));
    let evaluator = Evaluator::new(Engine::default(), memory, None);
    let error = evaluator.evaluate(&expression("    expr: up\n    inspect:\n"), NOW).await.unwrap_err();
    assert!(error.to_string().contains("inspections cannot be evaluated here"), "{error}");
}
