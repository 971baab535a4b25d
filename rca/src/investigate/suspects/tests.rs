use super::*;

const MINUTE: i64 = 60_000_000_000;

fn labels(node: &str, metric: &str) -> Vec<Label> {
    vec![Label::new("node", node), Label::new("metric", metric)]
}

/// A hundred calm minutes with a little noise, then five whose value is `after`.
fn series(node: &str, metric: &str, level: f64, after: f64) -> LabelledSeries {
    let noise = |at: i64| f64::from((at * 7 % 5) as i32 - 2) * level / 100.0;
    let value = |at: i64| if at < 100 { level + noise(at) } else { after + noise(at) };
    LabelledSeries {
        labels: labels(node, metric),
        times: (0..105).map(|at| at * MINUTE).collect(),
        values: (0..105).map(value).collect(),
    }
}

fn alarm(calls: &[(&str, &str)]) -> Alarm {
    Alarm {
        window: (100 * MINUTE, i64::MAX),
        target: labels("site", "latency"),
        counts: vec![Label::new("metric", "requests")],
        calls: Calls::new(calls.iter().map(|(caller, callee)| ((*caller).to_owned(), (*callee).to_owned()))),
        direction: Direction::Either,
    }
}

fn nodes(report: &SuspectReport) -> Vec<(&str, bool)> {
    report.suspects.iter().map(|suspect| (suspect.labels[0].value.as_str(), suspect.significant)).collect()
}

/// The site waits for the search, which is slow. The search's load balancer sees it too, in the few requests that go
/// through it, and much slower. A batch job that nobody waits for is slow as well.
fn shop() -> Vec<LabelledSeries> {
    vec![
        series("site", "latency", 0.1, 0.2),
        series("site", "requests", 600.0, 600.0),
        series("search", "latency", 0.01, 0.07),
        series("search", "requests", 1000.0, 1000.0),
        series("balancer", "latency", 0.01, 0.4),
        series("balancer", "requests", 30.0, 30.0),
        series("table", "latency", 0.005, 0.005),
        series("table", "requests", 1000.0, 1000.0),
        series("batch", "latency", 2.0, 9.0),
        series("batch", "requests", 5000.0, 5000.0),
    ]
}

#[test]
fn the_callee_with_the_most_excess_of_its_own_comes_first() {
    let calls = [("site", "search"), ("site", "balancer"), ("search", "table")];
    let report = suspects(&shop(), &alarm(&calls));
    assert_eq!(nodes(&report), [("search", true), ("balancer", true), ("site", true), ("table", false)]);
    assert!(report.sentence.starts_with("{node=\"search\",metric=\"latency\"} rose from 0.01"), "{}", report.sentence);
    let site = &report.suspects[2];
    assert!(site.excess > 200.0 && site.own_excess < 1.0, "its excess is the search's: {site:?}");
}

#[test]
fn without_calls_every_series_of_the_kind_is_a_suspect() {
    let report = suspects(&shop(), &alarm(&[]));
    assert_eq!(nodes(&report)[0], ("batch", true));
    assert_eq!(report.series, 5);
}

#[test]
fn what_gets_better_is_no_suspect_and_calm_has_none() {
    let mut shop = shop();
    shop[2] = series("search", "latency", 0.07, 0.01);
    let report = suspects(&shop, &alarm(&[("site", "search")]));
    assert_eq!(nodes(&report), [("site", true), ("search", false)]);
    let calm = [series("site", "latency", 0.1, 0.1), series("search", "latency", 0.01, 0.01)];
    let report = suspects(&calm, &alarm(&[]));
    assert!(report.sentence.starts_with("Nothing stands out: none of 2 series"), "{}", report.sentence);
}
