//! Dashboards: listed, shown, imported from Grafana's JSON, given back, deleted. All of `?project=`, else `default`.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use culprit_dashboards::limits::BODY_BYTES_MAX;
use culprit_dashboards::model::Dashboard;
use culprit_store::{ProjectName, Right};
use serde_json::{Value, json};

use crate::auth::Principal;
use crate::body::{self, BodyError, BodyLimit};
use crate::error::ApiError;
use crate::params::{Params, PathParams};
use crate::router::App;

const IMPORT_LIMIT: BodyLimit =
    BodyLimit { bytes: BODY_BYTES_MAX, advice: "no dashboard is that large; is it the right file?" };

pub(crate) async fn list(
    State(app): State<App>,
    principal: Principal,
    params: Params,
) -> Result<Json<Value>, ApiError> {
    let project = allowed(&principal, &params, Right::Read)?;
    Ok(Json(json!({ "dashboards": app.shelf.list(&project).await? })))
}

pub(crate) async fn one(
    State(app): State<App>,
    principal: Principal,
    params: Params,
    path: PathParams,
) -> Result<Json<Dashboard>, ApiError> {
    let project = allowed(&principal, &params, Right::Read)?;
    Ok(Json(app.shelf.get(&project, uid(&path)).await?))
}

/// Byte for byte as it came in.
pub(crate) async fn original(
    State(app): State<App>,
    principal: Principal,
    params: Params,
    path: PathParams,
) -> Result<Response, ApiError> {
    let project = allowed(&principal, &params, Right::Read)?;
    let body = app.shelf.original(&project, uid(&path)).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

pub(crate) async fn import(
    State(app): State<App>,
    principal: Principal,
    params: Params,
    request: Request,
) -> Result<Json<Value>, ApiError> {
    let project = allowed(&principal, &params, Right::Admin)?;
    let body = body::read(request.into_body(), IMPORT_LIMIT).await?;
    let text = std::str::from_utf8(&body).map_err(|source| BodyError::NotText { source })?;
    let report = app.shelf.import(&project, text.to_owned()).await?;
    Ok(Json(json!({ "uid": report.uid, "title": report.title, "report": report })))
}

pub(crate) async fn remove(
    State(app): State<App>,
    principal: Principal,
    params: Params,
    path: PathParams,
) -> Result<StatusCode, ApiError> {
    let project = allowed(&principal, &params, Right::Admin)?;
    app.shelf.delete(&project, uid(&path)).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn allowed(principal: &Principal, params: &Params, right: Right) -> Result<ProjectName, ApiError> {
    let project = params.project()?;
    principal.check(&project, right)?;
    Ok(project)
}

fn uid(path: &PathParams) -> &str {
    path.get("uid").unwrap_or("")
}
