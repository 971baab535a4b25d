//! One hundred tenants, one of which sends ten times what it may: what the others notice.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde_json::json;

use crate::api::Api;
use crate::load::{Body, Random, log_group};
use crate::server::Server;
use crate::{Failure, NO_QUOTAS, heading, histogram, line, micros, unix_seconds};

const PROJECTS: usize = 100;
const RUNS: usize = 5;
const STORE: &str = "shop";
/// Every tenant sends one group of this size this often: all together some 13 MB/s.
const GROUP_BYTES: usize = 32 << 10;
const EVERY: Duration = Duration::from_millis(250);
/// What a tenant may write: twice what it sends.
const QUOTA_BYTES: u64 = 256 << 10;
const QUIET: Duration = Duration::from_secs(8);

struct Phase {
    acknowledged: u64,
    due: u64,
    latencies: Histogram<u64>,
    offender: BTreeMap<String, u64>,
}

pub(crate) async fn run() -> Result<(), Failure> {
    heading("isolation: 100 projects, one sends ten times its quota");
    let mut kept = Vec::new();
    let mut slower = Vec::new();
    let mut answers: BTreeMap<String, u64> = BTreeMap::new();
    for _ in 0..RUNS {
        let server = Server::start(NO_QUOTAS).await?;
        let apis = tenants(&server).await?;
        let bodies = Arc::new(bodies()?);
        let quiet = phase(&apis, &bodies, false).await?;
        let loud = phase(&apis, &bodies, true).await?;
        let share = |phase: &Phase| phase.acknowledged as f64 / phase.due as f64;
        let p99 = |phase: &Phase| phase.latencies.value_at_quantile(0.99) as f64 / 1e3;
        kept.push(share(&loud) / share(&quiet));
        slower.push((p99(&quiet), p99(&loud)));
        for (answer, count) in loud.offender {
            *answers.entry(answer).or_default() += count;
        }
    }
    kept.sort_by(f64::total_cmp);
    slower.sort_by(|a, b| (a.1 / a.0).total_cmp(&(b.1 / b.0)));
    let (quiet, loud) = slower[RUNS / 2];
    line("the others' throughput, against quiet (median of five)", &format!("{:.1} %", 100.0 * kept[RUNS / 2]));
    line(
        "the others' p99 ACK, quiet and beside the offender",
        &format!("{quiet:.2} ms and {loud:.2} ms ({:.2} times)", loud / quiet),
    );
    line("what the offender was answered", &format!("{answers:?}"));
    Ok(())
}

async fn tenants(server: &Server) -> Result<Vec<Api>, Failure> {
    let first = Api::new(&server.url, "tenant-0")?;
    let mut apis = Vec::new();
    for number in 0..PROJECTS {
        let api = first.with_project(&format!("tenant-{number}"));
        api.create_project().await?;
        api.create_store(STORE, 1).await?;
        api.set_quota(&json!({"write_bytes": QUOTA_BYTES})).await?;
        apis.push(api);
    }
    Ok(apis)
}

fn bodies() -> Result<Vec<Body>, Failure> {
    let mut random = Random::new(19);
    let time = unix_seconds()?;
    Ok((0..16).map(|_| log_group(GROUP_BYTES, time, &mut random)).collect())
}

async fn phase(apis: &[Api], bodies: &Arc<Vec<Body>>, is_loud: bool) -> Result<Phase, Failure> {
    let begun = Instant::now();
    let mut others = Vec::new();
    for (number, api) in apis.iter().enumerate().skip(1) {
        others.push(tokio::spawn(tenant(api.clone(), bodies.clone(), number, begun)));
    }
    let offender = is_loud.then(|| tokio::spawn(offender(apis[0].clone(), bodies.clone(), begun)));
    let mut sum = Phase { acknowledged: 0, due: 0, latencies: histogram(), offender: BTreeMap::new() };
    for other in others {
        let part = other.await??;
        sum.acknowledged += part.acknowledged;
        sum.due += part.due;
        sum.latencies.add(part.latencies)?;
    }
    if let Some(offender) = offender {
        sum.offender = offender.await??;
    }
    Ok(sum)
}

/// At its pace, late from the moment at which it was due.
async fn tenant(api: Api, bodies: Arc<Vec<Body>>, number: usize, begun: Instant) -> Result<Phase, Failure> {
    let mut phase = Phase { acknowledged: 0, due: 0, latencies: histogram(), offender: BTreeMap::new() };
    let offset = EVERY.mul_f64(number as f64 / PROJECTS as f64);
    let rounds = u32::try_from(QUIET.as_millis() / EVERY.as_millis())?;
    for round in 0..rounds {
        let due = begun + offset + EVERY * round;
        tokio::time::sleep_until(due.into()).await;
        let (status, _) = api.try_put(STORE, None, &bodies[(number + round as usize) % bodies.len()]).await?;
        phase.due += 1;
        if status.is_success() {
            phase.acknowledged += 1;
            phase.latencies.saturating_record(micros(due.elapsed()));
        }
    }
    Ok(phase)
}

/// Ten times its quota, whatever it is answered.
async fn offender(api: Api, bodies: Arc<Vec<Body>>, begun: Instant) -> Result<BTreeMap<String, u64>, Failure> {
    let every = Duration::from_secs_f64(GROUP_BYTES as f64 / (10.0 * QUOTA_BYTES as f64));
    let mut answers = BTreeMap::new();
    let mut sent = 0;
    while begun.elapsed() < QUIET {
        tokio::time::sleep_until((begun + every * sent).into()).await;
        let (status, code) = api.try_put(STORE, None, &bodies[sent as usize % bodies.len()]).await?;
        *answers.entry(format!("{} {code}", status.as_u16()).trim_end().to_owned()).or_default() += 1;
        sent += 1;
    }
    Ok(answers)
}
