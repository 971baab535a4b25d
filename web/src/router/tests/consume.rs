//! The push tail and fanout groups.

use base64::Engine;
use futures::StreamExt;
use serde_json::json;

use super::*;

/// An answer that does not end.
struct Open(axum::body::BodyDataStream);

impl Open {
    async fn bytes(&mut self) -> Vec<u8> {
        self.0.next().await.expect("the tail has not ended").unwrap().to_vec()
    }

    async fn rows(&mut self) -> Vec<Value> {
        let text = String::from_utf8(self.bytes().await).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Bench {
    async fn tail(&self, query: &str) -> Open {
        let request = Request::get(format!("/api/tail?{query}")).body(Body::empty()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        Open(response.into_body().into_data_stream())
    }

    async fn row(&self, n: u64) {
        let row = json!({ "n": n }).to_string();
        self.post("/api/ingest/default/web?key=00000000000000000000000000000000", &row)
            .await
            .assert(StatusCode::OK, "");
    }
}

fn numbers(rows: &[Value]) -> Vec<u64> {
    rows.iter().map(|row| row["n"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_tail_sends_rows_as_they_come() {
    let bench = bench().await;
    bench.row(1).await;
    let (mut all, mut new) = (bench.tail("store=web&from=begin").await, bench.tail("store=web").await);
    let rows = all.rows().await;
    assert_eq!(rows[0], json!({ "_shard": 0, "_cursor": "MA==", "_time": rows[0]["_time"], "n": 1 }));
    bench.row(2).await;
    assert_eq!((numbers(&all.rows().await), numbers(&new.rows().await)), (vec![2], vec![2]));
    let mut resumed = bench.tail("store=web&shard=0&from=MQ%3D%3D").await;
    assert_eq!(numbers(&resumed.rows().await), [2]);

    let mut framed = bench.tail("store=web&shard=0&from=begin&format=loggroup").await;
    let frame = framed.bytes().await;
    let (head, list) = frame.split_at(16);
    assert_eq!(head, [[0; 4], u32::try_from(list.len()).unwrap().to_be_bytes(), [0; 4], [0, 0, 0, 2]].concat());

    for (query, status, part) in [
        ("", StatusCode::BAD_REQUEST, "store is missing"),
        ("store=none", StatusCode::NOT_FOUND, "has no store and no view \\\"none\\\""),
        ("store=web&shard=7", StatusCode::NOT_FOUND, "shard 7 of default/web does not exist"),
        ("store=web&shard=x", StatusCode::BAD_REQUEST, "is no number"),
        ("store=web&from=MA%3D%3D", StatusCode::BAD_REQUEST, "with a shard one of its cursors"),
        ("store=web&shard=0&from=nonsense", StatusCode::BAD_REQUEST, "none of this server's"),
        ("store=web&shard=0&from=OTk%3D", StatusCode::BAD_REQUEST, "beyond the end"),
        ("store=web&format=xml", StatusCode::BAD_REQUEST, "known are ndjson and loggroup"),
    ] {
        bench.get(&format!("/api/tail?{query}")).await.assert(status, part);
    }
    bench.consumption.stop();
    assert!(all.0.next().await.is_none() && framed.0.next().await.is_none(), "a server that stops ends its tails");
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_fanout_group_leases_and_is_acknowledged() {
    let bench = bench().await;
    for n in 0..3 {
        bench.row(n).await;
    }
    let group = "/api/fanout/default/web/f";
    let pull = format!("{group}/pull");
    let first = bench.post(&pull, r#"{"consumer":"a","max_groups":2}"#).await.json();
    let batches = first["batches"].as_array().unwrap();
    assert_eq!(batches.len(), 2);
    assert_eq!((&batches[1]["offset"], &batches[1]["deliveries"]), (&json!(1), &json!(1)));
    assert_eq!(batches[1]["rows"][0]["n"], 1);
    let protobuf = bench.accepting(&pull, "application/x-protobuf", r#"{"consumer":"b","max_bytes":1}"#).await.json();
    let message =
        base64::engine::general_purpose::STANDARD.decode(protobuf["batches"][0]["log_group"].as_str().unwrap());
    assert_eq!((&protobuf["batches"][0]["offset"], message.unwrap()[0]), (&json!(2), 0x0a));
    bench.post(&pull, r#"{"consumer":"b","wait_ms":1}"#).await.assert(StatusCode::OK, r#"{"batches":[]}"#);

    let ack = bench.post(&format!("{group}/ack"), r#"{"consumer":"a","acks":[{"shard":0,"offset":0}]}"#).await;
    ack.assert(StatusCode::OK, r#"{"acknowledged":1,"again":0}"#);
    let state = bench.get(group).await.json();
    assert_eq!(state["shards"][0], json!({ "shard": 0, "checkpoint": 1, "end": 3, "in_flight": 2 }));
    for (path, body, status, part) in [
        (&pull, r#"{"consumer":"a","wait_ms":99999}"#, StatusCode::BAD_REQUEST, "at most 30000 ms"),
        (&pull, r#"{"consumer":""}"#, StatusCode::BAD_REQUEST, "consumer name"),
        (&pull, "", StatusCode::BAD_REQUEST, "for example"),
        (
            &format!("{group}/ack"),
            r#"{"consumer":"a","acks":[{"shard":0,"offset":9}]}"#,
            StatusCode::BAD_REQUEST,
            "offset 9",
        ),
        (&"/api/fanout/default/none/f/pull".to_owned(), r#"{"consumer":"a"}"#, StatusCode::NOT_FOUND, "no view"),
    ] {
        bench.post(path, body).await.assert(status, part);
    }
    assert_eq!(bench.call("DELETE", group, "").await.status, 204);
    bench.get(group).await.assert(StatusCode::NOT_FOUND, "has no consumer group \\\"f\\\"");
    bench.storage.shutdown().await.unwrap();
}
