//! The index of a logstore: kept as it came and given back; it types the columns for SQL.

use culprit_query::IndexConfig;
use serde_json::{Value, json};

use super::call::Call;
use super::error::{Code, SlsError};
use super::fields::Fields;
use super::reply::Reply;

const MODIFIED: &str = "lastModifyTime";

pub(super) async fn create(call: &mut Call<'_>, name: &str) -> Result<Reply, SlsError> {
    let store = call.store(name)?;
    if call.app.storage.index_config(&store).is_some() {
        return Err(SlsError::new(Code::IndexAlreadyExist, format!("logstore {name} has an index; update it")));
    }
    put(call, name).await
}

pub(super) async fn update(call: &mut Call<'_>, name: &str) -> Result<Reply, SlsError> {
    current(call, name)?;
    put(call, name).await
}

pub(super) fn get(call: &Call<'_>, name: &str) -> Result<Reply, SlsError> {
    Ok(Reply::json(&current(call, name)?))
}

pub(super) async fn delete(call: &mut Call<'_>, name: &str) -> Result<Reply, SlsError> {
    current(call, name)?;
    let store = call.store(name)?;
    call.app.storage.delete_index_config(&store).await?;
    Ok(Reply::empty())
}

fn current(call: &Call<'_>, name: &str) -> Result<Value, SlsError> {
    let store = call.store(name)?;
    let missing = || SlsError::new(Code::IndexConfigNotExist, format!("logstore {name} has no index"));
    let text = call.app.storage.index_config(&store).ok_or_else(missing)?;
    let broken =
        |error| SlsError::new(Code::InternalServerError, format!("the index of {name} cannot be read: {error}"));
    serde_json::from_str(&text).map_err(broken)
}

async fn put(call: &mut Call<'_>, name: &str) -> Result<Reply, SlsError> {
    let store = call.store(name)?;
    let body = call.read_json().await?;
    let mut index = Fields::parse(&body, Code::ParameterInvalid)?.rest();
    if !index.contains_key("line") && !index.contains_key("keys") {
        return Err(SlsError::parameter("an index has line, keys, or both"));
    }
    index.insert(MODIFIED.to_owned(), json!(call.app.storage.clock().now().0.div_euclid(1_000_000_000)));
    let text = Value::Object(index).to_string();
    IndexConfig::parse(&text).map_err(SlsError::parameter)?;
    call.app.storage.set_index_config(&store, &text).await?;
    Ok(Reply::empty())
}
