//! A rule fires, and its incident says what else moved: the queue that grew, the message that is new, the version that was
//! deployed. The second time it recalls the first. A calm window has nothing.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Point, Random, Server, now_millis, text, wait_for};

const MINUTE: i64 = 60_000;
/// How long there are rows and samples, and how long the trouble lasts, before now.
const CALM: i64 = 70 * MINUTE;
const TROUBLE: i64 = 3 * MINUTE;
const PATIENCE: Duration = Duration::from_secs(90);

/// It fires for as long as an alarm is three seconds old; the anomalous rows are those of the shop.
const RULES: &str = "groups:
- name: shop
  interval: 1s
  rules:
  - alert: ShopFails
    search: 'alarms | rang'
    window: 3s
    threshold: '> 0'
    labels: {severity: page, service: cart}
    explain: {store: shop, where: 'status >= 500', window: 5m}
";

async fn started() -> (Server, i64, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("shop.yml");
    std::fs::write(&rules, RULES).unwrap();
    let server =
        Server::start(&format!("[alerting]\nrules = [{rules:?}]\ngroup_wait = \"1s\"\ngroup_interval = \"1s\"\n"))
            .await;
    let now = now_millis();
    feed_rows(&server, now).await;
    feed_samples(&server, now).await;
    (server, now, folder)
}

/// Four rows a second. In the trouble half of them are of the new version, nine of ten of those fail, with a message of
/// their own; one in a hundred of the others always fails.
async fn feed_rows(server: &Server, now: i64) {
    let mut random = Random::new(11);
    let mut body = String::new();
    for at in ((now - CALM)..now).step_by(250) {
        let is_new = at >= now - TROUBLE && random.below(2) == 0;
        let failed = random.below(100) < if is_new { 90 } else { 1 };
        let millis = random.below(40);
        let message = match (failed, is_new) {
            (true, true) => format!("connection to db-{} refused after {millis} ms", random.below(9)),
            (true, false) => format!("request {} failed", random.below(100_000)),
            _ => format!("GET /items/{} took {millis} ms", random.below(5_000)),
        };
        let row = json!({
            "_time": at, "_msg": message, "status": if failed { 500 } else { 200 },
            "version": if is_new { "2.4.1" } else { "2.4.0" }, "host": format!("h{}", random.below(6)),
        });
        body.push_str(&format!("{row}\n"));
    }
    let (status, report) = server.client.ingest("default/shop", body).await;
    assert!(status.is_success(), "{status} {report}");
}

/// Two queues with some noise; the one of the alert's service grows in the trouble.
async fn feed_samples(server: &Server, now: i64) {
    let mut random = Random::new(12);
    let mut points = Vec::new();
    for at in ((now - CALM)..now).step_by(15_000) {
        for service in ["cart", "mail"] {
            let extra = if service == "cart" && at >= now - TROUBLE { 80.0 } else { 0.0 };
            let value = 20.0 + random.below(1000) as f64 / 250.0 + extra;
            let labels = vec![("__name__", "queue_depth".to_owned()), ("service", service.to_owned())];
            points.push(Point { labels, millis: at, value });
        }
    }
    assert!(server.client.remote_write(&points).await.unwrap().is_success());
}

/// Rings the alarm and waits for an incident whose investigation is ready, other than those known.
async fn incident(server: &Server, known: &[String]) -> Value {
    let (status, report) = server.client.ingest("default/alarms", json!({"_msg": "it rang"}).to_string()).await;
    assert!(status.is_success(), "{status} {report}");
    wait_for("an investigated incident", PATIENCE, async || {
        let list = server.client.get_ok("/api/incidents").await;
        let all = list["incidents"].as_array().expect("a list").clone();
        all.into_iter().find(|one| {
            let is_new = !known.iter().any(|id| one["id"] == json!(id));
            is_new && one["state"] != json!("pending") && one["investigation"]["status"] == json!("ready")
        })
    })
    .await
}

fn finding<'a>(report: &'a Value, kind: &str) -> &'a Value {
    let findings = report["findings"].as_array().expect("findings");
    findings.iter().find(|finding| finding["kind"] == json!(kind)).unwrap_or_else(|| panic!("no {kind} in {report:#}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_says_what_else_moved_and_recalls_what_was() {
    let (server, now, _rules) = started().await;
    let first = incident(&server, &[]).await;
    let report = &first["investigation"]["report"];

    let shift = finding(report, "metric_shift");
    assert!(text(&shift["sentence"]).starts_with("queue_depth{service=\"cart\"} rose from 2"), "{shift:#}");
    assert_eq!(shift["shares"], json!([{"name": "service", "value": "cart"}]), "the alert has that label");
    let pattern = finding(report, "new_pattern");
    assert!(text(&pattern["template"]).contains("refused after"), "{pattern:#}");
    assert_eq!(pattern["rows_before"], json!(0));
    let version = finding(report, "changed_label");
    assert_eq!((&version["label"], &version["value"]), (&json!("version"), &json!("2.4.1")));
    assert_eq!(version["previous"], json!(["2.4.0"]));
    let explained = finding(report, "explanation");
    assert!(text(&explained["sentence"]).contains("2.4.1"), "{explained:#}");
    let moved = report["findings"].as_array().unwrap().iter().filter(|one| one["kind"] == json!("metric_shift"));
    assert!(moved.clone().all(|one| !text(&one["sentence"]).contains("mail")), "the other queue is calm");
    let begun = chrono_millis(text(&shift["onset"]));
    assert!((now - TROUBLE - begun).abs() <= 30_000, "onset {begun}, trouble from {}", now - TROUBLE);

    wait_for("the end of the first incident", PATIENCE, async || {
        let one = server.client.get_ok(&format!("/api/incidents/{}", text(&first["id"]))).await;
        (one["state"] == json!("resolved")).then_some(())
    })
    .await;
    let second = incident(&server, &[text(&first["id"]).to_owned()]).await;
    let earlier = finding(&second["investigation"]["report"], "earlier_incident");
    assert_eq!((&earlier["id"], &earlier["same_cause"]), (&first["id"], &json!(true)), "{earlier:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_calm_window_has_nothing() {
    let (server, now, _rules) = started().await;
    let ask = json!({"from": now - 20 * MINUTE, "to": now - 15 * MINUTE});
    let (status, report) = server.client.post_json("/api/investigate", &ask).await;
    assert!(status.is_success(), "{status} {report}");
    assert!(text(&report["sentence"]).starts_with("Nothing stands out"), "{report:#}");
    assert_eq!(report["findings"], json!([]));
    let (status, error) = server.client.post_json("/api/investigate", &json!({"store": "shop"})).await;
    assert_eq!(status.as_u16(), 400, "{error}");
}

fn chrono_millis(rfc3339: &str) -> i64 {
    chrono::DateTime::parse_from_rfc3339(rfc3339).expect("a time").timestamp_millis()
}
