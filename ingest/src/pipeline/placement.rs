//! The shard of a write: chosen, charged, and chosen again when it was split in between.

use arrow::array::RecordBatch;
use culprit_store::{Route, Sequence, StoreError, StoreKind, StoreState};

use super::Ingest;
use crate::IngestError;
use crate::quota::Flow;

impl Ingest {
    /// Charges the shard that the write will go to, or refuses.
    pub(super) fn place(&self, store: &StoreState, key: Option<u128>, bytes: usize) -> Result<Route, IngestError> {
        let bytes = bytes as u64;
        if store.kind() == StoreKind::Metrics {
            // Samples go to the shards of their series, which are all of them in any request of some size.
            let shards = store.writable_shards();
            for shard in shards.iter() {
                self.quotas.admit_shard(store, *shard, Flow::Write, bytes / shards.len() as u64)?;
            }
            return Ok(Route::Any);
        }
        let shard = self.quotas.place(store, key, bytes)?;
        Ok(key.map_or(Route::Shard(shard), Route::Key))
    }

    /// A write without a key is at home in any shard, so that a split of the chosen one costs it nothing.
    pub(super) async fn append(
        &self,
        store: &StoreState,
        batches: Vec<RecordBatch>,
        route: &Route,
        sequence: Option<Sequence>,
    ) -> Result<(), IngestError> {
        let appended = self.storage.append_all(store, batches.clone(), route, sequence).await;
        match (appended, route) {
            (Err(StoreError::ShardReadOnly { .. } | StoreError::UnknownShard { .. }), Route::Shard(_)) => {
                Ok(self.storage.append_all(store, batches, &Route::Any, sequence).await?)
            }
            (appended, _) => Ok(appended?),
        }
    }
}
