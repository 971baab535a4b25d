//! `POST /api/ingest/{project}/{store}`: rows of logs.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use culprit_ingest::{IngestReport, RequestMeta};
use culprit_store::Right;

use crate::auth::Principal;
use crate::body::BodyLimit;
use crate::error::ApiError;
use crate::params::{Params, StorePath};
use crate::quota::admitted_body;
use crate::router::App;

/// 200 when any row was accepted, 400 when none was; both with the counts and the first reasons.
pub(crate) async fn logs(
    State(app): State<App>,
    principal: Principal,
    StorePath { project, store }: StorePath,
    params: Params,
    request: Request,
) -> Result<(StatusCode, Json<IngestReport>), ApiError> {
    principal.check(&project, Right::Write)?;
    let text = |name| params.get(name).map(str::to_owned);
    let meta = RequestMeta {
        format: text("format"),
        content_type: header_text(request.headers(), header::CONTENT_TYPE),
        encoding: header_text(request.headers(), header::CONTENT_ENCODING),
        time_field: text("time_field"),
        hash_key: text("key"),
    };
    let (body, mut charge) = admitted_body(&app, &project, request, limit(&app)).await?;
    let report = app.ingest.logs(&project, &store, body, meta).await?;
    charge.correct(report.raw_bytes);
    let is_refused = report.accepted == 0 && report.rejected > 0;
    Ok((if is_refused { StatusCode::BAD_REQUEST } else { StatusCode::OK }, Json(report)))
}

pub(crate) fn limit(app: &App) -> BodyLimit {
    BodyLimit { bytes: app.body_bytes_max, advice: "send it in parts or raise ingest.body_bytes_max" }
}

pub(crate) fn header_text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}
