//! Access keys: made, listed, changed, deleted, by whoever administers all that they reach.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use culprit_store::{AccessKey, Grant, KeyChange, KeyId, KeyPair, Secret};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::auth::Principal;
use crate::body::{JsonBody, JsonRequest};
use crate::error::ApiError;
use crate::params::PathParams;
use crate::router::App;
use crate::time::written;

/// Body of `POST`. Id and secret are made up unless they are given.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateKey {
    grants: Vec<Grant>,
    id: Option<String>,
    secret: Option<String>,
}

impl JsonRequest for CreateKey {
    const EXAMPLE: &'static str = r#"{"grants":[{"project":"default","rights":["read","write"]}]}"#;
}

/// Body of `PATCH`; what is absent stays.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeKey {
    grants: Option<Vec<Grant>>,
    disabled: Option<bool>,
}

impl JsonRequest for ChangeKey {
    const EXAMPLE: &'static str = r#"{"disabled":true}"#;
}

/// Those that the caller may change.
pub(crate) async fn list(State(app): State<App>, principal: Principal) -> Result<Json<Value>, ApiError> {
    principal.check_covers(&[])?;
    let keys = app.storage.keys();
    let shown = keys.iter().filter(|key| principal.check_covers(&key.grants).is_ok());
    Ok(Json(json!({ "keys": shown.map(|key| describe(key)).collect::<Vec<_>>() })))
}

/// The only answer that ever holds the secret.
pub(crate) async fn create(
    State(app): State<App>,
    principal: Principal,
    JsonBody(wanted): JsonBody<CreateKey>,
) -> Result<Response, ApiError> {
    principal.check_covers(&wanted.grants)?;
    let mut pair = KeyPair::random()?;
    if let Some(id) = &wanted.id {
        pair.id = KeyId::parse(id)?;
    }
    if let Some(secret) = &wanted.secret {
        pair.secret = Secret::parse(secret)?;
    }
    let key = app.storage.create_key(pair, wanted.grants).await?;
    tracing::info!(key = %key.id, by = principal.name(), "an access key was made");
    let mut shown = describe(&key);
    shown["secret"] = key.secret.reveal().into();
    let is_for_once = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok((StatusCode::CREATED, [is_for_once], Json(shown)).into_response())
}

pub(crate) async fn one(
    State(app): State<App>,
    principal: Principal,
    path: PathParams,
) -> Result<Json<Value>, ApiError> {
    let key = find(&app, &principal, &path)?;
    Ok(Json(describe(&key)))
}

pub(crate) async fn change(
    State(app): State<App>,
    principal: Principal,
    path: PathParams,
    JsonBody(change): JsonBody<ChangeKey>,
) -> Result<Json<Value>, ApiError> {
    let key = find(&app, &principal, &path)?;
    principal.check_covers(change.grants.as_deref().unwrap_or(&[]))?;
    let change = KeyChange { grants: change.grants, is_disabled: change.disabled };
    let key = app.storage.change_key(&key.id, change).await?;
    tracing::info!(key = %key.id, by = principal.name(), "an access key was changed");
    Ok(Json(describe(&key)))
}

/// Without its only key the server is open, which it may be to its own machine alone.
pub(crate) async fn remove(
    State(app): State<App>,
    principal: Principal,
    path: PathParams,
) -> Result<StatusCode, ApiError> {
    let key = find(&app, &principal, &path)?;
    if !app.access.is_local && app.storage.keys().len() == 1 {
        return Err(ApiError::OnlyKey { id: key.id.to_string() });
    }
    app.storage.delete_key(&key.id).await?;
    tracing::info!(key = %key.id, by = principal.name(), "an access key was deleted");
    Ok(StatusCode::NO_CONTENT)
}

/// Whoever administers nothing does not learn which keys there are.
fn find(app: &App, principal: &Principal, path: &PathParams) -> Result<std::sync::Arc<AccessKey>, ApiError> {
    principal.check_covers(&[])?;
    let id = path.get("id").unwrap_or("");
    let key = app.storage.key(id).ok_or_else(|| culprit_store::StoreError::UnknownKey { id: id.to_owned() })?;
    principal.check_covers(&key.grants)?;
    Ok(key)
}

fn describe(key: &AccessKey) -> Value {
    json!({ "id": key.id, "grants": key.grants, "created": written(key.created), "disabled": key.is_disabled })
}
