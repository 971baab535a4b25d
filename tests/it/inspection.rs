//! A watched query whose slices nobody named: one of them jumps and an incident names it, quiet ones raise nothing.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Random, Server, now_millis, wait_for};

const PATIENCE: Duration = Duration::from_secs(60);
const STEP_MS: i64 = 10_000;
/// Steps of the past, and as many again to come as the test may take.
const PAST: i64 = 180;
const TO_COME: i64 = 24;
/// The jump began so many steps ago.
const JUMPED: i64 = 4;

const RULES: &str = "groups:
- name: watch
  interval: 1s
  rules:
  - alert: SliceJumped
    sql: SELECT date_bin(INTERVAL '10 seconds', _time) AS step, service, count(*) AS value FROM shop GROUP BY 1, 2
    inspect: {step: 10s, window: 1m, history: 30m}
    labels: {severity: warning}
  - alert: QuietSliceJumped
    sql: SELECT date_bin(INTERVAL '10 seconds', _time) AS step, service, count(*) AS value FROM quiet GROUP BY 1, 2
    inspect: {step: 10s, window: 1m, history: 30m}
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_slice_that_jumped_is_an_incident_and_the_quiet_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("watch.yml");
    std::fs::write(&rules, RULES).unwrap();
    let server = Server::start(&format!("[alerting]\nrules = [{rules:?}]\nreload_interval = \"1s\"\n")).await;
    feed(&server, "shop", 6).await;
    feed(&server, "quiet", 1).await;

    let firing = wait_for("the incident", PATIENCE, async || {
        let incidents = incidents(&server).await;
        incidents.into_iter().find(|one| one["rule"] == "SliceJumped" && one["state"] == "firing")
    })
    .await;
    let alerts = firing["alerts"].as_array().expect("the alerts");
    let services: Vec<&Value> = alerts.iter().map(|alert| &alert["labels"]["service"]).collect();
    assert_eq!(services, [&json!("pay")], "{firing}");
    let anomaly = alerts[0]["annotations"]["anomaly"].as_str().expect("the annotation");
    assert!(anomaly.contains("was expected"), "{anomaly}");

    // The quiet rule was evaluated on its rows, and more than once.
    wait_for("evaluations", PATIENCE, async || {
        let groups = server.client.get_ok("/api/v1/rules").await;
        let rules = groups["data"]["groups"][0]["rules"].as_array()?.clone();
        rules.iter().all(|rule| rule["health"] == "ok").then_some(())
    })
    .await;
    let quiet = incidents(&server).await.into_iter().filter(|one| one["rule"] == "QuietSliceJumped").count();
    assert_eq!(quiet, 0);
}

async fn incidents(server: &Server) -> Vec<Value> {
    server.client.get_ok("/api/incidents").await["incidents"].as_array().expect("a list").clone()
}

/// Three services, each with about eight rows a step; `pay` has `lift` times as many since the jump.
async fn feed(server: &Server, store: &str, lift: u64) {
    let mut random = Random::new(11);
    let now = now_millis() / STEP_MS;
    let mut body = String::new();
    let mut rows = 0;
    for step in now - PAST..now + TO_COME {
        for service in ["cart", "pay", "web"] {
            let lift = if service == "pay" && step >= now - JUMPED { lift } else { 1 };
            for _ in 0..(4 + random.below(9)) * lift {
                let time = step * STEP_MS + i64::try_from(random.below(10_000)).expect("below a step");
                body.push_str(&format!("{}\n", json!({"_time": time, "service": service})));
                rows += 1;
            }
        }
    }
    let (status, report) = server.client.ingest(&format!("default/{store}"), body).await;
    assert!(status.is_success() && report["accepted"] == json!(rows), "{status} {report}");
}
