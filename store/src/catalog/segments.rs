//! Segments: committed, listed, given a tombstone, forgotten.

use sqlx::Row;

use super::{Catalog, signed, unsigned};
use crate::sequence::SequenceChange;
use crate::{Offset, ShardId, StoreError, StoreId, UnixNanos};

#[derive(Debug, Clone)]
pub(crate) struct SegmentRow {
    pub(crate) id: i64,
    pub(crate) shard: ShardId,
    pub(crate) path: String,
    pub(crate) first: Offset,
    pub(crate) last: Offset,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) min_time: UnixNanos,
    pub(crate) max_time: UnixNanos,
    pub(crate) max_received: UnixNanos,
}

impl Catalog {
    /// One transaction: the segment exists and the log may forget its rows, or neither. Fills in `row.id`. None when the catalog is ahead of the caller:
    /// an earlier commit was made although it was reported as failed.
    pub(crate) async fn commit_segment(
        &self,
        store: StoreId,
        mut row: SegmentRow,
        sequences: &SequenceChange,
    ) -> Result<Option<SegmentRow>, StoreError> {
        let failed = StoreError::catalog("commit a segment");
        let mut transaction = self.begin(&failed).await?;
        let moved = sqlx::query("UPDATE shards SET flushed_offset = $2 WHERE id = $1 AND flushed_offset <= $3")
            .bind(row.shard.0)
            .bind(signed(row.last.0 + 1))
            .bind(signed(row.first.0))
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        if moved.rows_affected() == 0 {
            return Ok(None);
        }
        row.id = Self::take_ids(&mut transaction, 1).await?;
        sqlx::query(
            "INSERT INTO segments (id, shard_id, path, first_offset, last_offset, row_count, size_bytes, min_time, max_time, max_received) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(row.id)
        .bind(row.shard.0)
        .bind(&row.path)
        .bind(signed(row.first.0))
        .bind(signed(row.last.0))
        .bind(signed(row.rows))
        .bind(signed(row.bytes))
        .bind(row.min_time.0)
        .bind(row.max_time.0)
        .bind(row.max_received.0)
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        Self::change_sequences(&mut transaction, store, sequences).await?;
        self.commit(transaction, &failed).await?;
        Ok(Some(row))
    }

    pub(crate) async fn segments(&self, shard: ShardId) -> Result<Vec<SegmentRow>, StoreError> {
        let failed = StoreError::catalog("list segments");
        let rows = sqlx::query(
            "SELECT id, path, first_offset, last_offset, row_count, size_bytes, min_time, max_time, max_received \
             FROM segments WHERE shard_id = $1 AND deleted_at IS NULL ORDER BY first_offset",
        )
        .bind(shard.0)
        .fetch_all(&self.pool)
        .await
        .map_err(&failed)?;
        rows.iter()
            .map(|row| {
                let number = |at: usize| row.try_get::<i64, _>(at).map_err(&failed);
                Ok(SegmentRow {
                    id: number(0)?,
                    shard,
                    path: row.try_get(1).map_err(&failed)?,
                    first: Offset(unsigned(number(2)?)),
                    last: Offset(unsigned(number(3)?)),
                    rows: unsigned(number(4)?),
                    bytes: unsigned(number(5)?),
                    min_time: UnixNanos(number(6)?),
                    max_time: UnixNanos(number(7)?),
                    max_received: UnixNanos(number(8)?),
                })
            })
            .collect()
    }

    pub(crate) async fn bury_segment(&self, id: i64, now: UnixNanos) -> Result<(), StoreError> {
        sqlx::query("UPDATE segments SET deleted_at = $2 WHERE id = $1")
            .bind(id)
            .bind(now.0)
            .execute(&self.pool)
            .await
            .map_err(StoreError::catalog("drop a segment"))?;
        Ok(())
    }

    /// Paths under a tombstone: their files may go when no snapshot names them.
    pub(crate) async fn buried_segments(&self) -> Result<Vec<String>, StoreError> {
        sqlx::query_scalar("SELECT path FROM segments WHERE deleted_at IS NOT NULL")
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::catalog("list dropped segments"))
    }

    pub(crate) async fn forget_segment(&self, path: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM segments WHERE path = $1 AND deleted_at IS NOT NULL")
            .bind(path)
            .execute(&self.pool)
            .await
            .map_err(StoreError::catalog("forget a segment"))?;
        Ok(())
    }
}
