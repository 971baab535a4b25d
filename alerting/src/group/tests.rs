//! Groups on series in memory, with times set by hand.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use culprit_query::promql::Engine;
use futures::FutureExt;

use super::*;
use crate::alert::{AlertState, SliceChoice};
use crate::evaluator::MetricSource;
use crate::rules::parse_rule_file;

type Memory = Arc<Mutex<Vec<Series>>>;

struct World {
    series: Memory,
    surroundings: Surroundings,
    events: mpsc::Receiver<Event>,
}

/// Appends to series that are there, adds those that are not.
fn append(memory: &Memory, new: Vec<Series>) {
    let mut all = memory.lock().unwrap();
    for series in new {
        match all.iter_mut().find(|known| known.labels == series.labels) {
            Some(known) => {
                known.samples.timestamps_ms.extend(series.samples.timestamps_ms);
                known.samples.values.extend(series.samples.values);
            }
            None => all.push(series),
        }
    }
}

fn world_of(series: Memory) -> World {
    let written = series.clone();
    let write_series: WriteSeries = Arc::new(move |_, new| {
        append(&written, new);
        async { Ok(()) }.boxed()
    });
    let (sender, events) = mpsc::channel(1_000);
    let surroundings = Surroundings {
        evaluator: Evaluator::new(Engine::default(), MetricSource::Memory(series.clone()), None),
        write_series,
        clock: Clock::manual(UnixNanos(0)),
        metrics: Arc::default(),
        external_url: "http://culprit".into(),
        default_interval: Duration::from_secs(60),
        resend_delay: Duration::from_secs(60),
        for_outage_tolerance: Duration::from_secs(3600),
        for_grace_period: Duration::from_secs(600),
        events: sender,
    };
    World { series, surroundings, events }
}

/// One sample each minute, `-` for none; the text is in the style of promtool: `up{job="a"} 1 0 -`.
fn load(lines: &[(&[(&str, &str)], &str)]) -> Memory {
    let series = lines.iter().map(|(labels, values)| {
        let samples: Vec<(i64, f64)> = (0..)
            .zip(values.split(' '))
            .filter(|(_, value)| *value != "-")
            .map(|(i, value)| (i * 60_000, if value == "stale" { stale_nan() } else { value.parse().unwrap() }))
            .collect();
        let (timestamps_ms, values) = samples.into_iter().unzip();
        Series { labels: Labels::new(labels.iter().copied()).unwrap(), samples: Samples { timestamps_ms, values } }
    });
    Arc::new(Mutex::new(series.collect()))
}

fn group(rules: &str) -> Group {
    let file = parse_rule_file("r.yml", &format!("groups:\n- name: g\n  rules:\n{rules}"));
    assert_eq!(file.problems, []);
    Group::added(file.groups.into_iter().next().unwrap())
}

fn minute(m: i64) -> UnixNanos {
    UnixNanos(m * 60_000_000_000)
}

fn states(group: &Group, rule: usize) -> Vec<String> {
    let shown = |alert: &crate::alert::Alert| format!("{} {}", alert.labels, alert.state.as_str());
    group.rules[rule].alerts.active().map(shown).collect()
}

fn values(world: &World, metric: &str) -> BTreeMap<String, Vec<String>> {
    let series = world.series.lock().unwrap();
    let chosen = series.iter().filter(|series| series.labels.metric_name() == Some(metric));
    let show = |(at, value): (&i64, &f64)| {
        let value = if culprit_store::is_stale(*value) { "stale".to_owned() } else { value.to_string() };
        format!("{}m:{value}", at / 60_000)
    };
    chosen
        .map(|s| (s.labels.to_string(), s.samples.timestamps_ms.iter().zip(&s.samples.values).map(show).collect()))
        .collect()
}

#[tokio::test]
async fn a_timeline_as_promtool_tests_it() {
    let series = load(&[
        (&[("__name__", "up"), ("job", "a")], "1 0 0 0 1 1"),
        (&[("__name__", "up"), ("job", "b")], "1 1 1 0 1 1"),
    ]);
    let world = world_of(series);
    let mut group = group(
        "  - record: down:count\n    expr: count(up == 0) or vector(0)\n  - alert: Down\n    expr: up == 0\n    for: 2m\n    labels: {severity: page, n: '{{ $value }}'}\n    annotations: {summary: '{{ $labels.job }} is down, {{ with query \"down:count\" }}{{ . | first | value }}{{ end }} in all'}\n  - alert: Watch\n    expr: ALERTS{alertname=\"Down\", alertstate=\"firing\"}\n",
    );
    let expected: [(i64, &[&str], usize); 6] = [
        (0, &[], 0),
        (1, &[r#"{alertname="Down", job="a", n="0", severity="page"} pending"#], 0),
        (2, &[r#"{alertname="Down", job="a", n="0", severity="page"} pending"#], 0),
        (
            3,
            &[
                r#"{alertname="Down", job="a", n="0", severity="page"} firing"#,
                r#"{alertname="Down", job="b", n="0", severity="page"} pending"#,
            ],
            1,
        ),
        (4, &[], 0),
        (5, &[], 0),
    ];
    for (m, alerts, watching) in expected {
        group.evaluate(minute(m), &world.surroundings).await;
        assert_eq!(states(&group, 1), alerts, "minute {m}");
        // A rule sees what an earlier rule of its group wrote in the same evaluation.
        assert_eq!(states(&group, 2).len(), watching, "minute {m}");
        assert!(group.rules.iter().all(|rule| rule.health == Health::Ok), "minute {m}");
    }
    assert_eq!(
        values(&world, "down:count").into_values().collect::<Vec<_>>(),
        [["0m:0", "1m:1", "2m:1", "3m:2", "4m:0", "5m:0"]]
    );
    let alerts = values(&world, "ALERTS");
    let of = |job: &str, state: &str| {
        alerts[&format!(r#"ALERTS{{alertname="Down", alertstate="{state}", job="{job}", n="0", severity="page"}}"#)]
            .clone()
    };
    assert_eq!(of("a", "pending"), ["1m:1", "2m:1", "3m:stale"]);
    assert_eq!(of("a", "firing"), ["3m:1", "4m:stale"]);
    assert_eq!(of("b", "pending"), ["3m:1", "4m:stale"]);
    let resolved = group.rules[1].alerts.iter().find(|alert| alert.state == AlertState::Inactive).unwrap();
    assert_eq!(resolved.annotations["summary"], "a is down, 2 in all");
}

#[tokio::test]
async fn what_is_told_and_when() {
    let series = load(&[(&[("__name__", "up"), ("job", "a")], "0 0 0 1 1")]);
    let mut world = world_of(series);
    let mut group = group("  - alert: Down\n    expr: up == 0\n    for: 1m\n    labels: {severity: page}\n");
    let mut told = Vec::new();
    for m in 0..5 {
        group.evaluate(minute(m), &world.surroundings).await;
        while let Ok(event) = world.events.try_recv() {
            if let Event::Alerts { rule, alerts } = event {
                assert_eq!(rule.label_names, ["severity"]);
                told.extend(alerts.iter().map(|alert| (m, alert.state.as_str())));
            }
        }
    }
    assert_eq!(told, [(1, "firing"), (3, "inactive")]);
}

#[tokio::test]
async fn rules_fail_loudly_and_alone() {
    let series = load(&[
        (&[("__name__", "up"), ("job", "a"), ("zone", "1")], "0 0"),
        (&[("__name__", "up"), ("job", "a"), ("zone", "2")], "0 0"),
    ]);
    let world = world_of(series);
    let mut group = group(
        "  - alert: Twice\n    expr: up == 0\n    labels: {zone: ''}\n  - record: twice\n    expr: up\n    labels: {zone: x}\n  - alert: Words\n    expr: up == 0\n    annotations: {a: '{{ .Labels.job.x }}'}\n  - alert: Text\n    expr: '\"text\"'\n  - alert: Sql\n    sql: SELECT 1\n",
    );
    group.evaluate(minute(0), &world.surroundings).await;
    let errors: Vec<_> = group.rules.iter().map(|rule| rule.last_error.clone().unwrap_or_default()).collect();
    assert!(errors[0].contains("same labelset after applying alert labels"), "{errors:?}");
    assert!(errors[1].contains("same labelset after applying rule labels"), "{errors:?}");
    assert_eq!(errors[2], "");
    assert!(errors[3].contains("string"), "{errors:?}");
    assert!(errors[4].contains("only series"), "{errors:?}");
    let words = group.rules[2].alerts.iter().next().unwrap();
    assert!(words.annotations["a"].starts_with("<error expanding template:"), "{:?}", words.annotations);
    assert_eq!(world.surroundings.metrics.evaluation_failures.get(), 4);
}

#[tokio::test]
async fn a_slice_quotes_what_it_is_given() {
    let series = load(&[(&[("__name__", "up"), ("job", "o'brien")], "0")]);
    let world = world_of(series);
    let mut group = group(
        "  - alert: Down\n    expr: up == 0\n    explain: {store: shop, where: \"service = '{{ $labels.job }}'\", baseline: status < 500, window: 10m}\n",
    );
    group.evaluate(minute(0), &world.surroundings).await;
    let alert = group.rules[0].alerts.iter().next().unwrap();
    let Some(SliceChoice::Given(slice)) = &alert.slice else { panic!("{alert:?}") };
    assert_eq!((slice.filter.as_str(), slice.baseline.as_deref()), ("service = 'o''brien'", Some("status < 500")));
    assert_eq!((slice.from.as_str(), slice.to.as_str()), ("1969-12-31T23:50:00Z", "1970-01-01T00:00:00Z"));
}

#[tokio::test]
async fn a_reload_keeps_the_states_of_rules_that_stay() {
    let series = load(&[(&[("__name__", "up"), ("job", "a")], "0 0 0 0")]);
    let world = world_of(series);
    let mut old = group("  - alert: Down\n    expr: up == 0\n    for: 2m\n  - record: gone\n    expr: up\n");
    old.evaluate(minute(0), &world.surroundings).await;
    let mut new = group("  - alert: New\n    expr: up == 0\n  - alert: Down\n    expr: up < 1\n    for: 2m\n");
    let gone: Vec<_> = new.take_over(old).into_iter().flat_map(|(_, labels)| labels).collect();
    assert_eq!(gone.iter().map(ToString::to_string).collect::<Vec<_>>(), [r#"gone{job="a"}"#]);
    new.evaluate(minute(2), &world.surroundings).await;
    assert_eq!(states(&new, 1), [r#"{alertname="Down", job="a"} firing"#]);
}

/// The state of `for` after an outage; times in minutes.
#[tokio::test]
async fn for_is_restored_from_the_series() {
    for (hold, active, down, up, expected) in [
        // It was firing: it fires on, since when it did.
        ("30m", 0, 40, 45, Some(0)),
        // It was pending with more than the grace period to go: the outage does not count.
        ("60m", 0, 20, 25, Some(5)),
        // Less than the grace period to go: it waits for the grace period, so 10 minutes from now.
        ("30m", 0, 25, 30, Some(10)),
        // An outage beyond the tolerance: it starts anew.
        ("30m", 0, 10, 80, None),
    ] {
        let shown = |m: i64| if (active..=down).contains(&m) { (active * 60).to_string() } else { "-".to_owned() };
        let past: Vec<String> = (0..=down).map(shown).collect();
        let present: Vec<&str> = (0..=up + 2).map(|_| "0").collect();
        let series = load(&[
            (&[("__name__", "ALERTS_FOR_STATE"), ("alertname", "Down"), ("job", "a")], &past.join(" ")),
            (&[("__name__", "up"), ("job", "a")], &present.join(" ")),
        ]);
        let world = world_of(series);
        let mut group = group(&format!("  - alert: Down\n    expr: up == 0\n    for: {hold}\n"));
        group.is_restored = false;
        group.evaluate(minute(up), &world.surroundings).await;
        let alert = group.rules[0].alerts.iter().next().unwrap();
        assert_eq!(alert.active_at, minute(expected.unwrap_or(up)), "for {hold}, down at {down}, up at {up}");
        group.evaluate(minute(up + 1), &world.surroundings).await;
        let is_firing = states(&group, 0)[0].ends_with("firing");
        assert_eq!(is_firing, expected == Some(0), "for {hold}");
    }
}

#[tokio::test]
async fn a_resolved_past_is_not_restored() {
    let series = load(&[
        (&[("__name__", "ALERTS_FOR_STATE"), ("alertname", "Down"), ("job", "a")], "0 0 0 stale"),
        (&[("__name__", "up"), ("job", "a")], "1 1 1 1 1 0"),
    ]);
    let world = world_of(series);
    let mut group = group("  - alert: Down\n    expr: up == 0\n    for: 2m\n");
    group.is_restored = false;
    group.evaluate(minute(5), &world.surroundings).await;
    assert_eq!(group.rules[0].alerts.iter().next().unwrap().active_at, minute(5));
}
