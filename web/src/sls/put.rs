//! Logs in: one LogGroup, or a list of packages of them, compressed or not.

use std::sync::Arc;

use culprit_ingest::{Codec, LOGGROUP_RAW_BYTES_MAX, PutLogs};
use culprit_store::{Sequence, StoreState};

use super::call::Call;
use super::error::{Code, SlsError};
use super::operation::Placing;
use super::reply::{COMPRESSION, PROTOBUF, RAW_SIZE, Reply};
use super::shards::hash_key;
use crate::body::BodyLimit;

/// How an agent says what its body is.
const MODE: &str = "x-log-mode";

pub(super) async fn logs(call: &mut Call<'_>, name: &str, placing: Placing) -> Result<Reply, SlsError> {
    let store = call.store(name)?;
    let key = match (placing, call.params.get("key")) {
        (_, Some(key)) => Some(hash_key(key)?),
        (Placing::Balanced, None) => None,
        (Placing::ByKey, None) => {
            return Err(SlsError::new(Code::InvalidKey, "key is missing; it says which shard takes the rows"));
        }
    };
    let sequence = sequence(call, key)?;
    expect_protobuf(call)?;
    let (codec, raw_size, packages) = (codec(call)?, raw_size(call)?, has_packages(call)?);
    into(call, store, PutLogs { codec, raw_size, packages, key, sequence }).await
}

/// The producer's count of its writes under the key. What it is told of a number that is stored is that it may go on.
fn sequence(call: &Call<'_>, key: Option<u128>) -> Result<Option<Sequence>, SlsError> {
    let Some(number) = call.integer("seqid", Code::ParameterInvalid)? else { return Ok(None) };
    let no_key = || SlsError::new(Code::InvalidKey, "seqid counts the writes under a key, and key is missing");
    Ok(Some(Sequence { key: key.ok_or_else(no_key)?, number }))
}

async fn into(call: &mut Call<'_>, store: Arc<StoreState>, put: PutLogs) -> Result<Reply, SlsError> {
    if put.codec != Codec::None && put.raw_size.is_none() && !put.packages {
        return Err(SlsError::new(
            Code::MissingBodyRawSize,
            format!("{RAW_SIZE} is missing; a compressed body needs it"),
        ));
    }
    let limit = call.app.body_bytes_max.min(LOGGROUP_RAW_BYTES_MAX);
    let body = call.read(BodyLimit { bytes: limit, advice: "send the logs in parts" }).await?;
    let accepted = call.app.ingest.put_logs(&store, body, put).await?;
    call.cost(accepted.raw_bytes);
    if accepted.rows == 0 && accepted.rejected > 0 {
        let first = accepted.reasons.first().map_or("", |reason| reason.why.as_str());
        let why = format!("none of the {} logs can be stored; the first: {first}", accepted.rejected);
        return Err(SlsError::new(Code::PostBodyInvalid, why));
    }
    Ok(Reply::empty())
}

fn expect_protobuf(call: &Call<'_>) -> Result<(), SlsError> {
    let Some(kind) = call.header("content-type").filter(|kind| !kind.is_empty()) else {
        return Err(SlsError::new(Code::MissingContentType, format!("Content-Type is missing; it must be {PROTOBUF}")));
    };
    let media_type = kind.split(';').next().unwrap_or(kind).trim();
    if media_type.eq_ignore_ascii_case(PROTOBUF) {
        return Ok(());
    }
    Err(SlsError::new(Code::InvalidContentType, format!("Content-Type is {kind:?}; it must be {PROTOBUF}")))
}

pub(super) fn codec(call: &Call<'_>) -> Result<Codec, SlsError> {
    let name = call.header(COMPRESSION).unwrap_or("");
    let unknown = || format!("{COMPRESSION} is {name:?}; it must be lz4, zstd, deflate or gzip");
    Codec::parse(name).ok_or_else(|| SlsError::new(Code::InvalidCompressType, unknown()))
}

pub(super) fn raw_size(call: &Call<'_>) -> Result<Option<usize>, SlsError> {
    let Some(text) = call.header(RAW_SIZE) else { return Ok(None) };
    let wrong =
        |_| SlsError::new(Code::InvalidBodyRawSize, format!("{RAW_SIZE} is {text:?}; it must be a number of bytes"));
    text.parse().map(Some).map_err(wrong)
}

fn has_packages(call: &Call<'_>) -> Result<bool, SlsError> {
    match call.header(MODE).unwrap_or("") {
        "" => Ok(false),
        "batch_group" => Ok(true),
        other => Err(SlsError::parameter(format!("{MODE} is {other:?}; it must be batch_group or absent"))),
    }
}
