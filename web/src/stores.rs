//! Projects and stores: listed, created, given a TTL, deleted.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use culprit_ingest::consume::Source;
use culprit_store::{OFFSET, ProjectName, ROW, Right, StoreKind, StoreSpec, StoreState, TimeRange};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::auth::Principal;
use crate::body::{JsonBody, JsonRequest};
use crate::error::ApiError;
use crate::params::{Params, StorePath};
use crate::router::App;
use crate::sql::type_name;

/// Body of `PUT`. Absent settings take their defaults, `"ttl_seconds": null` keeps rows for ever.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateStore {
    kind: String,
    shards: Option<u16>,
    #[serde(default, deserialize_with = "present")]
    ttl_seconds: Option<Option<u64>>,
}

impl JsonRequest for CreateStore {
    const EXAMPLE: &'static str = r#"{"kind":"logs","shards":2,"ttl_seconds":2592000}"#;
}

/// Body of `PATCH`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeStore {
    /// Null keeps rows for ever.
    #[serde(deserialize_with = "Option::deserialize")]
    ttl_seconds: Option<u64>,
}

impl JsonRequest for ChangeStore {
    const EXAMPLE: &'static str = r#"{"ttl_seconds":2592000}"#;
}

/// Tells a null from an absent field.
fn present<'de, D: Deserializer<'de>>(field: D) -> Result<Option<Option<u64>>, D::Error> {
    Option::deserialize(field).map(Some)
}

/// Those in which the caller may do anything.
pub(crate) async fn projects(State(app): State<App>, principal: Principal) -> Json<Value> {
    let known: Vec<_> = app.storage.projects().into_iter().filter(|project| principal.knows(project)).collect();
    Json(json!({ "projects": known }))
}

/// Of one project with `?project=`, else of all that the caller may read.
pub(crate) async fn list(
    State(app): State<App>,
    principal: Principal,
    params: Params,
) -> Result<Json<Value>, ApiError> {
    let mut all = app.storage.projects();
    all.retain(|project| principal.allows(project, Right::Read));
    let wanted = match params.get("project") {
        Some(name) => {
            principal.check(&ProjectName::parse(name)?, Right::Read)?;
            vec![known_project(name, &all)?]
        }
        None => all,
    };
    let mut stores = Vec::new();
    for project in wanted {
        for store in app.storage.stores(&project) {
            stores.push(describe(&app, &store).await?);
        }
    }
    Ok(Json(json!({ "stores": stores })))
}

fn known_project(name: &str, all: &[ProjectName]) -> Result<ProjectName, ApiError> {
    let project = ProjectName::parse(name)?;
    if all.contains(&project) {
        return Ok(project);
    }
    let known = all.iter().map(ProjectName::as_str).collect::<Vec<_>>().join(", ");
    Err(ApiError::NoProject { project: name.to_owned(), known })
}

pub(crate) async fn one(
    State(app): State<App>,
    principal: Principal,
    path: StorePath,
) -> Result<Json<Value>, ApiError> {
    principal.check(&path.project, Right::Read)?;
    let store = app.storage.expect_store(&path.project, &path.store)?;
    Ok(Json(describe(&app, &store).await?))
}

/// 201 when it is new, 200 when it was there.
pub(crate) async fn create(
    State(app): State<App>,
    principal: Principal,
    path: StorePath,
    JsonBody(wanted): JsonBody<CreateStore>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    principal.check(&path.project, Right::Admin)?;
    let mut spec = StoreSpec::new(StoreKind::parse(&wanted.kind)?);
    spec.shards = wanted.shards.unwrap_or(spec.shards);
    if let Some(ttl) = wanted.ttl_seconds {
        spec.settings.ttl = ttl.map(Duration::from_secs);
    }
    let is_new = app.storage.store(&path.project, &path.store).is_none();
    if is_new {
        app.quotas.check_new_store(&app.storage, &path.project, spec.shards)?;
    }
    let store = app.storage.create_store(&path.project, &path.store, spec).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(describe(&app, &store).await?)))
}

pub(crate) async fn change(
    State(app): State<App>,
    principal: Principal,
    path: StorePath,
    JsonBody(change): JsonBody<ChangeStore>,
) -> Result<Json<Value>, ApiError> {
    principal.check(&path.project, Right::Admin)?;
    app.storage.set_ttl(&path.project, &path.store, change.ttl_seconds.map(Duration::from_secs)).await?;
    one(State(app), principal, path).await
}

pub(crate) async fn remove(
    State(app): State<App>,
    principal: Principal,
    path: StorePath,
) -> Result<StatusCode, ApiError> {
    principal.check(&path.project, Right::Admin)?;
    let store = app.storage.expect_store(&path.project, &path.store)?;
    app.consumption.forget(&Source::Store(store)).await?;
    app.storage.delete_store(&path.project, &path.store).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn describe(app: &App, store: &StoreState) -> Result<Value, ApiError> {
    let size = store.size();
    Ok(json!({
        "project": store.project(),
        "name": store.name(),
        "kind": store.kind(),
        "shards": store.shard_count(),
        "ttl_seconds": store.ttl().map(|ttl| ttl.as_secs()),
        "rows": size.rows,
        "bytes": size.segment_bytes + size.recent_bytes,
        "segments": size.segments,
        "series": (store.kind() == StoreKind::Metrics).then(|| store.series_count()),
        "columns": columns(app, store).await?,
    }))
}

/// As SQL sees them.
async fn columns(app: &App, store: &StoreState) -> Result<Vec<Value>, ApiError> {
    let schema = match store.kind() {
        StoreKind::Logs => store.table_schema(),
        StoreKind::Metrics => {
            let nothing = format!("SELECT * FROM \"{}\" LIMIT 0", store.name());
            app.sql.stream(store.project(), &nothing, TimeRange::ALL).await?.schema
        }
    };
    let visible = schema.fields().iter().filter(|field| !matches!(field.name().as_str(), OFFSET | ROW));
    Ok(visible.map(|field| json!({ "name": field.name(), "type": type_name(field.data_type()) })).collect())
}
