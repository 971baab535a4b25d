//! The API of Prometheus: remote write in, queries out. The expected shapes are those of its HTTP API document.

use culprit_ingest::remote_write::{LabelPair, Sample, TimeSeries, WriteRequest};
use prost::Message;
use serde_json::json;

use super::*;

const AT: i64 = 1_700_000_000;

fn series(labels: &[(&str, &str)], samples: &[(i64, f64)]) -> TimeSeries {
    TimeSeries {
        labels: labels.iter().map(|(name, value)| LabelPair { name: (*name).into(), value: (*value).into() }).collect(),
        samples: samples.iter().map(|(timestamp, value)| Sample { value: *value, timestamp: *timestamp }).collect(),
        histograms: Vec::new(),
    }
}

fn packed(timeseries: Vec<TimeSeries>) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(&WriteRequest { timeseries }.encode_to_vec()).unwrap()
}

async fn written() -> Bench {
    let bench = bench().await;
    let body = packed(vec![
        series(&[("__name__", "up"), ("job", "api")], &[((AT - 30) * 1_000, 1.0), ((AT - 15) * 1_000 + 500, 0.0)]),
        series(&[("__name__", "up"), ("job", "db")], &[((AT - 30) * 1_000, 1e21)]),
        series(&[("__name__", "odd"), ("q", "a\"b\n")], &[((AT - 30) * 1_000, f64::INFINITY)]),
    ]);
    let answer = bench.call("POST", "/api/v1/write", body).await;
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    bench
}

#[tokio::test]
async fn remote_write_tells_senders_what_to_do() {
    let bench = bench().await;
    let nameless = || packed(vec![series(&[("job", "x")], &[(AT * 1_000, 1.0)])]);
    let path = "/prometheus/default/other/api/v1/write";
    bench.call("POST", path, nameless()).await.assert(StatusCode::BAD_REQUEST, "all 1 samples were rejected");
    bench.call("POST", path, "not snappy").await.assert(StatusCode::BAD_REQUEST, "snappy");
    let large = bench.call("POST", path, vec![0; BODY_BYTES_MAX + 1]).await;
    large.assert(StatusCode::PAYLOAD_TOO_LARGE, "raise ingest.body_bytes_max");
    assert_eq!(large.header("content-type"), "text/plain; charset=utf-8");
    let newer =
        Request::post(path).header("content-type", "application/x-protobuf;proto=io.prometheus.write.v2.Request");
    let newer = bench.send(newer.body(Body::from(nameless())).unwrap()).await;
    newer.assert(StatusCode::UNSUPPORTED_MEDIA_TYPE, "remote write 2.0 is not taken");
    bench.post("/api/ingest/default/shop", "{\"a\":1}").await;
    let good = || packed(vec![series(&[("__name__", "up")], &[(AT * 1_000, 1.0)])]);
    let wrong = bench.call("POST", "/prometheus/default/shop/api/v1/write", good()).await;
    wrong.assert(StatusCode::BAD_REQUEST, "holds logs");
    assert_eq!(bench.call("POST", path, good()).await.status, 204);
    bench.storage.shutdown().await.unwrap();
    bench.call("POST", path, good()).await.assert(StatusCode::SERVICE_UNAVAILABLE, "shutting down");
}

#[tokio::test]
async fn queries_have_the_shapes_of_prometheus() {
    let bench = written().await;
    let mut found = bench.get("/api/v1/query?query=up").await.json();
    assert_eq!(found["data"]["resultType"], "vector");
    found["data"]["result"].as_array_mut().unwrap().sort_by_key(|one| one["metric"]["job"].to_string());
    assert_eq!(
        found["data"]["result"],
        json!([
            {"metric": {"__name__": "up", "job": "api"}, "value": [AT, "0"]},
            {"metric": {"__name__": "up", "job": "db"}, "value": [AT, "1e+21"]},
        ]),
        "without a time it is now"
    );
    for (query, data) in [
        ("query=1.5&time=10.25", json!({"resultType": "scalar", "result": [10.25, "1.5"]})),
        ("query=%22text%22&time=0", json!({"resultType": "string", "result": [0, "text"]})),
        ("query=none", json!({"resultType": "vector", "result": []})),
        (
            "query=odd&time=2023-11-14T22:13:20Z",
            json!({"resultType": "vector", "result": [{"metric": {"__name__": "odd", "q": "a\"b\n"}, "value": [AT, "+Inf"]}]}),
        ),
        (
            "query=up{job=\"api\"}[1m]",
            json!({"resultType": "matrix", "result": [{
                "metric": {"__name__": "up", "job": "api"}, "values": [[AT - 30, "1"], [AT as f64 - 14.5, "0"]],
            }]}),
        ),
    ] {
        let query = query.replace('{', "%7B").replace('}', "%7D").replace('"', "%22");
        let answer = bench.get(&format!("/api/v1/query?{query}")).await.json();
        assert_eq!(answer, json!({"status": "success", "data": data}), "{query}");
    }
    let form = "query=up&start=1699999970&end=1700000000&step=15s&limit=1";
    let request = Request::post("/prometheus/default/metrics/api/v1/query_range")
        .header("content-type", "application/x-www-form-urlencoded");
    let answer = bench.send(request.body(Body::from(form)).unwrap()).await.json();
    let first = json!({
        "metric": {"__name__": "up", "job": "api"},
        "values": [[AT - 30, "1"], [AT - 15, "1"], [AT, "0"]],
    });
    assert_eq!(answer["data"], json!({"resultType": "matrix", "result": [first]}));
    assert_eq!(answer["warnings"], json!(["results truncated due to limit"]));
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn series_and_labels_by_selector_and_time() {
    let bench = written().await;
    for (path, data) in [
        ("labels", json!(["__name__", "job", "q"])),
        ("labels?match[]=odd", json!(["__name__", "q"])),
        ("labels?start=1&end=2", json!([])),
        ("label/job/values", json!(["api", "db"])),
        ("label/job/values?match[]=odd&match[]=up%7Bjob=%22db%22%7D", json!(["db"])),
        ("label/__name__/values", json!(["odd", "up"])),
        ("label/nothing/values", json!([])),
        (
            "series?match[]=up%7Bjob=~%22.%2B%22%7D&start=1699999980&end=1700000000",
            json!([{"__name__": "up", "job": "api"}]),
        ),
        ("metadata", json!({})),
        ("query_exemplars?query=up", json!([])),
        ("format_query?query=sum(up)by(job)", json!("sum by (job) (up)")),
    ] {
        let answer = bench.get(&format!("/api/v1/{path}")).await;
        assert_eq!((answer.status, &answer.json()["data"]), (200, &data), "{path}");
    }
    let limited = bench.get("/api/v1/label/job/values?limit=1").await.json();
    assert_eq!(
        (&limited["data"], &limited["warnings"][0]),
        (&json!(["api"]), &json!("results truncated due to limit"))
    );
    assert_eq!(bench.get("/api/v1/status/buildinfo").await.json()["data"]["version"], crate::about::VERSION);
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn mistakes_have_prometheus_error_types() {
    let bench = written().await;
    bench.post("/api/ingest/default/shop", "{\"a\":1}").await;
    for (path, status, kind, text) in [
        ("/api/v1/query?query=sum(", 400, "bad_data", "is never closed"),
        ("/api/v1/query", 400, "bad_data", "no expression found"),
        ("/api/v1/query?query=up&time=x", 400, "bad_data", "invalid parameter \"time\": cannot parse \"x\""),
        ("/api/v1/query?query=up&timeout=-1", 400, "bad_data", "above zero"),
        ("/api/v1/query?query=up&limit=x", 400, "bad_data", "valid number"),
        ("/api/v1/query_range?query=up&start=1&end=2", 400, "bad_data", "\"step\""),
        ("/api/v1/query_range?query=up&start=1&end=2&step=0", 400, "bad_data", "positive integer"),
        ("/api/v1/query_range?query=up&start=2&end=1&step=1", 400, "bad_data", "must not be before"),
        ("/api/v1/query_range?query=up&start=0&end=99999999&step=1", 400, "bad_data", "11,000 points"),
        ("/api/v1/query?query=up*on()up", 422, "execution", "matching"),
        ("/api/v1/series", 400, "bad_data", "no match[] parameter provided"),
        ("/api/v1/labels?match[]=1", 400, "bad_data", "series selector"),
        ("/prometheus/default/none/api/v1/query?query=up", 404, "not_found", "has no store \"none\""),
        ("/prometheus/default/shop/api/v1/labels", 400, "bad_data", "is a logstore, not a metricstore"),
        ("/prometheus/a%20b/x/api/v1/labels", 400, "bad_data", "only letters, digits"),
    ] {
        let answer = bench.get(path).await;
        let body = answer.json();
        assert_eq!(
            (answer.status, &body["status"], &body["errorType"]),
            (status, &json!("error"), &json!(kind)),
            "{path}: {body}"
        );
        assert!(body["error"].as_str().unwrap().contains(text), "{path}: {body}");
    }
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_fresh_server_answers_empty() {
    let bench = bench().await;
    for root in ["/api/v1", "/prometheus/system/metrics/api/v1"] {
        assert_eq!(bench.get(&format!("{root}/query?query=up")).await.json()["data"]["result"], json!([]));
        assert_eq!(bench.get(&format!("{root}/labels")).await.json()["data"], json!([]));
    }
    bench.storage.shutdown().await.unwrap();
}
