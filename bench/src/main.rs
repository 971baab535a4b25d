//! The pipeline measured from outside: `culprit-bench [SUITE…]` starts the culprit that `CULPRIT_BIN` names on this disk and prints tables.
//!
//! Server and load share the machine: figures "per core" divide by the server's own processor time, not by the wall's.

#![expect(clippy::print_stdout, reason = "the tables are what it is for")]

mod api;
mod egress;
mod ingest;
mod isolation;
mod latency;
mod load;
mod pauses;
mod quotas;
mod server;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hdrhistogram::Histogram;

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

const SUITES: [&str; 6] = ["ingest", "latency", "egress", "pauses", "isolation", "quotas"];

fn main() -> Result<(), Failure> {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    if let Some(unknown) = asked.iter().find(|suite| !SUITES.contains(&suite.as_str())) {
        return Err(format!("there is no suite {unknown:?}; there are {}", SUITES.join(", ")).into());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    for suite in SUITES.into_iter().filter(|suite| asked.is_empty() || asked.iter().any(|name| name == suite)) {
        runtime.block_on(async {
            match suite {
                "ingest" => ingest::run().await,
                "latency" => latency::run().await,
                "egress" => egress::run().await,
                "pauses" => pauses::run().await,
                "isolation" => isolation::run().await,
                _ => quotas::run().await,
            }
        })?;
    }
    Ok(())
}

/// Quotas out of the way: what is measured is the pipe.
pub(crate) const NO_QUOTAS: &str = "[quota]\nproject_write_bytes = 100000000000\nproject_write_requests = 100000000\nproject_read_bytes = 100000000000\n\
    project_read_requests = 100000000\nshard_write_bytes = 100000000000\nshard_write_requests = 100000000\nshard_read_bytes = 100000000000\n\
    shard_read_requests = 100000000\n";

#[expect(clippy::disallowed_methods, reason = "the rows of a load carry the time of its run")]
pub(crate) fn unix_seconds() -> Result<u32, Failure> {
    Ok(u32::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())?)
}

/// Microseconds, up to a minute, three digits.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3).expect("the bounds are valid")
}

pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// p50, p99 and p999 in milliseconds.
pub(crate) fn quantiles(latencies: &Histogram<u64>) -> String {
    let ms = |quantile: f64| latencies.value_at_quantile(quantile) as f64 / 1000.0;
    format!("p50 {:.2} ms, p99 {:.2} ms, p999 {:.2} ms", ms(0.5), ms(0.99), ms(0.999))
}

pub(crate) fn line(what: &str, figure: &str) {
    println!("  {what:<58} {figure}");
}

pub(crate) fn heading(text: &str) {
    println!("{text}");
}
