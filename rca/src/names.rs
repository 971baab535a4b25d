//! What a column's name says where its values leave two readings open. A name never decides against the values.

use crate::cells::Key;

/// The store's own columns.
const HIDDEN: [&str; 5] = ["_received", "_offset", "_row", "_overflow", "_shard"];

/// Columns that hold sentences. Their patterns are dimensions; their texts are not.
const FREE_TEXT: [&str; 6] = ["_msg", "msg", "message", "_raw", "body", "log"];

/// Columns that say how a row ended, so that they restate any predicate about it.
const OUTCOME: [&str; 13] = [
    "level",
    "severity",
    "status",
    "error",
    "exception",
    "stack",
    "fail",
    "success",
    "outcome",
    "result",
    "reason",
    "crash",
    "retcode",
];

/// Columns that tie rows to one request, in the order of trust.
const UNIT: [&str; 8] =
    ["trace_id", "traceid", "trace.id", "request_id", "requestid", "req_id", "x_request_id", "correlation_id"];

/// What a dimension tells of a row, where a sentence has words of its own for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Of what runs.
    Version,
    Service,
    /// What the row's service waits for.
    Callee,
    Host,
    /// Of hosts.
    Area,
}

/// By the last word of the name, or the one before it in `pod.name` and `service_id`.
const ROLES: [(Role, &[&str]); 5] = [
    (Role::Version, &["version", "release", "build"]),
    (Role::Service, &["service", "app", "application", "job", "component", "workload"]),
    (Role::Callee, &["upstream", "dependency", "backend", "callee"]),
    (Role::Host, &["host", "hostname", "node", "instance", "pod", "machine", "server", "container"]),
    (Role::Area, &["region", "zone", "az", "datacenter", "dc", "cluster", "rack"]),
];

pub(crate) fn role(name: &str) -> Option<Role> {
    let lower = name.to_ascii_lowercase();
    let mut words = lower.split(['.', '_', '-']).rev();
    let word = words.by_ref().find(|word| !matches!(*word, "name" | "id"))?;
    ROLES.iter().find(|(_, names)| names.contains(&word)).map(|(role, _)| *role)
}

pub(crate) fn is_hidden(name: &str) -> bool {
    HIDDEN.contains(&name)
}

pub(crate) fn is_free_text(name: &str) -> bool {
    FREE_TEXT.iter().any(|text| name.eq_ignore_ascii_case(text))
}

pub(crate) fn is_outcome(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    OUTCOME.iter().any(|word| lower.contains(word))
}

/// An integer column that names things, however many there are.
pub(crate) fn is_identifier(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    ["id", "_no", "code", "_key", "port", "_number", "asn"].iter().any(|end| lower.ends_with(end))
}

pub(crate) fn is_time(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    ["time", "timestamp", "date", "_at", "_ts"].iter().any(|end| lower.ends_with(end)) || lower == "ts"
}

/// True for `2026-…` and for epochs of this century in seconds to nanoseconds.
pub(crate) fn looks_like_time(key: &Key<'_>) -> bool {
    match key {
        Key::Text(text) => {
            text.len() >= 10 && text.as_bytes()[4] == b'-' && text.as_bytes()[..4].iter().all(u8::is_ascii_digit)
        }
        Key::Int(value) => is_epoch(*value as f64),
        Key::Float(bits) => is_epoch(f64::from_bits(*bits)),
        _ => false,
    }
}

fn is_epoch(value: f64) -> bool {
    [1.0, 1e3, 1e6, 1e9].iter().any(|unit| (9.4e8 * unit..4.2e9 * unit).contains(&value))
}

pub(crate) fn is_unit(name: &str) -> bool {
    UNIT.iter().any(|unit| name.eq_ignore_ascii_case(unit))
}

/// The unit column that a table has by its name.
pub(crate) fn unit_among<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    UNIT.iter().find_map(|unit| names.clone().find(|name| name.eq_ignore_ascii_case(unit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_people_write_them() {
        for name in ["level", "status_class", "is_error", "failed", "exception.type"] {
            assert!(is_outcome(name), "{name}");
        }
        for name in ["version", "region", "customer_id", "host"] {
            assert!(!is_outcome(name), "{name}");
        }
        assert!(is_identifier("customer_id") && is_identifier("userId") && !is_identifier("bytes"));
        assert!(is_time("created_at") && is_time("Timestamp") && !is_time("timeout"));
        assert_eq!(role("Service_Name"), Some(Role::Service));
        assert_eq!(
            (role("k8s.pod.name"), role("release"), role("customer_id")),
            (Some(Role::Host), Some(Role::Version), None)
        );
        assert_eq!(unit_among(["a", "Request_ID", "trace_id"].into_iter()), Some("trace_id"));
    }

    #[test]
    fn a_duration_is_no_point_in_time() {
        assert!(looks_like_time(&Key::Text("2026-01-02T03:04:05Z")));
        assert!(looks_like_time(&Key::Int(1_795_219_200_000)));
        assert!(!looks_like_time(&Key::float(0.25)) && !looks_like_time(&Key::Int(812)));
    }
}
