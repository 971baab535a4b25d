//! Documents: small texts that other crates keep with the store, and the index configuration of each store.

use std::sync::Arc;

use crate::catalog::{Document, DocumentKind};
use crate::{ProjectName, Storage, StoreError, StoreState};

impl Storage {
    pub async fn put_document(
        &self,
        kind: DocumentKind,
        project: &ProjectName,
        name: &str,
        body: &str,
    ) -> Result<(), StoreError> {
        self.inner.catalog.put_document(kind, project, name, body, self.clock().now()).await
    }

    pub async fn document(
        &self,
        kind: DocumentKind,
        project: &ProjectName,
        name: &str,
    ) -> Result<Option<String>, StoreError> {
        self.inner.catalog.document(kind, project, name).await
    }

    pub async fn documents(&self, kind: DocumentKind, project: &ProjectName) -> Result<Vec<Document>, StoreError> {
        self.inner.catalog.documents(kind, project).await
    }

    /// Of all projects, by project and name.
    pub async fn all_documents(&self, kind: DocumentKind) -> Result<Vec<(ProjectName, Document)>, StoreError> {
        self.inner.catalog.all_documents(kind).await
    }

    /// False when there was none.
    pub async fn delete_document(
        &self,
        kind: DocumentKind,
        project: &ProjectName,
        name: &str,
    ) -> Result<bool, StoreError> {
        self.inner.catalog.delete_document(kind, project, name).await
    }

    /// As it was set; from memory.
    pub fn index_config(&self, store: &StoreState) -> Option<Arc<str>> {
        store.index()
    }

    pub async fn set_index_config(&self, store: &StoreState, body: &str) -> Result<(), StoreError> {
        self.put_document(DocumentKind::Index, store.project(), store.name().as_str(), body).await?;
        store.set_index(Some(body.into()));
        Ok(())
    }

    /// False when there was none.
    pub async fn delete_index_config(&self, store: &StoreState) -> Result<bool, StoreError> {
        let was_there = self.delete_document(DocumentKind::Index, store.project(), store.name().as_str()).await?;
        store.set_index(None);
        Ok(was_there)
    }
}
