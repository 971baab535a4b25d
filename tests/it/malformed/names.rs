//! Names and targets that are meant to lead elsewhere.

use reqwest::Method;
use serde_json::json;

use super::raw;
use super::{Neighbour, PROJECT, STORE};
use crate::harness::{Log, LogGroup, Server, Sls};
use prost::Message;

#[tokio::test]
async fn names_that_lead_elsewhere() {
    let server = Server::start("").await;
    let sls = Sls::new(&server.client, PROJECT, None);
    sls.create_project().await;
    sls.create_store(STORE, 1).await;
    let neighbour = Neighbour::settle(&server).await;
    let before = sls.call(Method::GET, "/?size=500", None).await;
    targets(&server).await;
    hosts(&server).await;
    created(&server).await;
    assert_eq!(sls.call(Method::GET, "/logstores", None).await["logstores"], json!([STORE]));
    assert_eq!(sls.call(Method::GET, "/?size=500", None).await, before);
    let entries = std::fs::read_dir(server.folder()).unwrap().map(|entry| entry.unwrap().file_name());
    let mut entries: Vec<_> = entries.map(|name| name.into_string().unwrap()).collect();
    entries.sort();
    assert_eq!(entries, ["culprit.toml", "data", "server.log"], "nothing stands beside the data folder");
    neighbour.is_undisturbed(&server).await;
}

/// Log groups for stores that are none. Where the HTTP library refuses a target, there is no code.
async fn targets(server: &Server) {
    let group = LogGroup::of(vec![Log::new(1, &[("a", "b")])]).encode_to_vec();
    let headers = [("host", "attacked.sls.local"), ("content-type", "application/x-protobuf")];
    let long = "x".repeat(20_000);
    let endless = "y".repeat(1_000_000);
    for store in [
        "..",
        "../neighbour",
        "..%2f..%2fneighbour%2fshop",
        "%2e%2e%2fneighbour",
        "../../etc/passwd",
        "shop%00",
        "shop%2fx",
        "%ff%fe",
        "shop;drop",
        "SHOP",
        "shop%20",
        "%",
        "%zz",
        "shop\\x",
        "'shop'",
        "neighbour.shop",
        &long,
        &endless,
    ] {
        let (status, code) = raw::send(server, &format!("/logstores/{store}/shards/lb"), &headers, &group).await;
        assert!((400..500).contains(&status), "{store:.40}: {status} {code}");
        let is_by_library = [400, 414, 431].contains(&status) && code.is_empty();
        assert!(!code.is_empty() || is_by_library, "{store:.40}: {status} without a code");
    }
    for target in [
        "/logstores/shop/shards/route?key=%00",
        "/logstores/shop/shards/route?key=%zz",
        "/logstores/shop/shards/route",
        "/logstores/shop/shards/route?key=../../..",
        "/logstores/shop/shards/99999999999999999999?action=split",
        "/logstores/shop/shards/-1?action=split",
        "/logstores/shop/consumergroups/..%2f..?type=heartbeat&consumer=%00",
        "/logstores//shards/lb",
        "/logstores/shop/shards/lb/lb",
    ] {
        let (status, code) = raw::send(server, target, &headers, &group).await;
        assert!((400..500).contains(&status) && !code.is_empty(), "{target}: {status} {code}");
    }
}

/// The project stands in the Host.
async fn hosts(server: &Server) {
    let group = LogGroup::of(vec![Log::new(1, &[("a", "b")])]).encode_to_vec();
    let long = "z".repeat(5_000);
    for host in [
        "..sls.local",
        ".sls.local",
        "../neighbour.sls.local",
        "%6eeighbour.sls.local",
        "nobody.sls.local",
        "NEIGHBOUR/.sls.local",
        "neighbour\\.sls.local",
        &long,
    ] {
        let headers = [("host", host), ("content-type", "application/x-protobuf")];
        let (status, code) = raw::send(server, "/logstores/shop/shards/lb", &headers, &group).await;
        assert!((400..500).contains(&status), "{host:.40}: {status} {code}");
    }
    for project in ["../neighbour", "", "neighbour/shop", "%6eeighbour", "nobody"] {
        let headers = [("host", "sls.local"), ("x-log-project", project), ("content-type", "application/x-protobuf")];
        let (status, code) = raw::send(server, "/logstores/shop/shards/lb", &headers, &group).await;
        assert!((400..500).contains(&status) && !code.is_empty(), "{project}: {status} {code}");
    }
}

async fn created(server: &Server) {
    let headers = [("host", "attacked.sls.local"), ("content-type", "application/json")];
    let long = "n".repeat(1_000_000);
    for name in ["", "..", "../up", "a/b", "a\0b", "a b", "ümlaut", "-dash", "$(id)", "a'b", &long] {
        let store = json!({"logstoreName": name, "ttl": 1, "shardCount": 1}).to_string();
        let (status, code) = raw::send(server, "/logstores", &headers, store.as_bytes()).await;
        assert!(status == 400 && !code.is_empty(), "store {name:.40}: {status} {code}");
        let project = json!({"projectName": name, "description": ""}).to_string();
        let headers = [("host", "sls.local"), ("content-type", "application/json")];
        let (status, code) = raw::send(server, "/", &headers, project.as_bytes()).await;
        assert!(status == 400 && !code.is_empty(), "project {name:.40}: {status} {code}");
    }
    for group in ["", "..", "a/b", "a\0b", &"g".repeat(100_000)] {
        let body = json!({"consumerGroup": group, "timeout": 30, "order": false}).to_string();
        let (status, code) = raw::send(server, "/logstores/shop/consumergroups", &headers, body.as_bytes()).await;
        assert!(status == 400 && !code.is_empty(), "group {group:.40}: {status} {code}");
    }
}
