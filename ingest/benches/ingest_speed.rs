//! How fast bodies become columns and columns bodies, on one core: MB of raw bytes per second, the best of many rounds,
//! so that a busy machine does not show in it. Then whole requests up to their acknowledgement, in a data folder of this
//! disk: MB of raw bytes per second of CPU time, whichever threads it was spent on.
//!
//! `cargo bench -p culprit-ingest [-- NAME]`.
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use culprit_ingest::quota::{QuotaConfig, Quotas};
use culprit_ingest::{Codec, DecodeOptions, Format, Ingest, IngestConfig, PutLogs, RequestMeta, loggroup};
use culprit_store::{
    ProjectName, Storage, StorageConfig, StoreKind, StoreName, StoreSchema, StoreSpec, StoreState, UnixNanos,
};

const BODY_BYTES: usize = 512 << 10;
const ROUNDS: usize = 200;
/// Requests of the whole way, and how many are under way at once.
const REQUESTS: usize = 400;
const WRITERS: usize = 8;

fn main() {
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let wanted = |name: &str| only.as_deref().is_none_or(|only| name.contains(only));
    let schema = StoreSchema::default();
    let lines = ndjson();
    let options = DecodeOptions { now: UnixNanos(0), time_field: None };
    let batch = Format::Ndjson.decode(lines.as_bytes(), &schema, options.clone()).batch.expect("the lines are rows");
    let rows = batch.num_rows();
    println!("{rows} rows of {} bytes and {} columns", lines.len() / rows, batch.num_columns());
    let mut group = Vec::new();
    loggroup::encode(&batch, &mut group);
    let decoded = loggroup::decode(&group, &schema).expect("written by encode").batch.expect("it has rows");
    let mut out = Vec::new();

    let raw = group.len();
    measure(wanted, "loggroup decode", raw, || drop(black_box(loggroup::decode(&group, &schema))));
    measure(wanted, "loggroup encode", raw, || {
        out.clear();
        loggroup::encode_entry(&decoded, &mut out);
    });
    for codec in [Codec::Lz4, Codec::Zstd, Codec::Deflate] {
        let body = Bytes::from(codec.compress(&group));
        println!("{} to {} %", codec.name(), 100 * body.len() / raw);
        measure(wanted, &format!("{} compress", codec.name()), raw, || drop(black_box(codec.compress(&group))));
        measure(wanted, &format!("{} decompress", codec.name()), raw, || {
            drop(black_box(codec.decompress(&body, Some(raw), raw)));
        });
    }
    measure(wanted, "ndjson decode", lines.len(), || {
        drop(black_box(Format::Ndjson.decode(lines.as_bytes(), &schema, options.clone())));
    });
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    if wanted("whole way") {
        runtime.block_on(whole_way(&group, lines));
    }
}

async fn whole_way(group: &[u8], lines: String) {
    let data = tempfile::tempdir().expect("a folder for the data");
    let storage = Storage::open(StorageConfig::new(data.path())).await.expect("the folder is new");
    let ingest = Ingest::new(storage.clone(), IngestConfig::default(), Quotas::of(&storage, QuotaConfig::default()));
    let project = ProjectName::default_project();
    let name = StoreName::parse("speed").expect("a good name");
    let spec = StoreSpec::new(StoreKind::Logs);
    let store = storage.create_store(&project, &name, spec).await.expect("the folder has room");
    let (raw, body) = (group.len(), Bytes::from(Codec::Lz4.compress(group)));
    per_cpu("whole way, lz4 LogGroup", raw, || put(ingest.clone(), store.clone(), body.clone(), raw)).await;
    let (raw, body) = (lines.len(), Bytes::from(lines));
    per_cpu("whole way, NDJSON", raw, || {
        let (ingest, project, name, body) = (ingest.clone(), project.clone(), name.clone(), body.clone());
        async move {
            ingest.logs(&project, &name, body, RequestMeta::default()).await.expect("stored");
        }
    })
    .await;
    storage.shutdown().await.expect("closed in order");
}

async fn put(ingest: Ingest, store: std::sync::Arc<StoreState>, body: Bytes, raw: usize) {
    let put = PutLogs { codec: Codec::Lz4, raw_size: Some(raw), packages: false, key: None, sequence: None };
    ingest.put_logs(&store, body, put).await.expect("stored");
}

async fn per_cpu<F: Future<Output = ()> + Send + 'static>(name: &str, bytes: usize, request: impl Fn() -> F) {
    let (cpu, start) = (cpu_seconds(), Instant::now());
    let mut writers = tokio::task::JoinSet::new();
    for number in 0..REQUESTS {
        if number >= WRITERS {
            writers.join_next().await.expect("some are under way").expect("no writer panics");
        }
        writers.spawn(request());
    }
    writers.join_all().await;
    let megabytes = (bytes * REQUESTS) as f64 / 1e6;
    let (cpu, elapsed) = (cpu_seconds() - cpu, start.elapsed().as_secs_f64());
    println!("{name:<24} {:4.0} MB/s of CPU, {:4.0} MB/s by the clock", megabytes / cpu, megabytes / elapsed);
}

/// User and system time of this process, from Linux' table of processes, in hundredths.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields = stat.rsplit_once(')').expect("the name is in brackets").1.split_ascii_whitespace();
    fields.skip(11).take(2).map(|ticks| ticks.parse::<f64>().expect("a number")).sum::<f64>() / 100.0
}

fn measure(wanted: impl Fn(&str) -> bool, name: &str, bytes: usize, mut work: impl FnMut()) {
    if !wanted(name) {
        return;
    }
    let best = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        work();
        start.elapsed()
    });
    let best = best.min().expect("there are rounds");
    println!("{name:<20} {:8.0} MB/s", bytes as f64 / 1e6 / best.as_secs_f64());
}

/// Requests of a web service: ids that differ, texts that repeat, numbers.
fn ndjson() -> String {
    let mut text = String::new();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for row in 0.. {
        if text.len() >= BODY_BYTES {
            break;
        }
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let noise = random >> 20;
        text += &format!(
            concat!(
                r#"{{"_time":{},"level":"{}","service":"checkout-{}","host":"node-{:03}.eu-central.example.com","#,
                r#""method":"{}","path":"/api/v1/customers/{}/orders/{}","status":{},"duration_ms":{}.{},"bytes":{},"#,
                r#""trace_id":"{:032x}","customer_id":"{}","user_agent":"Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101","#,
                r#""region":"eu-central-{}","message":"order {} was accepted after {} attempts, queue depth {}"}}"#,
                "\n"
            ),
            1_700_000_000_000_u64 + row,
            ["info", "info", "warn", "error"][(noise % 4) as usize],
            noise % 8,
            noise % 40,
            ["GET", "POST", "PUT"][(noise % 3) as usize],
            noise % 10_000,
            noise % 99_991,
            200 + noise % 5 * 100,
            noise % 900,
            noise % 10,
            noise % 65_536,
            u128::from(random) << 40 | u128::from(noise),
            noise % 1_000,
            noise % 3,
            noise % 99_991,
            noise % 5,
            noise % 300,
        );
    }
    text
}
