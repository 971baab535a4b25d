//! The catalog: which projects, stores, shards, columns, segments, series and documents exist.
//!
//! SQLite through sqlx here; the statements hold to BIGINT and TEXT so that PostgreSQL takes the same ones. What queries and appends need is kept in
//! memory by their owners; the catalog is read at start and written when something is created, flushed or deleted.

mod documents;
mod groups;
mod keys;
mod projects;
mod segments;
mod sequences;
mod shards;
mod stores;

use std::path::Path;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous, SqliteTransaction,
};

use crate::StoreError;
use crate::disk::{Disk, Operation};

pub use documents::{Document, DocumentKind};
pub(crate) use keys::KeyRow;
pub(crate) use segments::SegmentRow;
pub(crate) use shards::ShardRow;
pub(crate) use stores::StoreRow;

/// Applied in order, each in its own transaction; a migration that was released is never edited.
const MIGRATIONS: &[(i64, &str)] = &[
    (1, include_str!("../migrations/0001_first.sql")),
    (2, include_str!("../migrations/0002_dynamic_shards.sql")),
    (3, include_str!("../migrations/0003_keys.sql")),
    (4, include_str!("../migrations/0004_groups.sql")),
    (5, include_str!("../migrations/0005_sequences.sql")),
];

#[derive(Debug, Clone)]
pub(crate) struct Catalog {
    /// One connection: SQLite has one writer anyway, and so no statement ever meets a lock.
    pool: SqlitePool,
    disk: Disk,
}

impl Catalog {
    /// A commit is on disk when it returns: segments committed here are cut from the log next.
    pub(crate) async fn open(file: &Path, disk: Disk) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(if disk.is_real() { SqliteSynchronous::Full } else { SqliteSynchronous::Off });
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options)
            .await
            .map_err(StoreError::catalog("open"))?;
        let catalog = Self { pool, disk };
        catalog.migrate().await?;
        Ok(catalog)
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }

    /// Answers when statements can be run.
    pub(crate) async fn check(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.pool).await.map_err(StoreError::catalog("answer"))?;
        Ok(())
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        let failed = StoreError::catalog("migrate");
        sqlx::query("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL PRIMARY KEY)")
            .execute(&self.pool)
            .await
            .map_err(&failed)?;
        let version: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) FROM schema_version")
            .fetch_one(&self.pool)
            .await
            .map_err(&failed)?;
        for (number, statements) in MIGRATIONS.iter().filter(|(number, _)| *number > version) {
            let mut transaction = self.pool.begin().await.map_err(&failed)?;
            sqlx::raw_sql(*statements).execute(&mut *transaction).await.map_err(&failed)?;
            sqlx::query("INSERT INTO schema_version (version) VALUES ($1)")
                .bind(number)
                .execute(&mut *transaction)
                .await
                .map_err(&failed)?;
            transaction.commit().await.map_err(&failed)?;
        }
        Ok(())
    }

    async fn begin(
        &self,
        failed: impl Fn(sqlx::Error) -> StoreError,
    ) -> Result<SqliteTransaction<'static>, StoreError> {
        self.may(Operation::BeginCatalog).map_err(&failed)?;
        self.pool.begin().await.map_err(failed)
    }

    /// An error says that nobody knows: the commit may have been made.
    async fn commit(
        &self,
        transaction: SqliteTransaction<'static>,
        failed: impl Fn(sqlx::Error) -> StoreError,
    ) -> Result<(), StoreError> {
        self.may(Operation::CommitCatalog).map_err(&failed)?;
        transaction.commit().await.map_err(&failed)?;
        self.may(Operation::AnswerCatalog).map_err(failed)
    }

    fn may(&self, operation: Operation) -> Result<(), sqlx::Error> {
        self.disk.may(operation, Path::new("catalog")).map_err(sqlx::Error::Io)
    }

    /// Gives `count` ids that nobody has had; returns the first.
    async fn take_ids(connection: &mut sqlx::SqliteConnection, count: i64) -> Result<i64, StoreError> {
        let next: i64 = sqlx::query_scalar("UPDATE next_id SET next = next + $1 WHERE name = 'id' RETURNING next")
            .bind(count)
            .fetch_one(connection)
            .await
            .map_err(StoreError::catalog("take an id"))?;
        Ok(next - count)
    }
}

/// Offsets and series ids are u64 and the catalog knows i64: the bits are kept, the sign is not a meaning.
fn signed(value: u64) -> i64 {
    value.cast_signed()
}

fn unsigned(value: i64) -> u64 {
    value.cast_unsigned()
}
