//! What readers of one shard cost: the first pays for the encoding, the others for their socket.

use std::time::Instant;

use crate::api::Api;
use crate::load::{Random, log_group};
use crate::server::Server;
use crate::{Failure, NO_QUOTAS, heading, line, unix_seconds};

const STORE: &str = "shop";
const GROUPS: usize = 128;
const GROUP_BYTES: usize = 512 << 10;

pub(crate) async fn run() -> Result<(), Failure> {
    heading("egress: readers of one shard, each from its begin to its end");
    for codec in ["lz4", "zstd"] {
        measure(codec).await?;
    }
    Ok(())
}

async fn measure(codec: &'static str) -> Result<(), Failure> {
    let mut alone = None;
    for readers in [1_usize, 10, 100] {
        // A server each: nothing of one run is in the caches of the next.
        let server = Server::start(NO_QUOTAS).await?;
        let api = Api::new(&server.url, "bench")?;
        api.create_project().await?;
        api.create_store(STORE, 1).await?;
        let mut random = Random::new(13);
        for _ in 0..GROUPS {
            api.put(STORE, None, &log_group(GROUP_BYTES, unix_seconds()?, &mut random)).await?;
        }
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
        line(&format!("{codec}, {readers} readers of {:.0} MB", raw as f64 / 1e6 / readers as f64), &figures);
    }
    Ok(())
}

async fn read_all(api: Api, codec: &'static str) -> Result<(u64, u64), Failure> {
    let (mut raw, mut sent, mut groups) = (0, 0, 0);
    let mut cursor = api.cursor(STORE, 0, "begin").await?;
    loop {
        let pulled = api.pull(STORE, 0, &cursor, codec).await?;
        if pulled.groups == 0 {
            break;
        }
        raw += pulled.raw_bytes;
        sent += pulled.sent_bytes;
        groups += pulled.groups;
        cursor = pulled.next;
    }
    if groups != GROUPS as u64 {
        return Err(format!("a reader got {groups} of {GROUPS} groups").into());
    }
    Ok((raw, sent))
}
