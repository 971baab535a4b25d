//! The dispatcher: one task that owns all incidents. Alerts come in; explanations and messages go out.
//!
//! An incident is flushed a moment (`group_wait`) after its first alert. If its cause is still being searched then, the flush
//! waits, at most [`CAUSE_WAIT`] after the alert began to fire, and goes out without it. A cause that comes later joins the
//! incident and pages nobody: what was told is remembered as sets of alerts, and causes are no part of those.

mod book;
mod causes;
mod recorder;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use culprit_store::{Clock, Labels, UnixNanos};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub(crate) use book::Timers;
pub use recorder::INCIDENT_STORE;
pub(crate) use recorder::{Recorder, read_back};

use self::book::{Book, Flush};
use self::causes::Causes;
use crate::alert::Alert;
use crate::hooks::{Explain, Investigate};
use crate::incident::{CauseState, Delivery, Incident, Told};
use crate::limits::DISPATCH_QUEUE;
use crate::metrics::Metrics;
use crate::notify::{Integration, Notification, Patience, SendError, deliver};
use crate::rules::RuleId;
use crate::slice::SliceRequest;

/// A message goes out without its cause when this has passed since the alert began to fire.
pub(crate) const CAUSE_WAIT: Duration = Duration::from_secs(3);
/// The clock may be turned while the dispatcher sleeps; it looks at it at least this often.
const LOOK_AT_CLOCK: Duration = Duration::from_secs(1);
/// What is being sent when the server stops gets this long.
const LAST_SENDS: Duration = Duration::from_secs(2);

/// What the dispatcher needs to know of the rule behind an alert.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RuleInfo {
    pub(crate) id: RuleId,
    pub(crate) name: String,
    pub(crate) group: String,
    pub(crate) project: String,
    pub(crate) expression: String,
    pub(crate) console_path: String,
    /// Labels that the rule sets: with `alertname` they make the group.
    pub(crate) label_names: Vec<String>,
}

#[derive(Debug)]
pub(crate) enum Event {
    Alerts {
        rule: Arc<RuleInfo>,
        alerts: Vec<Alert>,
    },
    /// After a start: these alerts of the rule fire, any other that an old incident names is over.
    Settled {
        rule: RuleId,
        firing: BTreeSet<Labels>,
    },
    /// All rules that there are; incidents of others are over.
    Rules(BTreeSet<RuleId>),
    Cause {
        incident: String,
        slice: SliceRequest,
        cause: CauseState,
    },
    Investigated {
        incident: String,
        result: CauseState,
    },
    Sent {
        incident: String,
        integration: usize,
        told: Told,
        result: Result<(), SendError>,
    },
}

pub(crate) struct Dispatcher {
    book: Book,
    causes: Causes,
    recorder: Recorder,
    integrations: Vec<Arc<Integration>>,
    external_url: Arc<str>,
    metrics: Arc<Metrics>,
    clock: Clock,
    patience: Patience,
    events: (mpsc::Sender<Event>, mpsc::Receiver<Event>),
    sends: JoinSet<()>,
    shown: watch::Sender<Vec<Arc<Incident>>>,
}

/// What a dispatcher is made of.
pub(crate) struct Parts {
    pub(crate) timers: Timers,
    pub(crate) explain: Explain,
    pub(crate) investigate: Investigate,
    pub(crate) recorder: Recorder,
    pub(crate) integrations: Vec<Arc<Integration>>,
    pub(crate) external_url: Arc<str>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) clock: Clock,
    pub(crate) patience: Patience,
    /// Read back from the store, the oldest first.
    pub(crate) past: Vec<Incident>,
}

impl Dispatcher {
    pub(crate) fn new(parts: Parts) -> Self {
        let events = mpsc::channel(DISPATCH_QUEUE);
        let wishes = parts.integrations.iter().map(|integration| integration.send_resolved).collect();
        let names = parts.integrations.iter().map(|integration| integration.name.clone()).collect();
        let book = Book::new(parts.timers, names, wishes, parts.past, parts.clock.now());
        let causes = Causes::new(parts.explain, parts.investigate, events.0.clone(), parts.metrics.clone());
        let shown = watch::Sender::new(book.newest_first());
        Self {
            book,
            causes,
            recorder: parts.recorder,
            integrations: parts.integrations,
            external_url: parts.external_url,
            metrics: parts.metrics,
            clock: parts.clock,
            patience: parts.patience,
            events,
            sends: JoinSet::new(),
            shown,
        }
    }

    pub(crate) fn sender(&self) -> mpsc::Sender<Event> {
        self.events.0.clone()
    }

    /// The incidents, newest first, as they are after each change.
    pub(crate) fn watch(&self) -> watch::Receiver<Vec<Arc<Incident>>> {
        self.shown.subscribe()
    }

    /// Runs until `stop`; then takes what is queued, ends what is being sent, and writes the last revisions.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        loop {
            let sleep = self.until_next_flush();
            tokio::select! {
                () = stop.cancelled() => break,
                Some(event) = self.events.1.recv() => self.take(event),
                Some(_) = self.sends.join_next() => {}
                () = tokio::time::sleep(sleep) => {}
            }
            self.flush_due();
            self.publish();
        }
        let ended = tokio::time::timeout(LAST_SENDS, async { while self.sends.join_next().await.is_some() {} }).await;
        if ended.is_err() {
            tracing::warn!("notifications that were being sent are given up, they are sent again after the next start");
        }
        self.sends.shutdown().await;
        while let Ok(event) = self.events.1.try_recv() {
            self.take(event);
        }
        self.publish();
        self.recorder.close().await;
    }

    fn until_next_flush(&self) -> Duration {
        let Some(next) = self.book.next_flush() else { return LOOK_AT_CLOCK };
        let nanos = next.0.saturating_sub(self.clock.now().0);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(0)).min(LOOK_AT_CLOCK)
    }

    fn take(&mut self, event: Event) {
        let now = self.clock.now();
        match event {
            Event::Alerts { rule, alerts } => {
                for alert in &alerts {
                    self.take_alert(&rule, alert, now);
                }
            }
            Event::Settled { rule, firing } => self.book.settle(&rule, &firing, now),
            Event::Rules(rules) => self.book.keep_rules(&rules, now),
            Event::Cause { incident, slice, cause } => {
                if self.book.take_cause(&incident, &slice, cause, now) {
                    self.metrics.explanations_late.add(1);
                }
                self.investigate(&incident);
            }
            Event::Investigated { incident, result } => self.book.take_investigation(&incident, result),
            Event::Sent { incident, integration, told, result } => self.take_sent(&incident, integration, told, result),
        }
    }

    fn take_alert(&mut self, rule: &RuleInfo, alert: &Alert, now: UnixNanos) {
        let taken = self.book.take(rule, alert, now);
        if taken.is_new {
            self.metrics.incidents.add(1);
        }
        if taken.is_left_out {
            self.metrics.alerts_left_out.add(1);
        }
        if let Some((incident, slice)) = taken.explain {
            self.causes.search(incident, slice);
        }
        if let Some(incident) = taken.incident {
            self.investigate(&incident);
        }
    }

    /// Begins when the first cause is known or will not come; once per incident.
    fn investigate(&mut self, incident: &str) {
        if let Some(request) = self.book.want_investigation(incident) {
            self.causes.investigate(request);
        }
    }

    fn take_sent(&mut self, incident: &str, integration: usize, told: Told, result: Result<(), SendError>) {
        let now = self.clock.now();
        let delivery = Delivery {
            receiver: self.integrations[integration].receiver.clone(),
            integration: self.integrations[integration].channel.kind().to_owned(),
            at: now.0,
            error: result.err().map(|error| error.to_string()),
        };
        self.book.take_sent(incident, integration, told, delivery, now);
    }

    fn flush_due(&mut self) {
        let now = self.clock.now();
        for Flush { incident, integration, reason, firing, resolved } in self.book.due(now) {
            let told = Told { firing: firing.clone(), resolved: resolved.clone(), at: now.0 };
            let notification = Notification {
                receiver: self.integrations[integration].receiver.clone(),
                reason,
                external_url: self.external_url.clone(),
                firing,
                resolved,
                at: now,
                incident,
            };
            self.send(notification, integration, told);
        }
    }

    fn send(&mut self, notification: Notification, integration: usize, told: Told) {
        let channel = self.integrations[integration].clone();
        let (events, metrics, patience) = (self.events.0.clone(), self.metrics.clone(), self.patience);
        self.sends.spawn(async move {
            let result = deliver(channel, &notification, &metrics, patience).await;
            let incident = notification.incident.id.clone();
            if events.send(Event::Sent { incident, integration, told, result }).await.is_err() {
                tracing::debug!("the dispatcher has stopped before a message's result");
            }
        });
    }

    /// Shows and records what has changed.
    fn publish(&mut self) {
        let changed = self.book.take_changed();
        let is_touched = self.book.take_touched();
        if changed.is_empty() && !is_touched {
            return;
        }
        let now = self.clock.now();
        for incident in &changed {
            self.recorder.record(incident, now);
        }
        self.shown.send_replace(self.book.newest_first());
    }
}

#[cfg(test)]
mod tests;
