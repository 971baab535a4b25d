use super::*;

/// The oracle is Python's `base64.b64encode(b"0")` and so on.
const CURSORS: [&str; 4] = ["MA==", "MQ==", "Mg==", "Mw=="];

#[tokio::test]
async fn cursors_lead_from_the_begin_to_the_end() {
    let bench = bench().await;
    bench.shop(1).await;
    assert_eq!(bench.cursor("app", 0, "begin").await, CURSORS[0]);
    assert_eq!(bench.cursor("app", 0, "end").await, CURSORS[0]);
    bench.put(&["a"]).await;
    bench.put(&["b", "c"]).await;
    bench.put(&["d"]).await;
    assert_eq!(bench.cursor("app", 0, "end").await, CURSORS[3]);
    assert_eq!(bench.cursor("app", 0, "1700000000").await, CURSORS[0]);
    assert_eq!(bench.cursor("app", 0, "1700000001").await, CURSORS[3]);
    assert_eq!(bench.messages("app", 0).await, ["a", "b", "c", "d"]);
    let time = bench.ask("GET", "/logstores/app/shards/0?type=cursor_time&cursor=MQ==").await.json();
    assert_eq!(time, json!({ "cursor_time": 1_700_000_000 }));
    // At the end there is nothing, and the cursor stays.
    let got = bench
        .sls(ask("GET", "/logstores/app/shards/0?type=log&cursor=Mw==").header("accept-encoding", "lz4"))
        .await
        .ok();
    assert_eq!(
        (got.header("x-log-count"), got.header("x-log-cursor"), got.header("x-log-bodyrawsize")),
        ("0", CURSORS[3], "0")
    );
    assert!(got.body.is_empty() && !got.headers.contains_key("x-log-compresstype"));
    let got = bench.ask("GET", "/logstores/app/shards/0?type=log&cursor=MA==&end_cursor=MQ==").await.ok();
    assert_eq!((got.header("x-log-count"), got.header("x-log-cursor")), ("1", CURSORS[1]));
    for (target, status, code) in [
        ("0?type=log&cursor=garbage", 400, "InvalidCursor"),
        ("0?type=log&cursor=NA==", 400, "InvalidCursor"),
        ("0?type=log", 400, "InvalidCursor"),
        ("0?type=log&cursor=MA==&end_cursor=garbage", 400, "InvalidCursor"),
        ("0?type=log&cursor=MA==&count=0", 400, "ParameterInvalid"),
        ("0?type=log&cursor=MA==&count=many", 400, "ParameterInvalid"),
        ("0?type=log&cursor=MA==&query=x", 400, "NotSupported"),
        ("0?type=cursor&from=noon", 400, "ParameterInvalid"),
        ("0?type=cursor_time&cursor=-", 400, "InvalidCursor"),
        ("7?type=cursor&from=begin", 404, "ShardNotExist"),
        ("7?type=log&cursor=MA==", 404, "ShardNotExist"),
    ] {
        bench.ask("GET", &format!("/logstores/app/shards/{target}")).await.refused(status, code);
    }
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_pull_can_wait_for_what_comes() {
    let bench = bench().await;
    bench.shop(1).await;
    let path = "/logstores/app/shards/0?type=log&cursor=MA==&wait=30000";
    let (got, ()) = tokio::join!(bench.ask("GET", path), bench.put(&["late"]));
    let list = LogGroupList::decode(&got.ok().body[..]).unwrap();
    assert_eq!(list.groups, [group(&["late"])]);
    let got = bench.ask("GET", "/logstores/app/shards/0?type=log&cursor=MQ==&wait=1").await.ok();
    assert_eq!((got.header("x-log-count"), got.header("x-log-cursor")), ("0", "MQ=="));
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_group_shares_shards_and_remembers_how_far_it_is() {
    let bench = bench().await;
    bench.shop(2).await;
    bench.put(&["a"]).await;
    let create = || {
        ask("POST", "/logstores/app/consumergroups").json(json!({ "consumerGroup": "g", "timeout": 60, "order": true }))
    };
    bench.sls(create()).await.empty();
    bench.sls(create()).await.refused(400, "ConsumerGroupAlreadyExist");
    bench.sls(ask("PUT", "/logstores/app/consumergroups/g").json(json!({ "timeout": 30 }))).await.empty();
    let list = bench.ask("GET", "/logstores/app/consumergroups").await.json();
    assert_eq!(list, json!([{ "name": "g", "timeout": 30, "order": true }]));
    let none = bench.ask("GET", "/logstores/app/consumergroups/g").await.json();
    let cursors: Vec<_> =
        none.as_array().unwrap().iter().map(|at| (at["shard"].clone(), at["checkpoint"].clone())).collect();
    assert_eq!(cursors, [(json!(0), json!("")), (json!(1), json!(""))], "an entry for every shard");
    let beat = |consumer: &str, held: Value| {
        ask("POST", &format!("/logstores/app/consumergroups/g?type=heartbeat&consumer={consumer}")).json(held)
    };
    assert_eq!(bench.sls(beat("one", json!([]))).await.json(), json!([0, 1]));
    let shard = (0..2).find(|shard| *shard == 0).unwrap();
    let at = |consumer: &str, force: &str, cursor: &str| {
        let path = format!("/logstores/app/consumergroups/g?type=checkpoint&consumer={consumer}&forceSuccess={force}");
        ask("POST", &path).json(json!({ "shard": shard, "checkpoint": cursor }))
    };
    let begin = bench.cursor("app", 0, "begin").await;
    bench.sls(at("one", "False", &begin)).await.empty();
    bench.sls(at("other", "False", &begin)).await.refused(400, "ConsumerNotMatch");
    bench.sls(at("other", "True", &begin)).await.empty();
    bench.sls(at("one", "maybe", &begin)).await.refused(400, "ParameterInvalid");
    bench.sls(at("one", "False", "OTk=")).await.refused(400, "InvalidCursor");
    let kept = bench.ask("GET", "/logstores/app/consumergroups/g?shard=0").await.json();
    assert_eq!((kept.as_array().unwrap().len(), &kept[0]["checkpoint"]), (1, &json!(begin)));
    assert_eq!(kept[0]["updateTime"], json!(1_700_000_000_000_000_i64), "microseconds");
    for (method, path, status, code) in [
        ("GET", "/logstores/app/consumergroups/none", 404, "ConsumerGroupNotExist"),
        ("DELETE", "/logstores/app/consumergroups/none", 404, "ConsumerGroupNotExist"),
        ("GET", "/logstores/none/consumergroups", 404, "LogStoreNotExist"),
        ("POST", "/logstores/app/consumergroups/g?type=heartbeat", 400, "ParameterInvalid"),
    ] {
        bench.ask(method, path).await.refused(status, code);
    }
    bench.sls(beat("one", json!({}))).await.refused(400, "PostBodyInvalid");
    bench.ask("DELETE", "/logstores/app/consumergroups/g").await.empty();
    assert_eq!(bench.ask("GET", "/logstores/app/consumergroups").await.json(), json!([]));
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_view_is_consumed_as_one_store() {
    let bench = bench().await;
    bench.shop(1).await;
    bench.put(&["mine"]).await;
    let elsewhere = |method: &str, path: &str| {
        let request = Request::builder().method(method).uri(format!("http://plant.sls.local{path}"));
        Ask { request: request.header("x-log-apiversion", "0.6.0"), body: Vec::new() }
    };
    bench.sls(elsewhere("POST", "/").json(json!({ "projectName": "plant" }))).await.empty();
    bench
        .sls(elsewhere("POST", "/logstores").json(json!({ "logstoreName": "line", "ttl": 1, "shardCount": 1 })))
        .await
        .empty();
    bench.sls(elsewhere("POST", "/logstores/line").logs(&group(&["theirs"]))).await.empty();
    let view = json!({
        "name": "all", "storeType": "logstore",
        "stores": [{ "project": "shop", "storeName": "app" }, { "project": "plant", "storeName": "line" }],
    });
    bench.sls(ask("POST", "/storeviews").json(view.clone())).await.empty();
    bench.sls(ask("POST", "/storeviews").json(view.clone())).await.refused(400, "LogStoreAlreadyExist");
    assert_eq!(bench.ask("GET", "/storeviews/all").await.json(), view);
    assert_eq!(bench.ask("GET", "/storeviews").await.json(), json!({ "count": 1, "total": 1, "storeviews": ["all"] }));
    assert_eq!(bench.ask("GET", "/logstores").await.json()["logstores"], json!(["all", "app"]));
    let shards = bench.ask("GET", "/logstores/all/shards").await.json();
    let ids: Vec<u32> =
        shards.as_array().unwrap().iter().map(|shard| shard["shardID"].as_u64().unwrap() as u32).collect();
    assert_eq!(ids.len(), 2);
    let mut found = Vec::new();
    for shard in ids {
        found.extend(bench.messages("all", shard).await);
    }
    assert_eq!(found, ["mine", "theirs"]);
    bench.sls(ask("POST", "/logstores/all").logs(&group(&["x"]))).await.refused(400, "ParameterInvalid");
    bench.sls(ask("PUT", "/storeviews/all").json(json!({ "stores": [] }))).await.refused(400, "ParameterInvalid");
    bench.ask("DELETE", "/storeviews/all").await.empty();
    bench.ask("GET", "/storeviews/all").await.refused(404, "StoreViewNotExist");
    bench.storage.shutdown().await.unwrap();
}
