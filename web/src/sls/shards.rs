//! Shards of a store: listed, split, merged, deleted. A view shows those of its members under numbers of its own.

use culprit_ingest::quota::Counted;
use culprit_store::{Right, ShardInfo, ShardNumber, ShardStatus, SplitAt, StoreName};
use serde_json::{Value, json};

use super::call::Call;
use super::error::{Code, SlsError};
use super::reply::Reply;

pub(super) fn list(call: &Call<'_>, name: &str) -> Result<Reply, SlsError> {
    let (project, store) = (call.project()?, StoreName::parse(name).map_err(SlsError::parameter)?);
    if let Some(store) = call.app.storage.store(project, &store) {
        return Ok(answer(&store.shards()));
    }
    let view = call.source(name, Right::Consume)?;
    let shards = call.app.consumption.shards(&view);
    let shown: Vec<Value> = shards.iter().map(|(number, shard)| describe(*number, shard)).collect();
    Ok(Reply::json(&shown))
}

/// At `key`, into `shardCount` equal parts, or in the middle.
pub(super) async fn split(call: &mut Call<'_>, name: &str, shard: u32) -> Result<Reply, SlsError> {
    let store = call.store(name)?;
    let parts = call.integer::<u16>("shardCount", Code::ParameterInvalid)?;
    let at = match (call.params.get("key").map(hash_key).transpose()?, parts) {
        (Some(key), _) => SplitAt::Key(key),
        (None, Some(parts)) => SplitAt::Parts(parts),
        (None, None) => SplitAt::Middle,
    };
    let more = usize::from(parts.unwrap_or(2)).saturating_sub(1);
    let stores = call.app.storage.stores(store.project());
    let shards: usize = stores.iter().map(|store| store.shard_count()).sum();
    call.app.quotas.check_count(store.project(), Counted::Shards, shards + more)?;
    let changed = call.app.storage.split_shard(&store, ShardNumber(shard), at).await?;
    Ok(answer(&changed))
}

pub(super) async fn merge(call: &mut Call<'_>, name: &str, shard: u32) -> Result<Reply, SlsError> {
    let store = call.store(name)?;
    let changed = call.app.storage.merge_shards(&store, ShardNumber(shard)).await?;
    Ok(answer(&changed))
}

pub(super) async fn delete(call: &mut Call<'_>, name: &str, shard: u32) -> Result<Reply, SlsError> {
    let store = call.store(name)?;
    call.app.storage.delete_shard(&store, ShardNumber(shard)).await?;
    Ok(Reply::empty())
}

fn answer(changed: &[ShardInfo]) -> Reply {
    let shown: Vec<Value> = changed.iter().map(|shard| describe(shard.number.0, shard)).collect();
    Reply::json(&shown)
}

fn describe(number: u32, shard: &ShardInfo) -> Value {
    let status = match shard.status {
        ShardStatus::ReadWrite => "readwrite",
        ShardStatus::ReadOnly => "readonly",
    };
    json!({
        "shardID": number,
        "status": status,
        "inclusiveBeginKey": format!("{:032x}", shard.range.begin),
        // The end of the key space cannot be excluded in so many digits: the last shard shows its last key.
        "exclusiveEndKey": format!("{:032x}", shard.range.end.saturating_add(1)),
        "createTime": shard.created.0.div_euclid(1_000_000_000),
    })
}

/// Of rows and of splits: 128 bits as 32 hexadecimal digits.
pub(super) fn hash_key(text: &str) -> Result<u128, SlsError> {
    let wrong = || SlsError::new(Code::InvalidKey, format!("key is {text:?}; it must be 32 hexadecimal digits"));
    if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    u128::from_str_radix(text, 16).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_thirty_two_digits() {
        assert_eq!(hash_key("00000000000000000000000000000010").unwrap(), 16);
        assert_eq!(hash_key("FfFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF").unwrap(), u128::MAX);
        for wrong in [
            "",
            "10",
            "+0000000000000000000000000000010",
            "g0000000000000000000000000000010",
            "000000000000000000000000000000100",
        ] {
            assert_eq!(hash_key(wrong).unwrap_err().code, Code::InvalidKey, "{wrong}");
        }
    }
}
