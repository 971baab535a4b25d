//! Consumer groups as people see them: how far behind their readers are.

use culprit_ingest::consume::{GroupSettings, Mark};
use culprit_store::ProjectName;
use serde_json::json;

use super::*;

#[tokio::test]
async fn groups_say_how_far_behind_they_are() {
    let bench = bench().await;
    for n in 0..3 {
        let path = "/api/ingest/default/web?key=00000000000000000000000000000000";
        bench.post(path, &json!({ "n": n }).to_string()).await.assert(StatusCode::OK, "");
    }
    let (project, store) = (ProjectName::default_project(), StoreName::parse("web").unwrap());
    let source = bench.consumption.source(&project, &store).unwrap();
    let groups = bench.consumption.groups();
    groups.create(&source, "billing", GroupSettings { timeout_s: 60, in_order: true }).await.unwrap();
    let group = async || bench.get("/api/groups").await.json()["groups"][0].clone();
    let fresh = group().await;
    assert_eq!((&fresh["store"], &fresh["group"], &fresh["behind"]), (&json!("web"), &json!("billing"), &json!(3)));
    assert_eq!((&fresh["timeout_seconds"], &fresh["in_order"]), (&json!(60), &json!(true)));

    // The cursor of offset 2.
    let mark = Mark { consumer: "worker", shard: 0, cursor: "Mg==", force: true };
    groups.checkpoint(&source, "billing", mark).await.unwrap();
    let reached = group().await;
    assert_eq!(reached["behind"], 1);
    let shard = &reached["shards"][0];
    let shown = ["shard", "consumer", "checkpoint", "end", "behind"].map(|name| shard[name].clone());
    assert_eq!(shown, [json!(0), json!("worker"), json!(2), json!(3), json!(1)]);

    assert_eq!(bench.get("/api/groups?project=system").await.json(), json!({ "groups": [] }));
    bench.get("/api/groups?project=none").await.assert(StatusCode::NOT_FOUND, "none");
    bench.storage.shutdown().await.unwrap();
}
