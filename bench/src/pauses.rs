//! How long the pipe stands still: a split under a keyed writer, and a start after SIGKILL.

use std::time::{Duration, Instant};

use crate::api::Api;
use crate::load::{Random, log_group, numbered};
use crate::server::Server;
use crate::{Failure, NO_QUOTAS, heading, histogram, line, micros, quantiles, unix_seconds};

const STORE: &str = "shop";
const SPLITS: usize = 20;
const LOG_BYTES: usize = 768 << 20;
const GROUP_BYTES: usize = 1 << 20;

pub(crate) async fn run() -> Result<(), Failure> {
    heading("pauses");
    split().await?;
    recovery().await
}

/// A writer of one key, one append after the other, while its shard is split again and again.
async fn split() -> Result<(), Failure> {
    const KEY: u128 = 0x42;
    let server = Server::start(NO_QUOTAS).await?;
    let api = Api::new(&server.url, "bench")?;
    api.create_project().await?;
    api.create_store(STORE, 1).await?;
    let (writer, stop) = (api.clone(), std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false)));
    let stopped = stop.clone();
    let writing = tokio::spawn(async move {
        let mut all = Vec::new();
        let mut number = 0;
        while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
            let body = numbered(number, unix_seconds()?);
            let begun = Instant::now();
            writer.put(STORE, Some(KEY), &body).await?;
            all.push((begun, begun.elapsed()));
            number += 1;
        }
        Ok::<_, Failure>(all)
    });
    let mut splits = Vec::new();
    for _ in 0..SPLITS {
        tokio::time::sleep(Duration::from_millis(200)).await;
        // Key 0x42 lives in the first writable shard: each split halves that one.
        let shards = api.shards(STORE).await?;
        let owner = shards.iter().filter(|(_, writable)| *writable).map(|(shard, _)| *shard);
        let owner = if splits.is_empty() { owner.min() } else { owner.rev().nth(1) }.ok_or("no writable shard")?;
        let begun = Instant::now();
        api.split(STORE, owner).await?;
        splits.push((begun, begun.elapsed()));
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    let appends = writing.await??;
    let (mut quiet, mut during, mut took) = (histogram(), histogram(), histogram());
    for (begun, latency) in &appends {
        let meets = |(split, length): &(Instant, Duration)| *begun < *split + *length && *split < *begun + *latency;
        let kept = if splits.iter().any(meets) { &mut during } else { &mut quiet };
        kept.saturating_record(micros(*latency));
    }
    for (_, length) in &splits {
        took.saturating_record(micros(*length));
    }
    line("a keyed writer's ACK, no split", &quantiles(&quiet));
    line(
        "a keyed writer's ACK that meets a split",
        &format!("{}, longest {:.2} ms", quantiles(&during), during.max() as f64 / 1e3),
    );
    line(&format!("{SPLITS} splits"), &quantiles(&took));
    Ok(())
}

async fn recovery() -> Result<(), Failure> {
    // Recent rows stay in the log as long as memory allows.
    let mut server = Server::start(&format!("{NO_QUOTAS}[store]\nflush_age = \"1h\"\n")).await?;
    let api = Api::new(&server.url, "bench")?;
    api.create_project().await?;
    // Many shards, none of which reaches the size at which it is flushed.
    api.create_store(STORE, 64).await?;
    let mut random = Random::new(17);
    let mut raw = 0;
    while raw < LOG_BYTES {
        let body = log_group(GROUP_BYTES, unix_seconds()?, &mut random);
        api.put(STORE, None, &body).await?;
        raw += body.raw_bytes;
    }
    server.kill9().await?;
    let log = server.log_bytes()? as f64;
    let took = server.restart().await?.as_secs_f64();
    let per_gib = took * (1u64 << 30) as f64 / log;
    line(
        "recovery after SIGKILL",
        &format!(
            "{took:.2} s for {:.0} MiB of log ({:.0} MB of rows): {per_gib:.1} s per GiB of log",
            log / (1u64 << 20) as f64,
            raw as f64 / 1e6
        ),
    );
    Ok(())
}
