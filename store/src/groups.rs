//! What is durable of consumer groups: that they exist, and how far each has come in each shard. Who reads what at the moment is not.

use crate::{Offset, Storage, StoreError, StoreId, UnixNanos};

/// How the readers of a group share a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GroupKind {
    /// A shard has one reader at a time.
    Consumer,
    /// A shard has any number of readers, each batch goes to one of them.
    Fanout,
}

impl GroupKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Consumer => "group",
            Self::Fanout => "fanout",
        }
    }

    pub(crate) fn parse(name: &str) -> Result<Self, StoreError> {
        match name {
            "group" => Ok(Self::Consumer),
            "fanout" => Ok(Self::Fanout),
            other => Err(StoreError::CatalogValue { what: "group kind", value: other.to_owned() }),
        }
    }
}

/// What a group reads and what it is called; two groups of one key are one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupKey {
    pub source: String,
    pub kind: GroupKind,
    pub name: String,
}

impl GroupKey {
    /// Ids of stores are never given twice: a store that is deleted and made anew begins without groups.
    pub fn source_of_store(store: StoreId) -> String {
        format!("store:{store}")
    }

    pub fn source_of_view(project: &str, view: &str) -> String {
        format!("view:{project}/{view}")
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRecord {
    pub key: GroupKey,
    pub timeout_s: u32,
    pub in_order: bool,
    pub created: UnixNanos,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointRecord {
    pub group: GroupKey,
    /// As the source numbers it: for views the virtual id.
    pub shard: u32,
    /// The next offset to be read.
    pub position: Offset,
    /// Who has set it.
    pub consumer: String,
    pub updated: UnixNanos,
}

impl Storage {
    pub async fn consumer_groups(&self) -> Result<Vec<GroupRecord>, StoreError> {
        self.inner.catalog.consumer_groups().await
    }

    pub async fn checkpoints(&self) -> Result<Vec<CheckpointRecord>, StoreError> {
        self.inner.catalog.checkpoints().await
    }

    /// Makes the group, or gives it new settings.
    pub async fn put_consumer_group(&self, group: &GroupRecord) -> Result<(), StoreError> {
        self.inner.catalog.put_consumer_group(group).await
    }

    /// With its checkpoints.
    pub async fn delete_consumer_group(&self, key: &GroupKey) -> Result<(), StoreError> {
        self.inner.catalog.delete_consumer_group(key).await
    }

    /// All or none, on disk when it returns.
    pub async fn put_checkpoints(&self, checkpoints: &[CheckpointRecord]) -> Result<(), StoreError> {
        self.inner.catalog.put_checkpoints(checkpoints).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StorageConfig;

    fn key(name: &str, kind: GroupKind) -> GroupKey {
        GroupKey { source: GroupKey::source_of_store(StoreId(7)), kind, name: name.to_owned() }
    }

    fn checkpoint(group: GroupKey, shard: u32, position: u64) -> CheckpointRecord {
        CheckpointRecord {
            group,
            shard,
            position: Offset(position),
            consumer: "c".to_owned(),
            updated: UnixNanos(position.cast_signed()),
        }
    }

    #[tokio::test]
    async fn groups_and_checkpoints_survive_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let storage = Storage::open(StorageConfig::new(folder.path())).await.unwrap();
        let (one, many) = (key("g", GroupKind::Consumer), key("g", GroupKind::Fanout));
        let mut record = GroupRecord { key: one.clone(), timeout_s: 30, in_order: true, created: UnixNanos(1) };
        storage.put_consumer_group(&record).await.unwrap();
        record.timeout_s = 60;
        storage.put_consumer_group(&record).await.unwrap();
        let fanout = GroupRecord { key: many.clone(), timeout_s: 0, in_order: false, created: UnixNanos(2) };
        storage.put_consumer_group(&fanout).await.unwrap();
        let first =
            [checkpoint(one.clone(), 0, 5), checkpoint(many.clone(), 0, 8), checkpoint(one.clone(), 3, u64::MAX)];
        storage.put_checkpoints(&first).await.unwrap();
        storage.put_checkpoints(&[checkpoint(one.clone(), 0, 6)]).await.unwrap();
        storage.shutdown().await.unwrap();

        let storage = Storage::open(StorageConfig::new(folder.path())).await.unwrap();
        let mut groups = storage.consumer_groups().await.unwrap();
        groups.sort_by(|a, b| a.key.cmp(&b.key));
        assert_eq!(groups, [record, fanout.clone()]);
        storage.delete_consumer_group(&one).await.unwrap();
        assert_eq!(storage.consumer_groups().await.unwrap(), [fanout]);
        assert_eq!(storage.checkpoints().await.unwrap(), [checkpoint(many, 0, 8)]);
        storage.shutdown().await.unwrap();
    }
}
