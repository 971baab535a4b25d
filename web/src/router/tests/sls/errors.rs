use std::collections::BTreeSet;

use culprit_store::{Grant, KeyPair, ProjectName, Right, Scope};

use super::*;

#[tokio::test]
async fn every_refusal_is_one_of_the_api() {
    let bench = bench().await;
    bench.shop(1).await;
    for (method, path, status, code) in [
        ("GET", "/jobs?jobType=Alert", 400, "NotSupported"),
        ("POST", "/machinegroups", 400, "NotSupported"),
        ("GET", "/logstores/app/shipper", 400, "NotSupported"),
        ("GET", "/logstores/", 200, ""),
        ("PATCH", "/logstores/app", 405, "InvalidMethod"),
        ("POST", "/logstores", 400, "PostBodyInvalid"),
        ("GET", "/logstores/..%2F..%2Fetc%2Fpasswd", 400, "ParameterInvalid"),
        ("GET", "/logstores/%00", 400, "ParameterInvalid"),
        ("GET", "/logstores/%ff", 400, "ParameterInvalid"),
        ("GET", "/logstores?size=501", 400, "ParameterInvalid"),
        ("GET", "/logstores?offset=-1", 400, "ParameterInvalid"),
        // Not in the routes' table, and of this API by its headers.
        ("DELETE", "/healthz", 400, "NotSupported"),
    ] {
        let got = bench.ask(method, path).await;
        if status == 200 {
            got.ok();
        } else {
            got.refused(status, code);
        }
    }
    let long = format!("/logstores/{}", "x".repeat(10_000));
    bench.ask("GET", &long).await.refused(400, "ParameterInvalid");
    for (host, status, code) in [
        ("none.sls.local", 404, "ProjectNotExist"),
        ("-.sls.local", 400, "ParameterInvalid"),
        ("shop.elsewhere.example", 400, "ParameterInvalid"),
        ("127.0.0.1", 400, "ParameterInvalid"),
    ] {
        let request = Request::get("/logstores").header("host", host).header("x-log-apiversion", "0.6.0");
        bench.sls(Ask { request, body: Vec::new() }).await.refused(status, code);
    }
    let metrics = bench.get("/metrics").await;
    metrics.assert(StatusCode::OK, "culprit_web_requests_total{route=\"CreateLogStore\",status=\"200\"} 1");
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn the_root_is_shared_with_the_console() {
    let bench = bench().await;
    assert_eq!(bench.get("/").await.json()["name"], "culprit");
    let meant = |name: &str, value: &str| Ask { request: Request::get("/").header(name, value), body: Vec::new() };
    for (name, value) in
        [("x-log-apiversion", "0.6.0"), ("authorization", "LOG a:b"), ("authorization", "SLS4-HMAC-SHA256 x")]
    {
        assert!(bench.sls(meant(name, value)).await.json()["projects"].is_array(), "{name}: {value}");
    }
    bench.call("POST", "/", "{}").await.assert(StatusCode::BAD_REQUEST, "projectName is missing");
    bench.storage.shutdown().await.unwrap();
}

/// Basic stands for all three kinds here; signatures have tests of their own.
#[tokio::test]
async fn a_key_may_what_it_was_granted() {
    let bench = bench().await;
    bench.shop(1).await;
    bench.storage.ensure_administrator(KeyPair::parse("root:secret").unwrap()).await.unwrap();
    for (id, right) in
        [("writer", Right::Write), ("reader", Right::Read), ("consumer", Right::Consume), ("admin", Right::Admin)]
    {
        let grant =
            Grant { project: Scope::Project(ProjectName::parse("shop").unwrap()), rights: BTreeSet::from([right]) };
        bench.storage.create_key(KeyPair::parse(&format!("{id}:secret")).unwrap(), vec![grant]).await.unwrap();
    }
    let basic = |id: &str| {
        use base64::Engine;
        let engine = base64::engine::general_purpose::STANDARD;
        format!("Basic {}", engine.encode(format!("{id}:secret")))
    };
    bench.ask("GET", "/logstores").await.refused(401, "Unauthorized");
    bench
        .sls(ask("GET", "/logstores").header("authorization", basic("nobody")))
        .await
        .refused(401, "InvalidAccessKeyId");
    let put = || ask("POST", "/logstores/app").logs(&group(&["x"]));
    let pull = || ask("GET", "/logstores/app/shards/0?type=log&cursor=MA==");
    let split = || ask("POST", "/logstores/app/shards/0?action=split");
    let list = || ask("GET", "/logstores");
    for (id, may_put, may_pull, may_split) in [
        ("writer", true, false, false),
        ("reader", false, false, false),
        ("consumer", false, true, false),
        ("admin", true, true, true),
    ] {
        for (asked, may) in [(list(), true), (put(), may_put), (pull(), may_pull), (split(), may_split)] {
            let got = bench.sls(asked.header("authorization", basic(id))).await;
            if may {
                got.ok().status.to_string()
            } else {
                got.refused(403, "Unauthorized")
            };
        }
    }
    let abroad = Request::get("http://default.sls.local/logstores").header("authorization", basic("admin"));
    bench.sls(Ask { request: abroad, body: Vec::new() }).await.refused(403, "Unauthorized");
    let all =
        Request::get("http://sls.local/").header("authorization", basic("reader")).header("x-log-apiversion", "0.6.0");
    assert_eq!(bench.sls(Ask { request: all, body: Vec::new() }).await.json()["total"], 1, "others are not shown");
    bench.storage.shutdown().await.unwrap();
}
