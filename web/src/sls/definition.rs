//! A logstore as clients of this API write it: what this server knows becomes settings, all else is kept as it came and given back.

use std::time::Duration;

use culprit_store::limits::STORE_SHARDS_MAX;
use culprit_store::{StoreKind, StoreSettings, StoreSpec, StoreState};
use serde_json::{Map, Value, json};

use super::error::{Code, SlsError};
use super::fields::Fields;

/// So many days and more are for ever.
pub(super) const TTL_DAYS_FOREVER: i64 = 3650;
const DAY: Duration = Duration::from_secs(86_400);
/// Answered from the store itself, never from what a client has written once.
const COMPUTED: [&str; 4] = ["createTime", "lastModifyTime", "projectName", "productType"];

/// Absent fields stay as they are: the Node client sends two of them.
#[derive(Debug)]
pub(super) struct Definition {
    pub(super) name: Option<String>,
    shards: Option<u16>,
    telemetry: Option<String>,
    ttl: Option<Option<Duration>>,
    auto_split: Option<bool>,
    shards_max: Option<u16>,
    web_tracking: Option<bool>,
    others: Map<String, Value>,
}

impl Definition {
    pub(super) fn parse(body: &[u8]) -> Result<Self, SlsError> {
        let mut fields = Fields::parse(body, Code::LogstoreInfoInvalid)?;
        let definition = Self {
            name: fields.text("logstoreName")?,
            shards: shard_count(&mut fields, "shardCount")?,
            telemetry: fields.text("telemetryType")?,
            ttl: ttl(&mut fields)?,
            auto_split: fields.flag("autoSplit")?,
            shards_max: shard_count(&mut fields, "maxSplitShard")?,
            web_tracking: fields.flag("enable_tracking")?,
            others: Map::new(),
        };
        let mut others = fields.rest();
        others.retain(|key, _| !COMPUTED.contains(&key.as_str()));
        Ok(Self { others, ..definition })
    }

    pub(super) fn spec(self) -> Result<StoreSpec, SlsError> {
        let kind = if self.telemetry.as_deref() == Some("Metrics") { StoreKind::Metrics } else { StoreKind::Logs };
        let plain = StoreSpec::new(kind);
        let shards = self.shards.unwrap_or(plain.shards);
        Ok(StoreSpec { shards, settings: self.change(plain.settings)?, ..plain })
    }

    /// The number of shards is what splits and merges have made it, so that a client that sends the old one back changes nothing.
    pub(super) fn change(self, now: StoreSettings) -> Result<StoreSettings, SlsError> {
        let mut attributes = kept(&now.attributes);
        attributes.extend(self.others);
        attributes.extend(self.telemetry.map(|kind| ("telemetryType".to_owned(), Value::String(kind))));
        Ok(StoreSettings {
            ttl: self.ttl.unwrap_or(now.ttl),
            auto_split: self.auto_split.unwrap_or(now.auto_split),
            shards_max: self.shards_max.unwrap_or(now.shards_max),
            web_tracking: self.web_tracking.unwrap_or(now.web_tracking),
            attributes: Value::Object(attributes).to_string(),
        })
    }
}

fn shard_count(fields: &mut Fields, name: &'static str) -> Result<Option<u16>, SlsError> {
    let Some(given) = fields.integer(name)? else { return Ok(None) };
    let count = u16::try_from(given).ok().filter(|count| (1..=STORE_SHARDS_MAX).contains(count));
    let wrong = || format!("{name} is {given}; it must be 1 to {STORE_SHARDS_MAX}");
    count.map(Some).ok_or_else(|| SlsError::new(Code::LogstoreInfoInvalid, wrong()))
}

fn ttl(fields: &mut Fields) -> Result<Option<Option<Duration>>, SlsError> {
    let Some(days) = fields.integer("ttl")? else { return Ok(None) };
    if days >= TTL_DAYS_FOREVER {
        return Ok(Some(None));
    }
    let days = u32::try_from(days).ok().filter(|days| *days > 0);
    let wrong = || SlsError::new(Code::LogstoreInfoInvalid, "ttl must be 1 to 3650 days, of which 3650 are for ever");
    days.map(|days| Some(Some(DAY * days))).ok_or_else(wrong)
}

/// What a client has written that this server has no setting for. Stores that were made by other means have none.
fn kept(attributes: &str) -> Map<String, Value> {
    match serde_json::from_str(attributes) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

/// As GetLogStore answers it.
pub(super) fn describe(store: &StoreState) -> Value {
    let settings = store.settings();
    let telemetry = match store.kind() {
        StoreKind::Logs => "",
        StoreKind::Metrics => "Metrics",
    };
    let mut described = Map::new();
    described.insert("appendMeta".to_owned(), json!(false));
    described.insert("telemetryType".to_owned(), json!(telemetry));
    described.extend(kept(&settings.attributes));
    for (key, value) in [
        ("logstoreName", json!(store.name())),
        ("ttl", json!(days(settings.ttl))),
        ("shardCount", json!(store.shard_count())),
        ("enable_tracking", json!(settings.web_tracking)),
        ("autoSplit", json!(settings.auto_split)),
        ("maxSplitShard", json!(settings.shards_max)),
        ("createTime", json!(store.created().0.div_euclid(1_000_000_000))),
        ("lastModifyTime", json!(store.updated().0.div_euclid(1_000_000_000))),
    ] {
        described.insert(key.to_owned(), value);
    }
    Value::Object(described)
}

/// Never less than one: a client that sends it back must not be refused.
pub(super) fn days(ttl: Option<Duration>) -> i64 {
    let Some(ttl) = ttl else { return TTL_DAYS_FOREVER };
    i64::try_from(ttl.as_secs().div_ceil(DAY.as_secs()))
        .map_or(TTL_DAYS_FOREVER, |days| days.clamp(1, TTL_DAYS_FOREVER))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<Definition, SlsError> {
        Definition::parse(body.as_bytes())
    }

    /// What the Python client sends.
    const PYTHON: &str = r#"{"logstoreName":"app","ttl":30,"shardCount":3,"enable_tracking":true,"autoSplit":false,"maxSplitShard":12,
        "appendMeta":true,"telemetryType":"","hot_ttl":7,"mode":"query","encrypt_conf":{"enable":true}}"#;

    #[test]
    fn settings_are_understood_and_the_rest_is_kept() {
        let spec = parse(PYTHON).unwrap().spec().unwrap();
        assert_eq!((spec.kind, spec.shards), (StoreKind::Logs, 3));
        let settings = spec.settings;
        assert_eq!(settings.ttl, Some(DAY * 30));
        assert_eq!((settings.auto_split, settings.shards_max, settings.web_tracking), (false, 12, true));
        let attributes: Value = serde_json::from_str(&settings.attributes).unwrap();
        assert_eq!(
            attributes,
            json!({ "appendMeta": true, "telemetryType": "", "hot_ttl": 7, "mode": "query", "encrypt_conf": { "enable": true } })
        );
    }

    #[test]
    fn an_update_changes_what_it_names() {
        let now = parse(PYTHON).unwrap().spec().unwrap().settings;
        let update = parse(r#"{"logstoreName":"app","ttl":3650,"shardCount":9,"hot_ttl":9,"createTime":1}"#).unwrap();
        let then = update.change(now.clone()).unwrap();
        assert_eq!((then.ttl, then.shards_max, then.web_tracking), (None, 12, true));
        let attributes: Value = serde_json::from_str(&then.attributes).unwrap();
        assert_eq!((&attributes["hot_ttl"], &attributes["mode"]), (&json!(9), &json!("query")));
        assert!(attributes.get("createTime").is_none());
        assert_eq!(parse("{}").unwrap().change(then.clone()).unwrap(), then);
    }

    #[test]
    fn metricstores_are_told_by_their_telemetry() {
        for (telemetry, kind) in
            [("Metrics", StoreKind::Metrics), ("Event", StoreKind::Logs), ("None", StoreKind::Logs)]
        {
            let spec = parse(&json!({ "telemetryType": telemetry }).to_string()).unwrap().spec().unwrap();
            assert_eq!(spec.kind, kind, "{telemetry}");
        }
    }

    #[test]
    fn numbers_out_of_range_are_named() {
        for (body, part) in [
            (r#"{"ttl":0}"#, "ttl must be 1 to 3650 days"),
            (r#"{"ttl":-1}"#, "ttl must be 1 to 3650 days"),
            (r#"{"ttl":"soon"}"#, "ttl is \"soon\"; it must be an integer"),
            (r#"{"shardCount":0}"#, "shardCount is 0; it must be 1 to 256"),
            (r#"{"shardCount":65537}"#, "shardCount is 65537"),
            (r#"{"maxSplitShard":257}"#, "maxSplitShard is 257"),
            (r#"{"autoSplit":"perhaps"}"#, "autoSplit is \"perhaps\"; it must be true or false"),
        ] {
            let error = parse(body).unwrap_err();
            assert_eq!(error.code, Code::LogstoreInfoInvalid, "{body}");
            assert!(error.message.contains(part), "{body}: {error}");
        }
    }

    #[test]
    fn days_are_rounded_up() {
        for (ttl, expected) in
            [(None, 3650), (Some(DAY * 30), 30), (Some(DAY + Duration::from_secs(1)), 2), (Some(Duration::ZERO), 1)]
        {
            assert_eq!(days(ttl), expected);
        }
    }
}
