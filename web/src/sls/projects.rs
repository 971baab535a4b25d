//! Projects: listed, created, described, deleted.

use std::sync::Arc;

use culprit_store::{ProjectInfo, Right, UnixNanos};
use serde_json::{Map, Value, json};

use super::call::Call;
use super::error::{Code, SlsError};
use super::fields::Fields;
use super::reply::Reply;
use super::views::{Page, page};

/// Those that the key has any right in.
pub(super) fn list(call: &Call<'_>) -> Result<Reply, SlsError> {
    let part = call.params.get("projectName").unwrap_or("");
    let may = |project: &ProjectInfo| Right::ALL.iter().any(|right| call.allows(&project.name, *right));
    let all = call.app.storage.all_projects();
    let found = all.iter().filter(|project| project.name.as_str().contains(part) && may(project));
    let Page { total, items } = page(call, found.map(|project| describe(project)))?;
    Ok(Reply::json(&json!({ "count": items.len(), "total": total, "projects": items })))
}

/// The Node client sends no project in the host, the Python client one in both places.
pub(super) async fn create(call: &mut Call<'_>) -> Result<Reply, SlsError> {
    let body = call.read_json().await?;
    let mut fields = Fields::parse(&body, Code::ParameterInvalid)?;
    let name = call.project_or(fields.text("projectName")?.as_deref())?;
    call.require(&name, Right::Admin)?;
    let description = fields.text("description")?.unwrap_or_else(String::new);
    let attributes = Value::Object(fields.rest()).to_string();
    call.app.storage.create_project(&name, description, attributes).await?;
    Ok(Reply::empty())
}

pub(super) fn get(call: &Call<'_>) -> Result<Reply, SlsError> {
    let project = call.project_info()?;
    Ok(Reply::json(&describe(&project)))
}

pub(super) async fn update(call: &mut Call<'_>) -> Result<Reply, SlsError> {
    let now: Arc<ProjectInfo> = call.project_info()?;
    let body = call.read_json().await?;
    let mut fields = Fields::parse(&body, Code::ParameterInvalid)?;
    call.project_or(fields.text("projectName")?.as_deref())?;
    let description = fields.text("description")?.unwrap_or_else(|| now.description.clone());
    let mut attributes = kept(&now.attributes);
    attributes.extend(fields.rest());
    call.app.storage.update_project(&now.name, description, Value::Object(attributes).to_string()).await?;
    Ok(Reply::empty())
}

pub(super) async fn delete(call: &mut Call<'_>) -> Result<Reply, SlsError> {
    call.app.consumption.forget_project(call.project()?).await?;
    call.app.storage.delete_project(call.project()?).await?;
    Ok(Reply::empty())
}

fn kept(attributes: &str) -> Map<String, Value> {
    match serde_json::from_str(attributes) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

/// What clients read without a look whether it is there; whatever else was said at the creation is given back.
fn describe(project: &ProjectInfo) -> Value {
    let seconds = |time: UnixNanos| time.0.div_euclid(1_000_000_000).to_string();
    let mut described = Map::new();
    described.insert("resourceGroupId".to_owned(), json!(""));
    described.insert("dataRedundancyType".to_owned(), json!("LRS"));
    described.extend(kept(&project.attributes));
    for (key, value) in [
        ("projectName", project.name.to_string()),
        ("description", project.description.clone()),
        ("status", "Normal".to_owned()),
        ("region", "local".to_owned()),
        ("owner", String::new()),
        ("createTime", seconds(project.created)),
        ("lastModifyTime", seconds(project.updated)),
    ] {
        described.insert(key.to_owned(), Value::String(value));
    }
    Value::Object(described)
}
