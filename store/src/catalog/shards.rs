//! Shards: created, closed in favour of their children, listed, deleted.

use std::collections::HashMap;

use sqlx::{Row, SqliteConnection};

use super::{Catalog, unsigned};
use crate::hash::HashRange;
use crate::sequence::SequenceChange;
use crate::shard::ShardPlace;
use crate::{Offset, ShardId, ShardNumber, StoreError, StoreId, UnixNanos};

#[derive(Debug)]
pub(crate) struct ShardRow {
    pub(crate) id: ShardId,
    pub(crate) place: ShardPlace,
    pub(crate) flushed: Offset,
    pub(crate) closed: Option<UnixNanos>,
}

impl Catalog {
    /// Neighbouring ranges get ascending numbers, which nobody in this store has had.
    pub(super) async fn add_shards(
        connection: &mut SqliteConnection,
        store: StoreId,
        ranges: &[HashRange],
        parents: &[ShardNumber],
        now: UnixNanos,
    ) -> Result<Vec<ShardRow>, StoreError> {
        let failed = StoreError::catalog("create shards");
        let count = ranges.len() as i64;
        let first_id = Self::take_ids(connection, count).await?;
        let next: Option<i64> =
            sqlx::query_scalar("UPDATE stores SET next_shard = next_shard + $2 WHERE id = $1 RETURNING next_shard")
                .bind(store.0)
                .bind(count)
                .fetch_optional(&mut *connection)
                .await
                .map_err(&failed)?;
        let next = next.ok_or_else(|| failed(sqlx::Error::RowNotFound))?;
        let mut shards = Vec::with_capacity(ranges.len());
        for ((range, id), number) in ranges.iter().zip(first_id..).zip(next - count..) {
            sqlx::query(
                "INSERT INTO shards (id, store_id, number, range_begin, range_end, flushed_offset, created_at) \
                 VALUES ($1, $2, $3, $4, $5, 0, $6)",
            )
            .bind(id)
            .bind(store.0)
            .bind(number)
            .bind(format!("{:032x}", range.begin))
            .bind(format!("{:032x}", range.end))
            .bind(now.0)
            .execute(&mut *connection)
            .await
            .map_err(&failed)?;
            for parent in parents {
                sqlx::query("INSERT INTO shard_parents (store_id, child, parent) VALUES ($1, $2, $3)")
                    .bind(store.0)
                    .bind(number)
                    .bind(i64::from(parent.0))
                    .execute(&mut *connection)
                    .await
                    .map_err(&failed)?;
            }
            let place =
                ShardPlace { number: shard_number(number)?, range: *range, parents: parents.to_vec(), created: now };
            shards.push(ShardRow { id: ShardId(id), place, flushed: Offset(0), closed: None });
        }
        Ok(shards)
    }

    /// One transaction: the parents are read-only and the children have their keys, or nothing has changed.
    pub(crate) async fn replace_shards(
        &self,
        store: StoreId,
        parents: &[(ShardId, ShardNumber)],
        ranges: &[HashRange],
        now: UnixNanos,
    ) -> Result<Vec<ShardRow>, StoreError> {
        let failed = StoreError::catalog("split or merge shards");
        let mut transaction = self.begin(&failed).await?;
        for (id, _) in parents {
            let closed = sqlx::query("UPDATE shards SET closed_at = $2 WHERE id = $1 AND closed_at IS NULL")
                .bind(id.0)
                .bind(now.0)
                .execute(&mut *transaction)
                .await
                .map_err(&failed)?;
            if closed.rows_affected() != 1 {
                return Err(failed(sqlx::Error::RowNotFound));
            }
        }
        let numbers: Vec<ShardNumber> = parents.iter().map(|(_, number)| *number).collect();
        let children = Self::add_shards(&mut transaction, store, ranges, &numbers, now).await?;
        self.commit(transaction, &failed).await?;
        Ok(children)
    }

    pub(crate) async fn shards(&self, store: StoreId) -> Result<Vec<ShardRow>, StoreError> {
        let failed = StoreError::catalog("list shards");
        let mut parents = self.shard_parents(store).await?;
        let rows = sqlx::query(
            "SELECT id, number, range_begin, range_end, flushed_offset, created_at, closed_at FROM shards \
             WHERE store_id = $1 ORDER BY number",
        )
        .bind(store.0)
        .fetch_all(&self.pool)
        .await
        .map_err(&failed)?;
        rows.iter()
            .map(|row| {
                let number = row.try_get(1).map_err(&failed)?;
                let place = ShardPlace {
                    number: shard_number(number)?,
                    range: HashRange {
                        begin: hash_key(row.try_get(2).map_err(&failed)?)?,
                        end: hash_key(row.try_get(3).map_err(&failed)?)?,
                    },
                    parents: parents.remove(&number).unwrap_or_else(Vec::new),
                    created: UnixNanos(row.try_get(5).map_err(&failed)?),
                };
                Ok(ShardRow {
                    id: ShardId(row.try_get(0).map_err(&failed)?),
                    place,
                    flushed: Offset(unsigned(row.try_get(4).map_err(&failed)?)),
                    closed: row.try_get::<Option<i64>, _>(6).map_err(&failed)?.map(UnixNanos),
                })
            })
            .collect()
    }

    /// By child.
    async fn shard_parents(&self, store: StoreId) -> Result<HashMap<i64, Vec<ShardNumber>>, StoreError> {
        let failed = StoreError::catalog("list shards");
        let rows = sqlx::query("SELECT child, parent FROM shard_parents WHERE store_id = $1 ORDER BY child, parent")
            .bind(store.0)
            .fetch_all(&self.pool)
            .await
            .map_err(&failed)?;
        let mut parents: HashMap<i64, Vec<ShardNumber>> = HashMap::new();
        for row in &rows {
            let child = row.try_get(0).map_err(&failed)?;
            parents.entry(child).or_default().push(shard_number(row.try_get(1).map_err(&failed)?)?);
        }
        Ok(parents)
    }

    /// Segments get their tombstone in the same transaction; their files go later. The numbers of rows that were in the log alone stay.
    pub(crate) async fn delete_shard(
        &self,
        store: StoreId,
        shard: ShardId,
        sequences: &SequenceChange,
        now: UnixNanos,
    ) -> Result<(), StoreError> {
        let failed = StoreError::catalog("delete a shard");
        let mut transaction = self.begin(&failed).await?;
        sqlx::query("UPDATE segments SET deleted_at = $2 WHERE deleted_at IS NULL AND shard_id = $1")
            .bind(shard.0)
            .bind(now.0)
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        sqlx::query("DELETE FROM shards WHERE id = $1")
            .bind(shard.0)
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        Self::change_sequences(&mut transaction, store, sequences).await?;
        self.commit(transaction, &failed).await
    }
}

fn shard_number(number: i64) -> Result<ShardNumber, StoreError> {
    u32::try_from(number)
        .map(ShardNumber)
        .map_err(|_| StoreError::CatalogValue { what: "shard number", value: number.to_string() })
}

pub(super) fn hash_key(hex: &str) -> Result<u128, StoreError> {
    u128::from_str_radix(hex, 16).map_err(|_| StoreError::CatalogValue { what: "hash key", value: hex.to_owned() })
}
