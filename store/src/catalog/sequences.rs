//! How far producers that number their writes have come: put beside the segments that hold their rows, listed at start.

use std::collections::HashMap;

use sqlx::{Row, SqliteConnection};

use super::Catalog;
use super::shards::hash_key;
use crate::sequence::{LastNumber, SequenceChange};
use crate::{StoreError, StoreId, UnixNanos};

impl Catalog {
    /// A number never goes back: samples of one write stand in several shards, which come here one by one.
    pub(super) async fn change_sequences(
        connection: &mut SqliteConnection,
        store: StoreId,
        change: &SequenceChange,
    ) -> Result<(), StoreError> {
        let failed = StoreError::catalog("note the numbers of writes");
        for (key, last) in &change.last {
            sqlx::query(
                "INSERT INTO sequences (store_id, hash_key, number, received_at) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (store_id, hash_key) DO UPDATE SET number = excluded.number, received_at = excluded.received_at \
                 WHERE excluded.number > sequences.number",
            )
            .bind(store.0)
            .bind(format!("{key:032x}"))
            .bind(last.number)
            .bind(last.received.0)
            .execute(&mut *connection)
            .await
            .map_err(&failed)?;
        }
        if let Some(forgotten) = change.forgotten {
            sqlx::query("DELETE FROM sequences WHERE store_id = $1 AND received_at < $2")
                .bind(store.0)
                .bind(forgotten.0)
                .execute(connection)
                .await
                .map_err(failed)?;
        }
        Ok(())
    }

    pub(crate) async fn sequences(&self, store: StoreId) -> Result<HashMap<u128, LastNumber>, StoreError> {
        let failed = StoreError::catalog("list the numbers of writes");
        let rows = sqlx::query("SELECT hash_key, number, received_at FROM sequences WHERE store_id = $1")
            .bind(store.0)
            .fetch_all(&self.pool)
            .await
            .map_err(&failed)?;
        let of = |row: &sqlx::sqlite::SqliteRow| {
            let key = hash_key(row.try_get(0).map_err(&failed)?)?;
            let (number, received) = (row.try_get(1).map_err(&failed)?, row.try_get(2).map_err(&failed)?);
            Ok((key, LastNumber { number, received: UnixNanos(received) }))
        };
        rows.iter().map(of).collect()
    }
}
