//! Small texts under a kind, a project and a name: dashboards, index configurations, quotas, views.

use sqlx::Row;

use super::Catalog;
use crate::{ProjectName, StoreError, UnixNanos};

/// What a document is; its owner knows what its body means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DocumentKind {
    Dashboard,
    /// A store's index configuration, under the store's name; goes with the store. Kept by [`crate::Storage::set_index_config`].
    Index,
    /// A project's limits.
    ProjectQuota,
    /// Kept by [`crate::Storage::put_view`].
    View,
}

impl DocumentKind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Dashboard => "dashboard",
            Self::Index => "index",
            Self::ProjectQuota => "project quota",
            Self::View => "view",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    pub name: String,
    pub body: String,
}

impl Catalog {
    pub(crate) async fn put_document(
        &self,
        kind: DocumentKind,
        project: &ProjectName,
        name: &str,
        body: &str,
        now: UnixNanos,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO documents (kind, project, name, body, updated_at) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (kind, project, name) DO UPDATE SET body = excluded.body, updated_at = excluded.updated_at",
        )
        .bind(kind.name())
        .bind(project.as_str())
        .bind(name)
        .bind(body)
        .bind(now.0)
        .execute(&self.pool)
        .await
        .map_err(StoreError::catalog("keep a document"))?;
        Ok(())
    }

    pub(crate) async fn documents(
        &self,
        kind: DocumentKind,
        project: &ProjectName,
    ) -> Result<Vec<Document>, StoreError> {
        let failed = StoreError::catalog("list documents");
        let rows = sqlx::query("SELECT name, body FROM documents WHERE kind = $1 AND project = $2 ORDER BY name")
            .bind(kind.name())
            .bind(project.as_str())
            .fetch_all(&self.pool)
            .await
            .map_err(&failed)?;
        rows.iter()
            .map(|row| Ok(Document { name: row.try_get(0).map_err(&failed)?, body: row.try_get(1).map_err(&failed)? }))
            .collect()
    }

    /// Of all projects.
    pub(crate) async fn all_documents(&self, kind: DocumentKind) -> Result<Vec<(ProjectName, Document)>, StoreError> {
        let failed = StoreError::catalog("list documents");
        let rows = sqlx::query("SELECT project, name, body FROM documents WHERE kind = $1 ORDER BY project, name")
            .bind(kind.name())
            .fetch_all(&self.pool)
            .await
            .map_err(&failed)?;
        rows.iter()
            .map(|row| {
                let project = ProjectName::parse(row.try_get(0).map_err(&failed)?)?;
                let document =
                    Document { name: row.try_get(1).map_err(&failed)?, body: row.try_get(2).map_err(&failed)? };
                Ok((project, document))
            })
            .collect()
    }

    pub(crate) async fn document(
        &self,
        kind: DocumentKind,
        project: &ProjectName,
        name: &str,
    ) -> Result<Option<String>, StoreError> {
        sqlx::query_scalar("SELECT body FROM documents WHERE kind = $1 AND project = $2 AND name = $3")
            .bind(kind.name())
            .bind(project.as_str())
            .bind(name)
            .fetch_optional(&self.pool)
            .await
            .map_err(StoreError::catalog("read a document"))
    }

    /// False when there was none.
    pub(crate) async fn delete_document(
        &self,
        kind: DocumentKind,
        project: &ProjectName,
        name: &str,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM documents WHERE kind = $1 AND project = $2 AND name = $3")
            .bind(kind.name())
            .bind(project.as_str())
            .bind(name)
            .execute(&self.pool)
            .await
            .map_err(StoreError::catalog("delete a document"))?;
        Ok(done.rows_affected() > 0)
    }
}
