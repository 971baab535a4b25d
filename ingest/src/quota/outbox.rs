//! What a front end still has to tell the quota services, one list per service.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::refusal::Flow;
use super::service::part_of;
use super::wire::{Report, Usage};
use crate::limits::REPORTED_PROJECTS_MAX;

#[derive(Debug)]
pub(crate) struct Outbox {
    waiting: Vec<Mutex<HashMap<Box<str>, Waiting>>>,
    /// Requests whose usage was not told, because too many projects wait already.
    untold: AtomicU64,
}

#[derive(Debug, Default, Clone, Copy)]
struct Waiting {
    bytes: [i64; 2],
    requests: [u32; 2],
}

impl Outbox {
    pub(crate) fn new(services: usize) -> Self {
        Self { waiting: (0..services).map(|_| Mutex::default()).collect(), untold: AtomicU64::new(0) }
    }

    pub(crate) fn add(&self, project: &str, flow: Flow, bytes: i64, requests: u32) {
        if self.waiting.is_empty() {
            return;
        }
        let mut waiting = self.lock(part_of(project, self.waiting.len()));
        if !waiting.contains_key(project) {
            if waiting.len() >= REPORTED_PROJECTS_MAX {
                self.untold.fetch_add(1, Relaxed);
                return;
            }
            waiting.insert(project.into(), Waiting::default());
        }
        let Some(sum) = waiting.get_mut(project) else { return };
        let flow = flow as usize;
        sum.bytes[flow] = sum.bytes[flow].saturating_add(bytes);
        sum.requests[flow] = sum.requests[flow].saturating_add(requests);
    }

    /// Everything that waits for one service.
    pub(crate) fn take(&self, service: usize) -> Report {
        let waiting = std::mem::take(&mut *self.lock(service));
        let told = |(project, sum): (Box<str>, Waiting)| {
            let ([written, read], [writes, reads]) = (sum.bytes, sum.requests);
            Usage(project.into(), written, writes, read, reads)
        };
        Report { usage: waiting.into_iter().map(told).collect() }
    }

    pub(crate) fn untold(&self) -> u64 {
        self.untold.load(Relaxed)
    }

    fn lock(&self, service: usize) -> std::sync::MutexGuard<'_, HashMap<Box<str>, Waiting>> {
        self.waiting[service].lock().expect("no holder of this lock panics")
    }
}
