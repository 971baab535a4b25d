use super::*;

#[tokio::test]
async fn a_project_lives_from_its_creation_to_its_end() {
    let bench = bench().await;
    bench.ask("GET", "/").await.refused(404, "ProjectNotExist");
    let shop = json!({ "projectName": "shop", "description": "first", "resourceGroupId": "rg" });
    bench.sls(ask("POST", "/").json(shop.clone())).await.empty();
    bench.sls(ask("POST", "/").json(shop)).await.refused(400, "ProjectAlreadyExist");
    // As the Node client does: no project in the host.
    let alone = Request::builder().method("POST").uri("http://sls.local/").header("x-log-apiversion", "0.6.0");
    let ask_alone = Ask { request: alone, body: Vec::new() };
    bench.sls(ask_alone.json(json!({ "projectName": "shop-2" }))).await.empty();
    let other = ask("POST", "/").json(json!({ "projectName": "another" }));
    assert!(bench.sls(other).await.refused(400, "ParameterInvalid").contains("the host names project shop"));
    let got = bench.ask("GET", "/").await.json();
    for (key, value) in [
        ("projectName", "shop"),
        ("description", "first"),
        ("status", "Normal"),
        ("resourceGroupId", "rg"),
        ("createTime", "1700000000"),
        ("lastModifyTime", "1700000000"),
    ] {
        assert_eq!(got[key], value, "{got}");
    }
    assert!(got["region"].is_string() && got["owner"].is_string());
    bench.sls(ask("PUT", "/").json(json!({ "description": "second" }))).await.empty();
    assert_eq!(bench.ask("GET", "/").await.json()["description"], "second");
    let list = Request::get("http://sls.local/?offset=0&size=1&projectName=sh").header("x-log-apiversion", "0.6.0");
    let list = bench.sls(Ask { request: list, body: Vec::new() }).await.json();
    assert_eq!(
        (&list["count"], &list["total"], &list["projects"][0]["projectName"]),
        (&json!(1), &json!(2), &json!("shop"))
    );
    bench.ask("DELETE", "/").await.empty();
    bench.ask("GET", "/").await.refused(404, "ProjectNotExist");
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_logstore_keeps_what_was_said_of_it() {
    let bench = bench().await;
    bench.shop(2).await;
    bench.ask("GET", "/logstores/none").await.refused(404, "LogStoreNotExist");
    let full = json!({
        "logstoreName": "full", "ttl": 7, "shardCount": 3, "enable_tracking": true, "autoSplit": true, "maxSplitShard": 12, "appendMeta": true,
        "telemetryType": "", "hot_ttl": 3, "mode": "query", "encrypt_conf": { "enable": true },
    });
    bench.sls(ask("POST", "/logstores").json(full.clone())).await.empty();
    bench.sls(ask("POST", "/logstores").json(full.clone())).await.refused(400, "LogStoreAlreadyExist");
    let got = bench.ask("GET", "/logstores/full").await.json();
    for (key, value) in full.as_object().unwrap() {
        assert_eq!(&got[key], value, "{key} of {got}");
    }
    assert_eq!((&got["createTime"], &got["lastModifyTime"]), (&json!(1_700_000_000), &json!(1_700_000_000)));
    // What the Node client sends.
    let update = json!({ "logstoreName": "full", "ttl": 3650, "shardCount": 3 });
    bench.sls(ask("PUT", "/logstores/full").json(update)).await.empty();
    let got = bench.ask("GET", "/logstores/full").await.json();
    assert_eq!((&got["ttl"], &got["maxSplitShard"], &got["mode"]), (&json!(3650), &json!(12), &json!("query")));
    let metrics = json!({ "logstoreName": "m", "ttl": 1, "shardCount": 1, "telemetryType": "Metrics" });
    bench.sls(ask("POST", "/logstores").json(metrics)).await.empty();
    bench.sls(ask("POST", "/logstores/m/substores").json(json!({ "name": "prom" }))).await.empty();
    bench
        .sls(ask("POST", "/logstores/full/substores").json(json!({ "name": "prom" })))
        .await
        .refused(400, "NotSupported");
    assert_eq!(bench.ask("GET", "/logstores/m").await.json()["telemetryType"], "Metrics");
    for (query, names, total) in [
        ("", vec!["app", "full", "m"], 3),
        ("?offset=1&size=1", vec!["full"], 3),
        ("?logstoreName=pp&offset=&size=", vec!["app"], 1),
        ("?telemetryType=Metrics", vec!["m"], 1),
    ] {
        let list = bench.ask("GET", &format!("/logstores{query}")).await.json();
        assert_eq!(
            (&list["logstores"], &list["total"], &list["count"]),
            (&json!(names), &json!(total), &json!(names.len()))
        );
    }
    bench.ask("DELETE", "/logstores/full").await.empty();
    bench.ask("GET", "/logstores/full").await.refused(404, "LogStoreNotExist");
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn shards_split_and_merge_and_their_keys_tile_the_space() {
    let bench = bench().await;
    bench.shop(2).await;
    let half = "80000000000000000000000000000000";
    let zero = "00000000000000000000000000000000";
    let (first, last) = ("40000000000000000000000000000000", "ffffffffffffffffffffffffffffffff");
    let shown = |list: &Value| -> Vec<(i64, String, String, String)> {
        let text = |shard: &Value, key: &str| shard[key].as_str().unwrap().to_owned();
        let shards = list.as_array().unwrap().iter();
        let shown = shards.map(|s| {
            let id = s["shardID"].as_i64().unwrap();
            (id, text(s, "status"), text(s, "inclusiveBeginKey"), text(s, "exclusiveEndKey"))
        });
        shown.collect()
    };
    let row = |id: i64, status: &str, begin: &str, end: &str| (id, status.to_owned(), begin.to_owned(), end.to_owned());
    let list = bench.ask("GET", "/logstores/app/shards").await.json();
    assert_eq!(shown(&list), [row(0, "readwrite", zero, half), row(1, "readwrite", half, last)]);
    assert_eq!(list[0]["createTime"], 1_700_000_000);
    let split = bench.ask("POST", &format!("/logstores/app/shards/0?action=split&key={first}")).await.json();
    assert_eq!(
        shown(&split),
        [row(0, "readonly", zero, half), row(2, "readwrite", zero, first), row(3, "readwrite", first, half)]
    );
    let merged = bench.ask("POST", "/logstores/app/shards/2?action=merge").await.json();
    assert_eq!(
        shown(&merged),
        [row(2, "readonly", zero, first), row(3, "readonly", first, half), row(4, "readwrite", zero, half)]
    );
    assert_eq!(shown(&bench.ask("POST", "/logstores/app/shards/1?action=split").await.json()).len(), 3);
    bench.ask("DELETE", "/logstores/app/shards/4").await.refused(400, "ParameterInvalid");
    bench.ask("DELETE", "/logstores/app/shards/0").await.empty();
    bench.ask("DELETE", "/logstores/app/shards/0").await.refused(404, "ShardNotExist");
    bench.ask("POST", "/logstores/app/shards/4?action=split&key=xyz").await.refused(400, "InvalidKey");
    bench
        .ask("POST", &format!("/logstores/app/shards/4?action=split&key={last}"))
        .await
        .refused(400, "ParameterInvalid");
    bench.ask("POST", "/logstores/app/shards/99?action=split").await.refused(404, "ShardNotExist");
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn an_index_is_given_back_as_it_came() {
    let bench = bench().await;
    bench.shop(1).await;
    let index = json!({
        "line": { "token": [",", " "], "caseSensitive": false, "chn": false },
        "keys": { "status": { "type": "long", "doc_value": true }, "msg": { "type": "text", "token": [" "], "doc_value": false } },
        "max_text_len": 2048,
    });
    bench.ask("GET", "/logstores/app/index").await.refused(400, "IndexConfigNotExist");
    bench.sls(ask("PUT", "/logstores/app/index").json(index.clone())).await.refused(400, "IndexConfigNotExist");
    bench.sls(ask("POST", "/logstores/app/index").json(index.clone())).await.empty();
    bench.sls(ask("POST", "/logstores/app/index").json(index.clone())).await.refused(400, "IndexAlreadyExist");
    let mut got = bench.ask("GET", "/logstores/app/index").await.json();
    assert_eq!(got.as_object_mut().unwrap().remove("lastModifyTime"), Some(json!(1_700_000_000)));
    assert_eq!(got, index);
    bench.sls(ask("PUT", "/logstores/app/index").json(json!({ "line": { "token": [";"] } }))).await.empty();
    assert_eq!(bench.ask("GET", "/logstores/app/index").await.json()["line"]["token"], json!([";"]));
    for body in [json!({}), json!({ "keys": { "a": { "type": "blob" } } }), json!({ "keys": [] })] {
        bench.sls(ask("PUT", "/logstores/app/index").json(body)).await.refused(400, "ParameterInvalid");
    }
    bench.ask("DELETE", "/logstores/app/index").await.empty();
    bench.ask("DELETE", "/logstores/app/index").await.refused(400, "IndexConfigNotExist");
    bench.storage.shutdown().await.unwrap();
}
