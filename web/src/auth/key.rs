//! The access key that a request names, and the comparison with its secret.

use std::sync::Arc;

use culprit_store::AccessKey;
use sha2::{Digest, Sha256};

use super::error::AuthError;

/// Looks a key up by its id.
pub(super) type Keys<'a> = &'a dyn Fn(&str) -> Option<Arc<AccessKey>>;

pub(super) fn find(keys: Keys<'_>, id: &str) -> Result<Arc<AccessKey>, AuthError> {
    if id.is_empty() {
        return Err(AuthError::NoKeyId);
    }
    let key = keys(id).ok_or_else(|| AuthError::UnknownKey { id: id.to_owned() })?;
    if key.is_disabled { Err(AuthError::Disabled { id: id.to_owned() }) } else { Ok(key) }
}

/// In a time that tells nothing of where they differ: both are hashed first, and all bytes of the hashes are looked at.
pub(super) fn is_same(given: &[u8], expected: &[u8]) -> bool {
    let (given, expected) = (Sha256::digest(given), Sha256::digest(expected));
    given.iter().zip(expected.iter()).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}
