//! A request as signatures see it: method, path and parameters, headers, and the time.

use std::borrow::Cow;

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method, Uri};
use culprit_store::UnixNanos;
use percent_encoding::percent_decode;

use super::error::AuthError;
use crate::limits::SIGNATURE_SKEW_MAX;
use crate::time::written;

pub(super) struct Signed<'a> {
    pub(super) method: &'a Method,
    pub(super) uri: &'a Uri,
    pub(super) headers: &'a HeaderMap,
    pub(super) now: UnixNanos,
}

impl<'a> Signed<'a> {
    pub(super) fn new(parts: &'a Parts, now: UnixNanos) -> Self {
        Self { method: &parts.method, uri: &parts.uri, headers: &parts.headers, now }
    }

    /// Empty when there is none.
    pub(super) fn header(&self, name: &str) -> &'a [u8] {
        self.headers.get(name).map_or(b"", |value| value.as_bytes())
    }

    /// Clients sign the path before their HTTP library writes percent signs into it, or after. An encoded slash is part
    /// of a name, so its path has one reading.
    pub(super) fn paths(&self) -> impl Iterator<Item = Cow<'a, [u8]>> {
        let raw = self.uri.path();
        let decoded: Cow<'a, [u8]> = percent_decode(raw.as_bytes()).into();
        let slashes = |path: &[u8]| path.iter().filter(|byte| **byte == b'/').count();
        let is_other = *decoded != *raw.as_bytes() && slashes(&decoded) == slashes(raw.as_bytes());
        std::iter::once(Cow::Borrowed(raw.as_bytes())).chain(is_other.then_some(decoded))
    }

    /// Decoded, sorted by name. A bare `?` has none.
    pub(super) fn parameters(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let pairs = self.uri.query().unwrap_or("").split('&').filter(|pair| !pair.is_empty());
        let mut parameters: Vec<_> = pairs
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                (form_decoded(name), form_decoded(value))
            })
            .collect();
        parameters.sort();
        parameters
    }

    /// The headers that every signature covers, with their values trimmed, sorted by name. One that came twice is there
    /// twice, and so does not match what a client signed once.
    pub(super) fn log_headers(&self) -> Vec<(&'a str, &'a [u8])> {
        let is_signed = |name: &HeaderName| {
            let name = name.as_str();
            (name.starts_with("x-log-") && !name.starts_with("x-log-meta-")) || name.starts_with("x-acs-")
        };
        let mut headers: Vec<_> = self
            .headers
            .iter()
            .filter(|(name, _)| is_signed(name))
            .map(|(name, value)| (name.as_str(), value.as_bytes().trim_ascii()))
            .collect();
        headers.sort_unstable();
        headers
    }

    pub(super) fn check_api_version(&self) -> Result<(), AuthError> {
        match self.header("x-log-apiversion") {
            b"" => Err(AuthError::NoApiVersion),
            b"0.6.0" | b"0.4.0" => Ok(()),
            version => Err(AuthError::BadApiVersion { version: lossy(version) }),
        }
    }

    /// The same request may come again inside of the window: clients sign once and try often.
    pub(super) fn check_time(&self, date: chrono::DateTime<chrono::Utc>) -> Result<(), AuthError> {
        let now = chrono::DateTime::from_timestamp_nanos(self.now.0);
        let apart = (now - date).abs();
        if apart.to_std().is_ok_and(|apart| apart <= SIGNATURE_SKEW_MAX) {
            return Ok(());
        }
        let date = date.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        Err(AuthError::Expired { date, now: written(self.now) })
    }
}

fn form_decoded(text: &str) -> Vec<u8> {
    let blanks: Vec<u8> = text.bytes().map(|byte| if byte == b'+' { b' ' } else { byte }).collect();
    percent_decode(&blanks).collect()
}

pub(super) fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
