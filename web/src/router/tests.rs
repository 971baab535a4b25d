//! Requests against all of the server but its port: the router on a real data folder.

mod access;
mod consume;
mod errors;
mod groups;
mod metrics;
mod quotas;
mod rows;
mod sls;
mod stores;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use culprit_alerting::{AlertingConfig, Evaluator, HookError, Hooks, MetricSource};
use culprit_ingest::IngestConfig;
use culprit_ingest::consume::{ConsumeConfig, Consumption};
use culprit_ingest::quota::QuotaConfig;
use culprit_store::{Clock, StorageConfig, StoreName, UnixNanos};
use futures::FutureExt;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::*;

/// 2023-11-14T22:13:20Z.
const NOW: UnixNanos = UnixNanos(1_700_000_000_000_000_000);
const BODY_BYTES_MAX: usize = 4_096;

struct Bench {
    router: Router,
    storage: Storage,
    consumption: Consumption,
    _data: tempfile::TempDir,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    fn assert(&self, status: StatusCode, part: &str) {
        assert_eq!(self.status, status, "{}", self.text);
        assert!(self.text.contains(part), "{part:?} is not in {}", self.text);
    }
}

async fn bench() -> Bench {
    bench_with(Access::default()).await
}

async fn bench_with(access: Access) -> Bench {
    bench_of(access, BODY_BYTES_MAX).await
}

async fn bench_of(access: Access, body_bytes_max: usize) -> Bench {
    let data = tempfile::tempdir().unwrap();
    let config = StorageConfig { clock: Clock::manual(NOW), ..StorageConfig::new(data.path()) };
    let storage = Storage::open(config).await.unwrap();
    let sql = SqlEngine::new(storage.clone()).unwrap();
    let http = HttpMetrics::default();
    let self_metrics = {
        let (storage, http) = (storage.clone(), http.clone());
        Arc::new(move || [storage.metrics(), http.metrics()].concat())
    };
    let quotas = Quotas::of(&storage, QuotaConfig::default());
    let consumption = Consumption::new(storage.clone(), quotas.clone(), ConsumeConfig::default());
    let ingest_config = IngestConfig { body_bytes_max, auto_create: true };
    let services = Services {
        ingest: Ingest::new(storage.clone(), ingest_config, quotas.clone()),
        consumption: consumption.clone(),
        quotas,
        promql: promql::Engine::default(),
        alerting: alerting(&storage, &sql).await,
        shelf: Shelf::new(storage.clone()),
        storage: storage.clone(),
        sql,
        http,
        access,
        sls_hosts: vec!["sls.local".to_owned()],
        self_metrics,
        body_bytes_max,
    };
    Bench { router: router(services), storage, consumption, _data: data }
}

/// Without rules, so that its hooks are never called.
async fn alerting(storage: &Storage, sql: &SqlEngine) -> Alerting {
    let unused = || HookError::new("there are no rules here");
    let hooks = Hooks {
        explain: Arc::new(move |_| async move { Err(unused()) }.boxed()),
        investigate: Arc::new(move |_| async move { Err(unused()) }.boxed()),
        write_series: Arc::new(move |_, _| async move { Err(unused()) }.boxed()),
        record_incident: Arc::new(move |_| async move { Err(unused()) }.boxed()),
    };
    let source = MetricSource::Store { storage: storage.clone(), store: StoreName::parse("metrics").unwrap() };
    let evaluator = Evaluator::new(promql::Engine::default(), source, Some(sql.clone()));
    let (clock, stop) = (storage.clock().clone(), CancellationToken::new());
    Alerting::start(AlertingConfig::default(), Some(storage), evaluator, hooks, clock, stop).await.unwrap()
}

impl Bench {
    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = to_bytes(response.into_body(), 1 << 24).await.unwrap();
        Answer { status, headers, text: String::from_utf8_lossy(&body).into_owned() }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    async fn call(&self, method: &str, path: &str, body: impl Into<Body>) -> Answer {
        self.send(Request::builder().method(method).uri(path).body(body.into()).unwrap()).await
    }

    async fn post(&self, path: &str, body: &str) -> Answer {
        self.call("POST", path, body.to_owned()).await
    }

    async fn accepting(&self, path: &str, accept: &str, body: &str) -> Answer {
        self.send(Request::post(path).header("accept", accept).body(body.to_owned().into()).unwrap()).await
    }
}

#[tokio::test]
async fn the_front_door() {
    let bench = bench().await;
    let version = bench.get("/").await.json();
    assert_eq!((version["name"].as_str(), version["console"].as_str()), (Some("culprit"), Some("/ui/")));
    let browser = Request::get("/").header("accept", "text/html,application/xhtml+xml").body(Body::empty()).unwrap();
    let answer = bench.send(browser).await;
    assert_eq!((answer.status, answer.header("location")), (307, "/ui/"));
    bench.get("/healthz").await.assert(StatusCode::OK, "ok");
    bench.get("/readyz").await.assert(StatusCode::OK, "ready");
    assert_eq!(bench.get("/ui").await.header("location"), "/ui/");
    let (page, deep) = (bench.get("/ui/").await, bench.get("/ui/dashboards/x").await);
    assert_eq!((page.status, page.text), (deep.status, deep.text), "addresses below /ui/ are the page's own");
    bench.get("/ui/assets/none.js").await.assert(StatusCode::NOT_FOUND, "/ui/assets/none.js");
    bench.get("/nowhere").await.assert(StatusCode::NOT_FOUND, "there is no route /nowhere");
    let metrics = bench.get("/metrics").await;
    metrics.assert(StatusCode::OK, "# TYPE culprit_store_appended_rows_total counter");
    metrics.assert(StatusCode::OK, "culprit_web_requests_total{route=\"/ui/{*path}\",status=\"404\"}");
    metrics.assert(StatusCode::OK, "culprit_web_requests_total{route=\"none\",status=\"404\"} 1");
    assert_eq!(metrics.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_server_ends_when_told_and_its_port_is_free() {
    let bench = bench().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let serving = tokio::spawn(crate::serve(listener, bench.router.clone(), stop.clone()));
    let mut connection = tokio::net::TcpStream::connect(address).await.unwrap();
    let mut answer = String::new();
    tokio::io::AsyncWriteExt::write_all(&mut connection, b"GET /healthz HTTP/1.0\r\n\r\n").await.unwrap();
    tokio::io::AsyncReadExt::read_to_string(&mut connection, &mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.0 200") && answer.ends_with("ok\n"), "{answer}");
    stop.cancel();
    serving.await.unwrap().unwrap();
    tokio::net::TcpListener::bind(address).await.unwrap();
    bench.storage.shutdown().await.unwrap();
}
