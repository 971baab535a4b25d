//! Consumer groups and their checkpoints.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{Catalog, signed, unsigned};
use crate::groups::{CheckpointRecord, GroupKey, GroupKind, GroupRecord};
use crate::{Offset, StoreError, UnixNanos};

impl Catalog {
    pub(crate) async fn consumer_groups(&self) -> Result<Vec<GroupRecord>, StoreError> {
        let failed = StoreError::catalog("list consumer groups");
        let rows = sqlx::query("SELECT source, kind, name, timeout_s, in_order, created_at FROM consumer_groups")
            .fetch_all(&self.pool)
            .await
            .map_err(&failed)?;
        rows.iter()
            .map(|row| {
                Ok(GroupRecord {
                    key: group_key(row)?,
                    timeout_s: small(row.try_get(3).map_err(&failed)?, "timeout of a group")?,
                    in_order: row.try_get::<i64, _>(4).map_err(&failed)? != 0,
                    created: UnixNanos(row.try_get(5).map_err(&failed)?),
                })
            })
            .collect()
    }

    pub(crate) async fn checkpoints(&self) -> Result<Vec<CheckpointRecord>, StoreError> {
        let failed = StoreError::catalog("list checkpoints");
        let rows =
            sqlx::query("SELECT source, kind, group_name, shard, position, consumer, updated_at FROM checkpoints")
                .fetch_all(&self.pool)
                .await
                .map_err(&failed)?;
        rows.iter()
            .map(|row| {
                Ok(CheckpointRecord {
                    group: group_key(row)?,
                    shard: small(row.try_get(3).map_err(&failed)?, "shard of a checkpoint")?,
                    position: Offset(unsigned(row.try_get(4).map_err(&failed)?)),
                    consumer: row.try_get(5).map_err(&failed)?,
                    updated: UnixNanos(row.try_get(6).map_err(&failed)?),
                })
            })
            .collect()
    }

    pub(crate) async fn put_consumer_group(&self, group: &GroupRecord) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO consumer_groups (source, kind, name, timeout_s, in_order, created_at) VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (source, kind, name) DO UPDATE SET timeout_s = excluded.timeout_s, in_order = excluded.in_order",
        )
        .bind(&group.key.source)
        .bind(group.key.kind.name())
        .bind(&group.key.name)
        .bind(i64::from(group.timeout_s))
        .bind(i64::from(group.in_order))
        .bind(group.created.0)
        .execute(&self.pool)
        .await
        .map_err(StoreError::catalog("keep a consumer group"))?;
        Ok(())
    }

    pub(crate) async fn delete_consumer_group(&self, key: &GroupKey) -> Result<(), StoreError> {
        let failed = StoreError::catalog("delete a consumer group");
        let mut transaction = self.begin(&failed).await?;
        for statement in [
            "DELETE FROM checkpoints WHERE source = $1 AND kind = $2 AND group_name = $3",
            "DELETE FROM consumer_groups WHERE source = $1 AND kind = $2 AND name = $3",
        ] {
            sqlx::query(statement)
                .bind(&key.source)
                .bind(key.kind.name())
                .bind(&key.name)
                .execute(&mut *transaction)
                .await
                .map_err(&failed)?;
        }
        self.commit(transaction, &failed).await
    }

    /// In one transaction: a commit costs an fsync, whatever it holds.
    pub(crate) async fn put_checkpoints(&self, checkpoints: &[CheckpointRecord]) -> Result<(), StoreError> {
        let failed = StoreError::catalog("keep a checkpoint");
        let mut transaction = self.begin(&failed).await?;
        for checkpoint in checkpoints {
            sqlx::query(
                "INSERT INTO checkpoints (source, kind, group_name, shard, position, consumer, updated_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7) \
                 ON CONFLICT (source, kind, group_name, shard) DO UPDATE SET \
                 position = excluded.position, consumer = excluded.consumer, updated_at = excluded.updated_at",
            )
            .bind(&checkpoint.group.source)
            .bind(checkpoint.group.kind.name())
            .bind(&checkpoint.group.name)
            .bind(i64::from(checkpoint.shard))
            .bind(signed(checkpoint.position.0))
            .bind(&checkpoint.consumer)
            .bind(checkpoint.updated.0)
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        }
        self.commit(transaction, &failed).await
    }
}

/// The first three columns of both tables.
fn group_key(row: &SqliteRow) -> Result<GroupKey, StoreError> {
    let failed = StoreError::catalog("read a consumer group");
    Ok(GroupKey {
        source: row.try_get(0).map_err(&failed)?,
        kind: GroupKind::parse(row.try_get(1).map_err(&failed)?)?,
        name: row.try_get(2).map_err(&failed)?,
    })
}

fn small(value: i64, what: &'static str) -> Result<u32, StoreError> {
    u32::try_from(value).map_err(|_out_of_range| StoreError::CatalogValue { what, value: value.to_string() })
}
