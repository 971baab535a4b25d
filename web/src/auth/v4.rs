//! Signatures of version 4: `SLS4-HMAC-SHA256 Credential=ID/DAY/REGION/sls/aliyun_v4_request,Signature=HEX`.
//!
//! ```text
//! canon = METHOD \n path \n name=encoded(value) & …, sorted; no = for an empty value \n
//!         name:value \n            of content-type, host and each x-log-* and x-acs-* header, sorted
//!         \n name ; … \n x-log-content-sha256
//! text  = SLS4-HMAC-SHA256 \n x-log-date \n DAY/REGION/sls/aliyun_v4_request \n hex(sha256(canon))
//! key   = HMAC(HMAC(HMAC(HMAC("aliyun_v4" + secret, DAY), REGION), "sls"), "aliyun_v4_request")
//! ```
//!
//! The region may be any: this server is in none.

use std::sync::Arc;

use axum::http::header::{CONTENT_TYPE, HOST};
use culprit_store::AccessKey;
use hmac::{Hmac, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use sha2::{Digest, Sha256};

use super::digest::{CONTENT_SHA256, bytes_of_hex};
use super::error::AuthError;
use super::key::{Keys, find};
use super::signed::{Signed, lossy};

pub(super) const SCHEME: &str = "SLS4-HMAC-SHA256";
const LOG_DATE: &str = "x-log-date";
const DATE_FORMAT: &str = "%Y%m%dT%H%M%SZ";
const DATE_EXAMPLE: &str = "20060102T150405Z";
/// RFC 3986: what stands for itself.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

struct Claim<'a> {
    id: &'a str,
    /// `DAY/REGION/sls/aliyun_v4_request`.
    scope: &'a str,
    day: &'a str,
    region: &'a str,
    signature: Vec<u8>,
}

pub(super) fn verify(request: &Signed<'_>, claim: &str, keys: Keys<'_>) -> Result<Arc<AccessKey>, AuthError> {
    let claim = Claim::parse(claim)?;
    request.check_api_version()?;
    let date = date(request)?;
    let key = find(keys, claim.id)?;
    let mismatch = || AuthError::SignatureMismatch { id: claim.id.to_owned() };
    if !date.starts_with(claim.day) {
        return Err(mismatch());
    }
    let signing = ["sls", "aliyun_v4_request"];
    let seed = format!("aliyun_v4{}", key.secret.reveal()).into_bytes();
    let chain = [claim.day, claim.region].into_iter().chain(signing);
    let signing_key = chain.fold(seed, |key, part| mac(&key, part.as_bytes()).finalize().into_bytes().to_vec());
    let is_signed = |canonical: Vec<u8>| {
        let hash = hex(&Sha256::digest(canonical));
        let text = format!("{SCHEME}\n{date}\n{}\n{hash}", claim.scope);
        mac(&signing_key, text.as_bytes()).verify_slice(&claim.signature).is_ok()
    };
    if request.paths().any(|path| is_signed(canonical(request, &path))) { Ok(key) } else { Err(mismatch()) }
}

impl<'a> Claim<'a> {
    fn parse(text: &'a str) -> Result<Self, AuthError> {
        let unreadable =
            AuthError::Unreadable { why: "it is not Credential=ID/DAY/REGION/sls/aliyun_v4_request,Signature=HEX" };
        let part = |name: &str| {
            text.split(',').find_map(|part| part.trim().strip_prefix(name).and_then(|part| part.strip_prefix('=')))
        };
        let (Some(credential), Some(signature)) = (part("Credential"), part("Signature")) else {
            return Err(unreadable);
        };
        let mut parts = credential.rsplitn(5, '/');
        let (end, service, region, day, id) = (parts.next(), parts.next(), parts.next(), parts.next(), parts.next());
        let (Some("aliyun_v4_request"), Some("sls"), Some(region), Some(day), Some(id)) =
            (end, service, region, day, id)
        else {
            return Err(unreadable);
        };
        let scope = credential.get(id.len() + 1..).unwrap_or("");
        let signature = bytes_of_hex(signature).ok_or(unreadable)?;
        Ok(Self { id, scope, day, region, signature })
    }
}

fn date<'a>(request: &Signed<'a>) -> Result<&'a str, AuthError> {
    let date = request.header(LOG_DATE);
    if date.is_empty() {
        return Err(AuthError::NoDate);
    }
    let bad = || AuthError::BadDate { date: lossy(date), example: DATE_EXAMPLE };
    let text = std::str::from_utf8(date).map_err(|_not_text| bad())?;
    let time = chrono::NaiveDateTime::parse_from_str(text, DATE_FORMAT).map_err(|_no_date| bad())?;
    request.check_time(time.and_utc())?;
    Ok(text)
}

fn canonical(request: &Signed<'_>, path: &[u8]) -> Vec<u8> {
    let mut text = [request.method.as_str().as_bytes(), path].join(&b'\n');
    text.push(b'\n');
    for (at, (name, value)) in request.parameters().iter().enumerate() {
        if at > 0 {
            text.push(b'&');
        }
        text.extend_from_slice(name);
        if !value.is_empty() {
            text.push(b'=');
            text.extend(percent_encode(value, ENCODED).flat_map(str::bytes));
        }
    }
    text.push(b'\n');
    let mut headers = request.log_headers();
    for name in [CONTENT_TYPE, HOST] {
        let values = request.headers.get_all(&name).iter();
        headers.extend(values.map(|value| {
            let name = if name == HOST { "host" } else { "content-type" };
            (name, value.as_bytes().trim_ascii())
        }));
    }
    headers.sort_unstable();
    for (name, value) in &headers {
        text.extend_from_slice(name.as_bytes());
        text.push(b':');
        text.extend_from_slice(value);
        text.push(b'\n');
    }
    text.push(b'\n');
    text.extend(headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";").bytes());
    text.push(b'\n');
    text.extend_from_slice(request.header(CONTENT_SHA256));
    text
}

fn mac(key: &[u8], text: &[u8]) -> Hmac<Sha256> {
    Hmac::<Sha256>::new_from_slice(key).expect("a MAC takes any key").chain_update(text)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
