//! Consumption by shard: where to begin, what time a place is, and the LogGroups from it on.

use std::time::Duration;

use culprit_ingest::Codec;
use culprit_ingest::consume::{Cursor, CursorAt, Pull, Pulled};
use culprit_store::{Offset, Right, UnixNanos};
use serde_json::json;

use super::call::Call;
use super::error::{Code, SlsError};
use super::reply::{COMPRESSION, RAW_SIZE, Reply};
use crate::limits::{PULL_GROUPS_MAX, PULL_WAIT_MAX};

pub(super) async fn cursor(call: &mut Call<'_>, name: &str, shard: u32) -> Result<Reply, SlsError> {
    let source = call.source(name, Right::Consume)?;
    let at = match call.params.get("from").unwrap_or("") {
        "begin" => CursorAt::Begin,
        "end" => CursorAt::End,
        given => CursorAt::Received(seconds(given)?),
    };
    let cursor = call.app.consumption.cursor(&source, shard, at).await?;
    Ok(Reply::json(&json!({ "cursor": cursor.to_string() })))
}

/// Of receipt, not of the logs' own clocks.
fn seconds(given: &str) -> Result<UnixNanos, SlsError> {
    let seconds: Option<i64> = given.parse().ok();
    let nanos = seconds.and_then(|seconds| seconds.checked_mul(1_000_000_000));
    let wrong = || SlsError::parameter(format!("from is {given:?}; it must be begin, end or seconds since the epoch"));
    nanos.map(UnixNanos).ok_or_else(wrong)
}

pub(super) async fn cursor_time(call: &mut Call<'_>, name: &str, shard: u32) -> Result<Reply, SlsError> {
    let source = call.source(name, Right::Consume)?;
    let time = call.app.consumption.cursor_time(&source, shard, given_cursor(call)?).await?;
    Ok(Reply::json(&json!({ "cursor_time": time.0.div_euclid(1_000_000_000) })))
}

fn given_cursor<'c>(call: &'c Call<'_>) -> Result<&'c str, SlsError> {
    call.params.get("cursor").ok_or_else(|| SlsError::new(Code::InvalidCursor, "cursor is missing"))
}

pub(super) async fn logs(call: &mut Call<'_>, name: &str, shard: u32) -> Result<Reply, SlsError> {
    if let Some(unknown) = ["query", "processor"].into_iter().find(|name| call.params.get(name).is_some()) {
        return Err(SlsError::not_supported(format!("{unknown}: a pull takes the shard as it is, without a script")));
    }
    let source = call.source(name, Right::Consume)?;
    let wait = Duration::from_millis(call.integer("wait", Code::ParameterInvalid)?.unwrap_or(0));
    let pull = Pull {
        shard,
        cursor: given_cursor(call)?,
        count: count(call)?,
        end_cursor: call.params.get("end_cursor"),
        codec: accepted(call.header("accept-encoding").unwrap_or("")),
        wait: wait.min(PULL_WAIT_MAX),
    };
    let pulled = call.app.consumption.pull(&source, pull).await?;
    call.cost(pulled.raw_bytes as u64);
    Ok(answer(pulled))
}

fn count(call: &Call<'_>) -> Result<usize, SlsError> {
    match call.integer("count", Code::ParameterInvalid)? {
        Some(0) => Err(SlsError::parameter(format!("count is 0; it must be 1 to {PULL_GROUPS_MAX}"))),
        given => Ok(given.unwrap_or(PULL_GROUPS_MAX).min(PULL_GROUPS_MAX)),
    }
}

/// Of this API, not of HTTP: what comes back names it in `x-log-compresstype`. A list is what HTTP libraries send of themselves, and they would not
/// undo what stands in no `Content-Encoding`.
pub(super) fn accepted(encodings: &str) -> Codec {
    Codec::parse(encodings).unwrap_or(Codec::None)
}

fn answer(pulled: Pulled) -> Reply {
    let Pulled { body, codec, raw_bytes, groups, next } = pulled;
    let last = Cursor::parse(&next).ok().filter(|_| groups > 0).map(|next| Cursor(Offset(next.0.0.saturating_sub(1))));
    let reply = match raw_bytes {
        0 => Reply::empty(),
        _ => Reply::protobuf(body),
    };
    let reply = reply.with("x-log-count", groups).with("x-log-cursor", next).with(RAW_SIZE, raw_bytes);
    let reply = match last {
        Some(last) => reply.with("x-log-read-last-cursor", last),
        None => reply,
    };
    match codec {
        Codec::None => reply,
        _ if raw_bytes == 0 => reply,
        codec => reply.with(COMPRESSION, codec.name()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_compression_is_asked_for_or_none() {
        for (encodings, codec) in [
            ("lz4", Codec::Lz4),
            ("zstd", Codec::Zstd),
            ("gzip", Codec::Gzip),
            ("deflate", Codec::Deflate),
            ("", Codec::None),
            ("gzip, deflate", Codec::None),
            ("identity", Codec::None),
        ] {
            assert_eq!(accepted(encodings), codec, "{encodings}");
        }
    }

    #[test]
    fn times_are_seconds() {
        assert_eq!(seconds("1700000000").unwrap(), UnixNanos(1_700_000_000_000_000_000));
        for wrong in ["", "begins", "1.5", "99999999999999999"] {
            assert_eq!(seconds(wrong).unwrap_err().code, Code::ParameterInvalid, "{wrong}");
        }
    }
}
