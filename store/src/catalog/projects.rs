//! Projects: created, listed, described, deleted.

use sqlx::Row;

use super::Catalog;
use crate::project::ProjectInfo;
use crate::{ProjectName, StoreError, UnixNanos};

impl Catalog {
    pub(crate) async fn ensure_project(&self, project: &ProjectName, now: UnixNanos) -> Result<(), StoreError> {
        let failed = StoreError::catalog("create a project");
        let mut connection = self.pool.acquire().await.map_err(&failed)?;
        Self::ensure_project_in(&mut connection, project, now).await
    }

    pub(super) async fn ensure_project_in(
        connection: &mut sqlx::SqliteConnection,
        project: &ProjectName,
        now: UnixNanos,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO projects (name, created_at, updated_at) VALUES ($1, $2, $2) ON CONFLICT (name) DO NOTHING",
        )
        .bind(project.as_str())
        .bind(now.0)
        .execute(connection)
        .await
        .map_err(StoreError::catalog("create a project"))?;
        Ok(())
    }

    pub(crate) async fn create_project(&self, project: &ProjectInfo) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO projects (name, description, attributes, created_at, updated_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(project.name.as_str())
        .bind(&project.description)
        .bind(&project.attributes)
        .bind(project.created.0)
        .bind(project.updated.0)
        .execute(&self.pool)
        .await
        .map_err(StoreError::catalog("create a project"))?;
        Ok(())
    }

    pub(crate) async fn update_project(&self, project: &ProjectInfo) -> Result<(), StoreError> {
        sqlx::query("UPDATE projects SET description = $2, attributes = $3, updated_at = $4 WHERE name = $1")
            .bind(project.name.as_str())
            .bind(&project.description)
            .bind(&project.attributes)
            .bind(project.updated.0)
            .execute(&self.pool)
            .await
            .map_err(StoreError::catalog("update a project"))?;
        Ok(())
    }

    /// Its stores are deleted before; its documents go with it.
    pub(crate) async fn delete_project(&self, project: &ProjectName) -> Result<(), StoreError> {
        let failed = StoreError::catalog("delete a project");
        let mut transaction = self.begin(&failed).await?;
        for statement in ["DELETE FROM documents WHERE project = $1", "DELETE FROM projects WHERE name = $1"] {
            sqlx::query(statement).bind(project.as_str()).execute(&mut *transaction).await.map_err(&failed)?;
        }
        self.commit(transaction, &failed).await
    }

    pub(crate) async fn projects(&self) -> Result<Vec<ProjectInfo>, StoreError> {
        let failed = StoreError::catalog("list projects");
        let rows = sqlx::query("SELECT name, description, attributes, created_at, updated_at FROM projects")
            .fetch_all(&self.pool)
            .await
            .map_err(&failed)?;
        rows.iter()
            .map(|row| {
                Ok(ProjectInfo {
                    name: ProjectName::parse(row.try_get(0).map_err(&failed)?)?,
                    description: row.try_get(1).map_err(&failed)?,
                    attributes: row.try_get(2).map_err(&failed)?,
                    created: UnixNanos(row.try_get(3).map_err(&failed)?),
                    updated: UnixNanos(row.try_get(4).map_err(&failed)?),
                })
            })
            .collect()
    }
}
