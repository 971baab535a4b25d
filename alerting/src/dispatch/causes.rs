//! Searches for causes beside the dispatcher: a few at a time, each with an end.

use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};

use super::Event;
use crate::hooks::Explain;
use crate::incident::CauseState;
use crate::limits::{EXPLANATION_TIME_MAX, EXPLANATIONS_AT_ONCE};
use crate::metrics::Metrics;
use crate::slice::SliceRequest;

pub(super) struct Causes {
    explain: Explain,
    events: mpsc::Sender<Event>,
    metrics: Arc<Metrics>,
    permits: Arc<Semaphore>,
}

impl Causes {
    pub(super) fn new(explain: Explain, events: mpsc::Sender<Event>, metrics: Arc<Metrics>) -> Self {
        Self { explain, events, metrics, permits: Arc::new(Semaphore::new(EXPLANATIONS_AT_ONCE)) }
    }

    /// The result comes back as an event.
    pub(super) fn search(&self, incident: String, slice: SliceRequest) {
        let (explain, events) = (self.explain.clone(), self.events.clone());
        let (metrics, permits) = (self.metrics.clone(), self.permits.clone());
        tokio::spawn(async move {
            let searched = tokio::time::timeout(EXPLANATION_TIME_MAX, async {
                let _permit = permits.acquire().await;
                explain(slice.clone()).await
            });
            let cause = match searched.await {
                Ok(Ok(cause)) => CauseState::Ready { sentence: cause.sentence, report: cause.report },
                Ok(Err(error)) => CauseState::None { why: format!("explanation failed: {error}") },
                Err(_) => {
                    let why =
                        format!("explanation took longer than {} s and was given up", EXPLANATION_TIME_MAX.as_secs());
                    CauseState::None { why }
                }
            };
            metrics.explanations.add(1);
            if let CauseState::None { why } = &cause {
                metrics.explanation_failures.add(1);
                tracing::warn!(incident, store = slice.store, filter = slice.filter, why, "no cause for an incident");
            }
            if events.send(Event::Cause { incident, slice, cause }).await.is_err() {
                tracing::debug!("the dispatcher has stopped before a cause was found");
            }
        });
    }
}
