//! The one table from the crates' errors to the API's codes.

use culprit_ingest::consume::ConsumeError;
use culprit_ingest::quota::Refusal;
use culprit_ingest::{BodyFault, IngestError};
use culprit_query::QueryError;
use culprit_store::{Fault, StoreError};

use super::error::{Code, SlsError};
use crate::auth::AuthError;
use crate::body::BodyError;

/// Where no variant says more.
fn of_fault(fault: Fault) -> Code {
    match fault {
        Fault::Caller => Code::ParameterInvalid,
        Fault::Missing => Code::LogStoreNotExist,
        Fault::Later => Code::ServerBusy,
        Fault::Server => Code::InternalServerError,
    }
}

impl From<StoreError> for SlsError {
    fn from(error: StoreError) -> Self {
        Self::new(of_store(&error), error)
    }
}

fn of_store(error: &StoreError) -> Code {
    match error {
        StoreError::UnknownStore { .. } => Code::LogStoreNotExist,
        StoreError::UnknownProject { .. } => Code::ProjectNotExist,
        StoreError::UnknownShard { .. } => Code::ShardNotExist,
        StoreError::Exists { what: "project", .. } => Code::ProjectAlreadyExist,
        StoreError::Exists { .. } => Code::LogStoreAlreadyExist,
        StoreError::Protected { .. } => Code::ProjectForbidden,
        StoreError::TooManyShards { .. } => Code::ProjectQuotaExceed,
        StoreError::BatchTooLarge { .. } => Code::PostBodyTooLarge,
        StoreError::StaleSequence { .. } => Code::InvalidSequenceId,
        other => of_fault(other.fault()),
    }
}

impl From<Refusal> for SlsError {
    fn from(refusal: Refusal) -> Self {
        Self::new(of_refusal(&refusal), refusal)
    }
}

fn of_refusal(refusal: &Refusal) -> Code {
    match refusal {
        Refusal::ProjectWrite { .. } => Code::WriteQuotaExceed,
        Refusal::ProjectRead { .. } => Code::ReadQuotaExceed,
        Refusal::ShardWrite { .. } => Code::ShardWriteQuotaExceed,
        Refusal::ShardRead { .. } => Code::ShardReadQuotaExceed,
        Refusal::Count { .. } => Code::ProjectQuotaExceed,
        Refusal::Busy { .. } => Code::ServerBusy,
    }
}

impl From<IngestError> for SlsError {
    fn from(error: IngestError) -> Self {
        let code = match (&error, error.body_fault()) {
            (_, Some(fault)) => of_body(fault),
            (IngestError::Quota(refusal), _) => of_refusal(refusal),
            (IngestError::Store(error), _) => of_store(error),
            (other, _) => of_fault(other.fault()),
        };
        Self::new(code, error)
    }
}

fn of_body(fault: BodyFault) -> Code {
    match fault {
        BodyFault::TooLarge => Code::PostBodyTooLarge,
        BodyFault::NoRawSize => Code::MissingBodyRawSize,
        BodyFault::RawSize => Code::InvalidBodyRawSize,
        BodyFault::Compression => Code::PostBodyUncompressError,
        BodyFault::Content => Code::PostBodyInvalid,
    }
}

impl From<ConsumeError> for SlsError {
    fn from(error: ConsumeError) -> Self {
        let code = match &error {
            ConsumeError::BadCursor { .. } | ConsumeError::BeyondEnd { .. } => Code::InvalidCursor,
            ConsumeError::NoSource { .. } => Code::LogStoreNotExist,
            ConsumeError::NoShard { .. } => Code::ShardNotExist,
            ConsumeError::NoGroup { .. } => Code::ConsumerGroupNotExist,
            ConsumeError::GroupExists { .. } => Code::ConsumerGroupAlreadyExist,
            ConsumeError::TooManyConsumers { .. } => Code::ExceedQuota,
            ConsumeError::NotHolder { .. } => Code::ConsumerNotMatch,
            ConsumeError::Refused(refusal) => of_refusal(refusal),
            ConsumeError::Store(error) => of_store(error),
            other => of_fault(other.fault()),
        };
        Self::new(code, error)
    }
}

impl From<QueryError> for SlsError {
    fn from(error: QueryError) -> Self {
        let code = match error.fault() {
            _ if matches!(error, QueryError::Forbidden { .. }) => Code::Forbidden,
            Fault::Caller => Code::InvalidQueryString,
            fault => of_fault(fault),
        };
        Self::new(code, error)
    }
}

impl From<BodyError> for SlsError {
    fn from(error: BodyError) -> Self {
        let code = match &error {
            BodyError::TooLarge { .. } => Code::PostBodyTooLarge,
            BodyError::TooSlow { .. } => Code::RequestTimeout,
            _ => Code::PostBodyInvalid,
        };
        Self::new(code, error)
    }
}

impl From<AuthError> for SlsError {
    fn from(error: AuthError) -> Self {
        let named = Code::ALL.iter().find(|code| code.name() == error.code() && code.status() == error.status());
        Self::new(named.copied().unwrap_or(Code::Unauthorized), error)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use culprit_ingest::quota::{Counted, Measure, Over};
    use culprit_store::{Bottleneck, ProjectName, Right};

    use super::*;

    /// A tenant's own limit is never told as ours, nor ours as his.
    #[test]
    fn each_quota_has_its_code() {
        let over = Over { measure: Measure::Bytes, limit_per_second: 1, ahead: 2, wait: Duration::from_secs(3) };
        let (project, store) = (ProjectName::default_project(), "s".to_owned());
        for (refusal, code) in [
            (Refusal::ProjectWrite { project: project.clone(), over }, Code::WriteQuotaExceed),
            (Refusal::ProjectRead { project: project.clone(), over }, Code::ReadQuotaExceed),
            (Refusal::ShardWrite { store: store.clone(), shard: 1, over }, Code::ShardWriteQuotaExceed),
            (Refusal::ShardRead { store: store.clone(), shard: 1, over }, Code::ShardReadQuotaExceed),
            (
                Refusal::Count { project: project.clone(), thing: Counted::Stores, would_be: 2, limit: 1 },
                Code::ProjectQuotaExceed,
            ),
            (Refusal::Busy { store, shard: 1, percent: 100 }, Code::ServerBusy),
        ] {
            let is_ours = refusal.is_ours();
            let error = SlsError::from(IngestError::from(refusal.clone()));
            assert_eq!(error.code, code);
            assert_eq!(SlsError::from(ConsumeError::from(refusal)).code, code);
            assert_eq!(error.code.status().is_server_error(), is_ours, "{error}");
        }
    }

    #[test]
    fn what_cannot_be_let_in_keeps_its_code_and_status() {
        let id = || "ID".to_owned();
        let forbidden = AuthError::Forbidden { id: id(), right: Right::Read, project: ProjectName::default_project() };
        for (error, code) in [
            (AuthError::NoAuthorization, Code::Unauthorized),
            (AuthError::NoKeyId, Code::MissAccessKeyId),
            (AuthError::UnknownKey { id: id() }, Code::InvalidAccessKeyId),
            (AuthError::SignatureMismatch { id: id() }, Code::SignatureNotMatch),
            (AuthError::BadDigest { header: "content-md5", why: "x" }, Code::ParameterInvalid),
            (AuthError::NoDate, Code::MissingDate),
            (AuthError::BadDate { date: id(), example: "x" }, Code::InvalidDateFormat),
            (AuthError::Expired { date: id(), now: id() }, Code::RequestTimeExpired),
            (AuthError::NoSignatureMethod, Code::MissingSignatureMethod),
            (AuthError::BadSignatureMethod { method: id() }, Code::InvalidSignatureMethod),
            (AuthError::NoApiVersion, Code::MissingAPIVersion),
            (AuthError::BadApiVersion { version: id() }, Code::InvalidAPIVersion),
            (forbidden, Code::Forbidden),
        ] {
            let status = error.status();
            let told = SlsError::from(error);
            assert_eq!((told.code, told.code.status()), (code, status), "{told}");
        }
    }

    #[test]
    fn a_stores_troubles_are_ours_or_the_clients() {
        let unknown = StoreError::UnknownStore { project: "p".into(), store: "s".into(), known: "none".into() };
        for (error, code) in [
            (unknown, Code::LogStoreNotExist),
            (StoreError::BatchTooLarge { bytes: 2, limit: 1 }, Code::PostBodyTooLarge),
            (StoreError::Busy { what: Bottleneck::RecentBytes, held: 2, limit: 1 }, Code::ServerBusy),
            (StoreError::StaleSequence { key: 1, number: 2, last: 2 }, Code::InvalidSequenceId),
            (StoreError::Closed, Code::ServerBusy),
            (StoreError::CatalogValue { what: "w", value: "v".into() }, Code::InternalServerError),
        ] {
            assert_eq!(SlsError::from(IngestError::from(error)).code, code);
        }
    }
}
