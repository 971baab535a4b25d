//! The API of Prometheus over one metricstore: `/api/v1/…` is `metrics` of project `default`, and every metricstore has the
//! same routes below `/prometheus/{project}/{store}`.

mod error;
mod format;
mod query;
mod rules;
mod series;
mod status;
mod write;

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::routing::{MethodRouter, get, post};
use culprit_query::promql::SeriesSource;
use culprit_store::{ProjectName, Right, StoreError, StoreKind, StoreState};

use crate::auth::Principal;
use crate::params::{DEFAULT_METRICSTORE, StorePath};
use crate::quota::admit_query;
use crate::router::App;
use error::PromError;
pub(crate) use format::float;

pub(crate) fn routes() -> Vec<(&'static str, MethodRouter<App>)> {
    macro_rules! both {
        ($route:literal, $methods:expr) => {
            [
                (concat!("/api/v1/", $route), $methods),
                (concat!("/prometheus/{project}/{store}/api/v1/", $route), $methods),
            ]
        };
    }
    [
        both!("query", get(query::instant).post(query::instant)),
        both!("query_range", get(query::range).post(query::range)),
        both!("query_exemplars", get(status::exemplars).post(status::exemplars)),
        both!("format_query", get(query::formatted).post(query::formatted)),
        both!("series", get(series::series).post(series::series)),
        both!("labels", get(series::labels).post(series::labels)),
        both!("label/{name}/values", get(series::label_values)),
        both!("metadata", get(status::metadata)),
        both!("rules", get(rules::rules)),
        both!("alerts", get(rules::alerts)),
        both!("status/buildinfo", get(status::buildinfo)),
        both!("write", post(write::write)),
    ]
    .concat()
}

/// The metricstore of the path, to be read. `None` for one of the server's own choice that nobody has written to: it is
/// empty, like a Prometheus that has just begun. Any other that is not there is a mistake.
pub(crate) struct Metricstore(Option<Arc<StoreState>>);

impl Metricstore {
    fn source(&self, app: &App) -> SeriesSource {
        match &self.0 {
            Some(store) => SeriesSource::Store { storage: app.storage.clone(), store: store.clone() },
            None => SeriesSource::Memory(Arc::new(Vec::new())),
        }
    }
}

/// The path names a project that the caller may read. For routes that look at no store.
pub(crate) struct Readable(StorePath);

impl FromRequestParts<App> for Readable {
    type Rejection = PromError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, PromError> {
        let path = StorePath::from_request_parts(parts, app).await?;
        let Ok(principal) = Principal::from_request_parts(parts, app).await;
        principal.check(&path.project, Right::Read)?;
        Ok(Self(path))
    }
}

impl FromRequestParts<App> for Metricstore {
    type Rejection = PromError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, PromError> {
        let Readable(StorePath { project, store: name }) = Readable::from_request_parts(parts, app).await?;
        admit_query(app, &project)?;
        let Some(store) = app.storage.store(&project, &name) else {
            let is_given = [ProjectName::default_project(), ProjectName::system()].contains(&project);
            if is_given && name.as_str() == DEFAULT_METRICSTORE {
                return Ok(Self(None));
            }
            return Ok(Self(Some(app.storage.expect_store(&project, &name)?)));
        };
        if store.kind() != StoreKind::Metrics {
            let (actual, wanted) = (store.kind().noun(), StoreKind::Metrics.noun());
            return Err(StoreError::WrongKind {
                project: project.to_string(),
                store: name.to_string(),
                actual,
                wanted,
            }
            .into());
        }
        Ok(Self(Some(store)))
    }
}
