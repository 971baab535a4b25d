//! Access keys: kept with their secrets sealed, listed, deleted.

use sqlx::Row;

use super::Catalog;
use crate::keys::{Grant, KeyId};
use crate::{StoreError, UnixNanos};

#[derive(Debug)]
pub(crate) struct KeyRow {
    pub(crate) id: KeyId,
    pub(crate) sealed_secret: String,
    pub(crate) grants: Vec<Grant>,
    pub(crate) created: UnixNanos,
    pub(crate) is_disabled: bool,
}

impl Catalog {
    pub(crate) async fn put_key(&self, row: &KeyRow) -> Result<(), StoreError> {
        let grants = serde_json::to_string(&row.grants).expect("grants are JSON");
        sqlx::query(
            "INSERT INTO access_keys (id, sealed_secret, grants, created_at, is_disabled) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (id) DO UPDATE SET sealed_secret = excluded.sealed_secret, grants = excluded.grants, \
             is_disabled = excluded.is_disabled",
        )
        .bind(row.id.as_str())
        .bind(&row.sealed_secret)
        .bind(grants)
        .bind(row.created.0)
        .bind(i64::from(row.is_disabled))
        .execute(&self.pool)
        .await
        .map_err(StoreError::catalog("keep an access key"))?;
        Ok(())
    }

    pub(crate) async fn keys(&self) -> Result<Vec<KeyRow>, StoreError> {
        let failed = StoreError::catalog("list access keys");
        let rows =
            sqlx::query("SELECT id, sealed_secret, grants, created_at, is_disabled FROM access_keys ORDER BY id")
                .fetch_all(&self.pool)
                .await
                .map_err(&failed)?;
        let read = |row: &sqlx::sqlite::SqliteRow| {
            let grants: String = row.try_get(2).map_err(&failed)?;
            let unknown = || StoreError::CatalogValue { what: "grants", value: grants.clone() };
            Ok(KeyRow {
                id: KeyId::parse(row.try_get(0).map_err(&failed)?)?,
                sealed_secret: row.try_get(1).map_err(&failed)?,
                grants: serde_json::from_str(&grants).map_err(|_not_ours| unknown())?,
                created: UnixNanos(row.try_get(3).map_err(&failed)?),
                is_disabled: row.try_get::<i64, _>(4).map_err(&failed)? != 0,
            })
        };
        rows.iter().map(read).collect()
    }

    pub(crate) async fn delete_key(&self, id: &KeyId) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM access_keys WHERE id = $1")
            .bind(id.as_str())
            .execute(&self.pool)
            .await
            .map_err(StoreError::catalog("delete an access key"))?;
        Ok(())
    }
}
