//! The second half of a metricstore for older clients: a logstore of telemetry `Metrics`, then its substore `prom`, which is there already.

use std::sync::Arc;

use culprit_store::{StoreKind, StoreSettings, StoreState};
use serde_json::json;

use super::call::Call;
use super::definition::{Definition, days};
use super::error::{Code, SlsError};
use super::fields::Fields;
use super::operation::Substore;
use super::reply::Reply;

const PROM: &str = "prom";

pub(super) async fn create(call: &mut Call<'_>, name: &str) -> Result<Reply, SlsError> {
    metricstore(call, name)?;
    let mut fields = Fields::parse(&call.read_json().await?, Code::ParameterInvalid)?;
    match fields.expect_text("name")?.as_str() {
        PROM => Ok(Reply::empty()),
        other => Err(SlsError::not_supported(format!("there are no substores but {PROM}, which {other:?} is not"))),
    }
}

/// Its columns are what they are, so that an update changes nothing; its TTL is the store's.
pub(super) async fn put_ttl(call: &mut Call<'_>, name: &str) -> Result<Reply, SlsError> {
    let store = metricstore(call, name)?;
    let Some(ttl) = call.params.get("ttl") else { return Ok(Reply::empty()) };
    let definition = Definition::parse(json!({ "ttl": ttl }).to_string().as_bytes())?;
    let settings: StoreSettings = definition.change(store.settings().as_ref().clone())?;
    call.app.storage.set_settings(&store, settings).await?;
    Ok(Reply::empty())
}

pub(super) fn answer(call: &Call<'_>, name: &str, act: Substore) -> Result<Reply, SlsError> {
    let store = metricstore(call, name)?;
    let ttl = days(store.settings().ttl);
    Ok(match act {
        Substore::List => Reply::json(&json!({ "substores": [PROM] })),
        Substore::GetTtl => Reply::json(&json!({ "ttl": ttl })),
        Substore::Get => Reply::json(&json!({
            "name": PROM, "ttl": ttl, "sortedKeyCount": 2, "timeIndex": 2,
            "keys": [
                { "name": "__name__", "type": "text" },
                { "name": "__labels__", "type": "labels" },
                { "name": "__time_nano__", "type": "long" },
                { "name": "__value__", "type": "double" },
            ],
        })),
        Substore::Create | Substore::Update | Substore::PutTtl => Reply::empty(),
    })
}

fn metricstore(call: &Call<'_>, name: &str) -> Result<Arc<StoreState>, SlsError> {
    let store = call.store(name)?;
    if store.kind() == StoreKind::Metrics {
        return Ok(store);
    }
    Err(SlsError::not_supported(format!("{name} is a logstore; substores are of metricstores alone")))
}
