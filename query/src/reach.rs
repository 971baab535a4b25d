//! Which projects a query may name.

use std::sync::Arc;

use culprit_store::ProjectName;

use crate::QueryError;

/// Whether stores of a project may be read.
pub type MayRead = Arc<dyn Fn(&ProjectName) -> bool + Send + Sync>;

/// Cheap to clone. Stores of projects outside of it do not exist for a query.
#[derive(Clone, Default)]
pub(crate) struct Reach(Option<MayRead>);

impl Reach {
    pub(crate) fn of(may_read: MayRead) -> Self {
        Self(Some(may_read))
    }

    pub(crate) fn includes(&self, project: &ProjectName) -> bool {
        self.0.as_ref().is_none_or(|may_read| may_read(project))
    }

    pub(crate) fn check(&self, project: &ProjectName) -> Result<(), QueryError> {
        if self.includes(project) { Ok(()) } else { Err(QueryError::Forbidden { project: project.to_string() }) }
    }
}
