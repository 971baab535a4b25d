//! Web tracking: pages write without a key, where the store's owner lets them.

use axum::body::Body;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use culprit_ingest::WebTrack;
use serde_json::{Map, Value};

use super::call::Call;
use super::error::{Code, SlsError};
use super::fields::Fields;
use super::put;
use super::reply::Reply;
use crate::body::BodyLimit;
use crate::limits::TRACK_BYTES_MAX;

/// Of the client, not of the log.
const VERSION: &str = "APIVersion";

/// Whether a request's path is one that pages of any site may use.
pub(crate) fn is_path(path: &str) -> bool {
    let mut segments = path.trim_end_matches('/').split('/');
    segments.next() == Some("")
        && segments.next() == Some("logstores")
        && segments.next().is_some_and(|name| !name.is_empty())
        && segments.next() == Some("track")
        && segments.next().is_none()
}

/// What a browser asks before it sends a page's POST to another site.
pub(super) fn is_preflight(method: &Method, uri: &Uri) -> bool {
    *method == Method::OPTIONS && is_path(uri.path())
}

pub(super) fn preflight() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::OK;
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type, x-log-apiversion, x-log-bodyrawsize, x-log-compresstype"),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

pub(super) async fn track(call: &mut Call<'_>, name: &str) -> Result<Reply, SlsError> {
    let store = call.store(name)?;
    if !store.settings().web_tracking {
        return Err(SlsError::new(
            Code::Unauthorized,
            format!("logstore {name} takes no web tracking; set enable_tracking"),
        ));
    }
    let track = if call.parts.method == Method::GET {
        of_parameters(call)?
    } else {
        let (codec, raw_size) = (put::codec(call)?, put::raw_size(call)?);
        let body = call.read(BodyLimit { bytes: TRACK_BYTES_MAX, advice: "send the logs in parts" }).await?;
        of_body(&codec.decompress(&body, raw_size, TRACK_BYTES_MAX)?)?
    };
    let accepted = call.app.ingest.track(&store, track).await?;
    call.cost(accepted.raw_bytes);
    Ok(Reply::empty())
}

/// One log, of which each parameter is a field.
fn of_parameters(call: &Call<'_>) -> Result<WebTrack, SlsError> {
    let mut track = WebTrack::default();
    let mut log = Vec::new();
    for (name, value) in call.params.pairs() {
        match name {
            VERSION => {}
            "__topic__" => track.topic = value.to_owned(),
            "__source__" => track.source = value.to_owned(),
            _ => log.push((name.to_owned(), value.to_owned())),
        }
    }
    if log.is_empty() {
        return Err(SlsError::parameter("the parameters hold no field of a log"));
    }
    track.logs.push(log);
    Ok(track)
}

fn of_body(body: &[u8]) -> Result<WebTrack, SlsError> {
    let mut fields = Fields::parse(body, Code::PostBodyInvalid)?;
    let topic = fields.text("__topic__")?.unwrap_or_else(String::new);
    let source = fields.text("__source__")?.unwrap_or_else(String::new);
    let logs = fields.array("__logs__")?;
    let logs =
        logs.ok_or_else(|| SlsError::new(Code::PostBodyInvalid, "__logs__ is missing; it is an array of objects"))?;
    let mut rest = fields.rest();
    let tags = match rest.remove("__tags__") {
        None | Some(Value::Null) => Vec::new(),
        Some(tags) => pairs(tags, "__tags__")?,
    };
    let logs = logs.into_iter().map(|log| pairs(log, "a log of __logs__")).collect::<Result<_, _>>()?;
    Ok(WebTrack { topic, source, tags, logs })
}

/// Values of other types than text are kept as their JSON.
fn pairs(object: Value, what: &str) -> Result<Vec<(String, String)>, SlsError> {
    let Value::Object(object) = object else {
        return Err(SlsError::new(Code::PostBodyInvalid, format!("{what} is no object")));
    };
    let text = |value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    let object: Map<String, Value> = object;
    Ok(object.into_iter().map(|(key, value)| (key, text(value))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_stores_track_is_open_to_all_pages() {
        for (path, is_open) in [
            ("/logstores/app/track", true),
            ("/logstores/app/track/", true),
            ("/logstores//track", false),
            ("/logstores/app/tracks", false),
            ("/logstores/app/shards/track", false),
            ("/logstores/app", false),
            ("/api/logstores/app/track", false),
        ] {
            assert_eq!(is_path(path), is_open, "{path}");
        }
    }

    #[test]
    fn a_body_is_logs_with_what_they_share() {
        let body = br#"{"__topic__":"t","__source__":"s","__tags__":{"k":"v"},"__logs__":[{"a":"b","n":1},{}]}"#;
        let WebTrack { topic, source, tags, logs } = of_body(body).unwrap();
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!((topic.as_str(), source.as_str(), tags), ("t", "s", vec![pair("k", "v")]));
        assert_eq!(logs, [vec![pair("a", "b"), pair("n", "1")], vec![]]);
        for (body, part) in [
            ("{}", "__logs__ is missing"),
            (r#"{"__logs__":{}}"#, "__logs__ is {}; it must be an array"),
            (r#"{"__logs__":[1]}"#, "a log of __logs__ is no object"),
            (r#"{"__logs__":[],"__tags__":[]}"#, "__tags__ is no object"),
        ] {
            let error = of_body(body.as_bytes()).unwrap_err();
            assert_eq!(error.code, Code::PostBodyInvalid, "{body}");
            assert!(error.message.contains(part), "{body}: {error}");
        }
    }
}
