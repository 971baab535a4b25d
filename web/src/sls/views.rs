//! Views, which clients call store views: a name for several stores, of several projects, consumed and queried as one. And pages of long lists.

use culprit_ingest::consume::Source;
use culprit_ingest::quota::Counted;
use culprit_store::{ProjectName, Right, StoreName, View};
use serde_json::{Value, json};

use super::call::Call;
use super::error::{Code, SlsError};
use super::fields::Fields;
use super::reply::Reply;
use crate::limits::{LIST_PAGE_DEFAULT, LIST_PAGE_MAX};

pub(super) struct Page {
    /// Of all pages.
    pub(super) total: usize,
    pub(super) items: Vec<Value>,
}

/// What `offset` and `size` cut out.
pub(super) fn page(call: &Call<'_>, all: impl Iterator<Item = Value>) -> Result<Page, SlsError> {
    let offset: usize = call.integer("offset", Code::ParameterInvalid)?.unwrap_or(0);
    let size: usize = call.integer("size", Code::ParameterInvalid)?.unwrap_or(LIST_PAGE_DEFAULT);
    if size > LIST_PAGE_MAX {
        return Err(SlsError::parameter(format!("size is {size}; a page has at most {LIST_PAGE_MAX}")));
    }
    let all: Vec<Value> = all.collect();
    Ok(Page { total: all.len(), items: all.into_iter().skip(offset).take(size).collect() })
}

pub(super) fn list(call: &Call<'_>) -> Result<Reply, SlsError> {
    let part = call.params.get("name").unwrap_or("");
    let views = call.app.storage.views(call.project()?);
    let names = views.iter().map(|view| view.name.to_string()).filter(|name| name.contains(part));
    let Page { total, items } = page(call, names.map(Value::String))?;
    Ok(Reply::json(&json!({ "count": items.len(), "total": total, "storeviews": items })))
}

pub(super) async fn create(call: &mut Call<'_>) -> Result<Reply, SlsError> {
    let body = call.read_json().await?;
    let mut fields = Fields::parse(&body, Code::ParameterInvalid)?;
    let name = store_name(&fields.expect_text("name")?)?;
    let members = members(call, fields)?;
    let project = call.project()?;
    if call.app.storage.view(project, &name).is_some() || call.app.storage.store(project, &name).is_some() {
        return Err(SlsError::new(Code::LogStoreAlreadyExist, format!("project {project} has a store or view {name}")));
    }
    let count = call.app.storage.views(project).len();
    call.app.quotas.check_count(project, Counted::Views, count + 1)?;
    call.app.storage.put_view(project, &name, members).await?;
    Ok(Reply::empty())
}

pub(super) async fn update(call: &mut Call<'_>, name: &str) -> Result<Reply, SlsError> {
    let view = find(call, name)?;
    let body = call.read_json().await?;
    let members = members(call, Fields::parse(&body, Code::ParameterInvalid)?)?;
    call.app.storage.put_view(&view.project, &view.name, members).await?;
    Ok(Reply::empty())
}

pub(super) fn get(call: &Call<'_>, name: &str) -> Result<Reply, SlsError> {
    let view = find(call, name)?;
    let stores: Vec<Value> =
        view.members.iter().map(|member| json!({ "project": member.project, "storeName": member.store })).collect();
    Ok(Reply::json(&json!({ "name": view.name, "storeType": "logstore", "stores": stores })))
}

pub(super) async fn delete(call: &mut Call<'_>, name: &str) -> Result<Reply, SlsError> {
    let view = find(call, name)?;
    call.app.consumption.forget(&Source::View(view.clone())).await?;
    call.app.storage.delete_view(&view.project, &view.name).await?;
    Ok(Reply::empty())
}

fn find(call: &Call<'_>, name: &str) -> Result<std::sync::Arc<View>, SlsError> {
    let (project, name) = (call.project()?, store_name(name)?);
    let missing = || SlsError::new(Code::StoreViewNotExist, format!("project {project} has no view {name}"));
    call.app.storage.view(project, &name).ok_or_else(missing)
}

fn store_name(name: &str) -> Result<StoreName, SlsError> {
    StoreName::parse(name).map_err(SlsError::parameter)
}

/// Whoever makes a view shows what is behind it to all who may read the view, and so needs the right to read it himself.
fn members(call: &Call<'_>, mut fields: Fields) -> Result<Vec<(ProjectName, StoreName)>, SlsError> {
    if fields.text("storeType")?.is_some_and(|kind| kind != "logstore") {
        return Err(SlsError::not_supported("storeType must be logstore: views of metricstores are not there"));
    }
    let mut members = Vec::new();
    for member in fields.array("stores")?.unwrap_or_else(Vec::new) {
        let text = |key| member.get(key).and_then(Value::as_str);
        if text("query").is_some_and(|query| !query.trim().is_empty()) {
            return Err(SlsError::not_supported("a member of a view is a whole store; query is not taken"));
        }
        let project = text("project").map(ProjectName::parse).transpose().map_err(SlsError::parameter)?;
        let project = project.map_or_else(|| call.project().cloned(), Ok)?;
        let store = text("storeName").ok_or_else(|| SlsError::parameter("storeName of a member is missing"))?;
        call.require(&project, Right::Read)?;
        members.push((project, store_name(store)?));
    }
    if members.is_empty() {
        return Err(SlsError::parameter("stores is empty; a view needs a member"));
    }
    Ok(members)
}
