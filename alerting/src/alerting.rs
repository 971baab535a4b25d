//! The face of the crate: start it, look at it, reload it, wait for its end.

use std::sync::Arc;

use culprit_store::{Clock, ProjectName, Storage, StoreName};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::alert::AlertState;
use crate::api::{self, RuleFilter};
use crate::config::AlertingConfig;
use crate::dispatch::{Dispatcher, INCIDENT_STORE, Parts, Recorder, Timers, read_back};
use crate::error::AlertingError;
use crate::evaluator::Evaluator;
use crate::group::Surroundings;
use crate::hooks::Hooks;
use crate::incident::{Incident, pending_json};
use crate::investigation::InvestigationRequest;
use crate::manager::{Manager, ReloadReport, Shown};
use crate::metrics::Metrics;
use crate::notify::{Patience, integrations};

/// Requests for a reload that wait; more than one at a time tells nothing new.
const RELOAD_QUEUE: usize = 8;

/// Cheap to clone.
#[derive(Clone)]
pub struct Alerting {
    shown: Arc<Shown>,
    incidents: watch::Receiver<Vec<Arc<Incident>>>,
    reloads: mpsc::Sender<oneshot::Sender<ReloadReport>>,
    metrics: Arc<Metrics>,
    tasks: TaskTracker,
}

impl Alerting {
    /// Reads the past, loads the rules and begins. A broken rule file is logged and shown, a broken receiver is an error.
    pub async fn start(
        config: AlertingConfig,
        storage: Option<&Storage>,
        evaluator: Evaluator,
        hooks: Hooks,
        clock: Clock,
        shutdown: CancellationToken,
    ) -> Result<Self, AlertingError> {
        let metrics = Arc::new(Metrics::default());
        let external_url: Arc<str> = config.external_url.as_str().into();
        let dispatcher = Dispatcher::new(Parts {
            timers: Timers {
                group_wait: config.group_wait,
                group_interval: config.group_interval,
                repeat_interval: config.repeat_interval,
            },
            explain: hooks.explain,
            investigate: hooks.investigate,
            recorder: Recorder::start(hooks.record_incident, metrics.clone()),
            integrations: integrations(&config.receivers)?,
            external_url: external_url.clone(),
            metrics: metrics.clone(),
            clock: clock.clone(),
            patience: Patience::default(),
            past: past_incidents(storage, &evaluator, &clock).await,
        });
        let incidents = dispatcher.watch();
        let surroundings = Surroundings {
            evaluator,
            write_series: hooks.write_series,
            clock,
            metrics: metrics.clone(),
            external_url,
            default_interval: config.evaluation_interval,
            resend_delay: config.resend_delay,
            for_outage_tolerance: config.for_outage_tolerance,
            for_grace_period: config.for_grace_period,
            events: dispatcher.sender(),
        };
        let shown = Arc::new(Shown::default());
        let manager = Manager::new(config.rules, config.reload_interval, surroundings, shown.clone());
        let (reloads, asked) = mpsc::channel(RELOAD_QUEUE);
        let tasks = TaskTracker::new();
        tasks.spawn(live(manager, dispatcher, asked, shutdown));
        tasks.close();
        let alerting = Self { shown, incidents, reloads, metrics, tasks };
        alerting.reload().await;
        Ok(alerting)
    }

    /// Reads the rule files now. Also how the rules come in at start.
    pub async fn reload(&self) -> ReloadReport {
        let (answer, report) = oneshot::channel();
        let stopped = || ReloadReport { errors: vec!["alerting has stopped".to_owned()], ..ReloadReport::default() };
        if self.reloads.send(answer).await.is_err() {
            return stopped();
        }
        report.await.unwrap_or_else(|_| stopped())
    }

    /// Ends when everything has stopped after the shutdown token was cancelled.
    pub async fn stopped(&self) {
        self.tasks.wait().await;
    }

    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Body of `GET /api/v1/rules`.
    pub fn rules_json(&self, filter: &RuleFilter) -> Value {
        api::rules(&self.shown.groups(), filter)
    }

    /// Body of `GET /api/v1/alerts`.
    pub fn alerts_json(&self) -> Value {
        api::alerts(&self.shown.groups())
    }

    /// Rule files with their errors: `{"files":[{"file","groups","rules","errors":[…]}]}`.
    pub fn files_json(&self) -> Value {
        api::files(&self.shown.files())
    }

    /// Body of `GET /api/incidents`: alerts that are pending, then incidents, newest first.
    pub fn incidents_json(&self) -> Value {
        let mut list = Vec::new();
        for group in self.shown.groups() {
            for rule in &group.rules {
                let pending = rule.alerts.iter().filter(|alert| alert.state == AlertState::Pending);
                list.extend(pending.map(|alert| pending_json(&rule.rule, &group.spec.name, alert)));
            }
        }
        list.extend(self.incidents.borrow().iter().map(|incident| incident.to_json()));
        json!({ "incidents": list })
    }

    /// What an investigation of the incident is told, with its cause as far as it is known.
    pub fn investigation_request(&self, id: &str) -> Option<InvestigationRequest> {
        self.incidents.borrow().iter().find(|incident| incident.id == id)?.to_investigate()
    }

    pub fn incident_json(&self, id: &str) -> Option<Value> {
        self.incidents.borrow().iter().find(|incident| incident.id == id).map(|incident| incident.to_json())
    }
}

/// The order of shutdown: groups finish what they evaluate, then the dispatcher takes their last news and ends.
async fn live(
    manager: Manager,
    dispatcher: Dispatcher,
    asked: mpsc::Receiver<oneshot::Sender<ReloadReport>>,
    shutdown: CancellationToken,
) {
    let stop_dispatcher = CancellationToken::new();
    let dispatching = dispatcher.run(stop_dispatcher.clone());
    let managing = async {
        manager.run(asked, shutdown).await;
        stop_dispatcher.cancel();
    };
    tokio::join!(dispatching, managing);
}

/// Without a store of incidents there are none; a store that cannot be read costs the past, not the alerts to come.
async fn past_incidents(storage: Option<&Storage>, evaluator: &Evaluator, clock: &Clock) -> Vec<Incident> {
    let is_there = |storage: &Storage| {
        StoreName::parse(INCIDENT_STORE).is_ok_and(|name| storage.store(&ProjectName::system(), &name).is_some())
    };
    if !storage.is_some_and(is_there) {
        return Vec::new();
    }
    match read_back(evaluator, clock.now()).await {
        Ok(incidents) => incidents,
        Err(error) => {
            tracing::error!(%error, "incidents of the past cannot be read");
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests;
