//! Over a quota: each protocol's own answer, what people see of it, and three front ends that share a service.

use culprit_ingest::quota::{BarChanges, Flow, Quotas};
use culprit_store::ProjectName;

use super::*;

const LIMITS: &str = r#"{"write_requests":2,"read_requests":2,"stores":1}"#;

async fn limited() -> Bench {
    let bench = bench().await;
    let answer = bench.call("PUT", "/api/admin/quotas/tenant", LIMITS).await;
    answer.assert(StatusCode::OK, "\"write_requests\":2");
    bench
}

#[tokio::test]
async fn every_protocol_has_its_own_answer() {
    let bench = limited().await;
    let (native, remote) = ("/api/ingest/tenant/web", "/prometheus/tenant/metrics/api/v1/write");
    // Two a second, and two seconds' worth at once.
    for _ in 0..4 {
        bench.post(native, "{\"n\":1}").await.assert(StatusCode::OK, "\"accepted\":1");
    }
    let refused = bench.post(native, "{\"n\":1}").await;
    refused.assert(StatusCode::TOO_MANY_REQUESTS, "project tenant is over its write quota: limit 2 requests/s");
    assert_eq!(refused.header("retry-after"), "1");
    let refused = bench.post(remote, "").await;
    refused.assert(StatusCode::SERVICE_UNAVAILABLE, "project tenant is over its write quota");
    assert_eq!(refused.header("retry-after"), "1");
    bench.post("/api/ingest/default/web", "{\"n\":1}").await.assert(StatusCode::OK, "\"accepted\":1");
    let sql = r#"{"project":"tenant","query":"SELECT count(*) FROM web"}"#;
    for _ in 0..4 {
        bench.post("/api/sql", sql).await.assert(StatusCode::OK, "[4]");
    }
    bench.post("/api/sql", sql).await.assert(StatusCode::TOO_MANY_REQUESTS, "over its read quota");
    let search = bench.post("/api/search", r#"{"project":"tenant","store":"web"}"#).await;
    search.assert(StatusCode::TOO_MANY_REQUESTS, "over its read quota");
    let prometheus = bench.get("/prometheus/tenant/metrics/api/v1/query?query=up").await;
    prometheus.assert(StatusCode::TOO_MANY_REQUESTS, "\"errorType\":\"unavailable\"");
    let another = bench.call("PUT", "/api/stores/tenant/another", r#"{"kind":"logs"}"#).await;
    another.assert(StatusCode::FORBIDDEN, "would have 2 stores, its limit is 1");
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn usage_and_limits_are_there_to_be_seen() {
    let bench = limited().await;
    for _ in 0..5 {
        bench.post("/api/ingest/tenant/web", "{\"n\":1}").await;
    }
    let usage = bench.get("/api/admin/usage?project=tenant").await.json();
    let tenant = &usage["projects"][0];
    assert_eq!((tenant["write"]["refused"].as_u64(), tenant["limits"]["write_requests"].as_u64()), (Some(1), Some(2)));
    assert!(tenant["write"]["requests_per_second"].as_f64().unwrap() > 0.0 && tenant["write"]["barred_ms"] != 0);
    assert_eq!(tenant["shard_usage"].as_array().unwrap().len(), 2);
    let all = bench.get("/api/admin/usage").await.json();
    let names: Vec<_> = all["projects"].as_array().unwrap().iter().map(|p| p["project"].as_str().unwrap()).collect();
    assert!(names.contains(&"tenant") && names.contains(&"default"), "{names:?}");
    assert_eq!(all["shard_limits"]["write_bytes"], 5 << 20);
    bench.get("/api/admin/usage?project=nobody").await.assert(StatusCode::NOT_FOUND, "nobody");
    assert_eq!(bench.call("DELETE", "/api/admin/quotas/tenant", "").await.status, 204);
    let limits = bench.get("/api/admin/quotas/tenant").await.json();
    assert_eq!((limits["limits"]["stores"].as_u64(), &limits["set"]), (Some(200), &serde_json::json!({})));
    bench.post("/api/ingest/tenant/web", "{\"n\":1}").await.assert(StatusCode::OK, "\"accepted\":1");
    let mistake = bench.call("PUT", "/api/admin/quotas/tenant", r#"{"write_bites":1}"#).await;
    mistake.assert(StatusCode::BAD_REQUEST, "unknown field `write_bites`");
    bench.storage.shutdown().await.unwrap();
}

/// Each lets through a third more than a third of the quota; together they are over it.
#[tokio::test]
async fn three_front_ends_share_a_service() {
    let bench = bench().await;
    bench.call("PUT", "/api/admin/quotas/tenant", r#"{"write_bytes":1000}"#).await.assert(StatusCode::OK, "1000");
    let config = QuotaConfig { services: 1, ..QuotaConfig::default() };
    let fronts: Vec<Quotas> = (0..3).map(|_| Quotas::of(&bench.storage, config.clone())).collect();
    let (tenant, other) = (ProjectName::parse("tenant").unwrap(), ProjectName::parse("other").unwrap());
    let start: BarChanges = serde_json::from_str(&bench.get("/api/quota/bars?wait=0").await.text).unwrap();
    assert_eq!(start.bars, []);
    let path = format!("/api/quota/bars?since={}&wait=60", start.version);
    let waiting: Vec<_> = fronts.iter().map(|_| bench.get(&path)).collect();
    let report = async {
        for front in &fronts {
            for name in [&tenant, &other] {
                front.admit(name, Flow::Write, 900).map(drop).unwrap_or_else(|refusal| panic!("{refusal}"));
            }
            let body = serde_json::to_string(&front.take_report(0)).unwrap();
            assert_eq!(bench.post("/api/quota/report", &body).await.status, 204);
        }
    };
    let (answers, ()) = futures::future::join(futures::future::join_all(waiting), report).await;
    for (front, answer) in fronts.iter().zip(answers) {
        let changes: BarChanges = serde_json::from_str(&answer.text).unwrap();
        front.apply(&changes);
        assert!(front.admit(&tenant, Flow::Write, 1).is_err(), "barred by what the others let through");
        front.admit(&other, Flow::Write, 1).map(drop).unwrap_or_else(|refusal| panic!("{refusal}"));
    }
    bench.post("/api/quota/report", "{}").await.assert(StatusCode::BAD_REQUEST, "missing field `usage`");
    bench.get("/api/quota/bars?since=soon").await.assert(StatusCode::BAD_REQUEST, "since is \\\"soon\\\"");
    bench.storage.shutdown().await.unwrap();
}
