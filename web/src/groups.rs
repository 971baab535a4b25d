//! `GET /api/groups`: the consumer groups of a project, and how far behind their readers are.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use culprit_ingest::consume::{Checkpoint, ConsumeError, GroupInfo, Source};
use culprit_store::{Offset, Right, ShardInfo, StoreKind};
use serde_json::{Value, json};

use crate::auth::Principal;
use crate::error::ApiError;
use crate::params::Params;
use crate::router::App;
use crate::time::written;

/// Of all stores and views of one project.
pub(crate) async fn list(
    State(app): State<App>,
    principal: Principal,
    params: Params,
) -> Result<Json<Value>, ApiError> {
    let project = params.project()?;
    principal.check(&project, Right::Consume)?;
    app.storage.expect_project(&project)?;
    let stores = app.storage.stores(&project).into_iter().filter(|store| store.kind() == StoreKind::Logs);
    let views = app
        .storage
        .views(&project)
        .into_iter()
        .filter(|view| view.members.iter().all(|member| principal.allows(&member.project, Right::Consume)));
    let sources = stores
        .map(|store| (store.name().to_string(), Source::Store(store)))
        .chain(views.map(|view| (view.name.to_string(), Source::View(view))));
    let mut groups = Vec::new();
    for (name, source) in sources {
        let shards: HashMap<u32, ShardInfo> = app.consumption.shards(&source).into_iter().collect();
        for group in app.consumption.groups().list(&source).await? {
            match app.consumption.groups().checkpoints(&source, &group.name, None).await {
                Ok(checkpoints) => groups.push(describe(&name, &group, &checkpoints, &shards)),
                // Deleted since it was listed.
                Err(ConsumeError::NoGroup { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(Json(json!({ "groups": groups })))
}

fn describe(store: &str, group: &GroupInfo, checkpoints: &[Checkpoint], shards: &HashMap<u32, ShardInfo>) -> Value {
    let places: Vec<(u64, Value)> = checkpoints
        .iter()
        .filter_map(|checkpoint| {
            let shard = shards.get(&checkpoint.shard)?;
            let reached = checkpoint.cursor.map(|cursor| cursor.0);
            let behind = behind(shard, reached);
            let place = json!({
                "shard": checkpoint.shard,
                "consumer": checkpoint.consumer,
                "checkpoint": reached.map(|offset| offset.0),
                "end": shard.end.0,
                "behind": behind,
                "updated": checkpoint.updated.map(written),
            });
            Some((behind, place))
        })
        .collect();
    let total: u64 = places.iter().map(|(behind, _)| behind).sum();
    json!({
        "store": store,
        "group": group.name,
        "timeout_seconds": group.settings.timeout_s,
        "in_order": group.settings.in_order,
        "behind": total,
        "shards": places.into_iter().map(|(_, place)| place).collect::<Vec<_>>(),
    })
}

/// Batches that are still there and not yet read.
fn behind(shard: &ShardInfo, reached: Option<Offset>) -> u64 {
    let from = reached.map_or(shard.begin.0, |offset| offset.0.max(shard.begin.0));
    shard.end.0.saturating_sub(from)
}
