//! Request bodies: bounded, and said clearly when they are over the bound or no JSON.

use std::time::Duration;

use axum::body::{Body, BodyDataStream, HttpBody};
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use bytes::{Bytes, BytesMut};
use culprit_ingest::quota::Refusal;
use futures::TryStreamExt;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::auth::AuthError;
use crate::error::{self, ApiError};
use crate::limits::{BODY_PATIENCE, BODY_RATE_MIN, DRAIN_TIME_MAX, DRAINED_BYTES_MAX, JSON_BYTES_MAX};

#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("the body has more than the {limit} bytes that this route takes; {advice}")]
    TooLarge { limit: usize, advice: &'static str },
    #[error(transparent)]
    Auth(AuthError),
    #[error(
        "the body came too slowly: {seen} bytes so far, and then too long nothing; send it again, faster or in parts"
    )]
    TooSlow { seen: usize },
    #[error("the body broke off: {source}")]
    Broken { source: axum::Error },
    #[error("the body is empty; this route takes JSON, for example {example}")]
    Empty { example: &'static str },
    #[error("the body is not the JSON that this route takes: {source}")]
    NotThisJson { source: serde_json::Error },
    #[error("the form cannot be read: {why}")]
    Form { why: String },
    #[error("the body is not UTF-8: {source}")]
    NotText { source: std::str::Utf8Error },
    #[error(transparent)]
    Quota(#[from] Refusal),
}

impl BodyError {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow { .. } => StatusCode::REQUEST_TIMEOUT,
            Self::Auth(error) => error.status(),
            Self::Quota(refusal) => error::of_refusal(refusal),
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

/// How much a route takes, and what to do about it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyLimit {
    pub(crate) bytes: usize,
    pub(crate) advice: &'static str,
}

/// How fast a body has to come: the time that it has grows with what has come of it.
#[derive(Clone, Copy)]
struct Pace {
    patience: Duration,
    /// Bytes that buy a second more.
    rate_min: usize,
}

const PACE: Pace = Pace { patience: BODY_PATIENCE, rate_min: BODY_RATE_MIN };

impl Pace {
    fn time_for(self, seen: usize) -> Duration {
        self.patience + Duration::from_secs((seen / self.rate_min) as u64)
    }
}

pub(crate) const JSON_LIMIT: BodyLimit = BodyLimit { bytes: JSON_BYTES_MAX, advice: "this bound is fixed" };

pub(crate) async fn read(body: Body, limit: BodyLimit) -> Result<Bytes, BodyError> {
    read_counted(body, limit, |_| Ok(())).await
}

/// Asks `count` about every piece as it comes in. A refused body is read on and thrown away, as one over its limit is. Whoever sends nothing, or next to nothing,
/// does not hold his connection for ever.
pub(crate) async fn read_counted(
    body: Body,
    limit: BodyLimit,
    count: impl FnMut(u64) -> Result<(), Refusal>,
) -> Result<Bytes, BodyError> {
    read_paced(body, limit, count, PACE).await
}

async fn read_paced(
    body: Body,
    limit: BodyLimit,
    mut count: impl FnMut(u64) -> Result<(), Refusal>,
    pace: Pace,
) -> Result<Bytes, BodyError> {
    let BodyLimit { bytes: most, advice } = limit;
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    // Too long even to be thrown away, and perhaps never to come.
    if announced > most.saturating_add(DRAINED_BYTES_MAX) {
        return Err(BodyError::TooLarge { limit: most, advice });
    }
    let mut kept = BytesMut::with_capacity(announced.min(most));
    let mut seen = 0_usize;
    let mut refused = None;
    let mut frames = body.into_data_stream();
    let begun = Instant::now();
    while let Some(frame) = next(&mut frames, begun + pace.time_for(seen), seen).await? {
        seen = seen.saturating_add(frame.len());
        refused = refused.or_else(|| count(frame.len() as u64).err());
        if seen <= most && refused.is_none() {
            kept.extend_from_slice(&frame);
        } else if seen > most.saturating_add(DRAINED_BYTES_MAX) {
            break;
        }
    }
    match refused {
        Some(refusal) => Err(refusal.into()),
        None if seen > most => Err(BodyError::TooLarge { limit: most, advice }),
        None => Ok(kept.freeze()),
    }
}

async fn next(frames: &mut BodyDataStream, until: Instant, seen: usize) -> Result<Option<Bytes>, BodyError> {
    let frame = tokio::time::timeout_at(until, frames.try_next()).await;
    frame.map_err(|_elapsed| BodyError::TooSlow { seen })?.map_err(broken)
}

/// A guarded body ends with what the guard found.
fn broken(source: axum::Error) -> BodyError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&source);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<AuthError>() {
            return BodyError::Auth(found.clone());
        }
        cause = error.source();
    }
    BodyError::Broken { source }
}

/// Of a request that is refused before its body was looked at: its sender sees the answer then, and no closed connection.
pub(crate) async fn drain(body: Body) {
    let nothing = BodyLimit { bytes: 0, advice: "it is thrown away" };
    // All ends are fine: the reason for the refusal is another, and it is told.
    drop(tokio::time::timeout(DRAIN_TIME_MAX, read(body, nothing)).await);
}

/// A type that comes as a JSON body, with an example of it for whoever sent none.
pub(crate) trait JsonRequest: DeserializeOwned {
    const EXAMPLE: &'static str;
}

/// The content type is not looked at: people forget it with curl, and nothing else is taken.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: JsonRequest, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ApiError> {
        let body = read(request.into_body(), JSON_LIMIT).await?;
        if body.trim_ascii().is_empty() {
            return Err(BodyError::Empty { example: T::EXAMPLE }.into());
        }
        let parsed = serde_json::from_slice(&body).map_err(|source| BodyError::NotThisJson { source })?;
        Ok(Self(parsed))
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;

    use super::*;

    const LIMIT: BodyLimit = BodyLimit { bytes: 4, advice: "send less" };

    #[tokio::test]
    async fn a_body_is_whole_or_refused() {
        assert_eq!(read(Body::from("four"), LIMIT).await.unwrap(), "four");
        let frames = ["ab", "cd", "e"].map(|frame| Ok::<_, std::io::Error>(Bytes::from(frame)));
        for body in [Body::from("fives"), Body::from_stream(futures::stream::iter(frames))] {
            let error = read(body, LIMIT).await.unwrap_err().to_string();
            assert_eq!(error, "the body has more than the 4 bytes that this route takes; send less");
        }
        let broken = Body::from_stream(futures::stream::iter([Err::<Bytes, _>(std::io::Error::other("reset"))]));
        assert!(read(broken, LIMIT).await.unwrap_err().to_string().contains("broke off"));
    }

    #[tokio::test]
    async fn a_body_that_stops_coming_is_given_up() {
        let pace = Pace { patience: Duration::from_millis(20), rate_min: 1 << 10 };
        for sent in [0, 3] {
            let frames = (0..sent).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(b"x")));
            let stops = futures::stream::iter(frames).chain(futures::stream::pending());
            let error = read_paced(Body::from_stream(stops), LIMIT, |_| Ok(()), pace).await.unwrap_err();
            assert!(matches!(error, BodyError::TooSlow { seen, .. } if seen == sent), "{error}");
            assert_eq!(error.status(), StatusCode::REQUEST_TIMEOUT);
        }
    }

    #[test]
    fn a_body_has_the_longer_the_more_has_come() {
        for (seen, seconds) in [(0, 30), (BODY_RATE_MIN - 1, 30), (64 << 20, 30 + (64 << 20) / BODY_RATE_MIN)] {
            assert_eq!(PACE.time_for(seen), Duration::from_secs(seconds as u64), "{seen}");
        }
    }

    #[tokio::test]
    async fn what_is_too_long_is_drained_up_to_a_bound() {
        let frames = (0..).map(|_| Ok::<_, std::io::Error>(Bytes::from(vec![0; 1 << 20])));
        let endless = Body::from_stream(futures::stream::iter(frames));
        assert!(matches!(read(endless, LIMIT).await, Err(BodyError::TooLarge { limit: 4, .. })));
    }
}
