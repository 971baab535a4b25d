//! The folder as a whole: what was acknowledged is there after every kind of restart.

mod faults;
mod format_1;
mod format_2;
mod history;
mod machine;
mod sequences;
mod shards;

use arrow::array::{ArrayRef, AsArray, Int64Array, StringArray, TimestampNanosecondArray};
use arrow::datatypes::{Field, Int64Type, Schema};

use super::*;
use crate::{
    LabelMatcher, Labels, ProjectName, SampleRange, Samples, Series, StoreName, StoreSpec, UnixNanos, utc_nanoseconds,
};

const NOW: UnixNanos = UnixNanos(1_000_000_000_000);

struct Fixture {
    folder: tempfile::TempDir,
    clock: Clock,
}

impl Fixture {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), clock: Clock::manual(NOW) }
    }

    async fn open(&self) -> Storage {
        let config = StorageConfig { clock: self.clock.clone(), ..StorageConfig::new(self.folder.path()) };
        Storage::open(config).await.unwrap()
    }
}

fn project() -> ProjectName {
    ProjectName::default_project()
}

fn named(name: &str) -> StoreName {
    StoreName::parse(name).unwrap()
}

fn rows(numbers: std::ops::Range<i64>) -> RecordBatch {
    let time = TimestampNanosecondArray::from_iter_values(numbers.clone()).with_timezone("UTC");
    let texts = StringArray::from_iter_values(numbers.clone().map(|n| format!("host-{}", n % 3)));
    let fields = vec![
        Field::new(crate::TIME, utc_nanoseconds(), false),
        Field::new("n", arrow::datatypes::DataType::Int64, true),
        Field::new("host", arrow::datatypes::DataType::Utf8, true),
    ];
    let columns: Vec<ArrayRef> = vec![Arc::new(time), Arc::new(Int64Array::from_iter_values(numbers)), Arc::new(texts)];
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

async fn logs(storage: &Storage, name: &str) -> Arc<StoreState> {
    storage.create_store(&project(), &named(name), StoreSpec::new(StoreKind::Logs)).await.unwrap()
}

/// Every `n` of the store, sorted, segments read back from their files.
async fn numbers(storage: &Storage, store: &StoreState) -> Vec<i64> {
    use object_store::ObjectStoreExt;
    let snapshot = storage.snapshot(store, TimeRange::ALL).unwrap();
    let mut batches = snapshot.recent.clone();
    for segment in &snapshot.segments {
        let bytes = storage.segment_objects().get(segment.path()).await.unwrap().bytes().await.unwrap();
        let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
        batches.extend(reader.build().unwrap().map(|batch| batch.unwrap()));
    }
    let mut numbers: Vec<i64> = batches
        .iter()
        .flat_map(|batch| batch.column_by_name("n").unwrap().as_primitive::<Int64Type>().values().to_vec())
        .collect();
    numbers.sort_unstable();
    numbers
}

#[tokio::test(flavor = "multi_thread")]
async fn appended_rows_survive_a_restart_without_shutdown() {
    let fixture = Fixture::new();
    let storage = fixture.open().await;
    let store = logs(&storage, "app").await;
    for start in 0..10 {
        storage.append(&store, rows(start * 10..start * 10 + 10), &Route::Any).await.unwrap();
    }
    assert_eq!(numbers(&storage, &store).await, (0..100).collect::<Vec<_>>());
    // What kill -9 does: nothing is flushed; only the lock is let go, as the operating system would.
    drop(storage.inner.lock.lock().unwrap().take());
    let again = fixture.open().await;
    let store = again.expect_store(&project(), &named("app")).unwrap();
    assert_eq!(numbers(&again, &store).await, (0..100).collect::<Vec<_>>());
    again.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn flushed_rows_leave_the_log_and_stay_once() {
    let fixture = Fixture::new();
    let storage = fixture.open().await;
    let store = logs(&storage, "app").await;
    storage.append(&store, rows(0..50), &Route::Any).await.unwrap();
    storage.flush().await.unwrap();
    storage.append(&store, rows(50..60), &Route::Any).await.unwrap();
    assert_eq!(numbers(&storage, &store).await, (0..60).collect::<Vec<_>>());
    storage.shutdown().await.unwrap();
    assert!(matches!(storage.append(&store, rows(0..1), &Route::Any).await, Err(StoreError::Closed)));

    let again = fixture.open().await;
    let store = again.expect_store(&project(), &named("app")).unwrap();
    assert_eq!(store.size().recent_bytes, 0);
    assert_eq!(numbers(&again, &store).await, (0..60).collect::<Vec<_>>());
    let logs = std::fs::read_dir(fixture.folder.path().join("log")).unwrap().count();
    assert_eq!(logs, 1, "files whose rows stand in segments are gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_expire_by_receipt_and_running_snapshots_still_read_them() {
    let fixture = Fixture::new();
    let storage = fixture.open().await;
    let store = logs(&storage, "app").await;
    storage.append(&store, rows(0..50), &Route::Any).await.unwrap();
    storage.flush().await.unwrap();
    storage.set_ttl(&project(), &named("app"), Some(Duration::from_secs(60))).await.unwrap();
    let snapshot = storage.snapshot(&store, TimeRange::ALL).unwrap();
    let file = fixture.folder.path().join("segments").join(snapshot.segments[0].path().as_ref());

    fixture.clock.set(UnixNanos(NOW.0 + 59_000_000_000));
    storage.drop_expired().await.unwrap();
    assert_eq!(numbers(&storage, &store).await.len(), 50, "not yet");

    fixture.clock.set(UnixNanos(NOW.0 + 61_000_000_000));
    storage.drop_expired().await.unwrap();
    assert!(numbers(&storage, &store).await.is_empty());
    assert!(file.exists(), "the snapshot names it");
    drop(snapshot);
    let gone = async {
        while file.exists() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone).await.expect("the file goes with its last reader");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_store_comes_back_empty() {
    let fixture = Fixture::new();
    let storage = fixture.open().await;
    let store = logs(&storage, "app").await;
    storage.append(&store, rows(0..5), &Route::Any).await.unwrap();
    storage.delete_store(&project(), &named("app")).await.unwrap();
    let missing = storage.expect_store(&project(), &named("app")).unwrap_err().to_string();
    assert_eq!(missing, r#"project default has no store "app"; it has: none"#);
    let store = logs(&storage, "app").await;
    assert!(numbers(&storage, &store).await.is_empty());
    storage.shutdown().await.unwrap();
    let again = fixture.open().await;
    let store = again.expect_store(&project(), &named("app")).unwrap();
    assert!(numbers(&again, &store).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_by_key_goes_to_the_owner_of_the_key() {
    let fixture = Fixture::new();
    let storage = fixture.open().await;
    let store = logs(&storage, "app").await;
    storage.append(&store, rows(0..5), &Route::Key(u128::MAX)).await.unwrap();
    let ends: Vec<u64> = store.shards().iter().map(|shard| shard.end.0).collect();
    assert_eq!(ends, [0, 1]);
}

fn series(name: &str, host: &str, samples: &[(i64, f64)]) -> Series {
    let (timestamps_ms, values) = samples.iter().copied().unzip();
    let labels = Labels::new([("__name__", name), ("host", host)]).unwrap();
    Series { labels, samples: Samples { timestamps_ms, values } }
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_come_back_from_memory_and_from_segments() {
    let fixture = Fixture::new();
    let storage = fixture.open().await;
    let store = storage.create_store(&project(), &named("metrics"), StoreSpec::new(StoreKind::Metrics)).await.unwrap();
    let written = vec![series("up", "a", &[(1000, 1.0), (2000, 0.0)]), series("up", "b", &[(1000, f64::NAN)])];
    assert_eq!(storage.append_samples(&store, written).await.unwrap(), 3);
    storage.flush().await.unwrap();
    let stale = crate::stale_nan();
    storage.append_samples(&store, vec![series("up", "a", &[(3000, stale), (2000, 5.0)])]).await.unwrap();

    let up = [LabelMatcher::equal("__name__", "up"), LabelMatcher::equal("host", "a")];
    let found = storage.select_series(&store, &up, SampleRange::ALL).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].samples.timestamps_ms, [1000, 2000, 3000]);
    assert_eq!(found[0].samples.values[..2], [1.0, 0.0], "the first receipt of 2000 stands");
    assert!(crate::is_stale(found[0].samples.values[2]), "stale markers keep their bits");

    let late = SampleRange { start_ms: 2500, end_ms: 9000 };
    let labels = storage.series_labels(&store, &up[..1], late).await.unwrap();
    assert_eq!(labels.iter().map(ToString::to_string).collect::<Vec<_>>(), [r#"up{host="a"}"#]);
    storage.shutdown().await.unwrap();

    let again = fixture.open().await;
    let store = again.expect_store(&project(), &named("metrics")).unwrap();
    assert_eq!(store.series_count(), 2);
    let found = again.select_series(&store, &up, SampleRange::ALL).await.unwrap();
    assert_eq!(found[0].samples.timestamps_ms, [1000, 2000, 3000]);
}

#[tokio::test(flavor = "multi_thread")]
async fn kinds_are_not_mixed() {
    let fixture = Fixture::new();
    let storage = fixture.open().await;
    let store = logs(&storage, "app").await;
    let refused = storage.append_samples(&store, Vec::new()).await.unwrap_err().to_string();
    assert_eq!(refused, "store default/app is a logstore, not a metricstore");
}
