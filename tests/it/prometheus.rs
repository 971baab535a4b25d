//! Debian's Prometheus scrapes Debian's node exporter and sends what it finds to us: two servers with the same samples.

mod dashboards;
mod queries;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::harness::{Client, Server, free_port, has_programs, wait_for};

const PROMETHEUS: &str = "/usr/bin/prometheus";
const EXPORTER: &str = "/usr/bin/prometheus-node-exporter";
/// The name that the dashboards expect of the exporter's job.
const JOB: &str = "node-exporter";

/// Both servers, and what keeps them fed.
struct Pair {
    ours: Server,
    theirs: Client,
    exporter: String,
    _processes: [Child; 2],
    _folder: TempDir,
}

/// A stretch of time for which both have every sample.
struct Window {
    begin_ms: i64,
    end_ms: i64,
}

impl Pair {
    /// None, and said, when the programs are not installed.
    async fn start(test: &str) -> Option<Self> {
        let hint = "apt-get install prometheus prometheus-node-exporter";
        if !has_programs(test, &[PROMETHEUS, EXPORTER], hint) {
            return None;
        }
        let ours = Server::start("").await;
        let folder = tempfile::tempdir().unwrap();
        let exporter = format!("127.0.0.1:{}", free_port());
        let address = format!("127.0.0.1:{}", free_port());
        let config = folder.path().join("prometheus.yml");
        std::fs::write(&config, prometheus_config(&exporter, &address, ours.url())).unwrap();
        let listen = |address: &str| format!("--web.listen-address={address}");
        let prometheus = [
            format!("--config.file={}", config.display()),
            format!("--storage.tsdb.path={}", folder.path().join("tsdb").display()),
            listen(&address),
        ];
        let processes = [
            start_process(EXPORTER, &[listen(&exporter)], &folder.path().join("exporter.log")),
            start_process(PROMETHEUS, &prometheus, &folder.path().join("prometheus.log")),
        ];
        let theirs = Client::new(&format!("http://{address}"));
        Some(Self { ours, theirs, exporter, _processes: processes, _folder: folder })
    }

    /// Waits until the last `length` is without a gap in both.
    async fn window(&self, length: Duration) -> Window {
        let length = i64::try_from(length.as_millis()).unwrap();
        wait_for("a stretch of samples that both have", Duration::from_secs(180), async || {
            // Also keeps the histogram of their requests moving.
            let (ours, theirs) = (scrapes(&self.ours.client).await?, scrapes(&self.theirs).await?);
            let last = |times: &BTreeMap<String, Vec<i64>>| times.values().filter_map(|all| all.last().copied()).min();
            // One second less: the scrapes of that second have arrived whole.
            let end_ms = last(&ours)?.min(last(&theirs)?) - 1_000;
            let begin_ms = end_ms - length;
            let inside = |times: &BTreeMap<String, Vec<i64>>| -> Vec<Vec<i64>> {
                let of = |all: &Vec<i64>| all.iter().copied().filter(|at| (begin_ms..end_ms).contains(at)).collect();
                times.values().map(of).collect()
            };
            let (ours, theirs) = (inside(&ours), inside(&theirs));
            let whole = theirs.len() == 2 && theirs.iter().all(|times| is_regular(times, begin_ms, end_ms));
            (whole && ours == theirs).then_some(Window { begin_ms, end_ms })
        })
        .await
    }
}

/// Without missed scrapes: over a gap, Prometheus 2 and 3 extrapolate rates differently.
fn is_regular(times: &[i64], begin_ms: i64, end_ms: i64) -> bool {
    let edges = std::iter::once(begin_ms).chain(times.iter().copied()).chain([end_ms]);
    edges.clone().zip(edges.skip(1)).all(|(a, b)| b - a < 1_500)
}

/// The times of all successful scrapes, by job. None while there are none.
async fn scrapes(server: &Client) -> Option<BTreeMap<String, Vec<i64>>> {
    let data = server.prometheus_if_up("/api/v1/query", &[("query", "up[10m]")]).await?;
    let mut times = BTreeMap::new();
    for series in data["result"].as_array()? {
        let samples = series["values"].as_array()?;
        let good = samples.iter().filter(|sample| sample[1] == "1").map(|sample| millis(&sample[0]));
        times.insert(series["metric"]["job"].as_str()?.to_owned(), good.collect());
    }
    (times.len() == 2).then_some(times)
}

fn millis(seconds: &Value) -> i64 {
    (seconds.as_f64().expect("a time") * 1_000.0).round() as i64
}

/// One shard sends in the order of the scrapes.
fn prometheus_config(exporter: &str, itself: &str, ours: &str) -> String {
    format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
- {{job_name: {JOB}, static_configs: [{{targets: ['{exporter}']}}]}}
- {{job_name: prometheus, static_configs: [{{targets: ['{itself}']}}]}}
remote_write:
- url: {ours}/api/v1/write
  queue_config: {{min_shards: 1, max_shards: 1, batch_send_deadline: 500ms}}
"
    )
}

fn start_process(program: &str, arguments: &[String], log: &Path) -> Child {
    let log = std::fs::File::create(log).unwrap();
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
    command.spawn().unwrap()
}
