//! From a writer to a reader: append, durable, at the push tail. And the same while somebody reads old rows.

use std::time::{Duration, Instant};

use futures::StreamExt;
use hdrhistogram::Histogram;

use crate::api::Api;
use crate::load::{Random, log_group, numbered};
use crate::server::{Server, fdatasync_micros};
use crate::{Failure, NO_QUOTAS, heading, histogram, line, micros, quantiles, unix_seconds};

const APPENDS: u64 = 2000;
const STORE: &str = "shop";
/// Old rows for the reader that scans: several segments.
const COLD_BYTES: usize = 256 << 20;
const COLD_GROUP_BYTES: usize = 1 << 20;

pub(crate) async fn run() -> Result<(), Failure> {
    heading("append to reader, one row at a time: from the request's first byte sent to the row's bytes at the reader");
    let disk = fdatasync_micros(2000)?;
    line(
        "this disk's fdatasync of 4 KiB",
        &format!(
            "p50 {:.2} ms, p99 {:.2} ms",
            disk[disk.len() / 2] as f64 / 1e3,
            disk[disk.len() * 99 / 100] as f64 / 1e3
        ),
    );
    let server = Server::start(&format!("{NO_QUOTAS}[store]\nflush_age = \"1s\"\n")).await?;
    let api = Api::new(&server.url, "bench")?;
    api.create_project().await?;
    api.create_store(STORE, 1).await?;
    let quiet = follow(&api, 0).await?;
    line("push tail, nobody else", &quantiles(&quiet));

    let mut random = Random::new(11);
    for _ in 0..COLD_BYTES / COLD_GROUP_BYTES {
        api.put(STORE, None, &log_group(COLD_GROUP_BYTES, unix_seconds()?, &mut random)).await?;
    }
    // Until the flush has made segments of them, the old rows are not old.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let (reader, stop) = (api.clone(), tokio_stop());
    let stopped = stop.clone();
    let scan = tokio::spawn(async move { scan(&reader, &stopped).await });
    let beside = follow(&api, 1_000_000).await?;
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    let scanned = scan.await??;
    line(&format!("push tail, another reader scans {:.0} MB of old rows", scanned as f64 / 1e6), &quantiles(&beside));
    Ok(())
}

fn tokio_stop() -> std::sync::Arc<std::sync::atomic::AtomicBool> {
    std::sync::Arc::default()
}

/// From the beginning, again and again; returns the raw bytes read.
async fn scan(api: &Api, stop: &std::sync::atomic::AtomicBool) -> Result<u64, Failure> {
    let mut bytes = 0;
    let mut cursor = api.cursor(STORE, 0, "begin").await?;
    while !stop.load(std::sync::atomic::Ordering::Relaxed) {
        let pulled = api.pull(STORE, 0, &cursor, "lz4").await?;
        bytes += pulled.raw_bytes;
        let at_end = pulled.next == cursor;
        cursor = if at_end { api.cursor(STORE, 0, "begin").await? } else { pulled.next };
    }
    Ok(bytes)
}

/// One writer, one reader: the next row goes when the last has come.
async fn follow(api: &Api, first: u64) -> Result<Histogram<u64>, Failure> {
    let mut rows = api.tail(STORE, 0).await?.bytes_stream();
    let mut latencies = histogram();
    let mut read = Vec::new();
    for number in first..first + APPENDS {
        let body = numbered(number, unix_seconds()?);
        let mark = format!("\"{number}\"");
        let begun = Instant::now();
        let (writer, reader) = (api.put(STORE, None, &body), async {
            read.clear();
            while !contains(&read, mark.as_bytes()) {
                let bytes = rows.next().await.ok_or("the tail ended")??;
                read.extend_from_slice(&bytes);
            }
            Ok::<Duration, Failure>(begun.elapsed())
        });
        let (written, arrived) = tokio::join!(writer, reader);
        written?;
        latencies.saturating_record(micros(arrived?));
    }
    Ok(latencies)
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}
