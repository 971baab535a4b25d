//! Consumer groups: who reads which shards, and how far they are.

use culprit_ingest::consume::{Checkpoint, GroupChange, GroupInfo, GroupSettings, Mark};
use culprit_store::Right;
use serde_json::{Value, json};

use super::call::Call;
use super::error::{Code, SlsError};
use super::fields::{Fields, flag};
use super::reply::Reply;

/// Seconds without a heartbeat after which a consumer counts as gone, when the creator names none.
const TIMEOUT_S: u32 = 60;

pub(super) async fn list(call: &mut Call<'_>, name: &str) -> Result<Reply, SlsError> {
    let source = call.source(name, Right::Consume)?;
    let groups = call.app.consumption.groups().list(&source).await?;
    let shown: Vec<Value> =
        groups.iter().map(|GroupInfo { name, settings }| json!({ "name": name, "timeout": settings.timeout_s, "order": settings.in_order })).collect();
    Ok(Reply::json(&shown))
}

pub(super) async fn create(call: &mut Call<'_>, name: &str) -> Result<Reply, SlsError> {
    let source = call.source(name, Right::Consume)?;
    let mut fields = Fields::parse(&call.read_json().await?, Code::ParameterInvalid)?;
    let group = fields.expect_text("consumerGroup")?;
    let timeout_s = timeout(&mut fields)?.unwrap_or(TIMEOUT_S);
    let settings = GroupSettings { timeout_s, in_order: fields.flag("order")?.unwrap_or(false) };
    call.app.consumption.groups().create(&source, &group, settings).await?;
    Ok(Reply::empty())
}

/// What is not named stays as it is.
pub(super) async fn update(call: &mut Call<'_>, name: &str, group: &str) -> Result<Reply, SlsError> {
    let source = call.source(name, Right::Consume)?;
    let mut fields = Fields::parse(&call.read_json().await?, Code::ParameterInvalid)?;
    let change = GroupChange { timeout_s: timeout(&mut fields)?, in_order: fields.flag("order")? };
    call.app.consumption.groups().update(&source, group, change).await?;
    Ok(Reply::empty())
}

fn timeout(fields: &mut Fields) -> Result<Option<u32>, SlsError> {
    let Some(seconds) = fields.integer("timeout")? else { return Ok(None) };
    let wrong = |_| SlsError::parameter(format!("timeout is {seconds}; it must be a number of seconds"));
    u32::try_from(seconds).map(Some).map_err(wrong)
}

pub(super) async fn delete(call: &mut Call<'_>, name: &str, group: &str) -> Result<Reply, SlsError> {
    let source = call.source(name, Right::Consume)?;
    call.app.consumption.groups().delete(&source, group).await?;
    Ok(Reply::empty())
}

/// The body is what the consumer reads, the answer what it should.
pub(super) async fn heartbeat(call: &mut Call<'_>, name: &str, group: &str) -> Result<Reply, SlsError> {
    let source = call.source(name, Right::Consume)?;
    let consumer = consumer(call)?;
    let body = call.read_json().await?;
    let wrong = |error| SlsError::new(Code::PostBodyInvalid, format!("the body is no array of shard ids: {error}"));
    let held: Vec<u32> = if body.is_empty() { Vec::new() } else { serde_json::from_slice(&body).map_err(wrong)? };
    let shards = call.app.consumption.groups().heartbeat(&source, group, &consumer, &held).await?;
    Ok(Reply::json(&shards))
}

fn consumer(call: &Call<'_>) -> Result<String, SlsError> {
    let missing = || SlsError::parameter("consumer is missing");
    call.params.get("consumer").map(str::to_owned).ok_or_else(missing)
}

pub(super) async fn checkpoint(call: &mut Call<'_>, name: &str, group: &str) -> Result<Reply, SlsError> {
    let source = call.source(name, Right::Consume)?;
    // Absent from tools that set a checkpoint by hand, which have to force it.
    let consumer = call.params.get("consumer").unwrap_or("").to_owned();
    let force = match call.params.get("forceSuccess") {
        None => false,
        Some(text) => flag(text)
            .ok_or_else(|| SlsError::parameter(format!("forceSuccess is {text:?}; it must be true or false")))?,
    };
    let mut fields = Fields::parse(&call.read_json().await?, Code::ParameterInvalid)?;
    let shard = fields.integer("shard")?.and_then(|shard| u32::try_from(shard).ok());
    let shard = shard.ok_or_else(|| SlsError::parameter("shard is missing or no shard id"))?;
    let cursor = fields.expect_text("checkpoint")?;
    let mark = Mark { consumer: &consumer, shard, cursor: &cursor, force };
    call.app.consumption.groups().checkpoint(&source, group, mark).await?;
    Ok(Reply::empty())
}

/// An entry for every shard: clients take an absent one for a failure.
pub(super) async fn checkpoints(call: &mut Call<'_>, name: &str, group: &str) -> Result<Reply, SlsError> {
    let source = call.source(name, Right::Consume)?;
    let shard: Option<u32> = call.integer("shard", Code::ParameterInvalid)?;
    let all = call.app.consumption.groups().checkpoints(&source, group, shard).await?;
    Ok(Reply::json(&all.iter().map(describe).collect::<Vec<_>>()))
}

/// Without a checkpoint, the cursor is an empty text and the time 0. Times are in microseconds.
fn describe(checkpoint: &Checkpoint) -> Value {
    let Checkpoint { shard, cursor, updated, consumer } = checkpoint;
    let cursor = cursor.map_or_else(String::new, |cursor| cursor.to_string());
    let updated = updated.map_or(0, |at| at.0.div_euclid(1_000));
    json!({ "shard": shard, "checkpoint": cursor, "updateTime": updated, "consumer": consumer })
}
