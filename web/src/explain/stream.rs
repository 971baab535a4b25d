//! Reports as they come: provisional ones while the search goes on, the exact one last.

use std::convert::Infallible;
use std::pin::Pin;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use culprit_rca::{PartialReports, RcaError, Report};
use futures::StreamExt;
use serde::Serialize;
use serde_json::json;
use tokio::sync::mpsc;

use crate::error::{ApiError, one_line};
use crate::limits::PROVISIONAL_REPORTS_MAX;

/// How reports are told apart on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// A report per line.
    Ndjson,
    /// Events `report` and `error`, for `EventSource` and its like.
    Events,
}

impl Framing {
    const ALL: [Self; 2] = [Self::Ndjson, Self::Events];

    fn media_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Events => "text/event-stream",
        }
    }

    /// None for clients that want one answer.
    pub(super) fn of_accept(headers: &HeaderMap) -> Option<Self> {
        let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        accepted.flat_map(|list| list.split(',')).find_map(|wanted| {
            let media_type = wanted.split(';').next().unwrap_or(wanted).trim();
            Self::ALL.into_iter().find(|framing| media_type.eq_ignore_ascii_case(framing.media_type()))
        })
    }

    fn frame(self, event: &str, json: &str) -> Vec<u8> {
        match self {
            Self::Ndjson => format!("{json}\n").into_bytes(),
            Self::Events => format!("event: {event}\ndata: {json}\n\n").into_bytes(),
        }
    }

    fn report(self, part: &Part) -> Vec<u8> {
        self.frame("report", &serde_json::to_string(part).expect("a report is JSON"))
    }
}

#[derive(Serialize)]
struct Part {
    provisional: bool,
    #[serde(flatten)]
    report: Report,
}

type Answer = Pin<Box<dyn Future<Output = Result<Report, RcaError>> + Send>>;

struct Parts {
    provisional: mpsc::Receiver<Report>,
    answer: Option<Answer>,
}

impl Parts {
    /// Provisional reports that wait come before the answer; nothing comes behind it.
    async fn next(&mut self) -> Option<Result<Part, RcaError>> {
        let answer = self.answer.as_mut()?;
        tokio::select! {
            biased;
            Some(report) = self.provisional.recv() => Some(Ok(Part { provisional: true, report })),
            answer = answer => {
                self.answer = None;
                Some(answer.map(|report| Part { provisional: false, report }))
            }
        }
    }
}

/// The first report is awaited, so that most errors still have a status. A later error is the last line: an answer without a report that is not
/// provisional is not whole.
pub(super) async fn streamed<A>(
    framing: Framing,
    search: impl FnOnce(PartialReports) -> A,
) -> Result<Response, ApiError>
where
    A: Future<Output = Result<Report, RcaError>> + Send + 'static,
{
    let (sender, provisional) = mpsc::channel(PROVISIONAL_REPORTS_MAX);
    let partial: PartialReports = Box::new(move |report| {
        if sender.try_send(report).is_err() {
            tracing::trace!("a reader is too slow for provisional reports, or gone; the search goes on");
        }
    });
    let mut parts = Parts { provisional, answer: Some(Box::pin(search(partial))) };
    let first = match parts.next().await {
        Some(part) => framing.report(&part?),
        None => Vec::new(),
    };
    let rest = futures::stream::unfold(parts, move |mut parts| async move {
        let told = match parts.next().await? {
            Ok(part) => framing.report(&part),
            Err(error) => framing.frame("error", &json!({ "error": one_line(&error) }).to_string()),
        };
        Some((told, parts))
    });
    let body = futures::stream::once(async { first }).chain(rest).map(Ok::<_, Infallible>);
    Ok(([(header::CONTENT_TYPE, framing.media_type())], Body::from_stream(body)).into_response())
}
