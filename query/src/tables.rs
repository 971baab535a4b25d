//! The names that SQL sees: projects as schemas, stores and views as tables.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use culprit_store::{ProjectName, StoreName};
use datafusion::catalog::{CatalogProvider, SchemaProvider, TableProvider};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};

use crate::QueryError;
use crate::scope::Scope;

pub(crate) const CATALOG: &str = "culprit";

/// Handles do not print what they hold.
macro_rules! debug_by_name {
    ($type:ident) => {
        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($type)).finish_non_exhaustive()
            }
        }
    };
}

pub(crate) use debug_by_name;

/// Every filter may leave out files, row groups and series; the rows that stay are filtered again.
pub(crate) fn all_inexact(filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
    Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
}

/// An error of ours, which comes back from the engine as it was.
pub(crate) fn ours(error: impl Into<QueryError>) -> DataFusionError {
    DataFusionError::External(Box::new(error.into()))
}

/// Tables that stand for a name in one query alone: a store of which a search has left some rows.
pub(crate) type Stand = HashMap<(ProjectName, String), Arc<dyn TableProvider>>;

pub(crate) struct ProjectCatalog {
    pub(crate) scope: Scope,
    pub(crate) stand: Arc<Stand>,
}

debug_by_name!(ProjectCatalog);

impl CatalogProvider for ProjectCatalog {
    /// Naming a project is the only way to reach its stores; they are not listed across projects.
    fn schema_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        let project = ProjectName::parse(name).ok()?;
        Some(Arc::new(ProjectTables { scope: self.scope.clone(), stand: self.stand.clone(), project }))
    }
}

struct ProjectTables {
    scope: Scope,
    stand: Arc<Stand>,
    project: ProjectName,
}

debug_by_name!(ProjectTables);

impl ProjectTables {
    fn stands(&self, name: &str) -> Option<&Arc<dyn TableProvider>> {
        self.stand.get(&(self.project.clone(), name.to_owned()))
    }
}

#[async_trait]
impl SchemaProvider for ProjectTables {
    fn table_names(&self) -> Vec<String> {
        self.scope.names(&self.project)
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        if let Some(table) = self.stands(name) {
            return Ok(Some(table.clone()));
        }
        // Not an error here: the planner also asks for table functions and CTEs. The engine names the missing store.
        let Ok(name) = StoreName::parse(name) else { return Ok(None) };
        self.scope.table(&self.project, &name).await.map_err(ours)
    }

    fn table_exist(&self, name: &str) -> bool {
        self.stands(name).is_some() || StoreName::parse(name).is_ok_and(|name| self.scope.has(&self.project, &name))
    }
}
