//! What readers of the same shards cost: the first pays for the encoding, the others for their sockets.
//!
//! At the tail rows are still in memory, as they are for readers that follow; cold ones are read back from segments. The processor's time is taken from a
//! server that has come to rest, so that what writing and flushing cost is in nobody's figure.

use std::time::{Duration, Instant};

use crate::api::Api;
use crate::load::{Random, log_group};
use crate::server::Server;
use crate::{Failure, NO_QUOTAS, heading, line, unix_seconds};

const STORE: &str = "shop";
const SHARDS: u16 = 4;
/// Of each shard: together below the size at which a shard is flushed.
const GROUPS: usize = 44;
const GROUP_BYTES: usize = 512 << 10;
/// No shard is flushed for its age while it is read, or all are before.
const STATES: [(&str, &str); 2] =
    [("tail", "[store]\nflush_age = \"1h\"\n"), ("cold", "[store]\nflush_age = \"1s\"\n")];

pub(crate) async fn run() -> Result<(), Failure> {
    heading("egress: readers of four shards, each from their begin to their end");
    for (state, config) in STATES {
        for codec in ["lz4", "zstd"] {
            measure(state, config, codec).await?;
        }
    }
    Ok(())
}

async fn measure(state: &str, config: &str, codec: &'static str) -> Result<(), Failure> {
    let mut alone = None;
    for readers in [1_usize, 10, 100] {
        // A server each: nothing of one run is in the caches of the next.
        let server = Server::start(&format!("{NO_QUOTAS}{config}")).await?;
        let api = Api::new(&server.url, "bench")?;
        api.create_project().await?;
        api.create_store(STORE, SHARDS).await?;
        write_all(&api).await?;
        server.at_rest().await?;
        let (cpu, begun) = (server.cpu()?, Instant::now());
        let tasks: Vec<_> = (0..readers).map(|_| tokio::spawn(read_all(api.clone(), codec))).collect();
        let (mut raw, mut sent) = (0, 0);
        for task in tasks {
            let (reader_raw, reader_sent) = task.await??;
            raw += reader_raw;
            sent += reader_sent;
        }
        let (cpu, seconds) = (server.cpu()? - cpu, begun.elapsed().as_secs_f64());
        let first = *alone.get_or_insert(cpu);
        let figures = format!(
            "{:.2} s of CPU ({:.1} times one reader), {:.1} ms per reader; {:.0} MB/s raw, {:.0} MB/s sent",
            cpu,
            cpu / first,
            1e3 * cpu / readers as f64,
            raw as f64 / 1e6 / seconds,
            sent as f64 / 1e6 / seconds
        );
        line(&format!("{state}, {codec}, {readers} readers of {:.0} MB", raw as f64 / 1e6 / readers as f64), &figures);
    }
    Ok(())
}

async fn write_all(api: &Api) -> Result<(), Failure> {
    let mut random = Random::new(13);
    for _ in 0..GROUPS {
        for shard in 0..SHARDS {
            let key = (u128::MAX / u128::from(SHARDS) + 1) * u128::from(shard);
            api.put(STORE, Some(key), &log_group(GROUP_BYTES, unix_seconds()?, &mut random)).await?;
        }
    }
    Ok(())
}

/// Bytes before compression, and as they were sent.
async fn read_all(api: Api, codec: &'static str) -> Result<(u64, u64), Failure> {
    let (mut raw, mut sent) = (0, 0);
    for shard in 0..u32::from(SHARDS) {
        let (mut cursor, mut groups) = (api.cursor(STORE, shard, "begin").await?, 0);
        loop {
            let pulled = api.pull(STORE, shard, &cursor, codec).await?;
            if pulled.groups == 0 {
                break;
            }
            raw += pulled.raw_bytes;
            sent += pulled.sent_bytes;
            groups += pulled.groups;
            cursor = pulled.next;
        }
        if groups != GROUPS as u64 {
            return Err(format!("a reader got {groups} of {GROUPS} groups of shard {shard}").into());
        }
    }
    Ok((raw, sent))
}

impl Server {
    /// Returns when the server has had nothing to do for a while: what was written before is flushed, if it is due.
    async fn at_rest(&self) -> Result<(), Failure> {
        const LOOK_EVERY: Duration = Duration::from_millis(250);
        const CALM_LOOKS: u32 = 10;
        const PATIENCE: Duration = Duration::from_secs(60);
        let (begun, mut last, mut calm) = (Instant::now(), self.cpu()?, 0);
        while calm < CALM_LOOKS {
            if begun.elapsed() > PATIENCE {
                return Err("the server does not come to rest".into());
            }
            tokio::time::sleep(LOOK_EVERY).await;
            let cpu = self.cpu()?;
            // A tick of the clock is no work.
            calm = if cpu - last < 0.02 { calm + 1 } else { 0 };
            last = cpu;
        }
        Ok(())
    }
}
