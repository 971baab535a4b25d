//! How much one core takes in, up to the ACK; and how long an ACK takes at half of that load.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hdrhistogram::Histogram;

use crate::api::Api;
use crate::load::{Body, Random, log_group, ndjson};
use crate::server::Server;
use crate::{Failure, NO_QUOTAS, heading, histogram, line, micros, quantiles, unix_seconds};

const GROUP_BYTES: usize = 512 << 10;
const CONNECTIONS: usize = 4;
/// Different bodies, so that nothing upstream of the disk can remember them.
const BODIES: usize = 32;
const SHARDS: u16 = 4;
const STORE: &str = "shop";

enum Kind {
    LogGroups(Vec<Body>),
    NdJson(Vec<(Bytes, u64)>),
}

impl Kind {
    fn raw_bytes(&self, at: usize) -> usize {
        match self {
            Self::LogGroups(bodies) => bodies[at % bodies.len()].raw_bytes,
            Self::NdJson(bodies) => bodies[at % bodies.len()].0.len(),
        }
    }

    fn rows(&self, at: usize) -> u64 {
        match self {
            Self::LogGroups(bodies) => bodies[at % bodies.len()].rows,
            Self::NdJson(bodies) => bodies[at % bodies.len()].1,
        }
    }

    async fn send(&self, api: &Api, at: usize) -> Result<(), Failure> {
        match self {
            Self::LogGroups(bodies) => api.put(STORE, None, &bodies[at % bodies.len()]).await,
            Self::NdJson(bodies) => api.put_ndjson(STORE, bodies[at % bodies.len()].0.clone()).await,
        }
    }
}

struct Sent {
    bytes: f64,
    rows: f64,
    seconds: f64,
    cpu: f64,
    latencies: Histogram<u64>,
}

pub(crate) async fn run() -> Result<(), Failure> {
    heading("ingest up to the ACK, fsync on");
    let mut random = Random::new(7);
    let time = unix_seconds()?;
    let groups = (0..BODIES).map(|_| log_group(GROUP_BYTES, time, &mut random)).collect();
    let lines = (0..BODIES).map(|_| ndjson(GROUP_BYTES, u64::from(time) * 1000, &mut random)).collect();
    for (name, kind) in
        [("LogGroups of 512 KiB, lz4", Kind::LogGroups(groups)), ("NDJSON in parts of 512 KiB", Kind::NdJson(lines))]
    {
        measure(name, Arc::new(kind)).await?;
    }
    Ok(())
}

async fn measure(name: &str, kind: Arc<Kind>) -> Result<(), Failure> {
    let server = Server::start(NO_QUOTAS).await?;
    let api = Api::new(&server.url, "bench")?;
    api.create_project().await?;
    api.create_store(STORE, SHARDS).await?;
    drive(&server, &api, &kind, Duration::from_secs(3), None).await?;
    let full = drive(&server, &api, &kind, Duration::from_secs(12), None).await?;
    let per_second = full.bytes / full.seconds;
    line(
        name,
        &format!(
            "{:.0} MB/s per core ({:.0} MB/s of wall time, {:.0} rows/s)",
            full.bytes / 1e6 / full.cpu,
            per_second / 1e6,
            full.rows / full.seconds
        ),
    );
    let half = drive(&server, &api, &kind, Duration::from_secs(12), Some(per_second / 2.0)).await?;
    line(&format!("  ACK at half load ({:.0} MB/s)", half.bytes / half.seconds / 1e6), &quantiles(&half.latencies));
    line("  answered busy, and sent again", &format!("{} times", api.busy()));
    line("  peak memory", &format!("{:.0} MiB", server.peak_mib()?));
    Ok(())
}

/// As fast as it goes, or at a pace; a paced request is late from the moment at which it was due.
async fn drive(
    server: &Server,
    api: &Api,
    kind: &Arc<Kind>,
    time: Duration,
    pace: Option<f64>,
) -> Result<Sent, Failure> {
    let (cpu, begun) = (server.cpu()?, Instant::now());
    let next = Arc::new(AtomicU64::new(0));
    let mut writers = Vec::new();
    for _ in 0..CONNECTIONS {
        let (api, kind, next) = (api.clone(), kind.clone(), next.clone());
        writers.push(tokio::spawn(async move { write(&api, &kind, &next, begun, time, pace).await }));
    }
    let mut sent = Sent { bytes: 0.0, rows: 0.0, seconds: 0.0, cpu: 0.0, latencies: histogram() };
    for writer in writers {
        let part = writer.await??;
        sent.bytes += part.bytes;
        sent.rows += part.rows;
        sent.latencies.add(part.latencies)?;
    }
    sent.seconds = begun.elapsed().as_secs_f64();
    sent.cpu = server.cpu()? - cpu;
    Ok(sent)
}

async fn write(
    api: &Api,
    kind: &Kind,
    next: &AtomicU64,
    begun: Instant,
    time: Duration,
    pace: Option<f64>,
) -> Result<Sent, Failure> {
    let mut sent = Sent { bytes: 0.0, rows: 0.0, seconds: 0.0, cpu: 0.0, latencies: histogram() };
    while begun.elapsed() < time {
        let number = next.fetch_add(1, Relaxed);
        let at = usize::try_from(number)?;
        let mut due = Instant::now();
        if let Some(pace) = pace {
            due = begun + Duration::from_secs_f64(number as f64 * kind.raw_bytes(at) as f64 / pace);
            tokio::time::sleep_until(due.into()).await;
        }
        kind.send(api, at).await?;
        sent.latencies.saturating_record(micros(due.elapsed()));
        sent.bytes += kind.raw_bytes(at) as f64;
        sent.rows += kind.rows(at) as f64;
    }
    Ok(sent)
}
