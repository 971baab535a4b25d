//! Stores, their columns and series.

use std::time::Duration;

use sqlx::Row;

use super::{Catalog, DocumentKind, ShardRow, signed, unsigned};
use crate::hash::HashRange;
use crate::schema::{Column, ColumnType};
use crate::spec::{StoreKind, StoreSettings, StoreSpec};
use crate::{Labels, ProjectName, SeriesId, StoreError, StoreId, StoreName, UnixNanos};

#[derive(Debug)]
pub(crate) struct StoreRow {
    pub(crate) id: StoreId,
    pub(crate) project: ProjectName,
    pub(crate) name: StoreName,
    pub(crate) kind: StoreKind,
    pub(crate) settings: StoreSettings,
    pub(crate) created: UnixNanos,
    pub(crate) updated: UnixNanos,
}

impl Catalog {
    pub(crate) async fn stores(&self) -> Result<Vec<StoreRow>, StoreError> {
        let failed = StoreError::catalog("list stores");
        let rows = sqlx::query(
            "SELECT id, project, name, kind, created_at, updated_at, ttl_ns, auto_split, shards_max, web_tracking, attributes \
             FROM stores ORDER BY id",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(&failed)?;
        rows.iter()
            .map(|row| {
                let number = |at: usize| row.try_get::<i64, _>(at).map_err(&failed);
                let ttl: Option<i64> = row.try_get(6).map_err(&failed)?;
                let shards_max = number(8)?;
                let settings = StoreSettings {
                    ttl: ttl.map(|ns| Duration::from_nanos(ns.unsigned_abs())),
                    auto_split: number(7)? != 0,
                    shards_max: u16::try_from(shards_max)
                        .map_err(|_| StoreError::CatalogValue { what: "shards_max", value: shards_max.to_string() })?,
                    web_tracking: number(9)? != 0,
                    attributes: row.try_get(10).map_err(&failed)?,
                };
                Ok(StoreRow {
                    id: StoreId(number(0)?),
                    project: ProjectName::parse(row.try_get(1).map_err(&failed)?)?,
                    name: StoreName::parse(row.try_get(2).map_err(&failed)?)?,
                    kind: StoreKind::parse(row.try_get(3).map_err(&failed)?)?,
                    settings,
                    created: UnixNanos(number(4)?),
                    updated: UnixNanos(number(5)?),
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
        let mut transaction = self.begin(&failed).await?;
        let id = StoreId(Self::take_ids(&mut transaction, 1).await?);
        Self::ensure_project_in(&mut transaction, project, now).await?;
        let settings = &spec.settings;
        sqlx::query(
            "INSERT INTO stores (id, project, name, kind, created_at, updated_at, ttl_ns, auto_split, shards_max, web_tracking, attributes) \
             VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8, $9, $10)",
        )
        .bind(id.0)
        .bind(project.as_str())
        .bind(name.as_str())
        .bind(spec.kind.name())
        .bind(now.0)
        .bind(settings.ttl_ns())
        .bind(i64::from(settings.auto_split))
        .bind(i64::from(settings.shards_max))
        .bind(i64::from(settings.web_tracking))
        .bind(&settings.attributes)
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        let ranges = HashRange::ALL.split_evenly(spec.shards).expect("a store has 1 to 256 shards");
        let shards = Self::add_shards(&mut transaction, id, &ranges, &[], now).await?;
        self.commit(transaction, &failed).await?;
        let row = StoreRow {
            id,
            project: project.clone(),
            name: name.clone(),
            kind: spec.kind,
            settings: settings.clone(),
            created: now,
            updated: now,
        };
        Ok((row, shards))
    }

    /// Segments get their tombstone in the same transaction; their files go later.
    pub(crate) async fn delete_store(
        &self,
        store: StoreId,
        project: &ProjectName,
        name: &StoreName,
        now: UnixNanos,
    ) -> Result<(), StoreError> {
        let failed = StoreError::catalog("delete a store");
        let mut transaction = self.begin(&failed).await?;
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
            "DELETE FROM shard_parents WHERE store_id = $1",
            "DELETE FROM columns WHERE store_id = $1",
            "DELETE FROM series WHERE store_id = $1",
            "DELETE FROM sequences WHERE store_id = $1",
            "DELETE FROM checkpoints WHERE source = 'store:' || $1",
            "DELETE FROM consumer_groups WHERE source = 'store:' || $1",
            "DELETE FROM stores WHERE id = $1",
        ] {
            sqlx::query(statement).bind(store.0).execute(&mut *transaction).await.map_err(&failed)?;
        }
        sqlx::query("DELETE FROM documents WHERE kind = $1 AND project = $2 AND name = $3")
            .bind(DocumentKind::Index.name())
            .bind(project.as_str())
            .bind(name.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        self.commit(transaction, &failed).await
    }

    pub(crate) async fn set_settings(
        &self,
        store: StoreId,
        settings: &StoreSettings,
        now: UnixNanos,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE stores SET updated_at = $2, ttl_ns = $3, auto_split = $4, shards_max = $5, web_tracking = $6, attributes = $7 \
             WHERE id = $1",
        )
        .bind(store.0)
        .bind(now.0)
        .bind(settings.ttl_ns())
        .bind(i64::from(settings.auto_split))
        .bind(i64::from(settings.shards_max))
        .bind(i64::from(settings.web_tracking))
        .bind(&settings.attributes)
        .execute(&self.pool)
        .await
        .map_err(StoreError::catalog("change a store's settings"))?;
        Ok(())
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
        let mut transaction = self.begin(&failed).await?;
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
        self.commit(transaction, &failed).await
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
        let mut transaction = self.begin(&failed).await?;
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
        self.commit(transaction, &failed).await
    }
}
