//! Errors in the shape that Prometheus' clients read: `{"status":"error","errorType":…,"error":…}`.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use culprit_query::promql::PromqlError;
use culprit_store::{Fault, StoreError};
use serde_json::json;

use crate::auth::AuthError;
use crate::error::{ApiError, later, log, of_fault, one_line, when_refused};

#[derive(Debug, thiserror::Error)]
pub(crate) enum PromError {
    #[error(transparent)]
    Promql(#[from] PromqlError),
    #[error("invalid parameter {name:?}: {why}")]
    Parameter { name: &'static str, why: String },
    #[error("no match[] parameter provided")]
    NoMatch,
    #[error(transparent)]
    Api(#[from] ApiError),
}

impl From<AuthError> for PromError {
    fn from(error: AuthError) -> Self {
        Self::Api(error.into())
    }
}

impl From<StoreError> for PromError {
    fn from(error: StoreError) -> Self {
        Self::Api(error.into())
    }
}

impl PromError {
    pub(super) fn parameter(name: &'static str, why: impl Into<String>) -> Self {
        Self::Parameter { name, why: why.into() }
    }

    fn kind(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Parameter { .. } | Self::NoMatch => (StatusCode::BAD_REQUEST, "bad_data"),
            Self::Api(error) => of_status(error.status()),
            Self::Promql(error) => match error {
                PromqlError::Parse { .. } | PromqlError::BadRange(_) | PromqlError::TooManyPoints => {
                    (StatusCode::BAD_REQUEST, "bad_data")
                }
                PromqlError::TooManySamples { .. } | PromqlError::Execution(_) => {
                    (StatusCode::UNPROCESSABLE_ENTITY, "execution")
                }
                PromqlError::Timeout { .. } => (StatusCode::SERVICE_UNAVAILABLE, "timeout"),
                PromqlError::Canceled => (StatusCode::UNPROCESSABLE_ENTITY, "canceled"),
                PromqlError::Store(store) if store.fault() == Fault::Caller => (StatusCode::BAD_REQUEST, "bad_data"),
                PromqlError::Store(store) => of_status(of_fault(store.fault())),
            },
        }
    }
}

fn of_status(status: StatusCode) -> (StatusCode, &'static str) {
    let kind = match status {
        StatusCode::NOT_FOUND => "not_found",
        StatusCode::FORBIDDEN => "forbidden",
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => "unavailable",
        status if status.is_server_error() => "internal",
        _ => "bad_data",
    };
    (status, kind)
}

impl IntoResponse for PromError {
    fn into_response(self) -> Response {
        let (status, kind) = self.kind();
        let text = one_line(&self);
        log(status, &text);
        let body = json!({ "status": "error", "errorType": kind, "error": text });
        let refusal = match &self {
            Self::Api(error) => error.refusal(),
            _ => None,
        };
        when_refused(refusal, later(status, (status, Json(body)).into_response()))
    }
}
