//! What the tests of consumption share: a folder with stores, and readers that decode what they get with messages of their own.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray};
use culprit_store::{
    Clock, ProjectName, Route, ShardNumber, Storage, StorageConfig, StoreKind, StoreName, StoreSpec, StoreState,
    UnixNanos,
};
use prost::Message;

use super::{ConsumeConfig, Consumption, Pulled, Source};
use crate::quota::{QuotaConfig, Quotas};

pub(super) const NOW: UnixNanos = UnixNanos(1_577_836_800_000_000_000);

pub(super) struct Folder {
    folder: tempfile::TempDir,
    pub(super) clock: Clock,
}

/// An open folder.
pub(super) struct House {
    pub(super) storage: Storage,
    pub(super) consumption: Consumption,
}

impl Folder {
    pub(super) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), clock: Clock::manual(NOW) }
    }

    pub(super) async fn open(&self) -> House {
        self.open_with(ConsumeConfig::default()).await
    }

    pub(super) async fn open_with(&self, config: ConsumeConfig) -> House {
        let storage_config = StorageConfig { clock: self.clock.clone(), ..StorageConfig::new(self.folder.path()) };
        let storage = Storage::open(storage_config).await.unwrap();
        let quotas = Quotas::of(&storage, QuotaConfig::default());
        House { consumption: Consumption::new(storage.clone(), quotas, config), storage }
    }

    pub(super) fn pass(&self, seconds: i64) {
        self.clock.set(UnixNanos(self.clock.now().0 + seconds * 1_000_000_000));
    }
}

pub(super) fn project(name: &str) -> ProjectName {
    ProjectName::parse(name).unwrap()
}

pub(super) fn named(name: &str) -> StoreName {
    StoreName::parse(name).unwrap()
}

impl House {
    pub(super) async fn logs(&self, name: &str, shards: u16) -> Arc<StoreState> {
        let spec = StoreSpec { shards, ..StoreSpec::new(StoreKind::Logs) };
        self.storage.create_store(&ProjectName::default_project(), &named(name), spec).await.unwrap()
    }

    pub(super) fn source(&self, name: &str) -> Source {
        self.consumption.source(&ProjectName::default_project(), &named(name)).unwrap()
    }

    /// One batch with these values of `n`.
    pub(super) async fn append(&self, store: &StoreState, shard: u32, numbers: impl IntoIterator<Item = i64>) {
        let route = Route::Shard(ShardNumber(shard));
        self.storage.append(store, batch(numbers), &route).await.unwrap();
    }

    pub(super) async fn append_by_key(&self, store: &StoreState, key: u128, number: i64) {
        self.storage.append(store, batch([number]), &Route::Key(key)).await.unwrap();
    }
}

fn batch(numbers: impl IntoIterator<Item = i64>) -> RecordBatch {
    let numbers: Vec<i64> = numbers.into_iter().collect();
    let time = TimestampNanosecondArray::from(vec![NOW.0; numbers.len()]).with_timezone("UTC");
    let hosts = StringArray::from_iter_values(numbers.iter().map(|n| format!("host-{}", n % 3)));
    let columns: [(&str, ArrayRef); 3] =
        [("_time", Arc::new(time)), ("n", Arc::new(Int64Array::from(numbers))), ("host", Arc::new(hosts))];
    RecordBatch::try_from_iter(columns).unwrap()
}

#[derive(Clone, PartialEq, Message)]
struct Content {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
struct Log {
    #[prost(uint32, tag = "1")]
    time: u32,
    #[prost(message, repeated, tag = "2")]
    contents: Vec<Content>,
}

#[derive(Clone, PartialEq, Message)]
struct LogGroup {
    #[prost(message, repeated, tag = "1")]
    logs: Vec<Log>,
}

#[derive(Clone, PartialEq, Message)]
struct LogGroupList {
    #[prost(message, repeated, tag = "1")]
    groups: Vec<LogGroup>,
}

fn numbers_of(group: &LogGroup) -> Vec<i64> {
    let number = |log: &Log| log.contents.iter().find(|content| content.key == "n").unwrap().value.parse().unwrap();
    group.logs.iter().map(number).collect()
}

/// The values of `n`, a list for each LogGroup.
pub(super) fn groups_of(pulled: &Pulled) -> Vec<Vec<i64>> {
    let raw = pulled.codec.decompress(&pulled.body, Some(pulled.raw_bytes), 1 << 30).unwrap();
    assert_eq!(raw.len(), pulled.raw_bytes);
    let list = LogGroupList::decode(raw).unwrap();
    assert_eq!(list.groups.len(), pulled.groups);
    list.groups.iter().map(numbers_of).collect()
}

pub(super) fn numbers_of_message(message: &[u8]) -> Vec<i64> {
    numbers_of(&LogGroup::decode(message).unwrap())
}

pub(super) fn set(numbers: impl IntoIterator<Item = i64>) -> BTreeSet<i64> {
    numbers.into_iter().collect()
}
