//! A newcomer's mistakes: each gets one clear line.

use super::*;

#[tokio::test]
async fn wrong_bodies_and_wrong_routes() {
    let bench = bench().await;
    bench.post("/api/ingest/default/shop", "{\"status\":1}").await;
    for (method, path, body, status, text) in [
        ("POST", "/api/sql", "", 400, "the body is empty; this route takes JSON, for example {\\\"project\\\""),
        ("POST", "/api/sql", "{\"query\":", 400, "EOF while parsing a value at line 1 column 9"),
        ("POST", "/api/sql", "{\"qurey\":\"x\"}", 400, "unknown field `qurey`, expected one of"),
        ("POST", "/api/sql", "{\"query\":1}", 400, "invalid type: integer `1`, expected a string"),
        ("POST", "/api/sql", "{\"query\":\"SELEC 1\"}", 400, "SELEC"),
        ("POST", "/api/sql", "{\"query\":\"SELECT colour FROM shop\"}", 400, "there is no column \\\"colour\\\""),
        ("POST", "/api/sql", "{\"query\":\"SELECT 1 FROM shopp\"}", 404, "shopp"),
        ("POST", "/api/sql", "{\"query\":\"DROP TABLE shop\"}", 400, "only SELECT"),
        ("POST", "/api/sql", "{\"query\":\"SELECT 1\",\"project\":\"-\"}", 400, "project name \\\"-\\\" is not valid"),
        ("GET", "/api/sql", "", 405, "/api/sql does not take GET"),
        ("GET", "/api/v2/query", "", 404, "there is no route /api/v2/query; /openapi.json lists the routes"),
        ("POST", "/api/v1/label/x/values", "", 405, "does not take POST"),
    ] {
        let answer = bench.call(method, path, body).await;
        answer.assert(StatusCode::from_u16(status).unwrap(), text);
        let line = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(!line.contains('\n') && !line.ends_with('.'), "{line}");
    }
    let large = format!("{{\"query\":\"{}\"}}", " ".repeat(1 << 20));
    bench.post("/api/sql", &large).await.assert(StatusCode::PAYLOAD_TOO_LARGE, "more than the 1048576 bytes");
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn pages_of_other_sites_are_refused() {
    let bench = bench().await;
    for (origin, status) in [("http://127.0.0.1:6700", 200), ("https://evil.example", 403), ("null", 403)] {
        let request = Request::post("/api/sql").header("host", "127.0.0.1:6700").header("origin", origin);
        let answer = bench.send(request.body(Body::from("{\"query\":\"SELECT 1\"}")).unwrap()).await;
        assert_eq!(answer.status, status, "{origin}: {}", answer.text);
    }
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_closed_store_says_later() {
    let bench = bench().await;
    bench.post("/api/ingest/default/shop", "{\"a\":1}").await.assert(StatusCode::OK, "\"accepted\":1");
    bench.storage.shutdown().await.unwrap();
    let answer = bench.post("/api/ingest/default/shop", "{\"a\":1}").await;
    answer.assert(StatusCode::SERVICE_UNAVAILABLE, "the store is shutting down");
    assert_eq!(answer.header("retry-after"), "1");
}
