//! The small self-scrape: the server's own metrics and the machine's, from /proc, into project `system`.
//!
//! The machine's metrics carry node-exporter's names, so that boards and rules made for it work here too. A file of /proc that is not there (another
//! kernel, a container) leaves its metrics out.

mod host;
mod parse;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use culprit_store::{
    Labels, METRIC_NAME, Metric, ProjectName, Samples, Series, Storage, StoreError, StoreKind, StoreName, StoreSpec,
};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

pub(crate) use host::process;

/// The metricstore of project `system`.
const STORE: &str = "metrics";

pub(crate) struct Scraper {
    storage: Storage,
    own: Arc<dyn Fn() -> Vec<Metric> + Send + Sync>,
    instance: String,
}

impl Scraper {
    pub(crate) fn new(storage: Storage, own: Arc<dyn Fn() -> Vec<Metric> + Send + Sync>, address: SocketAddr) -> Self {
        Self { storage, own, instance: address.to_string() }
    }

    /// Every `interval` until told to stop; zero never scrapes.
    pub(crate) async fn run(self, interval: Duration, stop: CancellationToken) {
        if interval.is_zero() {
            return;
        }
        let mut tick = tokio::time::interval(interval);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(tick.tick()).await.is_some() {
            if let Err(error) = self.scrape().await {
                tracing::warn!(%error, "the server's own metrics were not written");
            }
        }
    }

    async fn scrape(&self) -> Result<(), StoreError> {
        let now = self.storage.clock().now().as_millis();
        let up = Metric::gauge("up", "Whether the last scrape succeeded.", 1.0);
        let metrics = (self.own)().into_iter().chain(host::machine()).chain([up]);
        let series = metrics.map(|metric| self.series(metric, now)).collect::<Result<Vec<_>, _>>()?;
        let name = StoreName::parse(STORE)?;
        let store =
            self.storage.create_store(&ProjectName::system(), &name, StoreSpec::new(StoreKind::Metrics)).await?;
        self.storage.append_samples(&store, series).await?;
        Ok(())
    }

    fn series(&self, metric: Metric, now_ms: i64) -> Result<Series, StoreError> {
        let own = [(METRIC_NAME, metric.name.to_owned()), ("job", "culprit".to_owned())];
        let instance = ("instance", self.instance.clone());
        let labels = Labels::new(own.into_iter().chain([instance]).chain(metric.labels))?;
        Ok(Series { labels, samples: Samples { timestamps_ms: vec![now_ms], values: vec![metric.value] } })
    }
}
