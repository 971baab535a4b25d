//! The quota service: adds up what all front ends have let through, and decides who is barred, from what, for how long.
//!
//! Projects are spread over partitions by a hash of their name, each with its own lock, so that the role can be spread over machines by the same hash.
//! Front ends [`report`](QuotaService::report) what they let through and hold a [`poll`](QuotaService::poll) for bars. In a server of its own the two
//! are calls; the edge charges the same meters and has its decision at once.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use culprit_store::{Clock, ProjectName};
use xxhash_rust::xxh3::xxh3_64;

use super::bars::BarLog;
use super::meter::{Amount, Meter};
use super::refusal::{Flow, Measure, Over};
use super::settings::{LimitBook, ProjectLimits, ProjectOverride};
use super::stopwatch::{Nanos, Stopwatch};
use super::wire::{BarChanges, Report};
use crate::limits::{BAR_MIN, PROJECTS_METERED_MAX, QUOTA_PARTITIONS};

#[derive(Debug)]
pub struct QuotaService {
    partitions: Vec<RwLock<HashSet<ByName>>>,
    pub(super) book: LimitBook,
    bars: BarLog,
    pub(super) watch: Stopwatch,
    pub(super) counters: ServiceCounters,
}

#[derive(Debug, Default)]
pub(super) struct ServiceCounters {
    pub(super) reports: AtomicU64,
    pub(super) reported_projects: AtomicU64,
    pub(super) bars: AtomicU64,
    pub(super) unmetered: AtomicU64,
    pub(super) bad_names: AtomicU64,
}

/// Which of `count` parts a project belongs to, on every machine.
pub(super) fn part_of(project: &str, count: usize) -> usize {
    let hash = xxh3_64(project.as_bytes());
    usize::try_from(hash % count.max(1) as u64).expect("the remainder is below a usize")
}

impl QuotaService {
    pub fn new(defaults: ProjectLimits, clock: &Clock) -> Self {
        let start = u64::try_from(clock.now().0 / 1_000).unwrap_or(0);
        Self {
            partitions: (0..QUOTA_PARTITIONS).map(|_| RwLock::default()).collect(),
            book: LimitBook::new(defaults),
            bars: BarLog::new(start),
            watch: Stopwatch::of(clock),
            counters: ServiceCounters::default(),
        }
    }

    /// Adds a front end's usage to everybody's. A name that is none is left out and counted: it harms nobody else's figures.
    pub fn report(&self, report: &Report) {
        self.counters.reports.fetch_add(1, Relaxed);
        self.counters.reported_projects.fetch_add(report.usage.len() as u64, Relaxed);
        let now = self.watch.now();
        for usage in &report.usage {
            let Some(meter) = self.meter_by_name(&usage.0) else { continue };
            let written = Amount { bytes: usage.1, requests: usage.2.into() };
            let read = Amount { bytes: usage.3, requests: usage.4.into() };
            for (flow, amount) in [(Flow::Write, written), (Flow::Read, read)] {
                if amount.bytes != 0 || amount.requests != 0 {
                    self.owe(&meter, flow, amount, now);
                }
            }
        }
    }

    /// Answers when there is something newer than `since`, or after `wait`. A `since` of 0, or of an earlier life of the service, is told every bar.
    pub async fn poll(&self, since: u64, wait: Duration) -> BarChanges {
        self.bars.poll(since, wait, || self.watch.now()).await
    }

    /// Answers everybody who waits for news, and from here on nobody waits.
    pub fn close(&self) {
        self.bars.close();
    }

    /// None when more projects are active than are metered.
    pub(super) fn meter(&self, project: &ProjectName) -> Option<Arc<Meter>> {
        let partition = &self.partitions[part_of(project.as_str(), QUOTA_PARTITIONS)];
        let known = partition.read().expect("no holder of this lock panics").get(project.as_str()).map(ByName::meter);
        if known.is_some() {
            return known;
        }
        let mut meters = partition.write().expect("no holder of this lock panics");
        if let Some(known) = meters.get(project.as_str()) {
            return Some(known.meter());
        }
        if meters.len() >= PROJECTS_METERED_MAX / QUOTA_PARTITIONS {
            self.counters.unmetered.fetch_add(1, Relaxed);
            return None;
        }
        let meter = Arc::new(Meter::new(project.clone(), self.book.of(project)));
        meters.insert(ByName(meter.clone()));
        Some(meter)
    }

    pub(super) fn meter_by_name(&self, project: &str) -> Option<Arc<Meter>> {
        let partition = &self.partitions[part_of(project, QUOTA_PARTITIONS)];
        let known = partition.read().expect("no holder of this lock panics").get(project).map(ByName::meter);
        known.or_else(|| match ProjectName::parse(project) {
            Ok(name) => self.meter(&name),
            Err(_not_a_name) => {
                self.counters.bad_names.fetch_add(1, Relaxed);
                None
            }
        })
    }

    pub(super) fn known(&self, project: &ProjectName) -> Option<Arc<Meter>> {
        let partition = &self.partitions[part_of(project.as_str(), QUOTA_PARTITIONS)];
        partition.read().expect("no holder of this lock panics").get(project.as_str()).map(ByName::meter)
    }

    pub(super) fn take(&self, meter: &Meter, flow: Flow, bytes: u64, requests: u64) -> Result<(), Over> {
        let now = self.watch.now();
        meter.take(flow, bytes, requests, now).inspect_err(|over| self.bar(meter, flow, *over, now))
    }

    pub(super) fn owe(&self, meter: &Meter, flow: Flow, amount: Amount, now: Nanos) {
        if let Err(over) = meter.owe(flow, amount, now) {
            self.bar(meter, flow, over, now);
        }
    }

    fn bar(&self, meter: &Meter, flow: Flow, over: Over, now: Nanos) {
        let until = now.after(over.wait.max(BAR_MIN));
        if meter.bar(flow, over.measure, until, now) {
            self.counters.bars.fetch_add(1, Relaxed);
            self.bars.add(meter.project.as_str(), flow, over.measure, until, now);
        }
    }

    /// The limits count from the next request on; a bar under the old ones is lifted.
    pub(super) fn set_limits(&self, project: &ProjectName, set: Option<ProjectOverride>) {
        self.book.set(project.clone(), set);
        let mut meters =
            self.partitions[part_of(project.as_str(), QUOTA_PARTITIONS)].write().expect("no holder panics");
        let Some(old) = meters.take(project.as_str()) else { return };
        let now = self.watch.now();
        meters.insert(ByName(Arc::new(old.0.with_limits(self.book.of(project), now))));
        for flow in Flow::ALL {
            if old.0.barred(flow, now).is_some() {
                self.bars.add(project.as_str(), flow, Measure::Bytes, now, now);
            }
        }
    }

    /// Forgets projects that have been still for a while.
    pub(super) fn sweep(&self) {
        let now = self.watch.now();
        for partition in &self.partitions {
            let mut meters = partition.write().expect("no holder of this lock panics");
            meters.retain(|known| !known.0.is_idle(now));
            if meters.len() < meters.capacity() / 4 {
                meters.shrink_to_fit();
            }
        }
    }

    pub(super) fn all(&self) -> Vec<Arc<Meter>> {
        let lists = self.partitions.iter().map(|partition| {
            partition.read().expect("no holder of this lock panics").iter().map(ByName::meter).collect::<Vec<_>>()
        });
        lists.flatten().collect()
    }

    /// How many are metered now.
    pub fn projects(&self) -> usize {
        self.partitions.iter().map(|partition| partition.read().expect("no holder of this lock panics").len()).sum()
    }
}

/// A meter found by its project's name, which it holds itself.
#[derive(Debug)]
struct ByName(Arc<Meter>);

impl ByName {
    fn meter(&self) -> Arc<Meter> {
        self.0.clone()
    }
}

impl Borrow<str> for ByName {
    fn borrow(&self) -> &str {
        self.0.project.as_str()
    }
}

impl Hash for ByName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.project.as_str().hash(state);
    }
}

impl PartialEq for ByName {
    fn eq(&self, other: &Self) -> bool {
        self.0.project == other.0.project
    }
}

impl Eq for ByName {}

#[cfg(test)]
mod tests;
