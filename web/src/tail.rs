//! `GET /api/tail`: rows of a store or a view as they come, until the reader goes away.
//!
//! Nothing is buffered here: the next rows are fetched once the socket has taken the last ones, so a slow reader slows down himself alone. A reader that is
//! gone is noticed by the heartbeat.

use std::future::Future;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::{BufMut, Bytes, BytesMut};
use culprit_ingest::consume::{Chunk, CursorAt, Follow, Follower, From, Source, Start};
use culprit_ingest::quota::{Charge, Flow};
use culprit_store::{ProjectName, Right, StoreName};
use futures::stream;

use crate::auth::Principal;
use crate::error::{ApiError, one_line};
use crate::limits::{TAIL_HEARTBEAT, TAIL_PAUSE};
use crate::params::Params;
use crate::router::App;

pub(crate) async fn tail(State(app): State<App>, principal: Principal, params: Params) -> Result<Response, ApiError> {
    let project = params.project()?;
    principal.check(&project, Right::Consume)?;
    let source = consumed(&app, &principal, &project, required(&params, "store")?)?;
    let follow = match params.get("format") {
        None | Some("ndjson") => Follow::Rows,
        Some("loggroup") => Follow::LogGroups,
        Some(other) => return Err(wrong(format!("format is {other:?}; known are ndjson and loggroup"))),
    };
    let shard = params.get("shard").map(|text| text.parse().map_err(|_| wrong(format!("shard {text:?} is no number"))));
    let shard = shard.transpose()?;
    let from = match params.get("from") {
        None | Some("end") => From::At(CursorAt::End),
        Some("begin") => From::At(CursorAt::Begin),
        Some(cursor) if shard.is_some() => From::Cursor(cursor),
        Some(cursor) => {
            return Err(wrong(format!("from is {cursor:?}: begin or end, or with a shard one of its cursors")));
        }
    };
    let charge = app.quotas.admit(&project, Flow::Read, 0)?;
    let follower = app.consumption.follow(source, follow, Start { shard, from }).await?;
    let open = OpenTail { follower, follow, charge };
    let body = stream::try_unfold(open, |mut open| async move {
        let frame = open.next().await.inspect_err(|error| {
            tracing::warn!("a tail was broken off: {}", one_line(error));
        })?;
        Ok::<_, ApiError>(frame.map(|frame| (frame, open)))
    });
    let media_type = match follow {
        Follow::Rows => "application/x-ndjson",
        Follow::LogGroups => "application/octet-stream",
    };
    Ok(([(header::CONTENT_TYPE, media_type)], Body::from_stream(body)).into_response())
}

struct OpenTail {
    follower: Follower,
    follow: Follow,
    charge: Charge,
}

impl OpenTail {
    /// None when there is nothing to follow any more.
    async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        match within(TAIL_HEARTBEAT, self.follower.next()).await {
            None => Ok(Some(heartbeat(self.follow))),
            Some(chunk) => {
                let Some(chunk) = chunk? else { return Ok(None) };
                // Rows that are there are sent; what is read too fast makes the next ones wait.
                if let Err(refusal) = self.charge.add(chunk.body.len() as u64) {
                    tokio::time::sleep(refusal.retry_after().unwrap_or(TAIL_PAUSE)).await;
                }
                Ok(Some(frame(self.follow, chunk)))
            }
        }
    }
}

/// None when it takes longer.
async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(limit, work).await.ok()
}

/// NDJSON as it is. A LogGroupList behind 16 bytes, big-endian: shard (4), length (4), and the offset to read on from (8).
fn frame(follow: Follow, chunk: Chunk) -> Bytes {
    if follow == Follow::Rows {
        return chunk.body;
    }
    let length = u32::try_from(chunk.body.len()).expect("a block is bounded far below 4 GiB");
    let mut frame = BytesMut::with_capacity(FRAME_HEAD_BYTES + chunk.body.len());
    frame.put_u32(chunk.shard);
    frame.put_u32(length);
    frame.put_u64(chunk.next.0.0);
    frame.put_slice(&chunk.body);
    frame.freeze()
}

const FRAME_HEAD_BYTES: usize = 16;

/// An empty line, or a head without a body.
fn heartbeat(follow: Follow) -> Bytes {
    match follow {
        Follow::Rows => Bytes::from_static(b"\n"),
        Follow::LogGroups => Bytes::from_static(&[0; FRAME_HEAD_BYTES]),
    }
}

/// The source of this name, when the right to consume is there for each of its stores.
pub(crate) fn consumed(
    app: &App,
    principal: &Principal,
    project: &ProjectName,
    name: &str,
) -> Result<Source, ApiError> {
    principal.check(project, Right::Consume)?;
    let source = app.consumption.source(project, &StoreName::parse(name)?)?;
    for (member, _) in source.members() {
        principal.check(&member, Right::Consume)?;
    }
    Ok(source)
}

fn required<'a>(params: &'a Params, name: &str) -> Result<&'a str, ApiError> {
    params.get(name).ok_or_else(|| wrong(format!("{name} is missing")))
}

fn wrong(why: String) -> ApiError {
    ApiError::Parameters { why }
}
