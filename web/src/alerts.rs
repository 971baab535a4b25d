//! Incidents, and the rule files behind them.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use culprit_store::Right;
use serde_json::{Value, json};

use crate::auth::Principal;
use crate::error::ApiError;
use crate::params::PathParams;
use crate::router::App;

pub(crate) async fn incidents(State(app): State<App>, principal: Principal) -> Result<Json<Value>, ApiError> {
    principal.check_server(Right::Read)?;
    Ok(Json(app.alerting.incidents_json()))
}

pub(crate) async fn incident(
    State(app): State<App>,
    principal: Principal,
    path: PathParams,
) -> Result<Json<Value>, ApiError> {
    principal.check_server(Right::Read)?;
    let id = path.get("id").unwrap_or("");
    app.alerting.incident_json(id).map(Json).ok_or_else(|| ApiError::NoIncident { id: id.to_owned() })
}

pub(crate) async fn rule_files(State(app): State<App>, principal: Principal) -> Result<Json<Value>, ApiError> {
    principal.check_server(Right::Read)?;
    Ok(Json(app.alerting.files_json()))
}

/// 422 when a file has a mistake; its former rules stay in force, those of the other files are new.
pub(crate) async fn reload(
    State(app): State<App>,
    principal: Principal,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    principal.check_server(Right::Admin)?;
    let report = app.alerting.reload().await;
    let status = if report.errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let mut answer = json!({ "groups": report.groups, "rules": report.rules, "errors": report.errors });
    if !report.errors.is_empty() {
        answer["error"] = report.errors.join("; ").into();
    }
    Ok((status, Json(answer)))
}
