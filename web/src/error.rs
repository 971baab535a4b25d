//! The one table from what went wrong to a status and a line for people. 5xx are logged here, once.

use axum::Json;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use culprit_dashboards::DashboardError;
use culprit_ingest::IngestError;
use culprit_ingest::consume::ConsumeError;
use culprit_ingest::quota::Refusal;
use culprit_query::QueryError;
use culprit_rca::RcaError;
use culprit_store::{Fault, StoreError};
use serde_json::json;

use crate::auth::AuthError;
use crate::body::BodyError;
use crate::limits::RETRY_AFTER_SECONDS;
use crate::time::TimeError;

#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    #[error(transparent)]
    Ingest(#[from] IngestError),
    #[error(transparent)]
    Consume(#[from] ConsumeError),
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error(transparent)]
    Rca(#[from] RcaError),
    #[error(transparent)]
    Dashboard(#[from] DashboardError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error(transparent)]
    Auth(#[from] AuthError),
    #[error(transparent)]
    Quota(#[from] Refusal),
    #[error("{name}: {source}")]
    Time { name: &'static str, source: TimeError },
    #[error("{name} is {given}; it must be {range}")]
    OutOfRange { name: &'static str, given: u64, range: &'static str },
    #[error("the address' parameters cannot be read: {why}")]
    Parameters { why: String },
    #[error("a page of {origin} may not use this server, which is {host}; open the console at its own address")]
    ForeignOrigin { origin: String, host: String },
    #[error(
        "a browser may not use this server as {host} while it has no access keys; open it as localhost, or add the name to server.names"
    )]
    ForeignHost { host: String },
    #[error("there is no route {path}; /openapi.json lists the routes")]
    NoRoute { path: String },
    #[error("{path} does not take {method}; /openapi.json lists the routes")]
    NoMethod { method: Method, path: String },
    #[error("there is no project {project:?}; there are: {known}")]
    NoProject { project: String, known: String },
    #[error("there is no incident {id:?}; /api/incidents lists those that are kept")]
    NoIncident { id: String },
    #[error("an investigation needs \"incident\", or a window from \"from\" to a later \"to\"")]
    NoWindow,
    #[error("\"store\" and \"where\" name the anomalous rows together; one without the other names none")]
    HalfSlice,
    #[error(
        "access key {id:?} is the only one, and without keys this server would be open to other machines; make another key first"
    )]
    OnlyKey { id: String },
    #[error("the answer has more than {limit} bytes; add a LIMIT or ask for NDJSON, which has no such bound")]
    AnswerTooLarge { limit: usize },
    #[error("the answer cannot be written as {format}: {source}")]
    Encode { format: &'static str, source: arrow::error::ArrowError },
}

impl ApiError {
    pub(crate) fn status(&self) -> StatusCode {
        if let Some(refusal) = self.refusal() {
            return of_refusal(refusal);
        }
        match self {
            Self::Ingest(IngestError::TooLarge { .. }) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Ingest(error) => of_fault(error.fault()),
            Self::Consume(error) => of_consume(error),
            Self::Query(QueryError::Forbidden { .. }) => StatusCode::FORBIDDEN,
            Self::Query(error) => of_fault(error.fault()),
            Self::Rca(error) => of_fault(error.fault()),
            Self::Dashboard(error) => of_dashboard(error),
            Self::Store(StoreError::KeyExists { .. } | StoreError::LastAdministrator { .. }) | Self::OnlyKey { .. } => {
                StatusCode::CONFLICT
            }
            Self::Store(error) => of_fault(error.fault()),
            Self::Body(error) => error.status(),
            Self::Auth(error) => error.status(),
            Self::NoWindow | Self::HalfSlice => StatusCode::BAD_REQUEST,
            Self::Time { .. } | Self::OutOfRange { .. } | Self::Parameters { .. } | Self::AnswerTooLarge { .. } => {
                StatusCode::BAD_REQUEST
            }
            Self::ForeignOrigin { .. } | Self::ForeignHost { .. } => StatusCode::FORBIDDEN,
            Self::NoRoute { .. } | Self::NoProject { .. } | Self::NoIncident { .. } => StatusCode::NOT_FOUND,
            Self::NoMethod { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::Encode { .. } => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Quota(refusal) => of_refusal(refusal),
        }
    }

    /// The quota that said no, wherever it was asked.
    pub(crate) fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Quota(refusal)
            | Self::Ingest(IngestError::Quota(refusal))
            | Self::Consume(ConsumeError::Refused(refusal))
            | Self::Body(BodyError::Quota(refusal)) => Some(refusal),
            _ => None,
        }
    }
}

/// Of our own routes and those that know 429. What counts things does not pass by waiting.
pub(crate) fn of_refusal(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::Count { .. } => StatusCode::FORBIDDEN,
        refusal if refusal.is_ours() => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::TOO_MANY_REQUESTS,
    }
}

/// A quota knows when the same request may pass; rounded up to what the header can say.
pub(crate) fn when_refused(refusal: Option<&Refusal>, mut response: Response) -> Response {
    if let Some(pause) = refusal.and_then(Refusal::retry_after) {
        let seconds = pause.as_secs() + u64::from(pause.subsec_nanos() > 0);
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    }
    response
}

pub(crate) fn of_fault(fault: Fault) -> StatusCode {
    match fault {
        Fault::Caller => StatusCode::BAD_REQUEST,
        Fault::Missing => StatusCode::NOT_FOUND,
        Fault::Later => StatusCode::SERVICE_UNAVAILABLE,
        Fault::Server => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn of_consume(error: &ConsumeError) -> StatusCode {
    match error {
        ConsumeError::GroupExists { .. } | ConsumeError::NotHolder { .. } => StatusCode::CONFLICT,
        error => of_fault(error.fault()),
    }
}

fn of_dashboard(error: &DashboardError) -> StatusCode {
    match error {
        DashboardError::NotFound { .. } => StatusCode::NOT_FOUND,
        DashboardError::BuiltIn { .. } => StatusCode::CONFLICT,
        DashboardError::TooMany { thing: "bytes", .. } => StatusCode::PAYLOAD_TOO_LARGE,
        DashboardError::NotJson { .. }
        | DashboardError::NotADashboard { .. }
        | DashboardError::SchemaV2 { .. }
        | DashboardError::TooMany { .. } => StatusCode::BAD_REQUEST,
        DashboardError::Store(error) => of_fault(error.fault()),
        DashboardError::Library { .. } | DashboardError::Stored { .. } => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let text = one_line(&self);
        let status = self.status();
        log(status, &text);
        let response = later(status, (status, Json(json!({ "error": text }))).into_response());
        when_refused(self.refusal(), response)
    }
}

/// A text from outside may hold line breaks; an error is one line.
pub(crate) fn one_line(error: &impl std::fmt::Display) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A server that is busy is well; whatever else is ours, an operator has to look at.
pub(crate) fn log(status: StatusCode, text: &str) {
    if status == StatusCode::SERVICE_UNAVAILABLE {
        tracing::warn!("{text}");
    } else if status.is_server_error() {
        tracing::error!("{text}");
    }
}

/// What a status says in a header too: when to come back, and with what.
pub(crate) fn later(status: StatusCode, mut response: Response) -> Response {
    let headers = response.headers_mut();
    match status {
        StatusCode::SERVICE_UNAVAILABLE => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
        }
        // Browsers ask their reader for the key.
        StatusCode::UNAUTHORIZED => {
            let challenge = HeaderValue::from_static("Basic realm=\"culprit\", charset=\"UTF-8\"");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        _ => {}
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_has_its_status_and_its_line() {
        let unknown = || StoreError::UnknownStore { project: "p".into(), store: "s".into(), known: "none".into() };
        for (error, status, text) in [
            (ApiError::from(unknown()), 404, "project p has no store \"s\"; it has: none"),
            (ApiError::from(StoreError::Closed), 503, "the store is shutting down"),
            (ApiError::from(QueryError::Invalid("two\n  lines".into())), 400, "two lines"),
            (ApiError::from(QueryError::Timeout { seconds: 5 }), 503, "the query took longer than 5 s"),
            (ApiError::from(IngestError::TooLarge { limit: 7 }), 413, "raise ingest.body_bytes_max"),
            (ApiError::from(DashboardError::BuiltIn { uid: "x".into() }), 409, "built-in"),
            (ApiError::from(DashboardError::TooMany { thing: "bytes", found: 2, limit: 1 }), 413, "the limit is 1"),
            (ApiError::from(RcaError::NoAnomalousRows { rows: 3 }), 400, "no row is in the anomalous slice"),
        ] {
            assert!(one_line(&error).contains(text), "{error}");
            let response = error.into_response();
            assert_eq!(response.status().as_u16(), status, "{text}");
            assert_eq!(response.headers().contains_key(header::RETRY_AFTER), status == 503, "{text}");
        }
    }
}
