//! Why a request is not let in, with the status and the code that clients of the SLS API know it by.

use axum::http::StatusCode;
use culprit_store::{ProjectName, Right};

use crate::limits::SIGNATURE_SKEW_MAX;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AuthError {
    #[error("this server wants an access key: send ID:SECRET as Basic authorization, or sign the request")]
    NoAuthorization,
    #[error(
        "this server can be reached from other machines and has no access key; start it with CULPRIT_ADMIN_KEY=ID:SECRET"
    )]
    NoKeys,
    #[error("the Authorization header names no access key")]
    NoKeyId,
    #[error("Authorization {scheme}… is not a scheme of this server: those are LOG, SLS4-HMAC-SHA256 and Basic")]
    UnknownScheme { scheme: String },
    #[error("the Authorization header cannot be read: {why}")]
    Unreadable { why: &'static str },
    #[error("security tokens (STS) are not issued by this server; use an access key alone")]
    SecurityToken,
    #[error("there is no access key {id:?}")]
    UnknownKey { id: String },
    #[error("access key {id:?} is disabled")]
    Disabled { id: String },
    #[error("the secret of access key {id:?} is another")]
    WrongSecret { id: String },
    #[error("the signature does not match this request and the secret of access key {id:?}")]
    SignatureMismatch { id: String },
    #[error("header {header} is not the digest of the body that came")]
    DigestMismatch { header: &'static str },
    #[error("header {header} is not a digest: {why}")]
    BadDigest { header: &'static str, why: &'static str },
    #[error("there is neither a Date nor an x-log-date header")]
    NoDate,
    #[error("date {date:?} cannot be read; it is written as in {example}")]
    BadDate { date: String, example: &'static str },
    #[error("the request is dated {date} and this server's clock says {now}; more than {} s apart is too much", SIGNATURE_SKEW_MAX.as_secs())]
    Expired { date: String, now: String },
    #[error("header x-log-signaturemethod is missing; it is hmac-sha1")]
    NoSignatureMethod,
    #[error("x-log-signaturemethod {method:?} is not known; it is hmac-sha1")]
    BadSignatureMethod { method: String },
    #[error("header x-log-apiversion is missing; it is 0.6.0")]
    NoApiVersion,
    #[error("x-log-apiversion {version:?} is not known; it is 0.6.0")]
    BadApiVersion { version: String },
    #[error("access key {id:?} has no right to {right} in project {project}")]
    Forbidden { id: String, right: Right, project: ProjectName },
    #[error("access key {id:?} has to administer every project that a key reaches in order to make, see or change it")]
    Overreach { id: String },
}

impl AuthError {
    pub(crate) fn status(&self) -> StatusCode {
        self.known_as().0
    }

    /// As clients of the SLS API know it. Agents decide by it whether they keep data and try again.
    pub(crate) fn code(&self) -> &'static str {
        self.known_as().1
    }

    fn known_as(&self) -> (StatusCode, &'static str) {
        let (unauthorized, bad) = (StatusCode::UNAUTHORIZED, StatusCode::BAD_REQUEST);
        match self {
            Self::NoAuthorization
            | Self::NoKeys
            | Self::UnknownScheme { .. }
            | Self::Unreadable { .. }
            | Self::SecurityToken => (unauthorized, "Unauthorized"),
            Self::NoKeyId => (bad, "MissAccessKeyId"),
            Self::UnknownKey { .. } | Self::Disabled { .. } => (unauthorized, "InvalidAccessKeyId"),
            Self::WrongSecret { .. } | Self::SignatureMismatch { .. } | Self::DigestMismatch { .. } => {
                (unauthorized, "SignatureNotMatch")
            }
            Self::BadDigest { .. } => (bad, "ParameterInvalid"),
            Self::NoDate => (bad, "MissingDate"),
            Self::BadDate { .. } => (bad, "InvalidDateFormat"),
            Self::Expired { .. } => (bad, "RequestTimeExpired"),
            Self::NoSignatureMethod => (bad, "MissingSignatureMethod"),
            Self::BadSignatureMethod { .. } => (bad, "InvalidSignatureMethod"),
            Self::NoApiVersion => (bad, "MissingAPIVersion"),
            Self::BadApiVersion { .. } => (bad, "InvalidAPIVersion"),
            Self::Forbidden { .. } | Self::Overreach { .. } => (StatusCode::FORBIDDEN, "Unauthorized"),
        }
    }
}
