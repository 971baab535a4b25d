//! A folder of format 2: its segments of samples have a row per sample, and stay as they are.

use std::path::Path;

use super::format_1::copy;
use super::{Fixture, named, project, series};
use crate::{LabelMatcher, Offset, SampleRange, ShardNumber, Storage, StoreState, stale_nan};

async fn samples_of_a(storage: &Storage, store: &StoreState) -> Vec<(i64, u64)> {
    let a = [LabelMatcher::equal("__name__", "up"), LabelMatcher::equal("host", "a")];
    let found = storage.select_series(store, &a, SampleRange::ALL).await.unwrap();
    assert_eq!(found.len(), 1);
    let samples = &found[0].samples;
    samples.timestamps_ms.iter().copied().zip(samples.values.iter().map(|value| value.to_bits())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_samples_are_read_beside_chunks() {
    let fixture = Fixture::new();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/format-2"), fixture.folder.path());
    let storage = fixture.open().await;
    let store = storage.expect_store(&project(), &named("metrics")).unwrap();
    let old = [(1000, 1.0_f64.to_bits()), (2000, 0.5_f64.to_bits()), (3000, stale_nan().to_bits())];
    assert_eq!(samples_of_a(&storage, &store).await, old);
    let read = storage.read_shard(&store, ShardNumber(1), Offset(0), 10, usize::MAX).await.unwrap();
    assert_eq!(read.batches.iter().map(|batch| batch.batch.num_rows()).collect::<Vec<_>>(), [3, 2]);

    storage.append_samples(&store, vec![series("up", "a", &[(3000, 8.0), (2500, 4.0)])]).await.unwrap();
    storage.shutdown().await.unwrap();
    let storage = fixture.open().await;
    let store = storage.expect_store(&project(), &named("metrics")).unwrap();
    let both = [old[0], old[1], (2500, 4.0_f64.to_bits()), old[2]];
    assert_eq!(samples_of_a(&storage, &store).await, both);
    let read = storage.read_shard(&store, ShardNumber(1), Offset(2), 10, usize::MAX).await.unwrap();
    assert!(read.is_cold);
    assert_eq!(read.batches.iter().map(|batch| batch.batch.num_rows()).collect::<Vec<_>>(), [2]);
}
