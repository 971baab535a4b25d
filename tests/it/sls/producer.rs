//! PyPI's `aliyun-log-producer`, a binding of the producer in Rust: everything that it says it delivered is there once.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{ADMINISTRATOR, Server, Sls, client_command, cursor_of, finish_client, number_of, python};

const PATIENCE: Duration = Duration::from_secs(120);
const LOGS: u64 = 500;
const SHARDS: usize = 2;

#[tokio::test]
async fn the_producer_delivers_everything_once() {
    let server = Server::start_locked("").await;
    let sls = Sls::new(&server.client, "produced", Some(ADMINISTRATOR));
    sls.create_project().await;
    sls.create_store("shop", SHARDS).await;
    let mut command = client_command(&python().await, &server);
    command.args(["producer.py", "produced", "shop", &LOGS.to_string()]);
    let said = finish_client(&mut command, PATIENCE).await;
    let outcome: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error} in {said}"));
    assert_eq!(outcome, json!({"delivered": 2 * LOGS, "failed": []}));

    let mut found = BTreeMap::<(String, u64), u64>::new();
    for shard in 0..SHARDS as u64 {
        let end = number_of(&sls.cursor("shop", shard, "end").await.unwrap());
        let mut at = number_of(&sls.cursor("shop", shard, "begin").await.unwrap());
        while at < end {
            let pull = sls.pull("shop", shard, &cursor_of(at), 100).await.unwrap();
            for group in &pull.groups {
                assert_eq!((group.topic.as_deref(), group.source.as_deref()), (Some("produced"), Some("10.3.2.1")));
                assert!(group.tags.iter().any(|tag| tag.key == "__pack_id__"), "the producer numbers its packs");
                for log in &group.logs {
                    let n = log.get("n").parse().unwrap();
                    assert_eq!(log.get("message"), format!("log {n} of a producer"));
                    *found.entry((log.get("compression").to_owned(), n)).or_default() += 1;
                }
            }
            at = number_of(&pull.next);
        }
    }
    let expected = ["lz4", "zstd"].into_iter().flat_map(|name| (0..LOGS).map(move |n| ((name.to_owned(), n), 1)));
    assert_eq!(found, expected.collect());
}
