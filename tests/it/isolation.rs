//! One project sends ten times its quota: it is told so by its own code, and nobody else notices.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::harness::{Log, LogGroup, Point, Server, Sls, now_millis};

const LOUD: &str = "loud";
const QUIET: [&str; 4] = ["quiet-a", "quiet-b", "quiet-c", "quiet-d"];
/// Of the loud one.
const BYTES_PER_SECOND: u64 = 200_000;
const GROUP_BYTES: usize = 20_000;
/// Ten times as many as the quota allows.
const GROUPS_PER_SECOND: u64 = 100;
const SECONDS: u64 = 4;
/// Seconds of quota that may be saved up, with room for a slow clock.
const BURST_SECONDS: u64 = 3;
/// Of each quiet one, far below its own quota.
const QUIET_INTERVAL: Duration = Duration::from_millis(50);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_over_its_quota_is_refused_alone() {
    let server = Server::start("").await;
    let started = now_millis();
    for project in QUIET.into_iter().chain([LOUD]) {
        let sls = Sls::new(&server.client, project, None);
        sls.create_project().await;
        sls.create_store("shop", 1).await;
    }
    let quota = server.client.request(Method::PUT, &format!("/api/admin/quotas/{LOUD}"));
    let answer = quota.json(&json!({"write_bytes": BYTES_PER_SECOND})).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());

    let loud = tokio::spawn(send(Sls::new(&server.client, LOUD, None), GROUPS_PER_SECOND * SECONDS, loud_interval()));
    let quiet_count = SECONDS * 1000 / u64::try_from(QUIET_INTERVAL.as_millis()).unwrap();
    let quiet = QUIET.map(|project| {
        let sls = Sls::new(&server.client, project, None);
        tokio::spawn(send(sls, quiet_count, QUIET_INTERVAL))
    });
    for (project, sending) in QUIET.into_iter().zip(quiet) {
        assert_eq!(sending.await.unwrap(), BTreeMap::from([((200, String::new()), quiet_count)]), "{project}");
    }
    let loud = loud.await.unwrap();
    let accepted = loud.get(&(200, String::new())).copied().unwrap_or(0);
    let refused = loud.get(&(403, "WriteQuotaExceed".to_owned())).copied().unwrap_or(0);
    assert_eq!(accepted + refused, GROUPS_PER_SECOND * SECONDS, "no other code is right: {loud:?}");
    let budget = BYTES_PER_SECOND * (u64::try_from((now_millis() - started) / 1000).unwrap() + BURST_SECONDS);
    assert!(accepted * GROUP_BYTES as u64 <= budget, "{accepted} groups of {GROUP_BYTES} bytes are over the quota");
    assert!(accepted > 0 && refused > accepted, "{accepted} accepted, {refused} refused");
    other_protocols_have_their_own_words(&server).await;
    assert_eq!(errors_of_ours(&server).await, 0, "none of it was the server's fault");
}

fn loud_interval() -> Duration {
    Duration::from_millis(1000 / GROUPS_PER_SECOND)
}

/// The answers by status and code.
async fn send(sls: Sls, groups: u64, interval: Duration) -> BTreeMap<(u16, String), u64> {
    let now = u32::try_from(now_millis() / 1000).unwrap();
    let group = LogGroup::of(vec![Log::new(now, &[("message", &"x".repeat(GROUP_BYTES))])]);
    let mut ticks = tokio::time::interval(interval);
    let mut answers = BTreeMap::new();
    for _ in 0..groups {
        ticks.tick().await;
        let answer = sls.put("shop", "shards/lb", &group).await.unwrap();
        *answers.entry(answer.verdict()).or_default() += 1;
    }
    answers
}

/// Senders of metrics drop what is forbidden and keep what is to be tried again; so each is told in its own way.
async fn other_protocols_have_their_own_words(server: &Server) {
    let body = format!("{{\"message\":\"{}\"}}\n", "x".repeat(GROUP_BYTES)).repeat(100);
    let target = format!("/api/ingest/{LOUD}/shop");
    let answer = server.client.request(Method::POST, &target).body(body).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(answer.headers().contains_key("retry-after"));

    let labels = vec![("__name__", "loudness".to_owned()), ("text", "x".repeat(2 * GROUP_BYTES))];
    let point = Point { labels, millis: now_millis(), value: 1.0 };
    let body = crate::harness::remote_write_body(&[point]);
    let target = format!("/prometheus/{LOUD}/metrics/api/v1/write");
    for _ in 0..100 {
        let request = server.client.request(Method::POST, &target).body(body.clone());
        let request = request.header("content-encoding", "snappy").header("content-type", "application/x-protobuf");
        let status = request.send().await.unwrap().status();
        assert_ne!(status, StatusCode::FORBIDDEN, "Prometheus would drop the samples");
        assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR);
    }
}

/// Answers that blame the server.
async fn errors_of_ours(server: &Server) -> u64 {
    let (_, text) = server.client.get("/metrics").await;
    let text = text.as_str().expect("the text format");
    let requests: Vec<&str> = text.lines().filter(|line| line.starts_with("culprit_web_requests_total{")).collect();
    assert!(requests.iter().any(|line| line.contains("status=\"403\"")), "refusals are not counted: {requests:?}");
    let errors = requests.iter().filter(|line| line.contains("status=\"500\""));
    errors.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}
