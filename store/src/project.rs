//! Projects: the tenants, looked up on every request, hence held in memory.

use std::sync::Arc;

use crate::limits::ATTRIBUTES_BYTES_MAX;
use crate::{ProjectName, Storage, StoreError, UnixNanos};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectInfo {
    pub name: ProjectName,
    pub description: String,
    /// A text that the protocol in front of the project owns; empty when there is none.
    pub attributes: String,
    pub created: UnixNanos,
    pub updated: UnixNanos,
}

impl ProjectInfo {
    /// As it is when nobody said anything about it.
    pub(crate) fn plain(name: ProjectName, now: UnixNanos) -> Self {
        Self { name, description: String::new(), attributes: String::new(), created: now, updated: now }
    }

    fn is_protected(&self) -> bool {
        self.name == ProjectName::default_project() || self.name == ProjectName::system()
    }
}

impl Storage {
    pub fn project(&self, project: &ProjectName) -> Option<Arc<ProjectInfo>> {
        self.inner.directory().get(project).map(|tenant| tenant.info.clone())
    }

    pub fn expect_project(&self, project: &ProjectName) -> Result<Arc<ProjectInfo>, StoreError> {
        self.project(project).ok_or_else(|| StoreError::UnknownProject { project: project.to_string() })
    }

    /// By name.
    pub fn all_projects(&self) -> Vec<Arc<ProjectInfo>> {
        let mut projects: Vec<_> = self.inner.directory().tenants().map(|tenant| tenant.info.clone()).collect();
        projects.sort_by(|a, b| a.name.cmp(&b.name));
        projects
    }

    /// Their names, sorted.
    pub fn projects(&self) -> Vec<ProjectName> {
        self.all_projects().iter().map(|project| project.name.clone()).collect()
    }

    /// Fails with [`StoreError::Exists`] when there is one.
    pub async fn create_project(
        &self,
        project: &ProjectName,
        description: String,
        attributes: String,
    ) -> Result<Arc<ProjectInfo>, StoreError> {
        check_texts(&description, &attributes)?;
        let _one_at_a_time = self.inner.creation.lock().await;
        if self.project(project).is_some() {
            return Err(StoreError::Exists { what: "project", name: project.to_string() });
        }
        let plain = ProjectInfo::plain(project.clone(), self.clock().now());
        let info = Arc::new(ProjectInfo { description, attributes, ..plain });
        self.inner.catalog.create_project(&info).await?;
        self.inner.directory_mut().insert(info.clone());
        Ok(info)
    }

    pub async fn update_project(
        &self,
        project: &ProjectName,
        description: String,
        attributes: String,
    ) -> Result<Arc<ProjectInfo>, StoreError> {
        check_texts(&description, &attributes)?;
        let _one_at_a_time = self.inner.creation.lock().await;
        let old = self.expect_project(project)?;
        let info = Arc::new(ProjectInfo {
            description,
            attributes,
            updated: self.clock().now(),
            name: old.name.clone(),
            created: old.created,
        });
        self.inner.catalog.update_project(&info).await?;
        if let Some(tenant) = self.inner.directory_mut().get_mut(project) {
            tenant.info = info.clone();
        }
        Ok(info)
    }

    /// With all its stores, views and documents. `default` and `system` always exist.
    pub async fn delete_project(&self, project: &ProjectName) -> Result<(), StoreError> {
        let _one_at_a_time = self.inner.creation.lock().await;
        if self.expect_project(project)?.is_protected() {
            return Err(StoreError::Protected { project: project.to_string() });
        }
        // First: a project that is made later under this name must not be open to the keys of this one.
        self.revoke_grants(project).await?;
        for store in self.stores(project) {
            self.remove_store(&store).await?;
        }
        self.inner.catalog.delete_project(project).await?;
        self.inner.directory_mut().remove(project);
        Ok(())
    }
}

fn check_texts(description: &str, attributes: &str) -> Result<(), StoreError> {
    check_text("description", description)?;
    check_text("attributes", attributes)
}

pub(crate) fn check_text(what: &'static str, text: &str) -> Result<(), StoreError> {
    if text.len() <= ATTRIBUTES_BYTES_MAX {
        return Ok(());
    }
    Err(StoreError::OutOfRange { what, given: format!("of {} bytes", text.len()), limit: "at most 64 KiB" })
}
