//! Projects and stores, dashboards, incidents.

use serde_json::json;

use super::*;

#[tokio::test]
async fn a_store_is_created_changed_and_deleted() {
    let bench = bench().await;
    let path = "/api/stores/default/web";
    let made = bench.call("PUT", path, r#"{"kind":"logs","shards":3,"ttl_seconds":60}"#).await;
    assert_eq!(made.status, 201);
    let store = made.json();
    assert_eq!((&store["shards"], &store["ttl_seconds"], &store["kind"]), (&json!(3), &json!(60), &json!("logs")));
    assert_eq!(bench.call("PUT", path, r#"{"kind":"logs"}"#).await.status, 200, "it is there already");
    bench.post("/api/ingest/default/web", "{\"n\":1,\"ok\":true,\"x\":0.5,\"t\":\"a\"}").await;
    let one = bench.get(path).await.json();
    assert_eq!(one["rows"], 1);
    assert!(one["bytes"].as_u64().unwrap() > 0);
    let types: Vec<(&str, &str)> = one["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| (column["name"].as_str().unwrap(), column["type"].as_str().unwrap()))
        .collect();
    for wanted in [("n", "Int64"), ("ok", "Boolean"), ("x", "Float64"), ("t", "Utf8"), ("_overflow", "Map")] {
        assert!(types.contains(&wanted), "{wanted:?} in {types:?}");
    }
    assert!(types[0].0 == "_time" && types[0].1.starts_with("Timestamp"), "{types:?}");
    assert_eq!(bench.call("PATCH", path, r#"{"ttl_seconds":null}"#).await.json()["ttl_seconds"], Value::Null);
    let listed = bench.get("/api/stores?project=default").await.json();
    assert_eq!(listed["stores"][0]["name"], "web");
    assert_eq!(bench.call("DELETE", path, "").await.status, 204);
    bench.get(path).await.assert(StatusCode::NOT_FOUND, "project default has no store \\\"web\\\"; it has: none");
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn absent_and_null_times_to_live_differ() {
    let bench = bench().await;
    for (name, body, ttl) in [
        ("a", r#"{"kind":"logs"}"#, json!(30 * 24 * 3600)),
        ("b", r#"{"kind":"metrics","ttl_seconds":null}"#, Value::Null),
    ] {
        let store = bench.call("PUT", &format!("/api/stores/default/{name}"), body).await.json();
        assert_eq!((&store["ttl_seconds"], &store["shards"]), (&ttl, &json!(2)), "{body}");
    }
    for (body, status, text) in [
        (r#"{"kind":"traces"}"#, 400, "logs or metrics"),
        (r#"{"kind":"logs","shards":0}"#, 400, "1 to 256 shards"),
        (r#"{"kind":"metrics"}"#, 400, "is a logstore, not a metricstore"),
        (r#"{"kind":"logs","shard":2}"#, 400, "unknown field `shard`, expected one of"),
    ] {
        let answer = bench.call("PUT", "/api/stores/default/a", body).await;
        answer.assert(StatusCode::from_u16(status).unwrap(), text);
    }
    bench
        .call("PATCH", "/api/stores/default/a", "{}")
        .await
        .assert(StatusCode::BAD_REQUEST, "missing field `ttl_seconds`");
    bench.get("/api/stores?project=none").await.assert(StatusCode::NOT_FOUND, "there is no project \\\"none\\\"");
    let projects = bench.get("/api/projects").await.json();
    assert!(projects["projects"].as_array().unwrap().contains(&json!("default")), "{projects}");
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn dashboards_come_and_go() {
    let bench = bench().await;
    let board = r#"{"uid":"b","title":"Zebra","panels":[{"type":"text","id":1},{"type":"heatmap","id":2}]}"#;
    let imported = bench.post("/api/dashboards/import", board).await.json();
    assert_eq!(
        (&imported["uid"], &imported["title"], &imported["report"]["none"]),
        (&json!("b"), &json!("Zebra"), &json!(1))
    );
    let list = bench.get("/api/dashboards").await.json();
    let last = list["dashboards"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["uid"], &last["panels"], &last["builtin"]), (&json!("b"), &json!(2), &json!(false)));
    assert_eq!(bench.get("/api/dashboards/b").await.json()["panels"].as_array().unwrap().len(), 2);
    assert_eq!(bench.get("/api/dashboards/b/original").await.text, board);
    assert_eq!(bench.get("/api/dashboards?project=other").await.json()["dashboards"].as_array().unwrap().len(), 2);
    let builtin = list["dashboards"][0]["uid"].as_str().unwrap();
    bench.call("DELETE", &format!("/api/dashboards/{builtin}"), "").await.assert(StatusCode::CONFLICT, "built-in");
    assert_eq!(bench.call("DELETE", "/api/dashboards/b", "").await.status, 204);
    bench.get("/api/dashboards/b").await.assert(StatusCode::NOT_FOUND, "there is no dashboard");
    bench.post("/api/dashboards/import", "{\n\"title\":").await.assert(StatusCode::BAD_REQUEST, "not JSON: line 2");
    bench.call("POST", "/api/dashboards/import", vec![0xff]).await.assert(StatusCode::BAD_REQUEST, "not UTF-8");
    let large = bench.post("/api/dashboards/import", &" ".repeat((8 << 20) + 1)).await;
    large.assert(StatusCode::PAYLOAD_TOO_LARGE, "more than the 8388608 bytes");
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_server_without_rules_has_no_incidents() {
    let bench = bench().await;
    assert_eq!(bench.get("/api/incidents").await.json(), json!({"incidents": []}));
    bench.get("/api/incidents/x").await.assert(StatusCode::NOT_FOUND, "there is no incident \\\"x\\\"");
    let reloaded = bench.post("/api/admin/rules/reload", "").await;
    assert_eq!((reloaded.status, reloaded.json()), (200, json!({"groups": 0, "rules": 0, "errors": []})));
    assert_eq!(bench.get("/api/admin/rules").await.json(), json!({"files": []}));
    for path in ["/api/v1/rules?type=alert", "/prometheus/system/metrics/api/v1/rules"] {
        assert_eq!(bench.get(path).await.json(), json!({"status": "success", "data": {"groups": []}}));
    }
    assert_eq!(bench.get("/api/v1/alerts").await.json(), json!({"status": "success", "data": {"alerts": []}}));
    bench.get("/api/v1/rules?type=x").await.assert(StatusCode::BAD_REQUEST, "not supported value");
    bench.storage.shutdown().await.unwrap();
}
