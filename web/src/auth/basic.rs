//! Basic authorization: `base64(ID:SECRET)`, what browsers, curl and Prometheus have.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use culprit_store::AccessKey;

use super::error::AuthError;
use super::key::{Keys, find, is_same};

pub(super) const SCHEME: &str = "Basic";

pub(super) fn verify(text: &str, keys: Keys<'_>) -> Result<Arc<AccessKey>, AuthError> {
    let decoded = STANDARD.decode(text).map_err(|_not_base64| AuthError::Unreadable { why: "it is not base64" })?;
    let pair = String::from_utf8(decoded).map_err(|_not_text| AuthError::Unreadable { why: "it is not UTF-8" })?;
    let (id, secret) = pair.split_once(':').ok_or(AuthError::Unreadable { why: "it has no colon" })?;
    let key = find(keys, id)?;
    if is_same(secret.as_bytes(), key.secret.reveal().as_bytes()) {
        return Ok(key);
    }
    // The password of temporary credentials is SECRET$TOKEN.
    let is_token = secret.split_once('$').is_some_and(|(_, token)| !token.is_empty());
    Err(if is_token { AuthError::SecurityToken } else { AuthError::WrongSecret { id: id.to_owned() } })
}
