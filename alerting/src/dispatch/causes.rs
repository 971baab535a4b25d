//! Searches for causes beside the dispatcher: a few at a time, each with an end.

use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};

use super::Event;
use crate::hooks::{Explain, Investigate};
use crate::incident::CauseState;
use crate::investigation::InvestigationRequest;
use crate::limits::{EXPLANATION_TIME_MAX, EXPLANATIONS_AT_ONCE, INVESTIGATION_TIME_MAX, INVESTIGATIONS_AT_ONCE};
use crate::metrics::Metrics;
use crate::slice::SliceRequest;

pub(super) struct Causes {
    explain: Explain,
    investigate: Investigate,
    events: mpsc::Sender<Event>,
    metrics: Arc<Metrics>,
    permits: Arc<Semaphore>,
    /// Apart from the causes, which somebody waits for.
    investigation_permits: Arc<Semaphore>,
}

impl Causes {
    pub(super) fn new(
        explain: Explain,
        investigate: Investigate,
        events: mpsc::Sender<Event>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let permits = Arc::new(Semaphore::new(EXPLANATIONS_AT_ONCE));
        let investigation_permits = Arc::new(Semaphore::new(INVESTIGATIONS_AT_ONCE));
        Self { explain, investigate, events, metrics, permits, investigation_permits }
    }

    /// The result comes back as an event.
    pub(super) fn investigate(&self, request: InvestigationRequest) {
        let (investigate, events) = (self.investigate.clone(), self.events.clone());
        let (metrics, permits) = (self.metrics.clone(), self.investigation_permits.clone());
        tokio::spawn(async move {
            let incident = request.incident.clone();
            let _permit = permits.acquire().await;
            let result = match tokio::time::timeout(INVESTIGATION_TIME_MAX, investigate(request)).await {
                Ok(Ok(found)) => CauseState::Ready { sentence: found.sentence, report: found.report },
                Ok(Err(error)) => CauseState::None { why: format!("investigation failed: {error}") },
                Err(_) => CauseState::None {
                    why: format!("investigation took longer than {} s", INVESTIGATION_TIME_MAX.as_secs()),
                },
            };
            metrics.investigations.add(1);
            if let CauseState::None { why } = &result {
                metrics.investigation_failures.add(1);
                tracing::warn!(incident, why, "an incident is not investigated");
            }
            if events.send(Event::Investigated { incident, result }).await.is_err() {
                tracing::debug!("the dispatcher has stopped before an investigation was ready");
            }
        });
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
