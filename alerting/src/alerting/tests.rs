//! The whole crate: rule files on disk, series in memory, a receiver on loopback.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use culprit_query::promql::Engine;
use culprit_store::{Labels, Samples, Series};
use futures::FutureExt;

use super::*;
use crate::error::HookError;
use crate::evaluator::MetricSource;
use crate::hooks::Cause;
use crate::notify::tests::HttpReceiver;

const RULES: &str = r#"groups:
- name: shop
  interval: 50ms
  rules:
  - record: errors:ratio
    expr: errors / requests
  - alert: HighErrorRate
    expr: errors:ratio > 0.1
    labels: {severity: page}
    annotations:
      summary: '{{ $value | humanizePercentage }} of requests fail'
      culprit_slice: 'shop | status >= 500'
  - alert: Never
    expr: errors:ratio > 1
    for: 5m
"#;

fn series(name: &str, value: f64) -> Series {
    let now = Clock::System.now().as_millis();
    let labels = Labels::new([("__name__", name)]).unwrap();
    Series { labels, samples: Samples { timestamps_ms: vec![now], values: vec![value] } }
}

struct House {
    alerting: Alerting,
    shutdown: CancellationToken,
    folder: tempfile::TempDir,
}

async fn house(receiver: &HttpReceiver) -> House {
    let memory = Arc::new(Mutex::new(vec![series("errors", 25.0), series("requests", 100.0)]));
    let written = memory.clone();
    let hooks = Hooks {
        explain: Arc::new(|slice| {
            async move {
                match slice.filter.as_str() {
                    "status >= 500" => Ok(Cause { sentence: "it was 1002".to_owned(), report: json!({}) }),
                    other => Err(HookError::new(other)),
                }
            }
            .boxed()
        }),
        investigate: Arc::new(|_| async { Err(HookError::new("nothing to read")) }.boxed()),
        write_series: Arc::new(move |_, new| {
            let mut all = written.lock().unwrap();
            for series in new {
                all.retain(|known: &Series| known.labels != series.labels);
                all.push(series);
            }
            async { Ok(()) }.boxed()
        }),
        record_incident: Arc::new(|_| async { Ok(()) }.boxed()),
    };
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("shop.yml"), RULES).unwrap();
    let config = AlertingConfig {
        rules: vec![folder.path().join("*.yml").display().to_string()],
        group_wait: Duration::from_millis(10),
        group_interval: Duration::from_millis(10),
        reload_interval: Duration::from_millis(50),
        receivers: vec![serde_json::from_value(json!({"name": "ops", "webhook": [{"url": receiver.url}]})).unwrap()],
        ..AlertingConfig::default()
    };
    let evaluator = Evaluator::new(Engine::default(), MetricSource::Memory(memory), None);
    let shutdown = CancellationToken::new();
    let alerting = Alerting::start(config, None, evaluator, hooks, Clock::System, shutdown.clone()).await.unwrap();
    House { alerting, shutdown, folder }
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..2_000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("waited in vain until {what}");
}

#[tokio::test]
async fn from_a_rule_file_to_a_message_and_back() {
    let receiver = HttpReceiver::start(&[("200 OK", "", "")]).await;
    let House { alerting, shutdown, folder } = house(&receiver).await;
    let body = receiver.wait(1).await.remove(0).body;
    let annotations: BTreeMap<String, String> =
        serde_json::from_value(body["alerts"][0]["annotations"].clone()).unwrap();
    assert_eq!(annotations["summary"], "25% of requests fail");
    assert_eq!(annotations["culprit_cause"], "it was 1002");

    let rules = alerting.rules_json(&RuleFilter::default());
    let group = &rules["data"]["groups"][0];
    assert_eq!((&group["name"], &group["interval"]), (&"shop".into(), &0.05.into()));
    let shown = |i: usize, key: &str| group["rules"][i][key].clone();
    assert_eq!((shown(0, "type"), shown(0, "health")), ("recording".into(), "ok".into()));
    assert_eq!((shown(1, "state"), shown(2, "state")), ("firing".into(), "inactive".into()));
    assert_eq!((shown(2, "duration"), shown(1, "alerts")[0]["value"].clone()), (300.0.into(), "2.5e-01".into()));
    let only = RuleFilter { rule_names: vec!["Never".to_owned()], ..RuleFilter::default() };
    assert_eq!(alerting.rules_json(&only)["data"]["groups"][0]["rules"].as_array().unwrap().len(), 1);
    let alerts = alerting.alerts_json();
    assert_eq!(alerts["data"]["alerts"][0]["labels"]["alertname"], "HighErrorRate");

    until("the delivery is shown", || alerting.incidents_json()["incidents"][0]["notifications"][0]["ok"] == true)
        .await;
    let incident = alerting.incidents_json()["incidents"][0].clone();
    assert_eq!((&incident["state"], &incident["severity"]), (&"firing".into(), &"page".into()));
    assert_eq!((&incident["cause"]["status"], &incident["slice"]["store"]), (&"ready".into(), &"shop".into()));
    let id = incident["id"].as_str().unwrap();
    assert_eq!(alerting.incident_json(id).unwrap()["rule"], "HighErrorRate");
    assert!(alerting.incident_json("nothing").is_none());

    // A typo leaves the former rules in force and is shown; taking the rule away ends its incident.
    let file = folder.path().join("shop.yml");
    std::fs::write(&file, RULES.replace("for: 5m", "fro: 5m")).unwrap();
    until("the typo is shown", || alerting.files_json()["files"][0]["errors"][0].is_string()).await;
    let error = alerting.files_json()["files"][0]["errors"][0].clone();
    assert!(error.as_str().unwrap().contains("shop.yml:15: unknown key \"fro\" in rule \"Never\""), "{error}");
    assert_eq!(alerting.rules_json(&RuleFilter::default())["data"]["groups"][0]["rules"].as_array().unwrap().len(), 3);
    std::fs::write(&file, &RULES[..RULES.find("  - alert: HighErrorRate").unwrap()]).unwrap();
    let report = alerting.reload().await;
    assert_eq!((report.groups, report.rules, report.errors.len()), (1, 1, 0));
    let last = receiver.wait(2).await.remove(1).body;
    assert_eq!(last["status"], "resolved");
    shutdown.cancel();
    alerting.stopped().await;
    assert_eq!(receiver.received().len(), 2);
    assert_eq!(alerting.metrics().incidents.get(), 1);
}
