//! Signatures of version 1: `LOG ID:base64(HMAC-SHA1(secret, text))`, what most clients of the SLS API send.
//!
//! ```text
//! text = METHOD \n Content-MD5 \n Content-Type \n Date \n
//!        name:value \n            of each x-log-* and x-acs-* header, sorted, without x-log-meta-*
//!        path [ ? name=value & …]  the values decoded, sorted
//! ```

use std::sync::Arc;

use axum::http::header::{CONTENT_TYPE, DATE};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use culprit_store::AccessKey;
use hmac::{Hmac, Mac};
use sha1::Sha1;

use super::error::AuthError;
use super::key::{Keys, find};
use super::signed::{Signed, lossy};

pub(super) const SCHEME: &str = "LOG";
const LOG_DATE: &str = "x-log-date";
const DATE_EXAMPLE: &str = "Mon, 02 Jan 2006 15:04:05 GMT";

pub(super) fn verify(request: &Signed<'_>, claim: &str, keys: Keys<'_>) -> Result<Arc<AccessKey>, AuthError> {
    let (id, signature) = claim.rsplit_once(':').ok_or(AuthError::Unreadable { why: "it is not LOG ID:SIGNATURE" })?;
    request.check_api_version()?;
    match request.header("x-log-signaturemethod") {
        b"" => return Err(AuthError::NoSignatureMethod),
        b"hmac-sha1" => {}
        method => return Err(AuthError::BadSignatureMethod { method: lossy(method) }),
    }
    let date = date(request)?;
    let key = find(keys, id)?;
    let mismatch = || AuthError::SignatureMismatch { id: id.to_owned() };
    let signature = STANDARD.decode(signature).map_err(|_not_base64| mismatch())?;
    let is_signed = |text: &[u8]| {
        let mac = Hmac::<Sha1>::new_from_slice(key.secret.reveal().as_bytes()).expect("a MAC takes any key");
        mac.chain_update(text).verify_slice(&signature).is_ok()
    };
    if texts(request, date).any(|text| is_signed(&text)) { Ok(key) } else { Err(mismatch()) }
}

/// Proxies take the Date away, so that clients repeat it as x-log-date.
fn date<'a>(request: &Signed<'a>) -> Result<&'a [u8], AuthError> {
    let of_http = request.header(DATE.as_str());
    let date = if of_http.is_empty() { request.header(LOG_DATE) } else { of_http };
    if date.is_empty() {
        return Err(AuthError::NoDate);
    }
    let text = std::str::from_utf8(date).unwrap_or("");
    let time = chrono::DateTime::parse_from_rfc2822(text)
        .map_err(|_no_date| AuthError::BadDate { date: lossy(date), example: DATE_EXAMPLE })?;
    request.check_time(time.to_utc())?;
    Ok(date)
}

/// What the client may have signed: the Python SDK adds x-log-date when it has signed, others before.
fn texts<'a>(request: &'a Signed<'a>, date: &'a [u8]) -> impl Iterator<Item = Vec<u8>> + 'a {
    let headers = request.log_headers();
    let has_log_date = headers.iter().any(|(name, _)| *name == LOG_DATE);
    let parameters = request.parameters();
    request.paths().flat_map(move |path| {
        let without = text(request, date, headers.iter().filter(|(name, _)| *name != LOG_DATE), &path, &parameters);
        let with = has_log_date.then(|| text(request, date, headers.iter(), &path, &parameters));
        std::iter::once(without).chain(with)
    })
}

fn text<'a>(
    request: &Signed<'_>,
    date: &[u8],
    headers: impl Iterator<Item = &'a (&'a str, &'a [u8])>,
    path: &[u8],
    parameters: &[(Vec<u8>, Vec<u8>)],
) -> Vec<u8> {
    let content_type = request.header(CONTENT_TYPE.as_str());
    let mut text = [request.method.as_str().as_bytes(), request.header("content-md5"), content_type, date].join(&b'\n');
    text.push(b'\n');
    for (name, value) in headers {
        text.extend_from_slice(name.as_bytes());
        text.push(b':');
        text.extend_from_slice(value);
        text.push(b'\n');
    }
    text.extend_from_slice(path);
    for (at, (name, value)) in parameters.iter().enumerate() {
        text.push(if at == 0 { b'?' } else { b'&' });
        text.extend_from_slice(name);
        text.push(b'=');
        text.extend_from_slice(value);
    }
    text
}
