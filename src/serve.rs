//! `culprit serve`, and the wiring that `culprit demo` shares: every crate made, hooks connected, and the order of shutdown.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use culprit_alerting::{Alerting, Cause, Evaluator, HookError, Hooks, INCIDENT_STORE, MetricSource, SliceRequest};
use culprit_dashboards::Shelf;
use culprit_ingest::consume::Consumption;
use culprit_ingest::quota::Quotas;
use culprit_ingest::{Ingest, IngestConfig, RequestMeta};
use culprit_query::SqlEngine;
use culprit_query::promql::Engine;
use culprit_rca::{Options, Question, explain_store, sql_functions};
use culprit_store::{
    KeyPair, Metric, ProjectName, Series, Storage, StorageConfig, StoreKind, StoreName, StoreSpec, TimeRange,
};
use culprit_web::{Access, HttpMetrics, Services};
use futures::FutureExt;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Config;
use crate::error::CliError;
use crate::inspection;
use crate::investigation::{self, at};
use crate::output::say;
use crate::quota_link;
use crate::scrape;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  culprit serve
  culprit serve --data /var/lib/culprit --http 127.0.0.1:6700 --config /etc/culprit.toml")]
pub(crate) struct ServeArgs {
    /// The data folder
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR")]
    http: Option<SocketAddr>,
    /// The configuration; culprit.toml of the working folder by default
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// The metricstore of each project that unprefixed routes and rules mean.
const METRICSTORE: &str = "metrics";
/// A cause is worth waiting for while somebody is woken, not longer.
const EXPLAIN_BUDGET: Duration = Duration::from_secs(30);

pub(crate) async fn run(args: ServeArgs) -> Result<(), CliError> {
    let mut config = Config::load(args.config.as_deref())?;
    config.server.http = args.http.unwrap_or(config.server.http);
    config.server.data = args.data.unwrap_or(config.server.data);
    // Before anybody is told the address, so that no signal comes too early.
    let stop = StopSignals::listen()?;
    let running = start(config, administrator()?).await?;
    say(format_args!("listening on http://{}", running.address))?;
    stop.received().await;
    running.stop().await
}

/// Not a flag, since those are shown to everybody on the machine.
const ADMIN_KEY: &str = "CULPRIT_ADMIN_KEY";

fn administrator() -> Result<Option<KeyPair>, CliError> {
    let wrong = |why: String| CliError::Config(format!("variable {ADMIN_KEY}: {why}"));
    match std::env::var(ADMIN_KEY) {
        Ok(text) => KeyPair::parse(&text).map(Some).map_err(|error| wrong(error.to_string())),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(wrong("it is not UTF-8".to_owned())),
    }
}

/// Ctrl+C or SIGTERM, heard from `listen` on.
pub(crate) struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    pub(crate) fn listen() -> Result<Self, CliError> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    pub(crate) async fn received(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    storage: Storage,
    consumption: Consumption,
    alerting: Alerting,
    stop_http: CancellationToken,
    stop_rest: CancellationToken,
    http: JoinHandle<std::io::Result<()>>,
    scraping: JoinHandle<()>,
    quotas: Quotas,
    quota_tasks: TaskTracker,
}

impl Running {
    /// Requests that run are answered; then rules and scraping end; then the store flushes and lets go of its folder.
    pub(crate) async fn stop(self) -> Result<(), CliError> {
        self.stop_http.cancel();
        self.quotas.service().close();
        // Readers that wait for rows would wait on.
        self.consumption.stop();
        let served = self.http.await;
        self.stop_rest.cancel();
        self.alerting.stopped().await;
        let scraped = self.scraping.await;
        self.quota_tasks.wait().await;
        self.storage.shutdown().await?;
        served.expect("the HTTP server does not panic")?;
        scraped.expect("scraping does not panic");
        Ok(())
    }
}

/// Makes sure that `administrator` has a key.
pub(crate) async fn start(mut config: Config, administrator: Option<KeyPair>) -> Result<Running, CliError> {
    let asked = config.server.http;
    let listener = TcpListener::bind(asked).await.map_err(|source| CliError::Listen { address: asked, source })?;
    let address = listener.local_addr().map_err(|source| CliError::Listen { address: asked, source })?;
    if config.alerting.external_url == format!("http://{}", Config::default().server.http) {
        config.alerting.external_url = format!("http://{address}");
    }
    let storage_config = StorageConfig { flush_age: config.store.flush_age, ..StorageConfig::new(&config.server.data) };
    let storage = Storage::open(storage_config).await?;
    if let Some(pair) = administrator {
        storage.ensure_administrator(pair).await?;
    }
    let access = Access { is_local: asked.ip().is_loopback(), names: config.server.names };
    if !access.is_local && !storage.has_keys() {
        storage.shutdown().await?;
        return Err(CliError::NotLoopback { address: asked });
    }
    let metricstore = StoreName::parse(METRICSTORE)?;
    let ingest_config =
        IngestConfig { body_bytes_max: config.ingest.body_bytes_max, auto_create: config.ingest.auto_create };
    let stop_http = CancellationToken::new();
    let stop_rest = CancellationToken::new();
    let (quotas, quota_tasks) = quota_link::start(&storage, &config.quota, &stop_rest).await?;
    let ingest = Ingest::new(storage.clone(), ingest_config, quotas.clone());
    let consumption = Consumption::new(storage.clone(), quotas.clone(), config.consume.config()?);
    let sql = SqlEngine::with_limits(storage.clone(), config.query.timeout, config.query.memory_bytes)?
        .with_extensions(sql_functions());
    let source = MetricSource::Store { storage: storage.clone(), store: metricstore.clone() };
    let alerting = Alerting::start(
        config.alerting.clone(),
        Some(&storage),
        Evaluator::new(Engine::default(), source, Some(sql.clone())).with_inspect(inspection::inspect()),
        hooks(&storage, &sql, &ingest, metricstore),
        storage.clock().clone(),
        stop_rest.clone(),
    )
    .await?;
    let http_metrics = HttpMetrics::default();
    let self_metrics: Arc<dyn Fn() -> Vec<Metric> + Send + Sync> = Arc::new({
        let (storage, ingest, quotas) = (storage.clone(), ingest.clone(), quotas.clone());
        let (consumption, alerting, http) = (consumption.clone(), alerting.clone(), http_metrics.clone());
        move || {
            let pipeline = [storage.metrics(), ingest.metrics(), quotas.metrics(), consumption.metrics()];
            let house = [alerting.metrics().metrics(), http.metrics()];
            pipeline.into_iter().chain(house).flatten().chain(scrape::process()).collect()
        }
    });
    let router = culprit_web::router(Services {
        storage: storage.clone(),
        ingest,
        quotas: quotas.clone(),
        consumption: consumption.clone(),
        sql,
        promql: Engine::default(),
        alerting: alerting.clone(),
        shelf: Shelf::new(storage.clone()),
        self_metrics: self_metrics.clone(),
        http: http_metrics,
        access,
        sls_hosts: config.sls.hosts,
        body_bytes_max: config.ingest.body_bytes_max,
    });
    let http = tokio::spawn(culprit_web::serve(listener, router, stop_http.clone()));
    let scraper = scrape::Scraper::new(storage.clone(), self_metrics, address);
    let scraping = tokio::spawn(scraper.run(config.telemetry.scrape_interval, stop_rest.clone()));
    Ok(Running { address, storage, consumption, alerting, stop_http, stop_rest, http, scraping, quotas, quota_tasks })
}

/// What alerting asks for, answered by the crates that it does not know.
fn hooks(storage: &Storage, sql: &SqlEngine, ingest: &Ingest, metricstore: StoreName) -> Hooks {
    let explain = {
        let sql = sql.clone();
        Arc::new(move |slice: SliceRequest| explain_slice(sql.clone(), slice).boxed()) as culprit_alerting::Explain
    };
    let investigate = investigation::hook(storage, sql);
    let write_series = {
        let storage = storage.clone();
        Arc::new(move |project: ProjectName, series: Vec<Series>| {
            write_series(storage.clone(), project, metricstore.clone(), series).boxed()
        }) as culprit_alerting::WriteSeries
    };
    let record_incident = {
        let ingest = ingest.clone();
        Arc::new(move |row: serde_json::Value| record_incident(ingest.clone(), row).boxed())
            as culprit_alerting::RecordIncident
    };
    Hooks { explain, investigate, write_series, record_incident }
}

async fn explain_slice(sql: SqlEngine, slice: SliceRequest) -> Result<Cause, HookError> {
    let project = ProjectName::parse(&slice.project).map_err(HookError::new)?;
    let store = StoreName::parse(&slice.store).map_err(HookError::new)?;
    let range = TimeRange::new(at(&slice.from)?, at(&slice.to)?);
    let dimensions = Some(slice.dimensions).filter(|dimensions| !dimensions.is_empty());
    let question = Question {
        baseline: slice.baseline,
        noun: slice.noun,
        options: Options { dimensions, ..Options::default() },
        budget: Some(EXPLAIN_BUDGET),
        ..Question::new(slice.filter)
    };
    let report = explain_store(&sql, &project, &store, range, &question).await.map_err(HookError::new)?;
    let sentence = report.sentence.clone();
    Ok(Cause { sentence, report: serde_json::to_value(report).map_err(HookError::new)? })
}

async fn write_series(
    storage: Storage,
    project: ProjectName,
    metricstore: StoreName,
    series: Vec<Series>,
) -> Result<(), HookError> {
    let spec = StoreSpec::new(StoreKind::Metrics);
    let store = storage.create_store(&project, &metricstore, spec).await.map_err(HookError::new)?;
    storage.append_samples(&store, series).await.map_err(HookError::new)?;
    Ok(())
}

async fn record_incident(ingest: Ingest, row: serde_json::Value) -> Result<(), HookError> {
    let store = StoreName::parse(INCIDENT_STORE).map_err(HookError::new)?;
    let meta = RequestMeta { format: Some("ndjson".to_owned()), ..RequestMeta::default() };
    let body = Bytes::from(row.to_string());
    ingest.logs(&ProjectName::system(), &store, body, meta).await.map_err(HookError::new)?;
    Ok(())
}
