//! The way in and out: every format, visible at once, the same after a restart; and what SQL may not do.

use std::io::Write;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Point, Server, now_millis, run_against, text, wait_for};

const NDJSON: &str = "{\"time\":\"2026-01-01T00:00:00Z\",\"status\":200,\"path\":\"/a\",\"ms\":1.5}\n\
                      {\"time\":\"2026-01-01T00:00:01Z\",\"status\":500,\"path\":\"/b\",\"ms\":2}\n";

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn every_format_is_visible_at_once_and_after_a_restart() {
    let mut server = Server::start("").await;
    let array = "[{\"@timestamp\":1767225600,\"status\":200,\"path\":\"/a\",\"ms\":1.5},
                  {\"@timestamp\":1767225601000,\"status\":500,\"path\":\"/b\",\"ms\":2}]";
    let logfmt =
        "time=2026-01-01T00:00:00Z status=200 path=/a ms=1.5\ntime=2026-01-01T00:00:01Z status=500 path=/b ms=2\n";
    let zstd = zstd::encode_all(NDJSON.as_bytes(), 0).unwrap();
    let bodies: [(&str, &str, Option<&str>, Vec<u8>); 6] = [
        ("ndjson", "ndjson", None, NDJSON.into()),
        ("json_array", "json", None, array.into()),
        ("logfmt", "logfmt", None, logfmt.into()),
        ("gzipped", "ndjson", Some("gzip"), gzip(NDJSON)),
        ("zstandard", "ndjson", Some("zstd"), zstd),
        ("named_time", "ndjson&time_field=at", None, NDJSON.replace("\"time\"", "\"at\"").into()),
    ];
    for (store, format, encoding, body) in &bodies {
        let mut request = server.client.request(Method::POST, &format!("/api/ingest/default/{store}?format={format}"));
        if let Some(encoding) = encoding {
            request = request.header("content-encoding", *encoding);
        }
        let report: Value = request.body(body.clone()).send().await.unwrap().json().await.unwrap();
        assert_eq!((&report["accepted"], &report["rejected"]), (&json!(2), &json!(0)), "{store}: {report}");
        check_rows(&server, store).await;
    }
    server.client.ingest("default/lines?format=line", "one\ntwo words\n").await;
    server.stop().await;
    server.restart().await;
    for (store, ..) in &bodies {
        check_rows(&server, store).await;
    }
    let lines = server.client.sql("SELECT _msg FROM lines ORDER BY _msg").await;
    assert_eq!(lines, [[json!("one")], [json!("two words")]]);
    let stored = server.client.get_ok("/api/stores?project=default").await;
    assert_eq!(stored["stores"].as_array().unwrap().len(), bodies.len() + 1, "{stored}");
}

/// The two rows that every body holds.
async fn check_rows(server: &Server, store: &str) {
    let query = format!("SELECT CAST(_time AS BIGINT) AS ns, status, path, ms FROM {store} ORDER BY ns");
    let second = |n: i64| json!((1_767_225_600 + n) * 1_000_000_000);
    let expected = [[second(0), json!(200), json!("/a"), json!(1.5)], [second(1), json!(500), json!("/b"), json!(2.0)]];
    assert_eq!(server.client.sql(&query).await, expected, "{store}");
    // The time range of the request cuts as the predicate would.
    let body =
        json!({"project": "default", "query": format!("SELECT path FROM {store}"), "from": "2026-01-01T00:00:01Z"});
    let (status, answer) = server.client.post_json("/api/sql", &body).await;
    assert_eq!((status, &answer["rows"]), (StatusCode::OK, &json!([["/b"]])), "{answer}");
}

#[tokio::test]
async fn answers_come_in_the_format_that_was_asked_for() {
    let server = Server::start("").await;
    server.client.ingest("default/shop", NDJSON).await;
    for (accept, expected) in [
        ("text/csv", "status,path\n200,/a\n500,/b\n"),
        ("application/x-ndjson", "{\"status\":200,\"path\":\"/a\"}\n{\"status\":500,\"path\":\"/b\"}\n"),
    ] {
        let request = server.client.request(Method::POST, "/api/sql").header("accept", accept);
        let query = json!({"project": "default", "query": "SELECT status, path FROM shop ORDER BY status"});
        let answer = request.json(&query).send().await.unwrap();
        assert!(answer.headers()["content-type"].to_str().unwrap().starts_with(accept));
        assert_eq!(answer.text().await.unwrap(), expected);
    }
    let query = "SELECT status, path FROM shop ORDER BY status";
    let output = run_against(server.url(), &["sql", query, "--output", "csv"]).await;
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "status,path\n200,/a\n500,/b\n");
}

#[tokio::test]
async fn samples_are_read_by_promql_and_by_sql_and_survive_a_restart() {
    let mut server = Server::start("").await;
    let begin = now_millis() / 1_000 * 1_000 - 120_000;
    let points: Vec<Point> = (0..12)
        .flat_map(|i| {
            ["a", "b"].map(|host| Point {
                labels: vec![("__name__", "requests_total".to_owned()), ("host", host.to_owned())],
                millis: begin + i * 10_000,
                value: if host == "a" { i as f64 * 20.0 } else { i as f64 * 5.0 },
            })
        })
        .collect();
    assert!(server.client.remote_write(&points).await.unwrap().is_success());
    for _ in 0..2 {
        check_samples(&server, begin).await;
        server.stop().await;
        server.restart().await;
    }
}

/// Rates of 2 and 0.5 per second, by construction.
async fn check_samples(server: &Server, begin: i64) {
    let time = (begin / 1_000 + 105).to_string();
    let ask = async |query: &str| {
        let data = server.client.prometheus("/api/v1/query", &[("query", query), ("time", &time)]).await;
        let value = |series: &Value| text(&series["value"][1]).parse::<f64>().unwrap();
        data["result"].as_array().unwrap().iter().map(value).collect::<Vec<f64>>()
    };
    assert_eq!(ask("sort_desc(rate(requests_total[1m]))").await, [2.0, 0.5]);
    assert_eq!(ask("sum(requests_total)").await, [250.0]);
    let hosts = server.client.prometheus("/api/v1/label/host/values", &[]).await;
    assert_eq!(hosts, json!(["a", "b"]));
    let series = server.client.prometheus("/api/v1/series", &[("match[]", "requests_total")]).await;
    assert_eq!(series.as_array().unwrap().len(), 2);
    let query =
        "SELECT host, count(*), max(value) FROM metrics WHERE metric = 'requests_total' GROUP BY host ORDER BY host";
    assert_eq!(
        server.client.sql(query).await,
        [[json!("a"), json!(12), json!(220.0)], [json!("b"), json!(12), json!(55.0)]]
    );
}

#[tokio::test]
async fn sql_reads_and_does_nothing_else() {
    let server = Server::start("").await;
    server.client.ingest("default/shop", NDJSON).await;
    let file = server.folder().join("secret.csv");
    std::fs::write(&file, "a\n1\n").unwrap();
    let file = file.display();
    for query in [
        "DROP TABLE shop".to_owned(),
        "CREATE TABLE t AS SELECT 1".to_owned(),
        "CREATE VIEW v AS SELECT * FROM shop".to_owned(),
        "INSERT INTO shop SELECT * FROM shop".to_owned(),
        "DELETE FROM shop".to_owned(),
        format!("COPY shop TO '{file}.out' STORED AS CSV"),
        format!("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '{file}'"),
        format!("SELECT * FROM '{file}'"),
        format!("SELECT * FROM \"{file}\""),
        "SET datafusion.execution.batch_size = 1".to_owned(),
        "EXPLAIN ANALYZE INSERT INTO shop SELECT * FROM shop".to_owned(),
    ] {
        let (status, body) = server.client.try_sql(&query).await;
        assert!(status.is_client_error(), "{query}: {status} {body}");
        assert_eq!(text(&body["error"]).lines().count(), 1, "{query}: {body}");
    }
    assert_eq!(server.client.sql_value("SELECT count(*) FROM shop").await, json!(2));
    assert!(!server.folder().join("secret.csv.out").exists());
}

#[tokio::test]
async fn stores_are_listed_given_a_ttl_and_deleted_by_command() {
    let server = Server::start("[store]\nflush_age = \"1s\"\n").await;
    for store in ["shop", "web"] {
        server.client.ingest(&format!("default/{store}"), NDJSON).await;
    }
    let admin = async |arguments: &[&str]| {
        let output = run_against(server.url(), &[&["admin"], arguments].concat()).await;
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let listed = admin(&["stores"]).await;
    assert!(listed.contains("shop") && listed.contains("web"), "{listed}");
    admin(&["delete", "web"]).await;
    let (status, _) = server.client.try_sql("SELECT * FROM web").await;
    assert_eq!(status, StatusCode::NOT_FOUND);

    // Counted from receipt: the rows' own times are long past either way.
    assert_eq!(server.client.sql_value("SELECT count(*) FROM shop").await, json!(2));
    admin(&["ttl", "shop", "1s"]).await;
    let stores = server.client.get_ok("/api/stores?project=default").await;
    assert_eq!(stores["stores"][0]["ttl_seconds"], json!(1), "{stores}");
    wait_for("the rows to expire", Duration::from_secs(90), async || {
        (server.client.sql_value("SELECT count(*) FROM shop").await == json!(0)).then_some(())
    })
    .await;
}
