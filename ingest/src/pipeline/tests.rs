//! Requests against a real data folder.

use culprit_store::{Clock, ColumnType, SampleRange, StorageConfig, TimeRange, UnixNanos};
use prost::Message;

use super::*;
use crate::quota::QuotaConfig;
use crate::remote_write::{LabelPair, Sample, TimeSeries, WriteRequest};

pub(super) struct Bench {
    pub(super) ingest: Ingest,
    pub(super) storage: Storage,
    pub(super) project: ProjectName,
    store: StoreName,
    _data: tempfile::TempDir,
}

pub(super) async fn bench(config: IngestConfig) -> Bench {
    let data = tempfile::tempdir().unwrap();
    let clock = Clock::manual(UnixNanos(1_577_836_800_000_000_000));
    let storage = Storage::open(StorageConfig { clock, ..StorageConfig::new(data.path()) }).await.unwrap();
    Bench {
        ingest: Ingest::new(storage.clone(), config, Quotas::of(&storage, QuotaConfig::default())),
        storage,
        project: ProjectName::default_project(),
        store: StoreName::parse("web").unwrap(),
        _data: data,
    }
}

impl Bench {
    async fn logs(&self, body: &'static str, meta: RequestMeta) -> Result<IngestReport, IngestError> {
        self.ingest.logs(&self.project, &self.store, Bytes::from_static(body.as_bytes()), meta).await
    }

    /// Rows per recent batch; which shard a batch is in does not show.
    fn rows(&self) -> usize {
        let store = self.storage.store(&self.project, &self.store).unwrap();
        let snapshot = self.storage.snapshot(&store, TimeRange::ALL).unwrap();
        snapshot.recent.iter().map(|batch| batch.num_rows()).sum()
    }

    pub(super) fn counter(&self, name: &str, label: Option<&str>) -> f64 {
        let has_label = |m: &Metric| label.is_none_or(|wanted| m.labels.iter().any(|(_, value)| value == wanted));
        let found: Vec<f64> =
            self.ingest.metrics().iter().filter(|m| m.name == name && has_label(m)).map(|m| m.value).collect();
        assert_eq!(found.len(), 1, "{name} {label:?}");
        found[0]
    }
}

#[tokio::test]
async fn rows_are_stored_counted_and_typed_by_the_store() {
    let bench = bench(IngestConfig::default()).await;
    let report = bench.logs("{\"n\":1,\"t\":\"x\"}\n{\"n\":\n", RequestMeta::default()).await.unwrap();
    assert_eq!((report.accepted, report.rejected), (1, 1));
    assert_eq!(report.reasons[0].line, 2);
    // The second request finds the types of the first.
    let report = bench.logs("{\"n\":\"late\",\"t\":5}", RequestMeta::default()).await.unwrap();
    assert_eq!((report.accepted, report.rejected), (1, 0));
    let store = bench.storage.store(&bench.project, &bench.store).unwrap();
    assert_eq!(store.schema().get("n"), Some(ColumnType::Int64));
    assert_eq!(store.schema().get("t"), Some(ColumnType::Utf8));
    assert_eq!(bench.rows(), 2);
    assert_eq!(bench.counter("culprit_ingest_rows_total", None), 2.0);
    assert_eq!(bench.counter("culprit_ingest_rejected_rows_total", Some("syntax")), 1.0);
    assert_eq!(bench.counter("culprit_ingest_requests_total", None), 2.0);
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn the_format_comes_from_parameter_then_content_type_then_bytes() {
    let bench = bench(IngestConfig::default()).await;
    let meta = |format: Option<&str>, content_type: Option<&str>| RequestMeta {
        format: format.map(str::to_owned),
        content_type: content_type.map(str::to_owned),
        ..RequestMeta::default()
    };
    for (meta, accepted) in [
        (meta(None, None), 2),
        (meta(None, Some("application/json")), 2),
        (meta(None, Some("text/plain")), 1),
        (meta(Some("json"), Some("text/plain")), 2),
        (meta(Some("logfmt"), None), 0),
    ] {
        let report = bench.logs("[{\"a\":1},{\"a\":2}]", meta.clone()).await.unwrap();
        assert_eq!(report.accepted, accepted, "{meta:?}");
    }
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn whole_requests_are_refused_with_a_clear_line() {
    let bench = bench(IngestConfig { body_bytes_max: 64, auto_create: false }).await;
    let missing = bench.logs("{}", RequestMeta::default()).await.unwrap_err();
    assert!(missing.to_string().contains("no store \"web\""), "{missing}");
    let metrics = StoreSpec::new(StoreKind::Metrics);
    let name = StoreName::parse("metrics").unwrap();
    bench.storage.create_store(&bench.project, &name, metrics).await.unwrap();
    bench.storage.create_store(&bench.project, &bench.store, StoreSpec::new(StoreKind::Logs)).await.unwrap();
    let kind = bench.ingest.logs(&bench.project, &name, Bytes::new(), RequestMeta::default()).await.unwrap_err();
    assert!(kind.to_string().contains("holds metrics, this request brings logs"), "{kind}");
    let kind = bench.ingest.remote_write(&bench.project, &bench.store, Bytes::new(), None).await.unwrap_err();
    assert!(kind.to_string().contains("holds logs, this request brings metrics"), "{kind}");

    let text = |value: &str| Some(value.to_owned());
    for (meta, expected) in [
        (RequestMeta { format: text("xml"), ..Default::default() }, "unknown format \"xml\""),
        (RequestMeta { encoding: text("br"), ..Default::default() }, "encoded as \"br\""),
        (RequestMeta { encoding: text("gzip"), ..Default::default() }, "not valid gzip"),
        (RequestMeta { hash_key: text("abc"), ..Default::default() }, "not 32 hexadecimal digits"),
        (RequestMeta { hash_key: text(&"+".repeat(32)), ..Default::default() }, "not 32 hexadecimal digits"),
    ] {
        let error = bench.logs("{\"a\":1}", meta).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let long = "a line that is longer than the sixty-four bytes which this bench allows for a body";
    let error = bench.logs(long, RequestMeta::default()).await.unwrap_err();
    assert!(error.to_string().contains("raise ingest.body_bytes_max"), "{error}");
    assert_eq!(bench.counter("culprit_ingest_refused_requests_total", None), 9.0);
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_body_without_rows_makes_no_store() {
    let bench = bench(IngestConfig::default()).await;
    let report = bench.logs("\n\n", RequestMeta::default()).await.unwrap();
    assert_eq!(report, IngestReport { accepted: 0, rejected: 0, reasons: Vec::new(), raw_bytes: 2 });
    assert!(bench.storage.store(&bench.project, &bench.store).is_none());
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn remote_write_reaches_the_series() {
    let bench = bench(IngestConfig::default()).await;
    let label = |name: &str, value: &str| LabelPair { name: name.into(), value: value.into() };
    let up = TimeSeries {
        labels: vec![label("__name__", "up"), label("job", "a")],
        samples: vec![Sample { value: 1.0, timestamp: 2000 }, Sample { value: 0.0, timestamp: 1000 }],
        histograms: Vec::new(),
    };
    let nameless = TimeSeries { labels: vec![label("job", "a")], ..up.clone() };
    let plain = WriteRequest { timeseries: vec![up, nameless] }.encode_to_vec();
    let body = Bytes::from(snap::raw::Encoder::new().compress_vec(&plain).unwrap());
    let report = bench.ingest.remote_write(&bench.project, &bench.store, body, Some("snappy")).await.unwrap();
    assert_eq!((report.accepted, report.rejected, report.raw_bytes), (2, 2, plain.len() as u64));
    let store = bench.storage.store(&bench.project, &bench.store).unwrap();
    let series = bench.storage.select_series(&store, &[], SampleRange::ALL).await.unwrap();
    assert_eq!(series.len(), 1);
    assert_eq!(series[0].labels.to_string(), r#"up{job="a"}"#);
    assert_eq!(series[0].samples.timestamps_ms, [1000, 2000]);
    assert_eq!(bench.counter("culprit_ingest_samples_total", None), 2.0);
    bench.storage.shutdown().await.unwrap();
}
