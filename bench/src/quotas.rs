//! The quota service with a million projects and a thousand front ends: how long it takes until all of them know whom to refuse.
//!
//! The front ends are simulated, the interface is the real one: each reports every 200 ms over HTTP and holds a long poll.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

use crate::server::Server;
use crate::{Failure, heading, histogram, line, micros, quantiles};

const FRONTS: usize = 1_000;
/// Each front end knows a thousand projects of its own.
const PROJECTS_EACH: usize = 1_000;
const REPORT_EVERY: Duration = Duration::from_millis(200);
/// Projects of one report while nothing happens: each project is heard of every 20 s.
const REPORTED: usize = 10;
const ROUNDS: usize = 20;
/// What each front end lets through for the project that goes too far: a few of them are enough.
const HOT_BYTES: u64 = 1 << 20;
const LIMITS: &str = "[quota]\nproject_write_bytes = 10000000\n";

pub(crate) async fn run() -> Result<(), Failure> {
    heading("quota service: 1,000,000 projects, 1,000 front ends");
    let server = Server::start(LIMITS).await?;
    let http = reqwest::Client::builder().no_proxy().tcp_nodelay(true).timeout(Duration::from_secs(60)).build()?;
    let empty = server.peak_mib()?;
    let begun = Instant::now();
    let world = Arc::new(World { http, url: server.url.clone() });
    for front in 0..FRONTS {
        world.report(&usage(front, 0, PROJECTS_EACH)).await?;
    }
    let registered = begun.elapsed();
    line("memory for a million active projects", &format!("{:.0} MiB", server.peak_mib()? - empty));
    line("first report of all of them", &format!("{:.1} s", registered.as_secs_f64()));
    let (hot, heard) = watch::channel(String::new());
    let (told, mut answers) = mpsc::channel(FRONTS);
    for front in 0..FRONTS {
        tokio::spawn(keep_reporting(world.clone(), front, heard.clone()));
        tokio::spawn(follow(world.clone(), heard.clone(), told.clone()));
    }
    // One report of everybody, so that connections stand and polls wait.
    tokio::time::sleep(2 * REPORT_EVERY).await;
    let (cpu, wall) = (server.cpu()?, Instant::now());
    let (mut each, mut last) = (histogram(), histogram());
    for round in 0..ROUNDS {
        let project = format!("front-{}-project-{}", round * 7, round * 31);
        let slowest = exceed(&hot, &mut answers, &project, &mut each).await?;
        last.saturating_record(micros(slowest));
    }
    let busy = (server.cpu()? - cpu) / wall.elapsed().as_secs_f64();
    line("from too much to each front end knowing", &quantiles(&each));
    line(
        "from too much to every front end knowing (20 rounds)",
        &format!("p50 {:.0} ms, worst {:.0} ms", last.value_at_quantile(0.5) as f64 / 1e3, last.max() as f64 / 1e3),
    );
    line("the server's processors meanwhile (5,000 reports/s)", &format!("{busy:.2} cores"));
    line("its memory at the peak", &format!("{:.0} MiB", server.peak_mib()?));
    Ok(())
}

/// Every front end lets too much through; waits until each has heard of it.
async fn exceed(
    hot: &watch::Sender<String>,
    answers: &mut mpsc::Receiver<(String, Instant)>,
    project: &str,
    each: &mut Histogram<u64>,
) -> Result<Duration, Failure> {
    let begun = Instant::now();
    hot.send_replace(project.to_owned());
    let (mut heard, mut slowest) = (0, Duration::ZERO);
    while heard < FRONTS {
        let answer = tokio::time::timeout(Duration::from_secs(20), answers.recv()).await;
        let (name, at) = answer
            .map_err(|_late| format!("{heard} of {FRONTS} front ends heard of {project}"))?
            .ok_or("no front ends")?;
        if name == project {
            heard += 1;
            slowest = slowest.max(at - begun);
            each.saturating_record(micros(at - begun));
        }
    }
    Ok(slowest)
}

struct World {
    http: reqwest::Client,
    url: String,
}

fn usage(front: usize, from: usize, count: usize) -> Vec<Value> {
    let one = |number: usize| json!([format!("front-{front}-project-{}", number % PROJECTS_EACH), 1000, 1, 0, 0]);
    (from..from + count).map(one).collect()
}

impl World {
    async fn report(&self, usage: &[Value]) -> Result<(), Failure> {
        let request = self.http.post(format!("{}/api/quota/report", self.url)).json(&json!({ "usage": usage }));
        request.send().await?.error_for_status()?;
        Ok(())
    }

    async fn poll(&self, since: u64) -> Result<Value, Failure> {
        let url = format!("{}/api/quota/bars?since={since}&wait=30", self.url);
        Ok(self.http.get(url).send().await?.error_for_status()?.json().await?)
    }
}

async fn keep_reporting(world: Arc<World>, front: usize, heard: watch::Receiver<String>) -> Result<(), Failure> {
    let start = tokio::time::Instant::now() + REPORT_EVERY.mul_f64(front as f64 / FRONTS as f64);
    let mut tick = tokio::time::interval_at(start, REPORT_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut told = String::new();
    for round in 0.. {
        tick.tick().await;
        let mut usage = usage(front, round * REPORTED, REPORTED);
        let hot = heard.borrow().clone();
        if hot != told {
            usage.push(json!([hot, HOT_BYTES, 1, 0, 0]));
            told = hot;
        }
        world.report(&usage).await?;
    }
    Ok(())
}

async fn follow(
    world: Arc<World>,
    heard: watch::Receiver<String>,
    told: mpsc::Sender<(String, Instant)>,
) -> Result<(), Failure> {
    let (mut since, mut known) = (0, String::new());
    loop {
        let changes = world.poll(since).await?;
        let at = Instant::now();
        since = changes["version"].as_u64().ok_or("an answer without a version")?;
        let hot = heard.borrow().clone();
        let bars = changes["bars"].as_array().ok_or("an answer without bars")?;
        if hot != known && bars.iter().any(|bar| bar[0] == hot.as_str()) {
            known.clone_from(&hot);
            told.send((hot, at)).await?;
        }
    }
}
