//! One project's buckets, its bars and its rates: all atomics, so that requests of one project do not wait for each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use culprit_store::ProjectName;

use super::bucket::{Bucket, Overdrawn};
use super::refusal::{Flow, Measure, Over};
use super::settings::ProjectLimits;
use super::stopwatch::Nanos;
use super::window::Window;
use crate::limits::{BAR_EXTENSION_MIN, METER_IDLE};

#[derive(Debug)]
pub(crate) struct Meter {
    pub(crate) project: ProjectName,
    limits: Arc<ProjectLimits>,
    flows: [FlowMeter; 2],
    seen: AtomicU64,
}

#[derive(Debug, Default)]
struct FlowMeter {
    bytes: Bucket,
    requests: Bucket,
    barred: AtomicBar,
    window: Window,
    refused: AtomicU64,
}

/// What is charged at once. Negative bytes give back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Amount {
    pub(crate) bytes: i64,
    pub(crate) requests: u64,
}

impl Meter {
    pub(crate) fn new(project: ProjectName, limits: Arc<ProjectLimits>) -> Self {
        Self { project, limits, flows: Default::default(), seen: AtomicU64::new(0) }
    }

    /// With other limits and the debts of before, but without bars.
    pub(crate) fn with_limits(&self, limits: Arc<ProjectLimits>, now: Nanos) -> Self {
        let flows = Flow::ALL.map(|flow| {
            let of = |measure| (self.limits.rate(flow, measure), limits.rate(flow, measure));
            let ((old_bytes, new_bytes), (old_requests, new_requests)) = (of(Measure::Bytes), of(Measure::Requests));
            FlowMeter {
                bytes: self.of(flow).bytes.at_rate(old_bytes, new_bytes, now),
                requests: self.of(flow).requests.at_rate(old_requests, new_requests, now),
                refused: AtomicU64::new(self.refused(flow)),
                ..FlowMeter::default()
            }
        });
        Self { project: self.project.clone(), limits, flows, seen: AtomicU64::new(now.0) }
    }

    /// Counts a refusal where there is one.
    pub(crate) fn take(&self, flow: Flow, bytes: u64, requests: u64, now: Nanos) -> Result<(), Over> {
        self.seen.store(now.0, Relaxed);
        let taken = self.try_take(flow, bytes, requests, now);
        match taken {
            Ok(()) => self.of(flow).window.add(bytes, requests, now),
            Err(_) => drop(self.of(flow).refused.fetch_add(1, Relaxed)),
        }
        taken
    }

    fn try_take(&self, flow: Flow, bytes: u64, requests: u64, now: Nanos) -> Result<(), Over> {
        let meter = self.of(flow);
        if let Some(bar) = self.barred(flow, now) {
            return Err(bar);
        }
        let (of_bytes, of_requests) =
            (self.limits.rate(flow, Measure::Bytes), self.limits.rate(flow, Measure::Requests));
        let over_bytes = |overdrawn| Over::new(Measure::Bytes, of_bytes, overdrawn);
        meter.bytes.check(of_bytes, now).map_err(over_bytes)?;
        let over_requests = |overdrawn| Over::new(Measure::Requests, of_requests, overdrawn);
        if requests > 0 {
            meter.requests.take(of_requests, requests, now).map_err(over_requests)?;
        }
        meter.bytes.take(of_bytes, bytes, now).map_err(|overdrawn| {
            // Somebody else took the last of it in between.
            meter.requests.give_back(of_requests, requests);
            over_bytes(overdrawn)
        })
    }

    /// Charges without asking; what is exhausted by it is handed back.
    pub(crate) fn owe(&self, flow: Flow, amount: Amount, now: Nanos) -> Result<(), Over> {
        self.seen.store(now.0, Relaxed);
        let meter = self.of(flow);
        let (of_bytes, of_requests) =
            (self.limits.rate(flow, Measure::Bytes), self.limits.rate(flow, Measure::Requests));
        if amount.bytes < 0 {
            meter.bytes.give_back(of_bytes, amount.bytes.unsigned_abs());
        } else {
            meter.bytes.owe(of_bytes, amount.bytes.unsigned_abs(), now);
        }
        meter.requests.owe(of_requests, amount.requests, now);
        meter.window.add(u64::try_from(amount.bytes).unwrap_or(0), amount.requests, now);
        meter.bytes.check(of_bytes, now).map_err(|overdrawn| Over::new(Measure::Bytes, of_bytes, overdrawn))?;
        meter.requests.check(of_requests, now).map_err(|overdrawn| Over::new(Measure::Requests, of_requests, overdrawn))
    }

    /// True when this bar is news: the project was not barred, or not for nearly so long.
    pub(crate) fn bar(&self, flow: Flow, measure: Measure, until: Nanos, now: Nanos) -> bool {
        self.of(flow).barred.set(measure, until, now)
    }

    pub(crate) fn set_bar(&self, flow: Flow, measure: Measure, until: Nanos) {
        self.of(flow).barred.replace(measure, until);
    }

    pub(crate) fn barred(&self, flow: Flow, now: Nanos) -> Option<Over> {
        let (measure, until) = self.of(flow).barred.get(now)?;
        let rate = self.limits.rate(flow, measure);
        let bucket = match measure {
            Measure::Bytes => &self.of(flow).bytes,
            Measure::Requests => &self.of(flow).requests,
        };
        let ahead = bucket.check(rate, now).map_or_else(|overdrawn| overdrawn.ahead, |()| 0);
        Some(Over::new(measure, rate, Overdrawn { ahead, wait: until.since(now) }))
    }

    pub(crate) fn window(&self, flow: Flow) -> &Window {
        &self.of(flow).window
    }

    pub(crate) fn refused(&self, flow: Flow) -> u64 {
        self.of(flow).refused.load(Relaxed)
    }

    /// Whether forgetting it would change no answer.
    pub(crate) fn is_idle(&self, now: Nanos) -> bool {
        let is_new =
            |flow: &FlowMeter| flow.bytes.is_full(now) && flow.requests.is_full(now) && flow.barred.get(now).is_none();
        now.since(Nanos(self.seen.load(Relaxed))) > METER_IDLE && self.flows.iter().all(is_new)
    }

    fn of(&self, flow: Flow) -> &FlowMeter {
        &self.flows[flow as usize]
    }
}

/// Until when, and for what: the lowest bit is the measure, the rest the nanoseconds.
#[derive(Debug, Default)]
struct AtomicBar(AtomicU64);

impl AtomicBar {
    fn packed(measure: Measure, until: Nanos) -> u64 {
        (until.0 & !1) | u64::from(measure == Measure::Requests)
    }

    /// False when there is a bar already that ends at about the same time.
    fn set(&self, measure: Measure, until: Nanos, now: Nanos) -> bool {
        let new = Self::packed(measure, until);
        // Each time it is told it is twice as long, so that a flood of late reports wakes the pollers a few times and not for each.
        let is_longer = |old: u64| Nanos(new).since(now) > 2 * Nanos(old).since(now);
        let is_news = |old: u64| old <= now.0 || (is_longer(old) && new > Nanos(old).after(BAR_EXTENSION_MIN).0);
        self.0.fetch_update(Relaxed, Relaxed, |old| (new > now.0 && is_news(old)).then_some(new)).is_ok()
    }

    fn replace(&self, measure: Measure, until: Nanos) {
        self.0.store(Self::packed(measure, until), Relaxed);
    }

    fn get(&self, now: Nanos) -> Option<(Measure, Nanos)> {
        let packed = self.0.load(Relaxed);
        let measure = if packed & 1 == 1 { Measure::Requests } else { Measure::Bytes };
        (packed > now.0).then_some((measure, Nanos(packed)))
    }
}
