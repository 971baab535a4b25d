//! [`Quotas`]: the face that every protocol asks before it takes or gives anything.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use culprit_store::{Clock, ProjectName, ShardNumber, Storage, StoreState};

use super::meter::{Amount, Meter};
use super::outbox::Outbox;
use super::pressure::{Gauge, Pressure};
use super::refusal::{Counted, Flow, Refusal};
use super::service::QuotaService;
use super::settings::QuotaConfig;
use super::shards::ShardLoads;
use super::telemetry::Counters;
use super::wire::{BarChanges, Report};

/// Cheap to clone; clones share the state.
#[derive(Clone)]
pub struct Quotas {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) config: QuotaConfig,
    /// The whole service where it runs in this process. Where others have the role, the edge's own meters: no front end lets a project through
    /// beyond its whole quota, whatever it hears or does not hear from the service.
    pub(super) service: QuotaService,
    pub(super) outbox: Outbox,
    pub(super) shards: ShardLoads,
    pub(super) pressure: Pressure,
    pub(super) counters: Counters,
}

impl Quotas {
    /// Of an open data folder: its clock, and its pressure.
    pub fn of(storage: &Storage, config: QuotaConfig) -> Self {
        let gauge = storage.clone();
        Self::new(config, storage.clock(), Arc::new(move || gauge.pressure().max()))
    }

    pub fn new(config: QuotaConfig, clock: &Clock, pressure: Gauge) -> Self {
        let inner = Inner {
            service: QuotaService::new(config.project.clone(), clock),
            outbox: Outbox::new(config.services),
            shards: ShardLoads::new(config.shard.clone()),
            pressure: Pressure::new(pressure),
            counters: Counters::default(),
            config,
        };
        Self { inner: Arc::new(inner) }
    }

    /// The part of the quota service that other front ends speak to.
    pub fn service(&self) -> &QuotaService {
        &self.inner.service
    }

    /// Lets one request in, or says why not. Asked before the body is read: `bytes` is its raw size where the request states it, else its
    /// Content-Length, else 0, and the charge grows while it streams. A refused request is not charged.
    pub fn admit(&self, project: &ProjectName, flow: Flow, bytes: u64) -> Result<Charge, Refusal> {
        let Some(meter) = self.inner.service.meter(project) else { return Ok(Charge::unmetered(self, flow)) };
        self.take(&meter, flow, bytes, 1)?;
        Ok(Charge { quotas: self.clone(), meter: Some(meter), flow, bytes })
    }

    fn take(&self, meter: &Meter, flow: Flow, bytes: u64, requests: u32) -> Result<(), Refusal> {
        self.inner.service.take(meter, flow, bytes, requests.into()).map_err(|over| {
            self.inner.counters.project[flow as usize].fetch_add(1, Relaxed);
            Refusal::project(meter.project.clone(), flow, over)
        })?;
        self.inner.outbox.add(meter.project.as_str(), flow, i64::try_from(bytes).unwrap_or(i64::MAX), requests);
        Ok(())
    }

    /// For writes that say nothing of where they belong: a shard with room.
    pub fn choose_shard(&self, store: &StoreState) -> ShardNumber {
        self.inner.shards.choose(store, self.inner.service.watch.now())
    }

    /// Charges a shard. Refused only while the node is short of room: as over its quota, or, within it and nothing left, as busy.
    pub fn admit_shard(&self, store: &StoreState, shard: ShardNumber, flow: Flow, bytes: u64) -> Result<(), Refusal> {
        let now = self.inner.service.watch.now();
        let room = self.inner.pressure.room(now);
        let counters = &self.inner.counters;
        self.inner.shards.admit(store, shard, flow, bytes, room, now).inspect_err(|refusal| {
            let counter = if refusal.is_ours() { &counters.busy } else { &counters.shard[flow as usize] };
            counter.fetch_add(1, Relaxed);
        })
    }

    /// The shard for a write, charged: the owner of its key, else one with room.
    pub fn place(&self, store: &StoreState, key: Option<u128>, bytes: u64) -> Result<ShardNumber, Refusal> {
        let shard = match key {
            Some(key) => store.owner(key),
            None => self.choose_shard(store),
        };
        if let Some(key) = key {
            self.inner.shards.observe_key(store, shard, key, bytes);
        }
        self.admit_shard(store, shard, Flow::Write, bytes)?;
        Ok(shard)
    }

    /// Whether a project may have `would_be` of something.
    pub fn check_count(&self, project: &ProjectName, thing: Counted, would_be: usize) -> Result<(), Refusal> {
        let limit = self.inner.service.book.of(project).count(thing);
        if would_be <= limit {
            return Ok(());
        }
        self.inner.counters.count.fetch_add(1, Relaxed);
        Err(Refusal::Count { project: project.clone(), thing, would_be, limit })
    }

    /// Before a store is created.
    pub fn check_new_store(&self, storage: &Storage, project: &ProjectName, shards: u16) -> Result<(), Refusal> {
        let stores = storage.stores(project);
        self.check_count(project, Counted::Stores, stores.len() + 1)?;
        let taken: usize = stores.iter().map(|store| store.writable_shards().len()).sum();
        self.check_count(project, Counted::Shards, taken + usize::from(shards))
    }

    /// Forgets projects and shards that have been still for long.
    pub(super) fn sweep(&self) {
        self.inner.service.sweep();
        self.inner.shards.sweep(self.inner.service.watch.now());
    }

    /// A call of a quota service failed: local limits count alone until it answers.
    pub fn count_unreachable(&self) {
        self.inner.counters.unreachable.fetch_add(1, Relaxed);
    }

    /// What waits to be told to one of the services of the configuration.
    pub fn take_report(&self, service: usize) -> Report {
        self.inner.outbox.take(service)
    }

    /// What a service has decided.
    pub fn apply(&self, changes: &BarChanges) {
        let now = self.inner.service.watch.now();
        for bar in &changes.bars {
            if let Some(meter) = self.inner.service.meter_by_name(bar.project()) {
                meter.set_bar(bar.flow(), bar.measure(), now.after(bar.length()));
            }
        }
    }
}

/// What a request was charged when it was let in.
pub struct Charge {
    quotas: Quotas,
    meter: Option<Arc<Meter>>,
    flow: Flow,
    bytes: u64,
}

impl Charge {
    fn unmetered(quotas: &Quotas, flow: Flow) -> Self {
        Self { quotas: quotas.clone(), meter: None, flow, bytes: 0 }
    }

    /// What it turned out to be: the rest is charged, or given back.
    pub fn correct(&mut self, actual_bytes: u64) {
        let Some(meter) = &self.meter else { return };
        let signed = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        let bytes = signed(actual_bytes).saturating_sub(signed(self.bytes));
        self.bytes = actual_bytes;
        if bytes != 0 {
            let service = &self.quotas.inner.service;
            service.owe(meter, self.flow, Amount { bytes, requests: 0 }, service.watch.now());
            self.quotas.inner.outbox.add(meter.project.as_str(), self.flow, bytes, 0);
        }
    }

    /// Bytes that have just come in, of a body whose size nobody knew.
    pub fn add(&mut self, bytes: u64) -> Result<(), Refusal> {
        let Some(meter) = &self.meter else { return Ok(()) };
        self.quotas.take(meter, self.flow, bytes, 0)?;
        self.bytes = self.bytes.saturating_add(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
