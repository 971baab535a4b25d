//! What goes back: 200 with headers and perhaps a body, or a code and a sentence; and the headers that all answers have.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use culprit_ingest::Codec;
use culprit_store::UnixNanos;
use serde::Serialize;
use serde_json::json;

use super::error::SlsError;
use crate::about::VERSION;
use crate::error::{later, log, one_line};

pub(super) const JSON: &str = "application/json";
pub(super) const PROTOBUF: &str = "application/x-protobuf";
pub(super) const RAW_SIZE: &str = "x-log-bodyrawsize";
pub(super) const COMPRESSION: &str = "x-log-compresstype";

/// A success. Its status is always 200: clients take 201 and 204 for failures.
#[derive(Debug, Default)]
pub(super) struct Reply {
    headers: HeaderMap,
    body: Bytes,
}

impl Reply {
    /// No body and no content type: the Node client reads an empty body of type JSON as JSON, and fails.
    pub(super) fn empty() -> Self {
        Self::default()
    }

    pub(super) fn json(value: &impl Serialize) -> Self {
        let body = serde_json::to_vec(value).expect("what is answered has text keys alone");
        Self { body: body.into(), ..Self::default() }.with(header::CONTENT_TYPE.as_str(), JSON)
    }

    /// As [`Reply::json`], compressed when the client asked for it.
    pub(super) fn compressed_json(value: &impl Serialize, codec: Codec) -> Self {
        let plain = Self::json(value);
        let raw_size = plain.body.len();
        let reply = match codec {
            Codec::None => plain,
            _ => Self { body: codec.compress(&plain.body).into(), headers: plain.headers }
                .with(COMPRESSION, codec.name()),
        };
        reply.with(RAW_SIZE, raw_size)
    }

    pub(super) fn protobuf(body: Bytes) -> Self {
        Self { body, ..Self::default() }.with(header::CONTENT_TYPE.as_str(), PROTOBUF)
    }

    /// A value that no header can carry is left out: all of ours are numbers, names or JSON without line breaks.
    pub(super) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        if let Ok(value) = HeaderValue::try_from(value.to_string()) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }
}

/// Makes the answer of either, with the headers of all.
pub(super) fn finish(outcome: Result<Reply, SlsError>, now: UnixNanos) -> Response {
    let mut response = match outcome {
        Ok(Reply { headers, body }) => {
            let mut response = Response::new(Body::from(body));
            *response.headers_mut() = headers;
            response
        }
        Err(error) => refuse(&error),
    };
    let seconds = now.0.div_euclid(1_000_000_000);
    for (name, value) in [("x-log-requestid", request_id(now)), ("x-log-time", seconds.to_string())] {
        let value = HeaderValue::try_from(value).expect("digits are a header's value");
        response.headers_mut().insert(name, value);
    }
    let server = concat!("culprit/", env!("CARGO_PKG_VERSION"));
    debug_assert!(server.ends_with(VERSION));
    response.headers_mut().insert(header::SERVER, HeaderValue::from_static(server));
    response
}

fn refuse(error: &SlsError) -> Response {
    let (status, text) = (error.code.status(), one_line(&error.message));
    log(status, &text);
    let body = json!({ "errorCode": error.code.name(), "errorMessage": text });
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
    later(status, response)
}

/// Unlike any other of this server: the time, and a count for those of one moment.
fn request_id(now: UnixNanos) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{:016X}{:08X}", now.0, NEXT.fetch_add(1, Relaxed) & 0xffff_ffff)
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::super::error::Code;
    use super::*;

    const NOW: UnixNanos = UnixNanos(1_700_000_000_000_000_000);

    async fn read(outcome: Result<Reply, SlsError>) -> (u16, HeaderMap, String) {
        let response = finish(outcome, NOW);
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, headers, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn an_empty_success_has_no_content_type() {
        let (status, headers, body) = read(Ok(Reply::empty())).await;
        assert_eq!((status, body.as_str()), (200, ""));
        assert!(!headers.contains_key("content-type"));
        assert_eq!(headers["x-log-time"], "1700000000");
        assert_eq!(headers["x-log-requestid"].len(), 24);
        assert_ne!(read(Ok(Reply::empty())).await.1["x-log-requestid"], headers["x-log-requestid"]);
    }

    #[tokio::test]
    async fn a_refusal_has_both_keys_in_one_line() {
        let (status, headers, body) = read(Err(SlsError::new(Code::ShardWriteQuotaExceed, "two\n lines \"q\""))).await;
        assert_eq!((status, headers["content-type"].as_bytes()), (403, &b"application/json"[..]));
        assert_eq!(body, r#"{"errorCode":"ShardWriteQuotaExceed","errorMessage":"two lines \"q\""}"#);
        let (status, headers, _) = read(Err(SlsError::new(Code::ServerBusy, "later"))).await;
        assert_eq!((status, headers["retry-after"].as_bytes()), (503, &b"1"[..]));
    }

    #[tokio::test]
    async fn json_is_compressed_when_asked() {
        let (_, headers, body) = read(Ok(Reply::json(&json!([1])).with("x-log-count", 1))).await;
        assert_eq!((body.as_str(), headers["x-log-count"].as_bytes()), ("[1]", &b"1"[..]));
        assert!(!headers.contains_key(COMPRESSION));
        let plain = Reply::compressed_json(&json!({ "a": "b" }), Codec::None);
        assert_eq!((&plain.body[..], plain.headers[RAW_SIZE].as_bytes()), (&br#"{"a":"b"}"#[..], &b"9"[..]));
        let packed = Reply::compressed_json(&json!({ "a": "b" }), Codec::Lz4);
        assert_eq!(
            (packed.headers[COMPRESSION].as_bytes(), packed.headers[RAW_SIZE].as_bytes()),
            (&b"lz4"[..], &b"9"[..])
        );
        let unpacked = Codec::Lz4.decompress(&packed.body, Some(9), 100).unwrap();
        assert_eq!(&unpacked[..], br#"{"a":"b"}"#);
    }
}
