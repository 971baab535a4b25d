//! PutLogs against a real data folder.

use culprit_store::{HashRange, ShardNumber, SplitAt, StoreName, StoreSpec};
use prost::Message;

use super::*;
use crate::loggroup::messages::{LogGroup, Package, PackageList, log, tag};
use crate::pipeline::tests::{Bench, bench};
use crate::{BodyFault, IngestConfig};

async fn store(bench: &Bench, name: &str, kind: StoreKind) -> Arc<StoreState> {
    let name = StoreName::parse(name).unwrap();
    bench.storage.create_store(&bench.project, &name, StoreSpec::new(kind)).await.unwrap()
}

fn group(rows: u32) -> LogGroup {
    let logs = (0..rows).map(|i| log(1_577_836_800 + i, &[("level", "info"), ("n", &i.to_string())])).collect();
    LogGroup { logs, topic: Some("t".into()), tags: vec![tag("k", "v")], ..Default::default() }
}

fn put(codec: Codec, raw: &[u8]) -> (Bytes, PutLogs) {
    let put = PutLogs { codec, raw_size: Some(raw.len()), packages: false, key: None, sequence: None };
    (codec.compress(raw).into(), put)
}

/// What the shards hold, as messages, with the shard's number.
async fn stored(bench: &Bench, store: &Arc<StoreState>) -> Vec<(ShardNumber, LogGroup)> {
    let mut groups = Vec::new();
    for shard in store.shards() {
        let read = bench.storage.read_shard(store, shard.number, shard.begin, 1000, usize::MAX).await.unwrap();
        for found in read.batches {
            let mut message = Vec::new();
            loggroup::encode(&found.batch, &mut message);
            groups.push((shard.number, LogGroup::decode(&*message).unwrap()));
        }
    }
    groups
}

#[tokio::test]
async fn a_group_comes_back_as_it_was_sent_in_every_compression() {
    let bench = bench(IngestConfig::default()).await;
    for (codec, rows) in Codec::ALL.into_iter().flat_map(|codec| [(codec, 3), (codec, 5000)]) {
        let store = store(&bench, &format!("of-{rows}-{}", codec.name()), StoreKind::Logs).await;
        let sent = group(rows);
        let raw = sent.encode_to_vec();
        let (body, put) = put(codec, &raw);
        let accepted = bench.ingest.put_logs(&store, body, put).await.unwrap();
        assert_eq!((accepted.rows, accepted.raw_bytes, accepted.rejected), (u64::from(rows), raw.len() as u64, 0));
        let stored = stored(&bench, &store).await;
        assert_eq!(stored.len(), 1, "{codec:?}");
        assert_eq!(stored[0].1, sent, "{codec:?}");
    }
    assert_eq!(bench.counter("culprit_ingest_rows_total", None), 5.0 * 5003.0);
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn packages_are_groups_of_their_own() {
    let bench = bench(IngestConfig::default()).await;
    let store = store(&bench, "packages", StoreKind::Logs).await;
    let raws: Vec<Vec<u8>> = (1..4).map(|rows| group(rows).encode_to_vec()).collect();
    let package = |raw: &Vec<u8>| Package { data: Codec::Lz4.compress(raw), raw_size: Some(raw.len() as i32) };
    let body = PackageList { packages: raws.iter().map(package).collect() }.encode_to_vec();
    let put = PutLogs { codec: Codec::Lz4, raw_size: Some(7), packages: true, key: Some(0), sequence: None };
    let commits = || {
        let metrics = bench.storage.metrics();
        metrics.iter().find(|metric| metric.name == "culprit_store_log_groups_total").unwrap().value
    };
    let before = commits();
    let accepted = bench.ingest.put_logs(&store, body.into(), put).await.unwrap();
    assert_eq!(commits() - before, 1.0, "one group of the log has all of them, or none");
    assert_eq!((accepted.rows, accepted.raw_bytes), (6, raws.concat().len() as u64));
    let stored = stored(&bench, &store).await;
    assert_eq!(stored.into_iter().map(|(_, group)| group).collect::<Vec<_>>(), (1..4).map(group).collect::<Vec<_>>());
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_key_decides_the_shard_before_and_after_a_split() {
    let bench = bench(IngestConfig::default()).await;
    let store = store(&bench, "keyed", StoreKind::Logs).await;
    let send = async |key: u128| {
        let (body, put) = put(Codec::Lz4, &group(1).encode_to_vec());
        bench.ingest.put_logs(&store, body, PutLogs { key: Some(key), ..put }).await.unwrap();
        let owner = store.owner(key);
        let range: HashRange = store.shard(owner).unwrap().range;
        assert!(range.contains(key));
        owner
    };
    let before = send(u128::MAX).await;
    bench.storage.split_shard(&store, before, SplitAt::Middle).await.unwrap();
    let after = send(u128::MAX).await;
    assert_ne!(before, after);
    let shards: Vec<ShardNumber> = stored(&bench, &store).await.into_iter().map(|(shard, _)| shard).collect();
    assert_eq!(shards, [before, after]);
    bench.storage.shutdown().await.unwrap();
}

/// A shard chosen just before it was split.
#[tokio::test]
async fn a_write_without_a_key_survives_a_split() {
    let bench = bench(IngestConfig::default()).await;
    let store = store(&bench, "free", StoreKind::Logs).await;
    let batch = loggroup::decode(&group(2).encode_to_vec(), &store.schema()).unwrap().batch.unwrap();
    let chosen = store.writable_shards()[0];
    bench.storage.split_shard(&store, chosen, SplitAt::Middle).await.unwrap();
    bench.ingest.append(&store, vec![batch.clone()], &Route::Shard(chosen), None).await.unwrap();
    bench.ingest.append(&store, vec![batch], &Route::Shard(ShardNumber(999)), None).await.unwrap();
    let shards: Vec<ShardNumber> = stored(&bench, &store).await.into_iter().map(|(shard, _)| shard).collect();
    assert!(shards.len() == 2 && !shards.contains(&chosen), "{shards:?}");
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_metricstore_takes_samples() {
    let bench = bench(IngestConfig::default()).await;
    let store = store(&bench, "metrics", StoreKind::Metrics).await;
    let row = |value: &str| {
        let labels = ("__labels__", "job#$#a");
        log(1, &[("__name__", "up"), labels, ("__time_nano__", "1577836800000000000"), ("__value__", value)])
    };
    let group = LogGroup { logs: vec![row("1"), row("x")], ..Default::default() };
    let (body, put) = put(Codec::Zstd, &group.encode_to_vec());
    let accepted = bench.ingest.put_logs(&store, body, put).await.unwrap();
    assert_eq!((accepted.rows, accepted.rejected, accepted.reasons.len()), (1, 1, 1));
    let series = bench.storage.select_series(&store, &[], culprit_store::SampleRange::ALL).await.unwrap();
    assert_eq!(series[0].labels.to_string(), r#"up{job="a"}"#);
    assert_eq!(series[0].samples.timestamps_ms, [1_577_836_800_000]);
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_bad_body_is_refused_by_its_fault_and_stores_nothing() {
    let bench = bench(IngestConfig::default()).await;
    let store = store(&bench, "refused", StoreKind::Logs).await;
    let raw = group(3).encode_to_vec();
    for (codec, body, raw_size, fault) in [
        (Codec::Lz4, Codec::Lz4.compress(&raw), None, BodyFault::NoRawSize),
        (Codec::Lz4, Codec::Lz4.compress(&raw), Some(raw.len() + 1), BodyFault::RawSize),
        (Codec::Lz4, Codec::Lz4.compress(&raw), Some(LOGGROUP_RAW_BYTES_MAX + 1), BodyFault::TooLarge),
        (Codec::Zstd, Codec::Lz4.compress(&raw), Some(raw.len()), BodyFault::Compression),
        (Codec::None, raw[..raw.len() - 1].to_vec(), None, BodyFault::Content),
        (Codec::None, vec![0; LOGGROUP_RAW_BYTES_MAX + 1], Some(0), BodyFault::TooLarge),
    ] {
        let put = PutLogs { codec, raw_size, packages: false, key: None, sequence: None };
        let error = bench.ingest.put_logs(&store, body.into(), put).await.unwrap_err();
        assert_eq!(error.body_fault(), Some(fault), "{error}");
    }
    assert_eq!(bench.counter("culprit_ingest_refused_requests_total", None), 6.0);
    assert!(stored(&bench, &store).await.is_empty());
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn events_of_a_page_become_rows_at_their_arrival() {
    let bench = bench(IngestConfig::default()).await;
    let store = store(&bench, "pages", StoreKind::Logs).await;
    let text = |text: &str| text.to_owned();
    let track = WebTrack {
        topic: text("t"),
        source: text("127.0.0.1"),
        tags: vec![(text("os"), text("linux"))],
        logs: vec![vec![(text("page"), text("/a"))], vec![(text("page"), text("/b")), (text("page"), text("again"))]],
    };
    assert_eq!(bench.ingest.track(&store, track).await.unwrap().rows, 2);
    let expected = LogGroup {
        logs: vec![log(1_577_836_800, &[("page", "/a")]), log(1_577_836_800, &[("page", "/b"), ("page", "again")])],
        topic: Some(text("t")),
        source: Some(text("127.0.0.1")),
        tags: vec![tag("os", "linux")],
        ..Default::default()
    };
    assert_eq!(stored(&bench, &store).await[0].1, expected);
    assert_eq!(bench.ingest.track(&store, WebTrack::default()).await.unwrap().rows, 0);
    bench.storage.shutdown().await.unwrap();
}
