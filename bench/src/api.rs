//! Requests as the cloud service's clients send them, without a signature: the server under measurement has no keys.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

use crate::Failure;
use crate::load::Body;

/// Between two tries at a server that has no room.
const BUSY_WAIT: Duration = Duration::from_millis(20);

/// One per project. Cheap to clone; clones share connections.
#[derive(Clone)]
pub(crate) struct Api {
    http: reqwest::Client,
    url: String,
    project: String,
    busy: Arc<AtomicU64>,
}

/// What one pull brought.
pub(crate) struct Pulled {
    pub(crate) next: String,
    pub(crate) groups: u64,
    pub(crate) raw_bytes: u64,
    pub(crate) sent_bytes: u64,
}

impl Api {
    pub(crate) fn new(url: &str, project: &str) -> Result<Self, Failure> {
        let http = reqwest::Client::builder().no_proxy().tcp_nodelay(true).timeout(Duration::from_secs(120)).build()?;
        Ok(Self { http, url: url.to_owned(), project: project.to_owned(), busy: Arc::default() })
    }

    /// The same connections, another tenant.
    pub(crate) fn with_project(&self, project: &str) -> Self {
        Self { project: project.to_owned(), ..self.clone() }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        request.header("x-log-apiversion", "0.6.0").header("x-log-project", &self.project)
    }

    async fn ok(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let response = request.send().await?;
        if response.status() == StatusCode::OK {
            return Ok(response);
        }
        let (url, status) = (response.url().to_string(), response.status());
        Err(format!("{url} answered {status}: {}", response.text().await?).into())
    }

    pub(crate) async fn create_project(&self) -> Result<(), Failure> {
        let body = json!({"projectName": self.project, "description": "measured"});
        self.ok(self.request(Method::POST, "/").json(&body)).await.map(|_| ())
    }

    pub(crate) async fn create_store(&self, store: &str, shards: u16) -> Result<(), Failure> {
        let body = json!({
            "logstoreName": store, "ttl": 1, "shardCount": shards, "autoSplit": false, "maxSplitShard": 64,
            "enable_tracking": false, "appendMeta": false, "telemetryType": "",
        });
        self.ok(self.request(Method::POST, "/logstores").json(&body)).await.map(|_| ())
    }

    pub(crate) async fn set_quota(&self, quota: &Value) -> Result<(), Failure> {
        let path = format!("/api/admin/quotas/{}", self.project);
        self.ok(self.request(Method::PUT, &path).json(quota)).await.map(|_| ())
    }

    /// The status and the error code, if it is one.
    pub(crate) async fn try_put(
        &self,
        store: &str,
        key: Option<u128>,
        body: &Body,
    ) -> Result<(StatusCode, String), Failure> {
        let path = match key {
            Some(key) => format!("/logstores/{store}/shards/route?key={key:032x}"),
            None => format!("/logstores/{store}/shards/lb"),
        };
        let response = self
            .request(Method::POST, &path)
            .header("Content-Type", "application/x-protobuf")
            .header("x-log-compresstype", "lz4")
            .header("x-log-bodyrawsize", body.raw_bytes)
            .body(body.packed.clone())
            .send()
            .await?;
        let status = response.status();
        let text = response.text().await?;
        if status == StatusCode::OK {
            return Ok((status, String::new()));
        }
        let error: Value = serde_json::from_str(&text)?;
        Ok((status, error["errorCode"].as_str().unwrap_or("no errorCode").to_owned()))
    }

    pub(crate) async fn put(&self, store: &str, key: Option<u128>, body: &Body) -> Result<(), Failure> {
        loop {
            match self.try_put(store, key, body).await? {
                (StatusCode::OK, _) => return Ok(()),
                (StatusCode::SERVICE_UNAVAILABLE, _) => self.wait_for_room().await,
                (status, code) => {
                    return Err(format!("a LogGroup for {}/{store} was answered {status} {code}", self.project).into());
                }
            }
        }
    }

    /// A server that takes no more for now is asked again, as its clients do.
    async fn wait_for_room(&self) {
        self.busy.fetch_add(1, Relaxed);
        tokio::time::sleep(BUSY_WAIT).await;
    }

    /// How often the server had no room, since the first request.
    pub(crate) fn busy(&self) -> u64 {
        self.busy.load(Relaxed)
    }

    pub(crate) async fn put_ndjson(&self, store: &str, body: Bytes) -> Result<(), Failure> {
        let path = format!("/api/ingest/{}/{store}?format=ndjson", self.project);
        loop {
            let response = self.request(Method::POST, &path).body(body.clone()).send().await?;
            match response.status() {
                StatusCode::OK => return Ok(()),
                StatusCode::SERVICE_UNAVAILABLE => self.wait_for_room().await,
                status => return Err(format!("{path} answered {status}: {}", response.text().await?).into()),
            }
        }
    }

    pub(crate) async fn cursor(&self, store: &str, shard: u32, from: &str) -> Result<String, Failure> {
        let path = format!("/logstores/{store}/shards/{shard}?type=cursor&from={from}");
        let answer: Value = self.ok(self.request(Method::GET, &path)).await?.json().await?;
        Ok(answer["cursor"].as_str().ok_or("an answer without a cursor")?.to_owned())
    }

    /// `codec` is one of the names of `Accept-Encoding` that SLS clients send.
    pub(crate) async fn pull(&self, store: &str, shard: u32, cursor: &str, codec: &str) -> Result<Pulled, Failure> {
        let path = format!("/logstores/{store}/shards/{shard}");
        let request = self.request(Method::GET, &path).query(&[("type", "log"), ("cursor", cursor), ("count", "1000")]);
        let response =
            self.ok(request.header("Accept-Encoding", codec).header("Accept", "application/x-protobuf")).await?;
        let header = |name: &str| -> Result<String, Failure> {
            let value = response.headers().get(name).ok_or_else(|| format!("an answer without {name}"))?;
            Ok(value.to_str()?.to_owned())
        };
        let next = header("x-log-cursor")?;
        let groups = header("x-log-count")?.parse()?;
        let raw_bytes = header("x-log-bodyrawsize")?.parse()?;
        let sent_bytes = response.bytes().await?.len() as u64;
        Ok(Pulled { next, groups, raw_bytes, sent_bytes })
    }

    /// `(shard, is it read-write)` of all shards.
    pub(crate) async fn shards(&self, store: &str) -> Result<Vec<(u32, bool)>, Failure> {
        let answer: Value =
            self.ok(self.request(Method::GET, &format!("/logstores/{store}/shards"))).await?.json().await?;
        let shards = answer.as_array().ok_or("the shards are no list")?;
        let one =
            |shard: &Value| Some((u32::try_from(shard["shardID"].as_u64()?).ok()?, shard["status"] == "readwrite"));
        shards.iter().map(|shard| one(shard).ok_or_else(|| "a shard without shardID".into())).collect()
    }

    pub(crate) async fn split(&self, store: &str, shard: u32) -> Result<(), Failure> {
        let path = format!("/logstores/{store}/shards/{shard}?action=split");
        self.ok(self.request(Method::POST, &path)).await.map(|_| ())
    }

    /// The rows of a shard as they come, as a stream of bytes that begins at its end.
    pub(crate) async fn tail(&self, store: &str, shard: u32) -> Result<Response, Failure> {
        let path = format!("/api/tail?project={}&store={store}&shard={shard}&from=end", self.project);
        // A stream has no end: the bound on a whole answer does not fit.
        self.ok(self.request(Method::GET, &path).timeout(Duration::from_secs(3600))).await
    }
}
