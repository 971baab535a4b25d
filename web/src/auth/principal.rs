//! Whose request it is, as handlers ask it for rights.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use culprit_query::SqlEngine;
use culprit_store::{AccessKey, Grant, ProjectName, Right};

use super::error::AuthError;
use crate::router::App;

/// A handler that takes none answers everybody who has any key at all; one that takes it has to ask it.
#[derive(Debug, Clone)]
pub(crate) enum Principal {
    /// The server has no keys: whoever reaches it may everything.
    Open,
    Key(Arc<AccessKey>),
}

impl Principal {
    pub(crate) fn allows(&self, project: &ProjectName, right: Right) -> bool {
        match self {
            Self::Open => true,
            Self::Key(key) => key.allows(project, right),
        }
    }

    pub(crate) fn check(&self, project: &ProjectName, right: Right) -> Result<(), AuthError> {
        match self {
            Self::Key(key) if !key.allows(project, right) => {
                Err(AuthError::Forbidden { id: key.id.to_string(), right, project: project.clone() })
            }
            _ => Ok(()),
        }
    }

    /// What belongs to the server as a whole is guarded as its own project is.
    pub(crate) fn check_server(&self, right: Right) -> Result<(), AuthError> {
        self.check(&ProjectName::system(), right)
    }

    /// Whether it may do anything at all in a project: then it may know of it.
    pub(crate) fn knows(&self, project: &ProjectName) -> bool {
        Right::ALL.into_iter().any(|right| self.allows(project, right))
    }

    /// Nobody hands out, changes or deletes a key that may more than they may themselves. Without grants: whether they
    /// administer any project.
    pub(crate) fn check_covers(&self, grants: &[Grant]) -> Result<(), AuthError> {
        match self {
            Self::Key(key) if !key.covers(grants) => Err(AuthError::Overreach { id: key.id.to_string() }),
            _ => Ok(()),
        }
    }

    /// For the log.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Open => "anybody on this machine",
            Self::Key(key) => key.id.as_str(),
        }
    }

    /// The engine as this one may use it: stores of other projects do not exist in it.
    pub(crate) fn sql(&self, app: &App) -> SqlEngine {
        match self {
            Self::Open => app.sql.clone(),
            Self::Key(key) => {
                let key = key.clone();
                app.sql.within(Arc::new(move |project| key.allows(project, Right::Read)))
            }
        }
    }
}

impl FromRequestParts<App> for Principal {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _app: &App) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().expect("authenticate stands before every route of the table").clone())
    }
}
