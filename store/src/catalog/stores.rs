//! Projects, stores, their shards, columns and series.

use sqlx::Row;

use super::{Catalog, signed, unsigned};
use crate::hash::HashRange;
use crate::schema::{Column, ColumnType};
use crate::state::{StoreKind, StoreSpec};
use crate::{Labels, Offset, ProjectName, SeriesId, ShardId, StoreError, StoreId, StoreName, UnixNanos};

#[derive(Debug)]
pub(crate) struct StoreRow {
    pub(crate) id: StoreId,
    pub(crate) project: ProjectName,
    pub(crate) name: StoreName,
    pub(crate) kind: StoreKind,
    pub(crate) ttl_ns: Option<i64>,
}

#[derive(Debug)]
pub(crate) struct ShardRow {
    pub(crate) id: ShardId,
    pub(crate) range: HashRange,
    pub(crate) flushed: Offset,
}

impl Catalog {
    pub(crate) async fn ensure_project(&self, project: &ProjectName, now: UnixNanos) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO projects (name, created_at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
            .bind(project.as_str())
            .bind(now.0)
            .execute(&self.pool)
            .await
            .map_err(StoreError::catalog("create a project"))?;
        Ok(())
    }

    pub(crate) async fn projects(&self) -> Result<Vec<ProjectName>, StoreError> {
        let names: Vec<String> = sqlx::query_scalar("SELECT name FROM projects ORDER BY name")
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::catalog("list projects"))?;
        names.iter().map(|name| ProjectName::parse(name)).collect()
    }

    pub(crate) async fn stores(&self) -> Result<Vec<StoreRow>, StoreError> {
        let failed = StoreError::catalog("list stores");
        let rows = sqlx::query("SELECT id, project, name, kind, ttl_ns FROM stores ORDER BY id")
            .fetch_all(&self.pool)
            .await
            .map_err(&failed)?;
        rows.iter()
            .map(|row| {
                Ok(StoreRow {
                    id: StoreId(row.try_get(0).map_err(&failed)?),
                    project: ProjectName::parse(row.try_get(1).map_err(&failed)?)?,
                    name: StoreName::parse(row.try_get(2).map_err(&failed)?)?,
                    kind: StoreKind::parse(row.try_get(3).map_err(&failed)?)?,
                    ttl_ns: row.try_get(4).map_err(&failed)?,
                })
            })
            .collect()
    }

    pub(crate) async fn create_store(
        &self,
        project: &ProjectName,
        name: &StoreName,
        spec: &StoreSpec,
        now: UnixNanos,
    ) -> Result<(StoreRow, Vec<ShardRow>), StoreError> {
        let failed = StoreError::catalog("create a store");
        let ttl_ns = spec.ttl_ns();
        let mut transaction = self.pool.begin().await.map_err(&failed)?;
        let first = Self::take_ids(&mut transaction, 1 + i64::from(spec.shards)).await?;
        sqlx::query("INSERT INTO projects (name, created_at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
            .bind(project.as_str())
            .bind(now.0)
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        sqlx::query("INSERT INTO stores (id, project, name, kind, ttl_ns, created_at) VALUES ($1, $2, $3, $4, $5, $6)")
            .bind(first)
            .bind(project.as_str())
            .bind(name.as_str())
            .bind(spec.kind.name())
            .bind(ttl_ns)
            .bind(now.0)
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        let mut shards = Vec::with_capacity(usize::from(spec.shards));
        for (number, range) in HashRange::split_evenly(spec.shards) {
            let id = ShardId(first + 1 + i64::from(number));
            sqlx::query(
                "INSERT INTO shards (id, store_id, number, range_begin, range_end, flushed_offset) VALUES ($1, $2, $3, $4, $5, 0)",
            )
            .bind(id.0)
            .bind(first)
            .bind(i64::from(number))
            .bind(format!("{:032x}", range.begin))
            .bind(format!("{:032x}", range.end))
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
            shards.push(ShardRow { id, range, flushed: Offset(0) });
        }
        transaction.commit().await.map_err(&failed)?;
        let row =
            StoreRow { id: StoreId(first), project: project.clone(), name: name.clone(), kind: spec.kind, ttl_ns };
        Ok((row, shards))
    }

    /// Segments get their tombstone in the same transaction; their files go later.
    pub(crate) async fn delete_store(&self, store: StoreId, now: UnixNanos) -> Result<(), StoreError> {
        let failed = StoreError::catalog("delete a store");
        let mut transaction = self.pool.begin().await.map_err(&failed)?;
        sqlx::query(
            "UPDATE segments SET deleted_at = $2 WHERE deleted_at IS NULL AND shard_id IN (SELECT id FROM shards WHERE store_id = $1)",
        )
        .bind(store.0)
        .bind(now.0)
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        for statement in [
            "DELETE FROM shards WHERE store_id = $1",
            "DELETE FROM columns WHERE store_id = $1",
            "DELETE FROM series WHERE store_id = $1",
            "DELETE FROM stores WHERE id = $1",
        ] {
            sqlx::query(statement).bind(store.0).execute(&mut *transaction).await.map_err(&failed)?;
        }
        transaction.commit().await.map_err(&failed)
    }

    pub(crate) async fn set_ttl(&self, store: StoreId, ttl_ns: Option<i64>) -> Result<(), StoreError> {
        sqlx::query("UPDATE stores SET ttl_ns = $2 WHERE id = $1")
            .bind(store.0)
            .bind(ttl_ns)
            .execute(&self.pool)
            .await
            .map_err(StoreError::catalog("set a TTL"))?;
        Ok(())
    }

    pub(crate) async fn shards(&self, store: StoreId) -> Result<Vec<ShardRow>, StoreError> {
        let failed = StoreError::catalog("list shards");
        let rows = sqlx::query(
            "SELECT id, range_begin, range_end, flushed_offset FROM shards WHERE store_id = $1 ORDER BY number",
        )
        .bind(store.0)
        .fetch_all(&self.pool)
        .await
        .map_err(&failed)?;
        rows.iter()
            .map(|row| {
                Ok(ShardRow {
                    id: ShardId(row.try_get(0).map_err(&failed)?),
                    range: HashRange {
                        begin: hash_key(row.try_get(1).map_err(&failed)?)?,
                        end: hash_key(row.try_get(2).map_err(&failed)?)?,
                    },
                    flushed: Offset(unsigned(row.try_get(3).map_err(&failed)?)),
                })
            })
            .collect()
    }

    pub(crate) async fn columns(&self, store: StoreId) -> Result<Vec<Column>, StoreError> {
        let failed = StoreError::catalog("list columns");
        let rows = sqlx::query("SELECT name, type FROM columns WHERE store_id = $1 ORDER BY position")
            .bind(store.0)
            .fetch_all(&self.pool)
            .await
            .map_err(&failed)?;
        rows.iter()
            .map(|row| {
                Ok(Column {
                    name: row.try_get(0).map_err(&failed)?,
                    column_type: ColumnType::parse(row.try_get(1).map_err(&failed)?)?,
                })
            })
            .collect()
    }

    pub(crate) async fn add_columns(
        &self,
        store: StoreId,
        position: usize,
        columns: &[Column],
    ) -> Result<(), StoreError> {
        let failed = StoreError::catalog("add columns");
        let mut transaction = self.pool.begin().await.map_err(&failed)?;
        for (position, column) in (position..).zip(columns) {
            sqlx::query("INSERT INTO columns (store_id, position, name, type) VALUES ($1, $2, $3, $4)")
                .bind(store.0)
                .bind(signed(position as u64))
                .bind(&column.name)
                .bind(column.column_type.name())
                .execute(&mut *transaction)
                .await
                .map_err(&failed)?;
        }
        transaction.commit().await.map_err(&failed)
    }

    pub(crate) async fn series(&self, store: StoreId) -> Result<Vec<(SeriesId, Labels)>, StoreError> {
        let failed = StoreError::catalog("list series");
        let rows = sqlx::query("SELECT id, labels FROM series WHERE store_id = $1")
            .bind(store.0)
            .fetch_all(&self.pool)
            .await
            .map_err(&failed)?;
        rows.iter()
            .map(|row| {
                let text: &str = row.try_get(1).map_err(&failed)?;
                let pairs: std::collections::BTreeMap<String, String> = serde_json::from_str(text)
                    .map_err(|_| StoreError::CatalogValue { what: "labels", value: text.to_owned() })?;
                Ok((SeriesId(unsigned(row.try_get(0).map_err(&failed)?)), Labels::new(pairs)?))
            })
            .collect()
    }

    pub(crate) async fn add_series(&self, store: StoreId, new: &[(SeriesId, Labels)]) -> Result<(), StoreError> {
        let failed = StoreError::catalog("add series");
        let mut transaction = self.pool.begin().await.map_err(&failed)?;
        for (id, labels) in new {
            let text = serde_json::to_string(labels).expect("labels are text and text is JSON");
            sqlx::query("INSERT INTO series (store_id, id, labels) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
                .bind(store.0)
                .bind(signed(id.0))
                .bind(text)
                .execute(&mut *transaction)
                .await
                .map_err(&failed)?;
        }
        transaction.commit().await.map_err(&failed)
    }
}

fn hash_key(hex: &str) -> Result<u128, StoreError> {
    u128::from_str_radix(hex, 16).map_err(|_| StoreError::CatalogValue { what: "hash key", value: hex.to_owned() })
}
