use super::*;
use crate::report::{Evidence, ReportItem};

const SECOND: i64 = 1_000_000_000;
const ACTIVE: i64 = 100 * SECOND;

fn case() -> Case {
    Case {
        window: (0, 200 * SECOND),
        baseline: (-800 * SECOND, 0),
        alert: Some((ACTIVE, "HighErrorRate".to_owned())),
        labels: vec![Label::new("severity", "page")],
    }
}

fn explanation(dimension: &str, value: &str) -> Piece {
    let item = ReportItem {
        dimension: dimension.to_owned(),
        value: value.to_owned(),
        condition: format!("{dimension} = {value}"),
        aliases: Vec::new(),
    };
    let evidence = serde_json::json!({
        "items": [item], "rows_a": 90, "rows_b": 10, "support_a": 0.9, "support_b": 0.01, "support_ratio": 90.0,
        "risk_ratio": null, "ci": null, "q_value": 1e-20, "score": 40.0,
    });
    let evidence: Evidence = serde_json::from_value(evidence).unwrap();
    let told = format!("90 % of the rows have {dimension} = {value}; 1 % of the others have it.");
    let detail = Detail::Explanation { store: "shop".to_owned(), rows_a: 100, rows_b: 1000, told, evidence };
    Piece { detail, onset: None, q_value: Some(1e-20) }
}

fn shift(name: &str, service: &str, onset: i64, q_value: f64) -> Piece {
    let labels = vec![Label::new("__name__", name), Label::new("service", service)];
    let detail = Detail::MetricShift { store: "metrics".to_owned(), labels, before: 2.0, after: 20.0 };
    Piece { detail, onset: Some(onset), q_value: Some(q_value) }
}

fn version(onset: i64) -> Piece {
    let detail = Detail::ChangedLabel {
        store: "shop".to_owned(),
        label: "version".to_owned(),
        value: "2.4.1".to_owned(),
        previous: vec!["2.4.0".to_owned()],
        share: 0.5,
    };
    Piece { detail, onset: Some(onset), q_value: Some(1e-9) }
}

fn earlier(same_cause: bool) -> Piece {
    let detail = Detail::EarlierIncident {
        id: "a1".to_owned(),
        fired_at: "2026-01-02T03:04:05Z".to_owned(),
        cause: "it was version = 2.4.1.".to_owned(),
        same_cause,
    };
    Piece { detail, onset: Some(-5_000 * SECOND), q_value: None }
}

fn sentences(report: &Investigation) -> Vec<&str> {
    report.findings.iter().map(|finding| finding.sentence.as_str()).collect()
}

#[test]
fn what_shares_a_value_with_the_cause_and_was_there_in_time_comes_first() {
    let pieces = vec![
        shift("other_depth", "mail", 50 * SECOND, 1e-5),
        shift("late_depth", "cart", 150 * SECOND, 1e-5),
        shift("queue_depth", "cart", 50 * SECOND, 1e-5),
        version(40 * SECOND),
        explanation("service", "cart"),
        earlier(true),
    ];
    let report = investigation(&case(), pieces, Coverage::default());
    let kinds: Vec<String> = report
        .findings
        .iter()
        .map(|finding| serde_json::to_value(finding).unwrap()["kind"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds[..3], ["explanation", "changed_label", "metric_shift"], "{:#?}", sentences(&report));
    assert_eq!(report.findings[2].shares, [Label::new("service", "cart")]);
    let place = |name: &str| report.findings.iter().position(|finding| finding.sentence.starts_with(name)).unwrap();
    assert!(place("queue_depth") < place("other_depth") && place("queue_depth") < place("late_depth"));
}

#[test]
fn the_report_reads_like_a_person_wrote_it() {
    let pieces = vec![
        shift("queue_depth", "cart", 50 * SECOND, 1e-5),
        version(40 * SECOND),
        explanation("service", "cart"),
        earlier(true),
    ];
    let report = investigation(&case(), pieces, Coverage::default());
    assert_eq!(
        report.sentence,
        r#"90 % of the rows have service = cart; 1 % of the others have it. version 2.4.1 is new in shop (before: 2.4.0), with 50 % of what came, from 00:00:40 UTC on. queue_depth{service="cart"} rose from 2 to 20 (10 times as much), from 00:00:50 UTC on. The same rule fired on 2026-01-02 at 03:04 UTC for the same cause: it was version = 2.4.1."#
    );
    let timeline: Vec<_> = report.timeline.iter().map(|moment| format!("{} {}", moment.at, moment.what)).collect();
    assert_eq!(
        timeline,
        [
            "1970-01-01T00:00:40Z first version = 2.4.1",
            r#"1970-01-01T00:00:50Z queue_depth{service="cart"} rises from 2 to 20"#,
            "1970-01-01T00:01:40Z alert HighErrorRate became active",
        ]
    );
}

#[test]
fn nothing_is_an_answer_and_says_what_was_looked_at() {
    let coverage = Coverage { looked_at: vec!["40 series of metrics".to_owned()], left_out: Vec::new() };
    let report = investigation(&case(), Vec::new(), coverage);
    assert_eq!(
        report.sentence,
        "Nothing stands out: from 00:00:00 UTC to 00:03:20 UTC all is within what chance does (40 series of metrics)."
    );
    assert!(report.findings.is_empty());
    assert_eq!(report.timeline.len(), 1, "the alert itself");
}

#[test]
fn series_of_one_metric_and_weak_findings_are_counted_not_listed() {
    let mut pieces: Vec<Piece> = (0..10).map(|at| shift("queue_depth", &format!("s{at}"), 50 * SECOND, 1e-5)).collect();
    pieces.extend((0..40).map(|at| shift(&format!("m{at}"), "x", 50 * SECOND, 1e-5)));
    let report = investigation(&case(), pieces, Coverage::default());
    assert_eq!(report.findings.len(), FINDINGS_MAX);
    assert_eq!(
        report.left_out,
        ["7 more series of metrics: queue_depth that moved less", "18 weaker findings"].map(str::to_owned)
    );
}

#[test]
fn a_number_is_no_common_value() {
    let named = [Label::new("status", "500"), Label::new("host", "db1")];
    let of = |name: &str, value: &str| {
        let labels = vec![Label::new(name, value)];
        shared(&Detail::MetricShift { store: String::new(), labels, before: 1.0, after: 2.0 }, &named).len()
    };
    assert_eq!((of("status", "500"), of("port", "500"), of("instance", "db1"), of("host", "db2")), (1, 0, 1, 0));
}
