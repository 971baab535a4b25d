//! Dashboards: listed, shown, imported from Grafana's JSON, given back, deleted. All of `?project=`, else `default`.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use culprit_dashboards::limits::BODY_BYTES_MAX;
use culprit_dashboards::model::Dashboard;
use serde_json::{Value, json};

use crate::body::{self, BodyError, BodyLimit};
use crate::error::ApiError;
use crate::params::{Params, PathParams};
use crate::router::App;

const IMPORT_LIMIT: BodyLimit =
    BodyLimit { bytes: BODY_BYTES_MAX, advice: "no dashboard is that large; is it the right file?" };

pub(crate) async fn list(State(app): State<App>, params: Params) -> Result<Json<Value>, ApiError> {
    Ok(Json(json!({ "dashboards": app.shelf.list(&params.project()?).await? })))
}

pub(crate) async fn one(State(app): State<App>, params: Params, path: PathParams) -> Result<Json<Dashboard>, ApiError> {
    Ok(Json(app.shelf.get(&params.project()?, uid(&path)).await?))
}

/// Byte for byte as it came in.
pub(crate) async fn original(State(app): State<App>, params: Params, path: PathParams) -> Result<Response, ApiError> {
    let body = app.shelf.original(&params.project()?, uid(&path)).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

pub(crate) async fn import(State(app): State<App>, params: Params, request: Request) -> Result<Json<Value>, ApiError> {
    let project = params.project()?;
    let body = body::read(request.into_body(), IMPORT_LIMIT).await?;
    let text = std::str::from_utf8(&body).map_err(|source| BodyError::NotText { source })?;
    let report = app.shelf.import(&project, text.to_owned()).await?;
    Ok(Json(json!({ "uid": report.uid, "title": report.title, "report": report })))
}

pub(crate) async fn remove(State(app): State<App>, params: Params, path: PathParams) -> Result<StatusCode, ApiError> {
    app.shelf.delete(&params.project()?, uid(&path)).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn uid(path: &PathParams) -> &str {
    path.get("uid").unwrap_or("")
}
