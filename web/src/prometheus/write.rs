//! `write`: Prometheus remote write 1.0. The status tells the sender what to do: 4xx drops the data, 5xx sends it again.

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use culprit_ingest::quota;
use culprit_store::Right;

use crate::auth::Principal;
use crate::error::{ApiError, later, log, one_line, when_refused};
use crate::ingest::{header_text, limit};
use crate::params::StorePath;
use crate::quota::admitted_body;
use crate::router::App;

pub(crate) async fn write(State(app): State<App>, principal: Principal, path: StorePath, request: Request) -> Response {
    match receive(&app, &principal, path, request).await {
        Ok(status) => status.into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

async fn receive(app: &App, principal: &Principal, path: StorePath, request: Request) -> Result<StatusCode, Refusal> {
    principal.check(&path.project, Right::Write).map_err(ApiError::from)?;
    let content_type = header_text(request.headers(), header::CONTENT_TYPE);
    let encoding = header_text(request.headers(), header::CONTENT_ENCODING);
    if content_type.is_some_and(|kind| kind.contains("io.prometheus.write.v2")) {
        return Err(Refusal::NewerProtocol);
    }
    let (body, mut charge) = admitted_body(app, &path.project, request, limit(app)).await?;
    let written = app.ingest.remote_write(&path.project, &path.store, body, encoding.as_deref()).await;
    let report = written.map_err(ApiError::from)?;
    charge.correct(report.raw_bytes);
    if report.accepted == 0 && report.rejected > 0 {
        let first = report.reasons.first().map_or("", |reason| reason.why.as_str()).to_owned();
        return Err(Refusal::AllRejected { rejected: report.rejected, first });
    }
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("remote write 2.0 is not taken, send 1.0 (prometheus.WriteRequest)")]
    NewerProtocol,
    #[error("all {rejected} samples were rejected; the first: {first}")]
    AllRejected { rejected: u64, first: String },
    #[error(transparent)]
    Api(#[from] ApiError),
}

/// Senders log the text as it is, so it is no JSON.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match &self {
            // What makes a sender fall back to 1.0.
            Self::NewerProtocol => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::AllRejected { .. } => StatusCode::BAD_REQUEST,
            // A sender drops what it got 403 for, and 429 too unless told otherwise. The text says whose limit it was.
            Self::Api(error) if error.refusal().is_some() => StatusCode::SERVICE_UNAVAILABLE,
            Self::Api(error) => error.status(),
        };
        let text = one_line(&self);
        let refusal = match &self {
            Self::Api(error) => error.refusal(),
            _ => None,
        };
        if refusal.is_none_or(quota::Refusal::is_ours) {
            log(status, &text);
        }
        when_refused(refusal, later(status, (status, format!("{text}\n")).into_response()))
    }
}
