use culprit_ingest::Codec;

use super::*;

/// Three logs a second apart from 1,700,000,000 on: paid, failed, paid; 10, 20 and 30 ms.
async fn bench_with_orders() -> Bench {
    let bench = bench().await;
    bench.shop(1).await;
    let index = json!({
        "line": { "token": [" "], "caseSensitive": false },
        "keys": { "ms": { "type": "long", "doc_value": true }, "state": { "type": "text", "token": [" "], "doc_value": true } },
    });
    bench.sls(ask("POST", "/logstores/app/index").json(index)).await.empty();
    let logs = [("paid", "10"), ("failed", "20"), ("paid", "30")];
    let logs = (0..).zip(logs).map(|(second, (state, ms))| Log {
        time: 1_700_000_000 + second,
        contents: vec![content("state", state), content("ms", ms)],
        time_ns: None,
    });
    bench.sls(ask("POST", "/logstores/app").logs(&LogGroup { logs: logs.collect(), ..group(&[]) })).await.empty();
    bench
}

const RANGE: &str = "from=1700000000&to=1700000010";

#[tokio::test]
async fn logs_are_found_by_body_and_by_parameters() {
    let bench = bench_with_orders().await;
    let body = json!({
        "from": 1_700_000_000, "to": 1_700_000_010, "query": "state: paid", "line": 100, "offset": 0, "reverse": true,
        "powerSql": false, "accurate": true, "fromNs": 0, "toNs": 0, "forward": true,
    });
    let asked = ask("POST", "/logstores/app/logs").json(body).header("accept-encoding", "lz4");
    let got = bench.sls(asked).await.ok();
    assert_eq!((got.header("x-log-compresstype"), got.header("content-type")), ("lz4", "application/json"));
    let size = got.header("x-log-bodyrawsize").parse().unwrap();
    let plain = Codec::Lz4.decompress(&got.body.into(), Some(size), 1 << 20).unwrap();
    let answer: Value = serde_json::from_slice(&plain).unwrap();
    let (meta, data) = (&answer["meta"], answer["data"].as_array().unwrap());
    assert_eq!((&meta["progress"], &meta["count"], &meta["hasSQL"]), (&json!("Complete"), &json!(2), &json!(false)));
    assert_eq!(meta["whereQuery"], "state: paid");
    let last = json!({ "state": "paid", "ms": "30", "__time__": "1700000002", "__topic__": "topic", "__source__": "10.0.0.1", "__tag__:host": "h1" });
    for (key, value) in last.as_object().unwrap() {
        assert_eq!(&data[0][key], value, "{key} of {}", data[0]);
    }
    assert_eq!((data.len(), &data[1]["ms"]), (2, &json!("10")));
    let path = format!("/logstores/app?type=log&{RANGE}&query=state:%20paid&line=1&offset=1&reverse=false&topic=");
    let got = bench.ask("GET", &path).await;
    assert_eq!(
        (got.header("x-log-progress"), got.header("x-log-count"), got.header("x-log-has-sql")),
        ("Complete", "1", "false")
    );
    assert_eq!(got.json()[0]["ms"], "30");
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn sql_counts_what_the_index_types() {
    let bench = bench_with_orders().await;
    let sql = "*%20%7C%20SELECT%20state,%20sum(ms)%20AS%20total%20FROM%20log%20GROUP%20BY%20state%20ORDER%20BY%20state";
    let got = bench.ask("GET", &format!("/logstores/app?type=log&{RANGE}&query={sql}&line=-1")).await;
    assert_eq!((got.header("x-log-has-sql"), got.header("x-log-count")), ("true", "2"));
    let info: Value = serde_json::from_str(got.header("x-log-query-info")).unwrap();
    assert_eq!(info["keys"], json!(["state", "total"]));
    assert_eq!(got.json(), json!([{ "state": "failed", "total": "20" }, { "state": "paid", "total": "40" }]));
    let sql = "SELECT%20count(*)%20AS%20n%20FROM%20app%20WHERE%20__time__%20%3E%201700000000";
    assert_eq!(bench.ask("GET", &format!("/logs?query={sql}&powerSql=False")).await.json(), json!([{ "n": "2" }]));
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn histograms_topics_and_neighbours() {
    let bench = bench_with_orders().await;
    let got = bench.ask("GET", &format!("/logstores/app?type=histogram&{RANGE}&query=&interval=5")).await;
    assert_eq!((got.header("x-log-progress"), got.header("x-log-count")), ("Complete", "3"));
    let counts = got.json();
    let total: u64 = counts.as_array().unwrap().iter().map(|bucket| bucket["count"].as_u64().unwrap()).sum();
    assert_eq!((total, &counts[0]["from"], &counts[0]["progress"]), (3, &json!(1_700_000_000), &json!("Complete")));
    let got = bench.ask("GET", "/logstores/app?type=topic&token=&line=10").await;
    assert_eq!((got.header("x-log-count"), got.header("x-log-nexttoken")), ("1", ""));
    assert_eq!(got.json(), json!(["topic"]));
    let path = format!("/logstores/app?type=log&{RANGE}&query=failed%20%7C%20with_pack_meta&line=1");
    let found = bench.ask("GET", &path).await.json();
    let text = |key: &str| found[0][key].as_str().unwrap_or("").replace('|', "%7C");
    let place = format!("pack_id={}&pack_meta={}", text("__tag__:__pack_id__"), text("__pack_meta__"));
    let path = format!("/logstores/app?type=context_log&{place}&back_lines=1&forward_lines=1");
    let around = bench.ask("GET", &path).await.json();
    assert_eq!((&around["progress"], &around["total_lines"]), (&json!("Complete"), &json!(3)));
    assert_eq!((&around["back_lines"], &around["forward_lines"]), (&json!(1), &json!(1)));
    let values: Vec<&Value> = around["logs"].as_array().unwrap().iter().map(|log| &log["ms"]).collect();
    assert_eq!(values, ["10", "20", "30"]);
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn wrong_questions_have_their_codes() {
    let bench = bench_with_orders().await;
    for (target, status, code) in [
        ("/logstores/app?type=log&query=x", 400, "ParameterInvalid"),
        ("/logstores/app?type=log&from=2&to=1", 400, "InvalidTimeRange"),
        ("/logstores/app?type=log&from=1&to=2&line=101", 400, "InvalidLine"),
        ("/logstores/app?type=log&from=1&to=2&line=x", 400, "InvalidLine"),
        ("/logstores/app?type=log&from=1&to=2&offset=-1", 400, "InvalidOffset"),
        ("/logstores/app?type=log&from=1&to=2&reverse=up", 400, "InvalidReverse"),
        ("/logstores/app?type=log&from=1&to=2&query=(x", 400, "InvalidQueryString"),
        ("/logstores/app?type=log&from=1&to=2&query=*%7CSELEC", 400, "InvalidQueryString"),
        ("/logstores/app?type=log&from=1&to=2&query=*%7CSELECT%20nothing", 400, "InvalidQueryString"),
        ("/logstores/app?type=log&from=1&to=2&query=*%7CDROP%20TABLE%20log", 400, "InvalidQueryString"),
        ("/logstores/none?type=log&from=1&to=2", 404, "LogStoreNotExist"),
        ("/logstores/none?type=histogram&from=1&to=2", 404, "LogStoreNotExist"),
        ("/logstores/app?type=histogram&from=1", 400, "ParameterInvalid"),
        ("/logstores/app?type=context_log&pack_id=x&pack_meta=y", 400, "ParameterInvalid"),
        ("/logs?query=", 400, "InvalidQueryString"),
    ] {
        bench.ask("GET", target).await.refused(status, code);
    }
    for (body, code) in [
        (json!({}), "ParameterInvalid"),
        (json!({ "from": "soon", "to": 2 }), "ParameterInvalid"),
        (json!({ "from": 1, "to": 2, "line": 101 }), "InvalidLine"),
        (json!([]), "PostBodyInvalid"),
    ] {
        bench.sls(ask("POST", "/logstores/app/logs").json(body)).await.refused(400, code);
    }
    bench.storage.shutdown().await.unwrap();
}
