//! Two front ends and the server that adds up what they let through, over real sockets; then without that server.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::harness::{ADMINISTRATOR, Server, wait_for};

/// Of the project, on all front ends together, in one second; twice as much may come at once.
const BYTES: usize = 10_000;
const PATIENCE: Duration = Duration::from_secs(20);

fn limits() -> String {
    format!("[quota]\nproject_write_bytes = {BYTES}\n")
}

async fn write(server: &Server, project: &str, bytes: usize) -> StatusCode {
    let row = json!({"text": "x".repeat(bytes - 11)}).to_string();
    assert_eq!(row.len(), bytes);
    server.client.ingest(&format!("{project}/shop"), row).await.0
}

#[tokio::test]
async fn front_ends_share_a_quota_and_go_on_without_the_service() {
    let mut service = Server::start_locked(&limits()).await;
    let config = format!(
        "{}service = [{:?}]\nservice_key = \"{}:{}\"\n",
        limits(),
        service.url(),
        ADMINISTRATOR.id,
        ADMINISTRATOR.secret
    );
    let fronts = [Server::start(&config).await, Server::start(&config).await];
    // Thirty seconds' worth at each, of which each knows its own.
    for front in &fronts {
        assert_eq!(write(front, "shared", 30 * BYTES).await, StatusCode::OK);
        assert_eq!(write(front, "alone", 100).await, StatusCode::OK);
    }
    for front in &fronts {
        wait_for("the service's bar", PATIENCE, async || {
            let usage = front.client.get_ok("/api/admin/usage?project=shared").await;
            // By itself a front end would refuse for 28 seconds.
            (usage["projects"][0]["write"]["barred_ms"].as_u64().unwrap() > 40_000).then_some(())
        })
        .await;
        assert_eq!(write(front, "shared", 100).await, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(write(front, "alone", 100).await, StatusCode::OK, "another project is not barred");
    }
    // A higher limit, set where the decisions are made, lifts the bar everywhere, long before its end.
    let raise = service.client.request(Method::PUT, "/api/admin/quotas/shared");
    assert!(raise.json(&json!({"write_bytes": 100 * BYTES})).send().await.unwrap().status().is_success());
    for front in &fronts {
        wait_for("the lifting", PATIENCE, async || {
            let usage = front.client.get_ok("/api/admin/usage?project=shared").await;
            (usage["projects"][0]["write"]["barred_ms"] == 0).then_some(())
        })
        .await;
    }

    service.kill9().await;
    wait_for("the front ends miss the service", PATIENCE, async || {
        let metrics = fronts[1].client.request(Method::GET, "/metrics").send().await.unwrap().text().await.unwrap();
        let failures = metrics.lines().find(|line| line.starts_with("culprit_ingest_quota_service_failures_total "))?;
        (!failures.ends_with(" 0")).then_some(())
    })
    .await;
    assert_eq!(write(&fronts[1], "later", 3 * BYTES).await, StatusCode::OK, "nobody is refused for want of an answer");
    assert_eq!(write(&fronts[1], "later", 100).await, StatusCode::TOO_MANY_REQUESTS, "but for the local limit");
    let said = fronts[1].log().matches("local limits count alone").count();
    assert!((1..=2).contains(&said), "once for reports and once for polls: {}", fronts[1].log());
}
