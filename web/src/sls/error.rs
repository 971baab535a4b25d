//! The one table from what went wrong to the API's code and status. Agents decide by the code alone whether to send again, wait or throw away, so
//! that none may be invented: an unknown code loses an agent's data.

use axum::http::StatusCode;

macro_rules! codes {
    ($($status:literal: $($code:ident)+;)+) => {
        /// `errorCode` of an answer, spelled as clients compare it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum Code {
            $($($code,)+)+
        }

        impl Code {
            pub(super) const ALL: &[Self] = &[$($(Self::$code,)+)+];

            pub(crate) fn name(self) -> &'static str {
                // One name, two statuses: 401 for who is nobody, 403 for who may not.
                if self == Self::Forbidden {
                    return "Unauthorized";
                }
                match self {
                    $($(Self::$code => stringify!($code),)+)+
                }
            }

            /// Never 429: no client of this API knows it.
            pub(crate) fn status(self) -> StatusCode {
                let status: u16 = match self {
                    $($(Self::$code)|+ => $status,)+
                };
                StatusCode::from_u16(status).expect("the table holds statuses of HTTP alone")
            }
        }
    };
}

// `NotSupported` is a 400: clients send a 5xx again, the command line for ever, and no number of tries will help.
codes! {
    400: ParameterInvalid PostBodyInvalid PostBodyTooLarge PostBodyUncompressError InvalidBodyRawSize MissingBodyRawSize InvalidCompressType
        MissingContentType MissingDate InvalidDateFormat MissingAPIVersion InvalidAPIVersion MissingSignatureMethod InvalidSignatureMethod
        MissAccessKeyId RequestTimeExpired RequestTimeout InvalidKey InvalidSequenceId InvalidCursor InvalidQueryString InvalidTimeRange InvalidOffset InvalidLine
        InvalidReverse IndexConfigNotExist IndexAlreadyExist LogstoreInfoInvalid LogStoreWithoutShard LogStoreAlreadyExist ProjectAlreadyExist
        ConsumerGroupAlreadyExist ConsumerNotMatch NotSupported;
    401: SignatureNotMatch InvalidAccessKeyId Unauthorized;
    403: Forbidden ProjectForbidden WriteQuotaExceed ReadQuotaExceed ShardWriteQuotaExceed ShardReadQuotaExceed ProjectQuotaExceed ExceedQuota;
    404: ProjectNotExist LogStoreNotExist ShardNotExist ConsumerGroupNotExist StoreViewNotExist;
    405: InvalidMethod;
    415: InvalidContentType;
    500: InternalServerError;
    503: ServerBusy;
}

/// What a client is told.
#[derive(Debug, thiserror::Error)]
#[error("{}: {message}", code.name())]
pub(crate) struct SlsError {
    pub(crate) code: Code,
    pub(crate) message: String,
}

impl SlsError {
    pub(crate) fn new(code: Code, message: impl ToString) -> Self {
        Self { code, message: message.to_string() }
    }

    pub(crate) fn parameter(message: impl ToString) -> Self {
        Self::new(Code::ParameterInvalid, message)
    }

    pub(crate) fn not_supported(message: impl ToString) -> Self {
        Self::new(Code::NotSupported, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_the_statuses_that_clients_know() {
        for (status, codes) in [
            (400, "PostBodyTooLarge InvalidCursor ConsumerGroupAlreadyExist LogStoreAlreadyExist NotSupported"),
            (401, "SignatureNotMatch InvalidAccessKeyId Unauthorized"),
            (403, "WriteQuotaExceed ShardWriteQuotaExceed ProjectQuotaExceed"),
            (404, "ProjectNotExist LogStoreNotExist ShardNotExist ConsumerGroupNotExist"),
            (405, "InvalidMethod"),
            (500, "InternalServerError"),
            (503, "ServerBusy"),
        ] {
            for name in codes.split(' ') {
                let code = Code::ALL.iter().find(|code| code.name() == name).unwrap();
                assert_eq!(code.status().as_u16(), status, "{name}");
            }
        }
        assert!(Code::ALL.iter().all(|code| code.status() != StatusCode::TOO_MANY_REQUESTS));
    }
}
