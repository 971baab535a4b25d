//! Logstores: listed, created, described, changed, deleted. Metricstores are logstores of another telemetry; views are shown among them.

use culprit_ingest::consume::Source;
use culprit_store::{Right, StoreKind, StoreName};
use serde_json::{Value, json};

use super::call::Call;
use super::definition::{Definition, TTL_DAYS_FOREVER, describe};
use super::error::{Code, SlsError};
use super::reply::Reply;
use super::views::{Page, page};

pub(super) fn list(call: &Call<'_>) -> Result<Reply, SlsError> {
    let project = call.project()?;
    let part = call.params.get("logstoreName").unwrap_or("");
    let kind = match call.params.get("telemetryType") {
        Some("Metrics") => Some(StoreKind::Metrics),
        Some("None") => Some(StoreKind::Logs),
        _ => None,
    };
    let stores = call.app.storage.stores(project);
    let stores = stores.iter().filter(|store| kind.is_none_or(|kind| kind == store.kind()));
    let mut names: Vec<String> = stores.map(|store| store.name().to_string()).collect();
    if kind != Some(StoreKind::Metrics) {
        names.extend(call.app.storage.views(project).iter().map(|view| view.name.to_string()));
    }
    names.retain(|name| name.contains(part));
    names.sort_unstable();
    let Page { total, items } = page(call, names.into_iter().map(Value::String))?;
    Ok(Reply::json(&json!({ "count": items.len(), "total": total, "logstores": items })))
}

pub(super) async fn create(call: &mut Call<'_>) -> Result<Reply, SlsError> {
    let body = call.read_json().await?;
    let mut definition = Definition::parse(&body)?;
    let invalid = |why: &dyn ToString| SlsError::new(Code::LogstoreInfoInvalid, why.to_string());
    let name = definition.name.take().ok_or_else(|| invalid(&"logstoreName is missing"))?;
    let name = StoreName::parse(&name).map_err(|error| invalid(&error))?;
    let project = call.project()?;
    let spec = definition.spec()?;
    call.app.quotas.check_new_store(&call.app.storage, project, spec.shards)?;
    call.app.storage.create_new_store(project, &name, spec).await?;
    Ok(Reply::empty())
}

pub(super) fn get(call: &Call<'_>, name: &str) -> Result<Reply, SlsError> {
    let (project, store) = (call.project()?, StoreName::parse(name).map_err(SlsError::parameter)?);
    if let Some(store) = call.app.storage.store(project, &store) {
        return Ok(Reply::json(&describe(&store)));
    }
    let view = call.source(name, Right::Read)?;
    let shards = call.app.consumption.shards(&view);
    Ok(Reply::json(&json!({
        "logstoreName": name, "ttl": TTL_DAYS_FOREVER, "shardCount": shards.len(), "enable_tracking": false, "autoSplit": false,
        "maxSplitShard": 0, "appendMeta": false, "telemetryType": "", "createTime": 0, "lastModifyTime": 0,
    })))
}

pub(super) async fn update(call: &mut Call<'_>, name: &str) -> Result<Reply, SlsError> {
    let store = call.store(name)?;
    let definition = Definition::parse(&call.read_json().await?)?;
    if let Some(other) = definition.name.as_deref().filter(|other| *other != name) {
        return Err(SlsError::parameter(format!(
            "the path names logstore {name}, the body {other}; a store keeps its name"
        )));
    }
    let settings = definition.change(store.settings().as_ref().clone())?;
    call.app.storage.set_settings(&store, settings).await?;
    Ok(Reply::empty())
}

pub(super) async fn delete(call: &mut Call<'_>, name: &str) -> Result<Reply, SlsError> {
    let store = call.store(name)?;
    call.app.consumption.forget(&Source::Store(store.clone())).await?;
    call.app.storage.delete_store(store.project(), store.name()).await?;
    Ok(Reply::empty())
}
