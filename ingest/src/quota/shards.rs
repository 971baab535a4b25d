//! What each shard takes and gives, beside what it is promised.
//!
//! The promise is soft: while the node has room, a shard over its quota is served and only counted. When room is scarce the quotas count exactly:
//! whoever is over is refused as over his limit, whoever is within is served, or told that the server is busy.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, RwLock};

use culprit_store::{ShardNumber, StoreId, StoreState};

use super::bucket::Bucket;
use super::keys::KeySample;
use super::pressure::Room;
use super::refusal::{Flow, Measure, Over, Refusal};
use super::settings::ShardLimits;
use super::stopwatch::Nanos;
use super::window::{FlowRate, Window};
use crate::limits::{SHARD_LOAD_IDLE, SHARD_LOCKS, SHARD_REFUSED_LATELY};

type Loads = HashMap<(StoreId, ShardNumber), Arc<ShardLoad>>;

#[derive(Debug)]
pub(crate) struct ShardLoads {
    limits: ShardLimits,
    loads: Vec<RwLock<Loads>>,
    tickets: AtomicU64,
}

#[derive(Debug, Default)]
pub(crate) struct ShardLoad {
    flows: [ShardFlow; 2],
    keys: Mutex<KeySample>,
    seen: AtomicU64,
}

#[derive(Debug, Default)]
struct ShardFlow {
    bytes: Bucket,
    requests: Bucket,
    /// What was asked for, the refused included: a shard at its limit shows how much more it could use.
    asked: Window,
    refused: AtomicU64,
    refused_at: AtomicU64,
}

impl ShardLoads {
    pub(crate) fn new(limits: ShardLimits) -> Self {
        Self { limits, loads: (0..SHARD_LOCKS).map(|_| RwLock::default()).collect(), tickets: AtomicU64::new(0) }
    }

    pub(crate) fn admit(
        &self,
        store: &StoreState,
        shard: ShardNumber,
        flow: Flow,
        bytes: u64,
        room: Room,
        now: Nanos,
    ) -> Result<(), Refusal> {
        let load = self.load(store.id(), shard);
        load.seen.store(now.0, Relaxed);
        let part = &load.flows[flow as usize];
        part.asked.add(bytes, 1, now);
        let over = self.over(part, flow, now);
        let name = || format!("{}/{}", store.project(), store.name());
        let refusal = match (over, room) {
            (_, Room::Plenty) | (None, Room::Scarce) => None,
            (Some(over), _) => Some(Refusal::shard(name(), shard.0, flow, over)),
            // What waits to be written does not stand in a reader's way.
            (None, Room::None { percent }) => {
                (flow == Flow::Write).then(|| Refusal::Busy { store: name(), shard: shard.0, percent })
            }
        };
        match refusal {
            None => {
                part.bytes.owe(self.limits.rate(flow, Measure::Bytes), bytes, now);
                part.requests.owe(self.limits.rate(flow, Measure::Requests), 1, now);
                Ok(())
            }
            Some(refusal) => {
                if !refusal.is_ours() {
                    part.refused.fetch_add(1, Relaxed);
                    part.refused_at.store(now.0, Relaxed);
                }
                Err(refusal)
            }
        }
    }

    fn over(&self, part: &ShardFlow, flow: Flow, now: Nanos) -> Option<Over> {
        let over = |bucket: &Bucket, measure| {
            let rate = self.limits.rate(flow, measure);
            bucket.check(rate, now).err().map(|overdrawn| Over::new(measure, rate, overdrawn))
        };
        over(&part.bytes, Measure::Bytes).or_else(|| over(&part.requests, Measure::Requests))
    }

    /// Of two shards the one with more room, which spreads load nearly as well as looking at all of them (Mitzenmacher, "The power of two choices in
    /// randomized load balancing", 2001). One of the two goes round in turns, so that idle shards share evenly.
    pub(crate) fn choose(&self, store: &StoreState, now: Nanos) -> ShardNumber {
        let writable = store.writable_shards();
        let count = writable.len() as u64;
        let ticket = self.tickets.fetch_add(1, Relaxed);
        // Weyl's sequence, scrambled: as good as random for this, and the same on every run.
        let scrambled = (ticket.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32).wrapping_mul(count) >> 32;
        let at = |index: u64| writable[usize::try_from(index % count.max(1)).expect("a count of shards fits")];
        let (first, second) = (at(ticket), at(scrambled));
        if count < 2 {
            return first;
        }
        let (of_first, of_second) = (self.weight(store, first, now), self.weight(store, second, now));
        let (best, weight) = if of_second < of_first { (second, of_second) } else { (first, of_first) };
        if weight < 1.0 {
            return best;
        }
        // Both are over or were refused just now: look at all before anybody is refused for want of luck.
        let weighed = writable.iter().map(|shard| (self.weight(store, *shard, now), *shard));
        weighed.min_by(|a, b| a.0.total_cmp(&b.0)).map_or(best, |(_, shard)| shard)
    }

    /// Below 1 while there is room within the quota.
    fn weight(&self, store: &StoreState, shard: ShardNumber, now: Nanos) -> f64 {
        let Some(load) = self.known(store.id(), shard) else { return 0.0 };
        let part = &load.flows[Flow::Write as usize];
        let drawn = part.bytes.drawn(self.limits.rate(Flow::Write, Measure::Bytes), now);
        let drawn = drawn.max(part.requests.drawn(self.limits.rate(Flow::Write, Measure::Requests), now));
        let refused_at = Nanos(part.refused_at.load(Relaxed));
        let was_refused = refused_at.0 > 0 && now.since(refused_at) < SHARD_REFUSED_LATELY;
        if was_refused { drawn + 1.0 } else { drawn }
    }

    pub(crate) fn observe_key(&self, store: &StoreState, shard: ShardNumber, key: u128, bytes: u64) {
        let load = self.load(store.id(), shard);
        load.keys.lock().expect("no holder of this lock panics").add(key, bytes);
    }

    pub(crate) fn middle_key(&self, store: StoreId, shard: ShardNumber) -> Option<u128> {
        self.known(store, shard)?.keys.lock().expect("no holder of this lock panics").middle()
    }

    pub(crate) fn is_one_key(&self, store: StoreId, shard: ShardNumber) -> bool {
        let load = self.known(store, shard);
        load.is_some_and(|load| load.keys.lock().expect("no holder of this lock panics").is_one_key())
    }

    /// What was asked of a shard lately.
    pub(crate) fn asked(&self, store: StoreId, shard: ShardNumber, flow: Flow, now: Nanos) -> FlowRate {
        let load = self.known(store, shard);
        load.map_or_else(FlowRate::default, |load| load.flows[flow as usize].asked.rate(now))
    }

    pub(crate) fn refused(&self, store: StoreId, shard: ShardNumber, flow: Flow) -> u64 {
        self.known(store, shard).map_or(0, |load| load.flows[flow as usize].refused.load(Relaxed))
    }

    /// What is asked of a shard as a share of what it is promised, whichever of bytes and requests is more.
    pub(crate) fn share(&self, rate: FlowRate, flow: Flow) -> f64 {
        let of = |asked: f64, measure| asked / self.limits.rate(flow, measure).per_second.max(1) as f64;
        of(rate.bytes_per_second, Measure::Bytes).max(of(rate.requests_per_second, Measure::Requests))
    }

    pub(crate) fn limits(&self) -> &ShardLimits {
        &self.limits
    }

    pub(crate) fn sweep(&self, now: Nanos) {
        for part in &self.loads {
            let mut loads = part.write().expect("no holder of this lock panics");
            loads.retain(|_, load| now.since(Nanos(load.seen.load(Relaxed))) < SHARD_LOAD_IDLE);
        }
    }

    fn known(&self, store: StoreId, shard: ShardNumber) -> Option<Arc<ShardLoad>> {
        self.part(store, shard).read().expect("no holder of this lock panics").get(&(store, shard)).cloned()
    }

    fn load(&self, store: StoreId, shard: ShardNumber) -> Arc<ShardLoad> {
        self.known(store, shard).unwrap_or_else(|| {
            let mut loads = self.part(store, shard).write().expect("no holder of this lock panics");
            loads.entry((store, shard)).or_default().clone()
        })
    }

    fn part(&self, store: StoreId, shard: ShardNumber) -> &RwLock<Loads> {
        let index = store.0.unsigned_abs().wrapping_mul(31).wrapping_add(shard.0.into()) % SHARD_LOCKS as u64;
        &self.loads[usize::try_from(index).expect("the remainder is small")]
    }
}
