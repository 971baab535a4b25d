//! Rows in, rows out: ingest, SQL, search, explain.

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use arrow::ipc::reader::StreamReader;
use serde_json::json;

use super::*;

const ROWS: &str = r#"{"_time":"2023-11-14T22:00:00Z","service":"cart","status":200,"_msg":"ok"}
{"_time":"2023-11-14T22:01:00.5Z","service":"cart","status":500,"_msg":"upstream timeout"}
{"_time":"2023-11-14T22:02:00Z","service":"pay","status":503,"_msg":"Timeout of bank"}
"#;

async fn shop() -> Bench {
    let bench = bench().await;
    let report = bench.post("/api/ingest/default/shop", ROWS).await;
    assert_eq!((report.status, report.json()), (200, json!({"accepted": 3, "rejected": 0, "reasons": []})));
    bench
}

#[tokio::test]
async fn ingest_answers_with_counts_and_reasons() {
    let bench = bench().await;
    let partly = bench.post("/api/ingest/default/web?format=ndjson", "{\"a\":1}\n{\"a\":\n").await;
    assert_eq!(partly.status, 200);
    assert_eq!((&partly.json()["accepted"], &partly.json()["reasons"][0]["line"]), (&json!(1), &json!(2)));
    let none = bench.post("/api/ingest/default/web?format=ndjson", "{\"a\":\n").await;
    assert_eq!((none.status, &none.json()["rejected"]), (400, &json!(1)));
    bench.post("/api/ingest/default/web", "").await.assert(StatusCode::OK, "\"accepted\":0");
    for (path, status, text) in [
        ("/api/ingest/default/web?format=xml", 400, "unknown format \\\"xml\\\""),
        ("/api/ingest/default/web?key=1", 400, "32 hexadecimal digits"),
        ("/api/ingest/default/a%20b", 400, "only letters, digits"),
    ] {
        bench.post(path, "{\"a\":1}").await.assert(StatusCode::from_u16(status).unwrap(), text);
    }
    let gzip =
        Request::post("/api/ingest/default/web").header("content-encoding", "gzip").body(Body::from("{}")).unwrap();
    bench.send(gzip).await.assert(StatusCode::BAD_REQUEST, "not valid gzip");
    for bytes in [BODY_BYTES_MAX + 1, BODY_BYTES_MAX + (1 << 20)] {
        let large = bench.post("/api/ingest/default/web", &"x".repeat(bytes)).await;
        large.assert(StatusCode::PAYLOAD_TOO_LARGE, "more than the 4096 bytes");
        large.assert(StatusCode::PAYLOAD_TOO_LARGE, "raise ingest.body_bytes_max");
    }
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn sql_answers_in_four_formats() {
    let bench = shop().await;
    let ask = r#"{"query":"SELECT _time, service, status FROM shop ORDER BY _time"}"#;
    let json = bench.accepting("/api/sql", "application/json", ask).await;
    assert_eq!(json.header("content-type"), "application/json");
    let answer = json.json();
    let types: Vec<&str> = answer["columns"].as_array().unwrap().iter().map(|c| c["type"].as_str().unwrap()).collect();
    assert!(types[0].starts_with("Timestamp") && types[1..] == ["Utf8", "Int64"], "{types:?}");
    assert_eq!(answer["rows"][1], json!(["2023-11-14T22:01:00.500Z", "cart", 500]));
    assert_eq!(answer["rows"].as_array().unwrap().len(), 3);
    assert!(answer["elapsed_ms"].as_f64().unwrap() > 0.0);

    let ndjson = bench.accepting("/api/sql", "application/x-ndjson", ask).await;
    assert_eq!(ndjson.text.lines().count(), 3);
    assert_eq!(
        ndjson.text.lines().next().unwrap(),
        r#"{"_time":"2023-11-14T22:00:00Z","service":"cart","status":200}"#
    );
    let csv = bench.accepting("/api/sql", "text/html, text/csv;q=0.9", ask).await;
    assert_eq!(csv.header("content-type"), "text/csv");
    assert_eq!(csv.text.lines().last().unwrap(), "2023-11-14T22:02:00Z,pay,503");
    assert_eq!(csv.text.lines().next().unwrap(), "_time,service,status");

    let request = Request::post("/api/sql").header("accept", "application/vnd.apache.arrow.stream");
    let response = bench.router.clone().oneshot(request.body(Body::from(ask)).unwrap()).await.unwrap();
    let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let batches: Vec<_> = StreamReader::try_new(bytes.as_ref(), None).unwrap().map(Result::unwrap).collect();
    let statuses: Vec<i64> =
        batches.iter().flat_map(|batch| batch.column(2).as_primitive::<Int64Type>().values().to_vec()).collect();
    assert_eq!(statuses, [200, 500, 503]);
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn an_empty_answer_has_its_columns() {
    let bench = shop().await;
    let ask = r#"{"query":"SELECT service FROM shop WHERE status = 1"}"#;
    let json = bench.post("/api/sql", ask).await.json();
    assert_eq!((&json["columns"], &json["rows"]), (&json!([{"name": "service", "type": "Utf8"}]), &json!([])));
    assert_eq!(bench.accepting("/api/sql", "text/csv", ask).await.text, "service\n");
    assert_eq!(bench.accepting("/api/sql", "application/x-ndjson", ask).await.text, "");
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn from_and_to_bound_the_rows() {
    let bench = shop().await;
    for (bounds, rows) in [
        (r#""from":"2023-11-14T22:01:00Z""#, 2),
        (r#""from":1699999260,"to":"2023-11-14T23:02:00+01:00""#, 1),
        (r#""to":1699999260500"#, 1),
        (r#""to":1699999260500000001"#, 2),
        (r#""from":null,"to":null"#, 3),
    ] {
        let ask = format!(r#"{{"project":"default","query":"SELECT count(*) FROM shop",{bounds}}}"#);
        let answer = bench.post("/api/sql", &ask).await;
        assert_eq!(answer.json()["rows"], json!([[rows]]), "{bounds}");
    }
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn search_gives_the_newest_first() {
    let bench = shop().await;
    let found = bench.post("/api/search", r#"{"store":"shop","query":"timeout","limit":10}"#).await.json();
    let names: Vec<&str> = found["columns"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    let at = names.iter().position(|name| *name == "service").unwrap();
    let services: Vec<&Value> = found["rows"].as_array().unwrap().iter().map(|row| &row[at]).collect();
    assert_eq!(services, [&json!("pay"), &json!("cart")]);
    let first = bench.post("/api/search", r#"{"store":"shop","limit":1}"#).await.json();
    assert_eq!(first["rows"].as_array().unwrap().len(), 1);
    for (body, status, text) in [
        (r#"{"store":"shop","query":"(a"}"#, 400, "a closing parenthesis was expected"),
        (r#"{"store":"shop","query":"colour:red"}"#, 400, "there is no column \\\"colour\\\""),
        (r#"{"store":"shop","limit":100000}"#, 400, "limit is 100000; it must be at most 10000"),
        (r#"{"store":"none"}"#, 404, "project default has no store \\\"none\\\"; it has: shop"),
        (r#"{"store":"shop","from":"soon"}"#, 400, "from: \\\"soon\\\" is not a time"),
    ] {
        bench.post("/api/search", body).await.assert(StatusCode::from_u16(status).unwrap(), text);
    }
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn an_explanation_names_what_was_planted() {
    let bench = bench().await;
    for part in 0..40 {
        let rows: Vec<String> = (part * 50..(part + 1) * 50).map(planted).collect();
        let answer = bench.post("/api/ingest/default/shop", &rows.join("\n")).await;
        answer.assert(StatusCode::OK, "\"rejected\":0");
    }
    let ask = r#"{"store":"shop","where":"status >= 500","max_order":2,"budget_ms":5000}"#;
    let report = bench.post("/api/explain", ask).await.json();
    let first = &report["explanations"][0]["items"][0];
    assert_eq!((&first["dimension"], &first["value"]), (&json!("customer"), &json!("7")), "{report}");
    assert_eq!((report["rows"].as_u64(), report["rows_a"].as_u64()), (Some(2_000), Some(110)), "{report}");
    for (body, status, text) in [
        (r#"{"store":"none","where":"true"}"#, 404, "has no store"),
        (r#"{"store":"shop","where":"colour = 1"}"#, 400, "colour"),
        (r#"{"store":"shop","where":"status >="}"#, 400, "status >="),
        (r#"{"store":"shop","where":"status = 1"}"#, 400, "no row is in the anomalous slice"),
        (r#"{"store":"shop","where":"status > 1","max_order":9}"#, 400, "max_order is 9"),
        (r#"{"store":"shop"}"#, 400, "nothing is asked"),
    ] {
        bench.post("/api/explain", body).await.assert(StatusCode::from_u16(status).unwrap(), text);
    }
    bench.storage.shutdown().await.unwrap();
}

/// Of 20 customers one fails always, and every 200th request of the others does: 100 and 10 of 2,000 rows.
fn planted(at: usize) -> String {
    let customer = at % 20;
    let status = if customer == 7 || at % 200 == 3 { 500 } else { 200 };
    format!(r#"{{"customer":"{customer}","region":"r{}","status":{status}}}"#, (at / 20) % 3)
}
