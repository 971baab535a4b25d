//! `/api/fanout/{project}/{store}/{group}`: many readers share the shards of a store, each batch leased to one of them.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use culprit_ingest::consume::{CursorAt, Delivery, FanoutPull, Source};
use culprit_ingest::quota::Flow;
use culprit_store::{Offset, UnixNanos};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::auth::Principal;
use crate::body::{JsonBody, JsonRequest};
use crate::error::ApiError;
use crate::limits::{FANOUT_ACK_TIMEOUT_S, FANOUT_BATCHES, FANOUT_BYTES};
use crate::params::{PathParams, StorePath};
use crate::router::App;
use crate::tail::consumed;

/// Body of `pull`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PullFanout {
    consumer: String,
    max_groups: Option<usize>,
    max_bytes: Option<usize>,
    #[serde(default)]
    wait_ms: u64,
    ack_timeout_s: Option<u64>,
    /// Where a group begins that is not there yet.
    #[serde(default)]
    from: Beginning,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Beginning {
    #[default]
    Begin,
    End,
}

impl JsonRequest for PullFanout {
    const EXAMPLE: &'static str = r#"{"consumer":"worker-1","max_groups":100,"max_bytes":4194304,"wait_ms":5000,"ack_timeout_s":60,"from":"begin"}"#;
}

/// Body of `ack`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AckFanout {
    consumer: String,
    acks: Vec<AckOne>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AckOne {
    shard: u32,
    offset: u64,
}

impl JsonRequest for AckFanout {
    const EXAMPLE: &'static str = r#"{"consumer":"worker-1","acks":[{"shard":0,"offset":17}]}"#;
}

/// `{"batches":[{"shard","offset","deliveries","received_ns","rows":[…]}]}`; with `Accept: application/x-protobuf`, `log_group` (base64) in place of `rows`.
pub(crate) async fn pull(
    State(app): State<App>,
    principal: Principal,
    StorePath { project, store }: StorePath,
    path: PathParams,
    headers: HeaderMap,
    JsonBody(wanted): JsonBody<PullFanout>,
) -> Result<Response, ApiError> {
    let source = consumed(&app, &principal, &project, store.as_str())?;
    let mut charge = app.quotas.admit(&project, Flow::Read, 0)?;
    let delivered = app.consumption.fanout().pull(&source, group(&path), wanted.pull()).await?;
    let form = if wants_protobuf(&headers) { Form::LogGroup } else { Form::Rows };
    let mut out = String::from("{\"batches\":[");
    for (at, delivery) in delivered.iter().enumerate() {
        out.push_str(if at > 0 { "," } else { "" });
        form.append(delivery, &mut out)?;
    }
    out.push_str("]}");
    charge.correct(out.len() as u64);
    Ok(([(header::CONTENT_TYPE, "application/json")], out).into_response())
}

impl PullFanout {
    fn pull(&self) -> FanoutPull<'_> {
        FanoutPull {
            consumer: &self.consumer,
            batches_max: self.max_groups.unwrap_or(FANOUT_BATCHES),
            bytes_max: self.max_bytes.unwrap_or(FANOUT_BYTES),
            wait: Duration::from_millis(self.wait_ms),
            ack_timeout: Duration::from_secs(self.ack_timeout_s.unwrap_or(FANOUT_ACK_TIMEOUT_S)),
            from: match self.from {
                Beginning::Begin => CursorAt::Begin,
                Beginning::End => CursorAt::End,
            },
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Form {
    Rows,
    LogGroup,
}

impl Form {
    fn append(self, delivery: &Delivery, out: &mut String) -> Result<(), ApiError> {
        let Delivery { shard, offset: Offset(offset), deliveries, received: UnixNanos(received_ns), .. } = delivery;
        let head =
            format!(r#"{{"shard":{shard},"offset":{offset},"deliveries":{deliveries},"received_ns":{received_ns},"#);
        out.push_str(&head);
        match self {
            // Rows are JSON already.
            Self::Rows => out.extend(["\"rows\":", &delivery.rows_json()?]),
            Self::LogGroup => out.extend(["\"log_group\":\"", &STANDARD.encode(delivery.log_group()), "\""]),
        }
        out.push('}');
        Ok(())
    }
}

pub(crate) async fn ack(
    State(app): State<App>,
    principal: Principal,
    StorePath { project, store }: StorePath,
    path: PathParams,
    JsonBody(done): JsonBody<AckFanout>,
) -> Result<Json<Value>, ApiError> {
    let source = consumed(&app, &principal, &project, store.as_str())?;
    let acks: Vec<(u32, Offset)> = done.acks.iter().map(|ack| (ack.shard, Offset(ack.offset))).collect();
    let report = app.consumption.fanout().ack(&source, group(&path), &done.consumer, &acks).await?;
    Ok(Json(json!({ "acknowledged": report.acknowledged, "again": report.again })))
}

/// How far the group has come in each shard.
pub(crate) async fn state(
    State(app): State<App>,
    principal: Principal,
    StorePath { project, store }: StorePath,
    path: PathParams,
) -> Result<Json<Value>, ApiError> {
    let source: Source = consumed(&app, &principal, &project, store.as_str())?;
    let shards = app.consumption.fanout().state(&source, group(&path)).await?;
    let shards = shards.iter().map(|shard| {
        json!({
            "shard": shard.shard,
            "checkpoint": shard.checkpoint,
            "end": shard.end,
            "in_flight": shard.in_flight,
        })
    });
    Ok(Json(json!({ "shards": shards.collect::<Vec<_>>() })))
}

pub(crate) async fn remove(
    State(app): State<App>,
    principal: Principal,
    StorePath { project, store }: StorePath,
    path: PathParams,
) -> Result<StatusCode, ApiError> {
    let source = consumed(&app, &principal, &project, store.as_str())?;
    app.consumption.fanout().delete(&source, group(&path)).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn group(path: &PathParams) -> &str {
    path.get("group").expect("every route of this file names one")
}

fn wants_protobuf(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("protobuf"))
}
