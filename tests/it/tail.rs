//! Rows pushed to `culprit tail`, and fanout readers of a server that is killed.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::harness::{Server, command};

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_tail_prints_what_comes_and_ends_with_its_server() {
    let mut server = Server::start("").await;
    server.client.ingest("default/shop", "{\"n\":1,\"word\":\"Timeout\"}\n{\"n\":2}").await;
    let mut tail = command()
        .args(["tail", "shop", "--from", "begin", "--search", "timeout", "--server", server.url()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(tail.stdout.take().expect("it is a pipe")).lines();
    let mut next = async || -> Option<Value> {
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("the tail goes on").unwrap();
        line.map(|line| serde_json::from_str(&line).unwrap())
    };
    assert_eq!(next().await.unwrap()["n"], 1);
    server.client.ingest("default/shop", "{\"n\":3,\"word\":\"no\"}\n{\"n\":4,\"word\":\"timeouts\"}").await;
    assert_eq!(next().await.unwrap()["n"], 4);
    server.stop().await;
    assert!(next().await.is_none());
    assert!(tail.wait().await.unwrap().success());
}

#[tokio::test]
async fn what_a_fanout_group_acknowledged_survives_a_kill() {
    let mut server = Server::start("").await;
    for n in 0..10 {
        server.client.ingest("default/jobs", json!({ "n": n }).to_string()).await;
    }
    let (first, batches) = pull(&server, 4).await;
    let acks: Vec<Value> = batches.iter().map(|(shard, offset)| json!({ "shard": shard, "offset": offset })).collect();
    let body = json!({ "consumer": "worker", "acks": acks });
    let (status, report) = server.client.post_json("/api/fanout/default/jobs/workers/ack", &body).await;
    assert_eq!((status.as_u16(), &report["acknowledged"]), (200, &json!(4)));
    server.kill9().await;
    server.restart().await;
    let (rest, _) = pull(&server, 100).await;
    assert!(first.is_disjoint(&rest), "acknowledged rows came again: {first:?} and {rest:?}");
    assert_eq!(first.union(&rest).copied().collect::<Vec<u64>>(), (0..10).collect::<Vec<u64>>());
}

/// The numbers in so many batches, and where these stand.
async fn pull(server: &Server, batches_max: usize) -> (BTreeSet<u64>, Vec<(u64, u64)>) {
    let body = json!({ "consumer": "worker", "max_groups": batches_max });
    let (status, answer) = server.client.post_json("/api/fanout/default/jobs/workers/pull", &body).await;
    assert_eq!(status.as_u16(), 200, "{answer}");
    let batches = answer["batches"].as_array().unwrap();
    let rows = batches.iter().flat_map(|batch| batch["rows"].as_array().unwrap());
    let places = batches.iter().map(|batch| (batch["shard"].as_u64().unwrap(), batch["offset"].as_u64().unwrap()));
    (rows.map(|row| row["n"].as_u64().unwrap()).collect(), places.collect())
}
