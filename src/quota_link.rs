//! Quotas of a running server: limits read, shards scaled, and the link to the quota services where other servers have that role.
//!
//! A front end tells each service what it let through and holds a long poll for bars. While a service does not answer, requests pass by local limits
//! alone: a project may then have its whole quota on every front end, but none is refused for want of an answer.

use std::time::Duration;

use culprit_ingest::quota::{BarChanges, Quotas, Report, Scaler};
use culprit_store::{KeyPair, Storage};
use reqwest::Method;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::QuotaSection;
use crate::error::CliError;
use crate::remote::Server;

/// Half of the second in which an exceeded quota is to reach every front end goes to telling; this leaves room.
const REPORT_INTERVAL: Duration = Duration::from_millis(200);
/// Projects of one report: some hundred kilobytes.
const REPORT_PROJECTS_MAX: usize = 10_000;
const REPORT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the service may hold a poll; it answers sooner when there is news.
const POLL_WAIT_SECONDS: u64 = 30;
/// Beyond the wait.
const POLL_TIMEOUT: Duration = Duration::from_secs(POLL_WAIT_SECONDS + 10);
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Until `stop`; the tracker ends when all of it has ended.
pub(crate) async fn start(
    storage: &Storage,
    config: &QuotaSection,
    stop: &CancellationToken,
) -> Result<(Quotas, TaskTracker), CliError> {
    let key = config.service_key.as_deref().map(KeyPair::parse).transpose()?;
    let services: Vec<Server> =
        config.service.iter().map(|address| Server::at(address, key.clone())).collect::<Result<_, _>>()?;
    let quotas = Quotas::of(storage, config.quotas());
    quotas.load_overrides(storage).await?;
    let tasks = TaskTracker::new();
    tasks.spawn(Scaler::new(quotas.clone(), storage.clone()).run(stop.clone()));
    for (number, (server, address)) in services.into_iter().zip(&config.service).enumerate() {
        let link = QuotaLink { quotas: quotas.clone(), server, address: address.clone(), number };
        let stop = stop.clone();
        tasks.spawn(async move { tokio::join!(link.report(&stop), link.follow(&stop)) });
    }
    tasks.close();
    Ok((quotas, tasks))
}

struct QuotaLink {
    quotas: Quotas,
    server: Server,
    address: String,
    number: usize,
}

impl QuotaLink {
    async fn report(&self, stop: &CancellationToken) {
        let mut tick = tokio::time::interval(REPORT_INTERVAL);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut state = Reach::default();
        while stop.run_until_cancelled(tick.tick()).await.is_some() {
            let report = self.quotas.take_report(self.number);
            for part in report.usage.chunks(REPORT_PROJECTS_MAX) {
                let told = self.tell(&Report { usage: part.to_vec() }).await;
                self.note(&mut state, told.err(), "reports");
            }
        }
    }

    async fn tell(&self, report: &Report) -> Result<(), CliError> {
        let request = self.server.request(Method::POST, &["api", "quota", "report"]);
        self.server.send(request.json(report).timeout(REPORT_TIMEOUT)).await?;
        Ok(())
    }

    async fn follow(&self, stop: &CancellationToken) {
        let (mut since, mut state) = (0, Reach::default());
        while let Some(answer) = stop.run_until_cancelled(self.poll(since)).await {
            match answer {
                Ok(changes) => {
                    self.quotas.apply(&changes);
                    since = changes.version;
                    self.note(&mut state, None, "polls");
                }
                Err(error) => {
                    self.note(&mut state, Some(error), "polls");
                    stop.run_until_cancelled(tokio::time::sleep(RETRY_PAUSE)).await;
                }
            }
        }
    }

    async fn poll(&self, since: u64) -> Result<BarChanges, CliError> {
        let request = self.server.request(Method::GET, &["api", "quota", "bars"]);
        let request = request.query(&[("since", since), ("wait", POLL_WAIT_SECONDS)]).timeout(POLL_TIMEOUT);
        self.server.json(request).await
    }

    /// Said when it changes, not each time.
    fn note(&self, state: &mut Reach, error: Option<CliError>, what: &'static str) {
        let service = &self.address;
        match error {
            Some(error) => {
                self.quotas.count_unreachable();
                if !std::mem::replace(&mut state.is_lost, true) {
                    tracing::error!(%error, %service, "the quota service takes no {what}; local limits count alone until it does");
                }
            }
            None if std::mem::take(&mut state.is_lost) => {
                tracing::info!(%service, "the quota service takes {what} again")
            }
            None => {}
        }
    }
}

#[derive(Default)]
struct Reach {
    is_lost: bool,
}
