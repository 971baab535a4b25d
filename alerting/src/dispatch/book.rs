//! The incidents and their timers. Pure: times come in, flushes come out; the dispatcher does what they say.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use culprit_store::{Labels, UnixNanos};

use super::{CAUSE_WAIT, RuleInfo};
use crate::alert::{Alert, AlertState};
use crate::incident::{
    CauseState, Delivery, Explained, Incident, Told, fingerprint, group_labels, incident_key, same_rows,
};
use crate::investigation::InvestigationRequest;
use crate::limits::{INCIDENTS_MAX, RESOLVED_TOLD_FOR, RETRY_TIME_MAX, SLICES_PER_INCIDENT_MAX};
use crate::notify::{Reason, Wishes, needs_notification};
use crate::rules::RuleId;
use crate::slice::SliceRequest;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Timers {
    /// From an incident's first alert to its first message.
    pub(crate) group_wait: Duration,
    /// Between two messages about changes of the same incident.
    pub(crate) group_interval: Duration,
    /// Until an unchanged incident is told again.
    pub(crate) repeat_interval: Duration,
}

/// A message to send.
#[derive(Debug, PartialEq)]
pub(super) struct Flush {
    pub(super) incident: Arc<Incident>,
    pub(super) integration: usize,
    pub(super) reason: Reason,
    pub(super) firing: BTreeSet<String>,
    pub(super) resolved: BTreeSet<String>,
}

/// What became of an alert's news.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Taken {
    pub(super) is_new: bool,
    pub(super) is_left_out: bool,
    /// The incident that has the alert.
    pub(super) incident: Option<String>,
    /// An explanation to begin, and for which incident.
    pub(super) explain: Option<(String, SliceRequest)>,
}

/// An incident about which there may be something to tell.
#[derive(Debug, Default)]
struct Open {
    flush_at: Option<UnixNanos>,
    last_flush: Option<UnixNanos>,
    /// Until when each slice's cause is waited for.
    waits: Vec<(SliceRequest, UnixNanos)>,
    in_flight: BTreeSet<usize>,
    /// A flush was due while a message was on its way.
    is_again: bool,
}

pub(super) struct Book {
    timers: Timers,
    /// Per integration: its name, and whether it hears of resolved alerts.
    integrations: Vec<(String, bool)>,
    incidents: BTreeMap<String, Arc<Incident>>,
    open: HashMap<String, Open>,
    /// Incident by key, for those that are open.
    by_key: HashMap<String, String>,
    /// Incidents to show and to record.
    changed: BTreeSet<String>,
    /// Values moved: worth showing, not worth a row.
    is_touched: bool,
}

fn after(at: UnixNanos, wait: Duration) -> UnixNanos {
    UnixNanos(at.0.saturating_add(i64::try_from(wait.as_nanos()).unwrap_or(i64::MAX)))
}

impl Book {
    pub(super) fn new(
        timers: Timers,
        names: Vec<String>,
        send_resolved: Vec<bool>,
        past: Vec<Incident>,
        now: UnixNanos,
    ) -> Self {
        let mut book = Self {
            timers,
            integrations: names.into_iter().zip(send_resolved).collect(),
            incidents: BTreeMap::new(),
            open: HashMap::new(),
            by_key: HashMap::new(),
            changed: BTreeSet::new(),
            is_touched: false,
        };
        for incident in past {
            book.adopt(incident, now);
        }
        book
    }

    /// An incident of the server's last life goes on where it was. Its search for a cause ended with that life.
    fn adopt(&mut self, mut incident: Incident, now: UnixNanos) {
        for explained in incident.causes.iter_mut().filter(|explained| explained.cause == CauseState::Pending) {
            explained.cause =
                CauseState::None { why: "the server stopped before the explanation was ready".to_owned() };
        }
        if incident.investigation == Some(CauseState::Pending) {
            let why = "the server stopped before the investigation was ready".to_owned();
            incident.investigation = Some(CauseState::None { why });
        }
        let untold = !incident.resolved().is_empty() && incident.told.values().any(|told| !told.firing.is_empty());
        if incident.is_firing() || untold {
            let flush_at = Some(after(now, self.timers.group_interval));
            self.open.insert(incident.id.clone(), Open { flush_at, last_flush: Some(now), ..Open::default() });
            self.by_key.insert(incident.key.clone(), incident.id.clone());
        }
        self.incidents.insert(incident.id.clone(), Arc::new(incident));
    }

    pub(super) fn newest_first(&self) -> Vec<Arc<Incident>> {
        let mut incidents: Vec<_> = self.incidents.values().cloned().collect();
        incidents.sort_by(|a, b| (b.fired_at, &b.id).cmp(&(a.fired_at, &a.id)));
        incidents
    }

    pub(super) fn take_touched(&mut self) -> bool {
        std::mem::take(&mut self.is_touched)
    }

    pub(super) fn take_changed(&mut self) -> Vec<Arc<Incident>> {
        let mut changed = Vec::new();
        for id in std::mem::take(&mut self.changed) {
            if let Some(incident) = self.incidents.get_mut(&id) {
                Arc::make_mut(incident).revision += 1;
                changed.push(incident.clone());
            }
        }
        changed
    }

    fn change(&mut self, id: &str) -> Option<&mut Incident> {
        let incident = self.incidents.get_mut(id)?;
        self.changed.insert(id.to_owned());
        Some(Arc::make_mut(incident))
    }

    pub(super) fn take(&mut self, rule: &RuleInfo, alert: &Alert, now: UnixNanos) -> Taken {
        let mut taken = Taken::default();
        let key = incident_key(rule, &group_labels(rule, &alert.labels));
        let id = match self.by_key.get(&key) {
            Some(id) => id.clone(),
            None if alert.state != AlertState::Firing => return taken,
            None => {
                taken.is_new = true;
                self.begin(Incident::open(rule, alert, now), now)
            }
        };
        let Some(incident) = self.incidents.get_mut(&id).map(Arc::make_mut) else { return taken };
        let before = (incident.firing(), incident.resolved());
        taken.is_left_out = !incident.take(alert, now);
        let is_changed = before != (incident.firing(), incident.resolved());
        self.is_touched = true;
        taken.incident = Some(id.clone());
        taken.explain = self.want_cause(&id, alert, now).map(|slice| (id.clone(), slice));
        if is_changed {
            self.changed.insert(id.clone());
            self.schedule(&id, now);
        }
        taken
    }

    fn begin(&mut self, incident: Incident, now: UnixNanos) -> String {
        self.make_room();
        let id = incident.id.clone();
        let flush_at = Some(after(now, self.timers.group_wait));
        self.open.insert(id.clone(), Open { flush_at, ..Open::default() });
        self.by_key.insert(incident.key.clone(), id.clone());
        self.incidents.insert(id.clone(), Arc::new(incident));
        id
    }

    /// Forgets the oldest closed incident when there are too many; the store still has it.
    fn make_room(&mut self) {
        if self.incidents.len() < INCIDENTS_MAX {
            return;
        }
        let closed = self.incidents.values().filter(|incident| !self.open.contains_key(&incident.id));
        let oldest = closed.min_by_key(|incident| incident.fired_at).map(|incident| incident.id.clone());
        // All are open: the oldest goes nevertheless, or memory would grow without end.
        let any = || self.incidents.values().min_by_key(|i| i.fired_at).map(|i| i.id.clone());
        if let Some(id) = oldest.or_else(any) {
            self.close(&id);
            self.incidents.remove(&id);
        }
    }

    fn close(&mut self, id: &str) {
        self.open.remove(id);
        if let Some(incident) = self.incidents.get(id) {
            self.by_key.remove(&incident.key);
        }
    }

    /// A slice that nobody has asked for yet in this incident.
    fn want_cause(&mut self, id: &str, alert: &Alert, now: UnixNanos) -> Option<SliceRequest> {
        let mark = fingerprint(&alert.labels);
        let incident = self.incidents.get_mut(id)?;
        let slice = incident.alerts.iter().find(|known| known.fingerprint == mark)?.slice.clone()?;
        let is_known = incident.causes.iter().any(|explained| same_rows(&explained.slice, &slice));
        if is_known || incident.causes.len() >= SLICES_PER_INCIDENT_MAX {
            return None;
        }
        let explained = Explained { slice: slice.clone(), cause: CauseState::Pending };
        Arc::make_mut(incident).causes.push(explained);
        if let Some(open) = self.open.get_mut(id) {
            open.waits.push((slice.clone(), after(now, CAUSE_WAIT)));
        }
        Some(slice)
    }

    /// True when the cause came after the message had gone without it.
    pub(super) fn take_cause(&mut self, id: &str, slice: &SliceRequest, cause: CauseState, now: UnixNanos) -> bool {
        let Some(incident) = self.change(id) else { return false };
        if let Some(explained) = incident.causes.iter_mut().find(|explained| explained.slice == *slice) {
            explained.cause = cause;
        }
        let Some(open) = self.open.get_mut(id) else { return true };
        let is_waited_for = open.waits.iter().any(|(waited, until)| waited == slice && *until > now);
        open.waits.retain(|(waited, _)| waited != slice);
        !is_waited_for
    }

    /// What to investigate, once per incident, as soon as its cause is known or will not come.
    pub(super) fn want_investigation(&mut self, id: &str) -> Option<InvestigationRequest> {
        let incident = self.incidents.get(id).filter(|incident| incident.investigation.is_none())?;
        let request = incident.to_investigate()?;
        self.change(id)?.investigation = Some(CauseState::Pending);
        Some(request)
    }

    pub(super) fn take_investigation(&mut self, id: &str, result: CauseState) {
        if let Some(incident) = self.change(id) {
            incident.investigation = Some(result);
        }
    }

    /// At start: alerts that an incident believes to fire, and that do not, are over.
    pub(super) fn settle(&mut self, rule: &RuleId, firing: &BTreeSet<Labels>, now: UnixNanos) {
        let firing: BTreeSet<String> = firing.iter().map(fingerprint).collect();
        self.end_where(now, |incident| incident.rule_id == rule.0, |mark| firing.contains(mark));
    }

    /// Ends the incidents of rules that are gone.
    pub(super) fn keep_rules(&mut self, rules: &BTreeSet<RuleId>, now: UnixNanos) {
        self.end_where(now, |incident| !rules.iter().any(|rule| rule.0 == incident.rule_id), |_| false);
    }

    fn end_where(&mut self, now: UnixNanos, is_meant: impl Fn(&Incident) -> bool, is_firing: impl Fn(&str) -> bool) {
        let meant: Vec<String> =
            self.open.keys().filter(|id| self.incidents.get(*id).is_some_and(|i| is_meant(i))).cloned().collect();
        for id in meant {
            let Some(incident) = self.incidents.get_mut(&id) else { continue };
            if incident.alerts.iter().all(|alert| alert.resolved_at.is_some() || is_firing(&alert.fingerprint)) {
                continue;
            }
            Arc::make_mut(incident).end_alerts(now, |alert| is_firing(&alert.fingerprint));
            self.changed.insert(id.clone());
            self.schedule(&id, now);
        }
    }

    /// Something has changed: flush when the incident's rhythm allows it.
    fn schedule(&mut self, id: &str, now: UnixNanos) {
        let Some(open) = self.open.get_mut(id) else { return };
        let at = match open.last_flush {
            None => after(now, self.timers.group_wait),
            Some(last) => after(last, self.timers.group_interval).max(now),
        };
        open.flush_at = Some(open.flush_at.map_or(at, |known| known.min(at)));
    }

    pub(super) fn next_flush(&self) -> Option<UnixNanos> {
        self.open.values().filter_map(|open| self.ready_at(open)).min()
    }

    /// When the incident may be flushed: its time has come and no cause is waited for.
    fn ready_at(&self, open: &Open) -> Option<UnixNanos> {
        let flush_at = open.flush_at?;
        Some(open.waits.iter().map(|(_, until)| *until).fold(flush_at, UnixNanos::max))
    }

    pub(super) fn due(&mut self, now: UnixNanos) -> Vec<Flush> {
        let ready = self.open.iter().filter(|(_, open)| self.ready_at(open).is_some_and(|at| at <= now));
        let mut ids: Vec<String> = ready.map(|(id, _)| id.clone()).collect();
        ids.sort();
        ids.into_iter().flat_map(|id| self.flush(&id, now)).collect()
    }

    fn flush(&mut self, id: &str, now: UnixNanos) -> Vec<Flush> {
        let (Some(open), Some(incident)) = (self.open.get_mut(id), self.incidents.get(id)) else { return Vec::new() };
        open.last_flush = Some(now);
        open.waits.clear();
        let (firing, resolved) = (incident.firing(), incident.resolved());
        let mut flushes = Vec::new();
        let mut cleared = Vec::new();
        for (integration, (name, send_resolved)) in self.integrations.iter().enumerate() {
            let wishes = Wishes { send_resolved: *send_resolved, repeat_interval: self.timers.repeat_interval };
            let needed = needs_notification(incident.told.get(name), &firing, &resolved, wishes, now);
            let Some(reason) = needed else { continue };
            if open.in_flight.contains(&integration) {
                open.is_again = true;
            } else if reason == Reason::AllResolved && !send_resolved {
                cleared.push(name.clone());
            } else {
                open.in_flight.insert(integration);
                let (incident, firing, resolved) = (incident.clone(), firing.clone(), resolved.clone());
                flushes.push(Flush { incident, integration, reason, firing, resolved });
            }
        }
        open.flush_at = incident.is_firing().then(|| after(now, self.timers.repeat_interval));
        for name in cleared {
            let told = Told { resolved: resolved.clone(), at: now.0, ..Told::default() };
            self.change(id).and_then(|incident| incident.told.insert(name, told));
        }
        self.close_told(id, now);
        flushes
    }

    pub(super) fn take_sent(&mut self, id: &str, integration: usize, told: Told, delivery: Delivery, now: UnixNanos) {
        let name = self.integrations[integration].0.clone();
        let is_failed = delivery.error.is_some();
        if let Some(incident) = self.change(id) {
            incident.add_delivery(delivery);
            if !is_failed {
                incident.told.insert(name, told);
            }
        }
        let Some(open) = self.open.get_mut(id) else { return };
        open.in_flight.remove(&integration);
        // The retries were in vain; the receiver is asked again after a while, as long as there is something to tell.
        let next = if is_failed { Some(after(now, RETRY_TIME_MAX)) } else { None };
        let again = std::mem::take(&mut open.is_again).then_some(now);
        if let Some(at) = next.into_iter().chain(again).min() {
            open.flush_at = Some(open.flush_at.map_or(at, |known| known.min(at)));
        }
        self.close_told(id, now);
    }

    /// Resolved alerts that everybody knows of are closed; an incident with nothing left to tell is, too.
    fn close_told(&mut self, id: &str, now: UnixNanos) {
        let Some(incident) = self.incidents.get_mut(id) else { return };
        // Whoever never heard that it fires need not hear that it is over.
        let knows = |mark: &String| {
            self.integrations
                .iter()
                .all(|(name, _)| incident.told.get(name).is_none_or(|told| !told.firing.contains(mark)))
        };
        let is_given_up = incident.resolved_at.is_some_and(|at| after(UnixNanos(at), RESOLVED_TOLD_FOR) < now);
        let known: BTreeSet<String> =
            incident.resolved().into_iter().filter(|mark| is_given_up || knows(mark)).collect();
        let is_on_its_way = self.open.get(id).is_some_and(|open| !open.in_flight.is_empty());
        if is_on_its_way {
            return;
        }
        if !known.is_empty() {
            let incident = Arc::make_mut(incident);
            for alert in incident.alerts.iter_mut().filter(|alert| known.contains(&alert.fingerprint)) {
                alert.closed = true;
            }
            self.changed.insert(id.to_owned());
        }
        let is_over = !incident.is_firing() && incident.resolved().is_empty();
        let is_waiting = self.open.get(id).is_some_and(|open| open.flush_at.is_some());
        if is_over && (is_given_up || !is_waiting) {
            self.close(id);
        }
    }
}
