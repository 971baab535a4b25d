//! Parameters of requests: names in the path, pairs in the query string, pairs in a form.

use axum::Form;
use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Query, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{Method, Uri, header};
use culprit_store::{ProjectName, StoreName};

use crate::body::{self, BodyError, JSON_LIMIT};
use crate::error::ApiError;

/// In the order in which they came; a name may come often.
#[derive(Debug, Clone, Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    pub(crate) fn of_uri(uri: &Uri) -> Result<Self, ApiError> {
        Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map(|Query(pairs)| Self(pairs))
            .map_err(|error| ApiError::Parameters { why: error.body_text() })
    }

    /// An empty value is none, as it is for Prometheus.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).find(|value| !value.is_empty())
    }

    pub(crate) fn number(&self, name: &'static str) -> Result<Option<u64>, ApiError> {
        let read = |text: &str| {
            text.parse().map_err(|_| ApiError::Parameters { why: format!("{name} is {text:?}, not a whole number") })
        };
        self.get(name).map(read).transpose()
    }

    pub(crate) fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// `?project=`, else the project that always exists.
    pub(crate) fn project(&self) -> Result<ProjectName, ApiError> {
        match self.get("project") {
            Some(name) => Ok(ProjectName::parse(name)?),
            None => Ok(ProjectName::default_project()),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        Self::of_uri(&parts.uri)
    }
}

/// Those of the form, where there is one, then those of the query string, as Prometheus reads both.
pub(crate) struct FormParams(pub(crate) Params);

impl<S: Send + Sync> FromRequest<S> for FormParams {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ApiError> {
        let in_uri = Params::of_uri(request.uri())?;
        if request.method() != Method::POST {
            return Ok(Self(in_uri));
        }
        let (parts, sent) = request.into_parts();
        let sent = body::read(sent, JSON_LIMIT).await?;
        if sent.is_empty() {
            return Ok(Self(in_uri));
        }
        let mut whole = Request::new(Body::from(sent));
        *whole.method_mut() = Method::POST;
        whole
            .headers_mut()
            .extend(parts.headers.get(header::CONTENT_TYPE).map(|kind| (header::CONTENT_TYPE, kind.clone())));
        let Form(mut pairs) = Form::<Vec<(String, String)>>::from_request(whole, &())
            .await
            .map_err(|error| BodyError::Form { why: error.body_text() })?;
        pairs.extend(in_uri.0);
        Ok(Self(Params(pairs)))
    }
}

/// `{name}` of the route's path, with its percent signs resolved.
pub(crate) struct PathParams(Vec<(String, String)>);

impl PathParams {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PathParams {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let raw = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|error| ApiError::Parameters { why: error.body_text() })?;
        Ok(Self(raw.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()))
    }
}

/// `{project}/{store}` of the path; where the route has neither, the store of Prometheus' plain routes.
#[derive(Debug, Clone)]
pub(crate) struct StorePath {
    pub(crate) project: ProjectName,
    pub(crate) store: StoreName,
}

/// The metricstore behind `/api/v1/…`.
pub(crate) const DEFAULT_METRICSTORE: &str = "metrics";

impl<S: Send + Sync> FromRequestParts<S> for StorePath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = PathParams::from_request_parts(parts, state).await?;
        let project = match path.get("project") {
            Some(name) => ProjectName::parse(name)?,
            None => ProjectName::default_project(),
        };
        Ok(Self { project, store: StoreName::parse(path.get("store").unwrap_or(DEFAULT_METRICSTORE))? })
    }
}
