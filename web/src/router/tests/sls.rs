//! The SLS API over HTTP, with messages written by hand as the oracle of what is sent and pulled.

mod consume;
mod errors;
mod malformed;
mod manage;
mod put;
mod query;

use prost::Message;
use serde_json::json;

use super::*;

#[derive(Clone, PartialEq, Message)]
struct Content {
    #[prost(string, required, tag = "1")]
    key: String,
    #[prost(bytes = "vec", required, tag = "2")]
    value: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct Log {
    #[prost(uint32, required, tag = "1")]
    time: u32,
    #[prost(message, repeated, tag = "2")]
    contents: Vec<Content>,
    #[prost(fixed32, optional, tag = "4")]
    time_ns: Option<u32>,
}

#[derive(Clone, PartialEq, Message)]
struct LogGroup {
    #[prost(message, repeated, tag = "1")]
    logs: Vec<Log>,
    #[prost(string, optional, tag = "3")]
    topic: Option<String>,
    #[prost(string, optional, tag = "4")]
    source: Option<String>,
    #[prost(message, repeated, tag = "6")]
    tags: Vec<Content>,
}

#[derive(Clone, PartialEq, Message)]
struct LogGroupList {
    #[prost(message, repeated, tag = "1")]
    groups: Vec<LogGroup>,
}

fn content(key: &str, value: &str) -> Content {
    Content { key: key.to_owned(), value: value.as_bytes().to_vec() }
}

/// Logs with one field each, a second apart.
fn group(values: &[&str]) -> LogGroup {
    let log = |(second, value): (u32, &&str)| Log {
        time: 1_700_000_000 + second,
        contents: vec![content("msg", value), content("level", "info")],
        time_ns: None,
    };
    LogGroup {
        logs: (0..).zip(values).map(log).collect(),
        topic: Some("topic".to_owned()),
        source: Some("10.0.0.1".to_owned()),
        tags: vec![content("host", "h1")],
    }
}

/// A request of project `shop`, as a client behind a proxy sends it.
struct Ask {
    request: axum::http::request::Builder,
    body: Vec<u8>,
}

fn ask(method: &str, path: &str) -> Ask {
    let request = Request::builder().method(method).uri(format!("http://shop.sls.local{path}"));
    Ask { request: request.header("x-log-apiversion", "0.6.0"), body: Vec::new() }
}

impl Ask {
    fn header(self, name: &str, value: impl ToString) -> Self {
        Self { request: self.request.header(name, value.to_string()), ..self }
    }

    fn json(self, body: Value) -> Self {
        // Clients say 0 beside a body here.
        let asked = self.header("content-type", "application/json").header("x-log-bodyrawsize", 0);
        Self { body: body.to_string().into_bytes(), ..asked }
    }

    fn bytes(self, body: Vec<u8>) -> Self {
        Self { body, ..self }
    }

    /// As a client without compression puts logs.
    fn logs(self, group: &LogGroup) -> Self {
        let body = group.encode_to_vec();
        self.header("content-type", "application/x-protobuf").header("x-log-bodyrawsize", body.len()).bytes(body)
    }
}

struct Got {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Got {
    #[track_caller]
    fn ok(self) -> Self {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        self
    }

    /// Whatever is refused has a code, a sentence and the headers of all answers.
    #[track_caller]
    fn refused(&self, status: u16, code: &str) -> String {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "{text}");
        let body: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(body["errorCode"], code, "{text}");
        assert_eq!(body.as_object().unwrap().len(), 2, "{text}");
        assert_eq!((self.header("content-type"), self.header("x-log-requestid").len()), ("application/json", 24));
        body["errorMessage"].as_str().unwrap().to_owned()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn json(self) -> Value {
        assert_eq!(self.header("content-type"), "application/json");
        serde_json::from_slice(&self.ok().body).unwrap()
    }

    #[track_caller]
    fn empty(self) {
        let got = self.ok();
        assert!(got.body.is_empty() && !got.headers.contains_key("content-type"));
    }
}

impl Bench {
    async fn sls(&self, asked: Ask) -> Got {
        let response = self.router.clone().oneshot(asked.request.body(Body::from(asked.body)).unwrap()).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = to_bytes(response.into_body(), 1 << 28).await.unwrap().to_vec();
        Got { status, headers, body }
    }

    async fn ask(&self, method: &str, path: &str) -> Got {
        self.sls(ask(method, path)).await
    }

    /// Project `shop` with logstore `app` of so many shards.
    async fn shop(&self, shards: u16) {
        self.sls(ask("POST", "/").json(json!({ "projectName": "shop", "description": "d" }))).await.empty();
        let store = json!({ "logstoreName": "app", "ttl": 30, "shardCount": shards, "autoSplit": false });
        self.sls(ask("POST", "/logstores").json(store)).await.empty();
    }

    async fn put(&self, values: &[&str]) {
        self.sls(ask("POST", "/logstores/app/shards/lb").logs(&group(values))).await.empty();
    }

    async fn cursor(&self, store: &str, shard: u32, from: &str) -> String {
        let got = self.ask("GET", &format!("/logstores/{store}/shards/{shard}?type=cursor&from={from}")).await.json();
        got["cursor"].as_str().unwrap().to_owned()
    }

    /// All values of `msg` in a shard, in order.
    async fn messages(&self, store: &str, shard: u32) -> Vec<String> {
        let (mut cursor, end) = (self.cursor(store, shard, "begin").await, self.cursor(store, shard, "end").await);
        let mut found = Vec::new();
        while cursor != end {
            let path = format!("/logstores/{store}/shards/{shard}?type=logs&count=2&cursor={cursor}&end_cursor={end}");
            let got = self.ask("GET", &path).await.ok();
            let list = LogGroupList::decode(&got.body[..]).unwrap();
            assert_eq!(list.groups.len().to_string(), got.header("x-log-count"));
            assert_ne!(got.header("x-log-cursor"), cursor, "a pull before the end moves");
            cursor = got.header("x-log-cursor").to_owned();
            let values = list.groups.into_iter().flat_map(|group| group.logs).map(|log| log.contents[0].value.clone());
            found.extend(values.map(|value| String::from_utf8(value).unwrap()));
        }
        found
    }
}
