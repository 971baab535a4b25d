//! A client of the SLS API that signs by version 4, written from the protocol. What it sends can be bent on its way.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::Mac;
use prost::Message;
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Method, Request, StatusCode};
use serde_json::{Value, json};
use sha2::Digest;

use super::{AccessKey, Client, LogGroup, LogGroupList, lz4_block, lz4_unblock, now_millis};

const REGION: &str = "local";

#[derive(Clone)]
pub(crate) struct Sls {
    client: Client,
    project: String,
    key: Option<AccessKey>,
}

/// Status, headers and body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name} in {self:?}")).to_str().unwrap()
    }

    /// Status and error code; the code of a success is empty.
    pub(crate) fn verdict(&self) -> (u16, String) {
        let code = if self.status == StatusCode::OK { json!("") } else { self.json()["errorCode"].clone() };
        (self.status.as_u16(), code.as_str().unwrap_or_else(|| panic!("no error code in {self:?}")).to_owned())
    }
}

/// One pull: the log groups, and where the next one begins.
pub(crate) struct Pull {
    pub(crate) groups: Vec<LogGroup>,
    pub(crate) next: String,
}

impl Sls {
    pub(crate) fn new(client: &Client, project: &str, key: Option<AccessKey>) -> Self {
        Self { client: client.clone().with_key(None), project: project.to_owned(), key }
    }

    /// A signed request, when there is a key.
    pub(crate) fn request(
        &self,
        method: Method,
        target: &str,
        headers: &[(&'static str, &str)],
        body: Vec<u8>,
    ) -> Request {
        let mut request = self.client.request(method, target).body(body).build().unwrap();
        let all = request.headers_mut();
        let host = if self.project.is_empty() { "sls.local".to_owned() } else { format!("{}.sls.local", self.project) };
        all.insert("host", host.parse().unwrap());
        all.insert("x-log-apiversion", HeaderValue::from_static("0.6.0"));
        for (name, value) in headers {
            all.insert(*name, value.parse().unwrap());
        }
        if let Some(key) = self.key {
            sign(&mut request, key, now_millis() / 1000);
        }
        request
    }

    pub(crate) async fn execute(&self, request: Request) -> Result<Answer, reqwest::Error> {
        let answer = self.client.execute(request).await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        Ok(Answer { status, headers, body: answer.bytes().await?.to_vec() })
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        target: &str,
        headers: &[(&'static str, &str)],
        body: Vec<u8>,
    ) -> Result<Answer, reqwest::Error> {
        self.execute(self.request(method, target, headers, body)).await
    }

    /// An operation by JSON that must succeed.
    pub(crate) async fn call(&self, method: Method, target: &str, body: Option<Value>) -> Value {
        self.try_call(method, target, body).await.unwrap()
    }

    /// An error means that nobody knows what happened.
    pub(crate) async fn try_call(
        &self,
        method: Method,
        target: &str,
        body: Option<Value>,
    ) -> Result<Value, reqwest::Error> {
        let bytes = body.map_or_else(Vec::new, |body| body.to_string().into_bytes());
        let answer = self.send(method.clone(), target, &[("content-type", "application/json")], bytes).await?;
        assert_eq!(answer.status, StatusCode::OK, "{method} {target}: {}", String::from_utf8_lossy(&answer.body));
        Ok(if answer.body.is_empty() { Value::Null } else { answer.json() })
    }

    pub(crate) async fn create_project(&self) {
        self.call(Method::POST, "/", Some(json!({"projectName": self.project, "description": "of a test"}))).await;
    }

    pub(crate) async fn create_store(&self, store: &str, shards: usize) {
        let spec = json!({"logstoreName": store, "ttl": 3, "shardCount": shards, "autoSplit": false});
        self.call(Method::POST, "/logstores", Some(spec)).await;
    }

    /// `way` is `shards/lb`, or `shards/route?key=…`.
    pub(crate) async fn put(&self, store: &str, way: &str, group: &LogGroup) -> Result<Answer, reqwest::Error> {
        let plain = group.encode_to_vec();
        let raw_size = plain.len().to_string();
        let headers = [
            ("content-type", "application/x-protobuf"),
            ("x-log-compresstype", "lz4"),
            ("x-log-bodyrawsize", raw_size.as_str()),
        ];
        self.send(Method::POST, &format!("/logstores/{store}/{way}"), &headers, lz4_block(&plain)).await
    }

    /// As many log groups from the cursor as the server gives, `count` at most.
    pub(crate) async fn pull(
        &self,
        store: &str,
        shard: u64,
        cursor: &str,
        count: usize,
    ) -> Result<Pull, reqwest::Error> {
        let target = format!("/logstores/{store}/shards/{shard}?type=log&cursor={}&count={count}", escaped(cursor));
        let headers = [("accept", "application/x-protobuf"), ("accept-encoding", "lz4")];
        let answer = self.send(Method::GET, &target, &headers, Vec::new()).await?;
        assert_eq!(answer.status, StatusCode::OK, "{target}: {}", String::from_utf8_lossy(&answer.body));
        let raw_size: usize = answer.header("x-log-bodyrawsize").parse().unwrap();
        let plain = if raw_size == 0 { Vec::new() } else { lz4_unblock(&answer.body) };
        assert_eq!(plain.len(), raw_size, "the size that was announced");
        let groups = LogGroupList::decode(plain.as_slice()).unwrap().groups;
        assert_eq!(groups.len().to_string(), answer.header("x-log-count"), "the count that was announced");
        Ok(Pull { groups, next: answer.header("x-log-cursor").to_owned() })
    }

    /// `at` is `begin`, `end` or seconds.
    pub(crate) async fn cursor(&self, store: &str, shard: u64, at: &str) -> Result<String, reqwest::Error> {
        let target = format!("/logstores/{store}/shards/{shard}?type=cursor&from={at}");
        let answer = self.try_call(Method::GET, &target, None).await?;
        Ok(answer["cursor"].as_str().expect("a cursor").to_owned())
    }
}

/// A cursor is the base64 of a decimal number.
pub(crate) fn number_of(cursor: &str) -> u64 {
    String::from_utf8(STANDARD.decode(cursor).unwrap()).unwrap().parse().unwrap()
}

pub(crate) fn cursor_of(number: u64) -> String {
    STANDARD.encode(number.to_string())
}

/// For values of parameters: all but the unreserved characters of RFC 3986.
fn escaped(value: &str) -> String {
    value
        .bytes()
        .map(|byte| if is_unreserved(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte)
}

/// Signs what the request is at this moment.
pub(crate) fn sign(request: &mut Request, key: AccessKey, unix_seconds: i64) {
    let date = chrono::DateTime::from_timestamp(unix_seconds, 0).unwrap().format("%Y%m%dT%H%M%SZ").to_string();
    let body = request.body().and_then(|body| body.as_bytes()).unwrap_or(&[]);
    let digest = hex(&sha2::Sha256::digest(body));
    request.headers_mut().insert("x-log-date", date.parse().unwrap());
    request.headers_mut().insert("x-log-content-sha256", digest.parse().unwrap());
    let scope = format!("{}/{REGION}/sls/aliyun_v4_request", &date[..8]);
    let canonical = hex(&sha2::Sha256::digest(canonical_request(request, &digest)));
    let text = format!("SLS4-HMAC-SHA256\n{date}\n{scope}\n{canonical}");
    let mut signing_key = format!("aliyun_v4{}", key.secret).into_bytes();
    for part in [&date[..8], REGION, "sls", "aliyun_v4_request"] {
        signing_key = hmac(&signing_key, part);
    }
    let signature = hex(&hmac(&signing_key, &text));
    let authorization = format!("SLS4-HMAC-SHA256 Credential={}/{scope},Signature={signature}", key.id);
    request.headers_mut().insert("authorization", authorization.parse().unwrap());
}

fn canonical_request(request: &Request, digest: &str) -> String {
    let is_signed = |name: &str| {
        name == "host" || name == "content-type" || name.starts_with("x-log-") || name.starts_with("x-acs-")
    };
    let headers: BTreeMap<&str, &str> = request
        .headers()
        .iter()
        .filter(|(name, _)| is_signed(name.as_str()))
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap().trim()))
        .collect();
    let mut parameters: Vec<String> = request
        .url()
        .query_pairs()
        .map(|(name, value)| if value.is_empty() { name.into_owned() } else { format!("{name}={}", escaped(&value)) })
        .collect();
    parameters.sort();
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let names: Vec<&str> = headers.keys().copied().collect();
    let (method, path) = (request.method(), request.url().path());
    format!("{method}\n{path}\n{}\n{lines}\n{}\n{digest}", parameters.join("&"), names.join(";"))
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
