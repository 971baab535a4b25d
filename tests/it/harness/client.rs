//! Requests to a server, in the few shapes that tests need.

use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};

use super::{AccessKey, Point, remote_write_body};

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) url: String,
    http: reqwest::Client,
    key: Option<AccessKey>,
}

impl Client {
    pub(crate) fn new(url: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { url: url.trim_end_matches('/').to_owned(), http, key: None }
    }

    pub(crate) fn with_key(self, key: Option<AccessKey>) -> Self {
        Self { key, ..self }
    }

    pub(crate) fn request(&self, method: reqwest::Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match self.key {
            Some(key) => request.basic_auth(key.id, Some(key.secret)),
            None => request,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        answer(self.request(reqwest::Method::GET, path)).await.unwrap()
    }

    pub(crate) async fn execute(&self, request: reqwest::Request) -> Result<reqwest::Response, reqwest::Error> {
        self.http.execute(request).await
    }

    /// The body of an answer that must be a success.
    pub(crate) async fn get_ok(&self, path: &str) -> Value {
        let (status, body) = self.get(path).await;
        assert!(status.is_success(), "GET {path}: {status} {body}");
        body
    }

    pub(crate) async fn post_json(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        answer(self.request(reqwest::Method::POST, path).json(body)).await.unwrap()
    }

    /// `target` is `PROJECT/STORE`, with parameters.
    pub(crate) async fn ingest(&self, target: &str, body: impl Into<reqwest::Body>) -> (StatusCode, Value) {
        self.try_ingest(target, body).await.unwrap()
    }

    /// An error means that nobody knows whether the rows are stored.
    pub(crate) async fn try_ingest(
        &self,
        target: &str,
        body: impl Into<reqwest::Body>,
    ) -> Result<(StatusCode, Value), reqwest::Error> {
        answer(self.request(reqwest::Method::POST, &format!("/api/ingest/{target}")).body(body)).await
    }

    pub(crate) async fn remote_write(&self, points: &[Point<'_>]) -> Result<StatusCode, reqwest::Error> {
        let request = self.request(reqwest::Method::POST, "/api/v1/write").body(remote_write_body(points));
        let request = request.header("content-encoding", "snappy").header("content-type", "application/x-protobuf");
        let answer = request.header("x-prometheus-remote-write-version", "0.1.0").send().await?;
        let status = answer.status();
        answer.bytes().await?;
        Ok(status)
    }

    pub(crate) async fn try_sql(&self, query: &str) -> (StatusCode, Value) {
        self.post_json("/api/sql", &json!({"project": "default", "query": query})).await
    }

    /// The rows of a query that must succeed.
    pub(crate) async fn sql(&self, query: &str) -> Vec<Vec<Value>> {
        let (status, body) = self.try_sql(query).await;
        assert_eq!(status, StatusCode::OK, "{query}: {body}");
        serde_json::from_value(body["rows"].clone()).unwrap()
    }

    /// The only value of the only row.
    pub(crate) async fn sql_value(&self, query: &str) -> Value {
        let rows = self.sql(query).await;
        assert_eq!((rows.len(), rows[0].len()), (1, 1), "{query}: {rows:?}");
        rows[0][0].clone()
    }

    /// `data` of an answer of the Prometheus API; also other servers speak it.
    pub(crate) async fn prometheus(&self, path: &str, parameters: &[(&str, &str)]) -> Value {
        let request = self.request(reqwest::Method::GET, path).query(parameters);
        let (status, body) = answer(request).await.unwrap();
        assert_eq!((status, &body["status"]), (StatusCode::OK, &json!("success")), "{path} {parameters:?}: {body}");
        body["data"].clone()
    }

    /// None while nobody listens or answers.
    pub(crate) async fn prometheus_if_up(&self, path: &str, parameters: &[(&str, &str)]) -> Option<Value> {
        let request = self.request(reqwest::Method::GET, path).query(parameters);
        let (status, body) = answer(request).await.ok()?;
        status.is_success().then(|| body["data"].clone())
    }
}

/// The text of a JSON string.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is not a string"))
}

/// Status and body; a body that is not JSON becomes a string.
async fn answer(request: RequestBuilder) -> Result<(StatusCode, Value), reqwest::Error> {
    let answer = request.send().await?;
    let status = answer.status();
    let body = answer.text().await?;
    Ok((status, serde_json::from_str(&body).unwrap_or(Value::String(body))))
}
