//! Digests of bodies that a signature covers: a signed header says what the body must be, and the body comes later.

use axum::body::Body;
use axum::http::HeaderMap;
use futures::StreamExt;
use md5::Md5;
use sha2::{Digest, Sha256};

use super::error::AuthError;

const CONTENT_MD5: &str = "content-md5";
pub(super) const CONTENT_SHA256: &str = "x-log-content-sha256";
/// SHA-256 of nothing: also what clients write when they do not hash their body.
const SHA256_OF_NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// What the body has to hash to. A client that signs no digest leaves its body unprotected, which is its choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DigestCheck {
    algorithm: Algorithm,
    expected: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Md5,
    Sha256,
}

impl Algorithm {
    fn header(self) -> &'static str {
        match self {
            Self::Md5 => CONTENT_MD5,
            Self::Sha256 => CONTENT_SHA256,
        }
    }

    fn bytes(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha256 => 32,
        }
    }
}

impl DigestCheck {
    pub(super) fn md5(headers: &HeaderMap) -> Result<Option<Self>, AuthError> {
        match text(headers, Algorithm::Md5)? {
            "" => Ok(None),
            digest => Self::parse(Algorithm::Md5, digest).map(Some),
        }
    }

    pub(super) fn sha256(headers: &HeaderMap) -> Result<Option<Self>, AuthError> {
        match text(headers, Algorithm::Sha256)? {
            "" => Err(AuthError::BadDigest { header: CONTENT_SHA256, why: "it is missing" }),
            UNSIGNED => Ok(None),
            digest if digest.eq_ignore_ascii_case(SHA256_OF_NOTHING) => Ok(None),
            digest => Self::parse(Algorithm::Sha256, digest).map(Some),
        }
    }

    fn parse(algorithm: Algorithm, digest: &str) -> Result<Self, AuthError> {
        let expected =
            bytes_of_hex(digest).filter(|bytes| bytes.len() == algorithm.bytes()).ok_or(AuthError::BadDigest {
                header: algorithm.header(),
                why: "it has to be hexadecimal and of the right length",
            })?;
        Ok(Self { algorithm, expected })
    }

    pub(crate) fn verify(&self, body: &[u8]) -> Result<(), AuthError> {
        let mut running = Running::new(self.algorithm);
        running.update(body);
        running.finish(self)
    }

    /// A body that fails at its end when it was another: whoever reads it to the end need not know.
    pub(super) fn guard(self, body: Body) -> Body {
        let running = Running::new(self.algorithm);
        let frames = body.into_data_stream();
        Body::from_stream(futures::stream::try_unfold(Some((frames, running)), move |state| {
            let check = self.clone();
            async move {
                let Some((mut frames, mut running)) = state else { return Ok(None) };
                match frames.next().await {
                    Some(Ok(frame)) => {
                        running.update(&frame);
                        Ok(Some((frame, Some((frames, running)))))
                    }
                    Some(Err(error)) => Err(axum::BoxError::from(error)),
                    None => running.finish(&check).map(|()| None).map_err(axum::BoxError::from),
                }
            }
        }))
    }
}

enum Running {
    Md5(Md5),
    Sha256(Sha256),
}

impl Running {
    fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Md5 => Self::Md5(Md5::new()),
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Md5(hash) => hash.update(bytes),
            Self::Sha256(hash) => hash.update(bytes),
        }
    }

    fn finish(self, check: &DigestCheck) -> Result<(), AuthError> {
        let found = match self {
            Self::Md5(hash) => hash.finalize().to_vec(),
            Self::Sha256(hash) => hash.finalize().to_vec(),
        };
        // Not secret: whoever sent the body can compute it.
        let is_same = found == check.expected;
        if is_same { Ok(()) } else { Err(AuthError::DigestMismatch { header: check.algorithm.header() }) }
    }
}

fn text(headers: &HeaderMap, algorithm: Algorithm) -> Result<&str, AuthError> {
    let header = algorithm.header();
    let value = headers.get(header).map_or(Ok(""), |value| value.to_str());
    value.map_err(|_not_ascii| AuthError::BadDigest { header, why: "it is not ASCII" })
}

pub(super) fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let byte = |pair: &[u8]| match *pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map(byte).collect()
}
