//! Limits of single projects: kept in the catalog, read at start, changed by an administrator.
//!
//! They belong to a project's name, not to its life: they can be set before it exists, and deleting it does not lift them.

use culprit_store::{DocumentKind, ProjectName, Storage, StoreError};

use super::edge::Quotas;
use super::settings::{ProjectLimits, ProjectOverride};

impl Quotas {
    /// Reads what was set in earlier lives. A text that this version does not understand is left out and said: the project has the defaults then.
    pub async fn load_overrides(&self, storage: &Storage) -> Result<(), StoreError> {
        for document in storage.documents(DocumentKind::ProjectQuota, &ProjectName::system()).await? {
            let project = ProjectName::parse(&document.name)?;
            match serde_json::from_str(&document.body) {
                Ok(set) => self.inner.service.set_limits(&project, Some(set)),
                Err(error) => {
                    tracing::error!(%error, %project, "a project's limits cannot be read, it has the defaults")
                }
            }
        }
        Ok(())
    }

    /// None: the defaults again. Counts from the next request on.
    pub async fn set_override(
        &self,
        storage: &Storage,
        project: &ProjectName,
        set: Option<ProjectOverride>,
    ) -> Result<(), StoreError> {
        let (kind, system) = (DocumentKind::ProjectQuota, ProjectName::system());
        match &set {
            Some(set) => {
                let body = serde_json::to_string(set).expect("numbers under plain names are JSON");
                storage.put_document(kind, &system, project.as_str(), &body).await?;
            }
            None => {
                storage.delete_document(kind, &system, project.as_str()).await?;
            }
        }
        self.inner.service.set_limits(project, set);
        Ok(())
    }

    pub fn override_of(&self, project: &ProjectName) -> Option<ProjectOverride> {
        self.inner.service.book.set_for(project)
    }

    /// What counts for a project now.
    pub fn limits_of(&self, project: &ProjectName) -> ProjectLimits {
        self.inner.service.book.of(project).as_ref().clone()
    }
}
