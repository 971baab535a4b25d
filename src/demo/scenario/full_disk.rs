//! One host has no room on its disk: it fills up, and when it is full, whatever the host has to write fails. Those who
//! call it pass the failure on from hosts of their own.

use std::time::Duration;

use culprit_store::UnixNanos;

use super::{Failure, choice, other_choice};
use crate::demo::shop::{HOSTS_PER_REGION, Host, REGIONS, Service};

#[derive(Debug, Clone)]
pub(in crate::demo) struct FullDisk {
    host: Host,
}

/// From the usual level to the last byte. A day of the shop takes 24 minutes.
const FILLS_WITHIN: Duration = Duration::from_secs(12);

impl FullDisk {
    pub(super) fn new(seed: u64) -> Self {
        let place = other_choice(seed, REGIONS.len() * HOSTS_PER_REGION);
        let service = choice(seed, &[Service::Catalog, Service::Frontend]);
        Self { host: Host { service, region: place / HOSTS_PER_REGION, number: place % HOSTS_PER_REGION } }
    }

    pub(super) fn told(&self) -> String {
        format!("from now on the disk of {} is full", self.host.name())
    }

    pub(super) fn look_at(&self) -> String {
        let host = self.host.name();
        format!("the query page: `shop_disk_used_ratio{{host=\"{host}\"}}`, and `culprit search shop 'No space left'`")
    }

    pub(super) fn failure(&self, host: Host) -> Option<Failure> {
        let failure = Failure { rate: 0.95, reason: "write /var/spool/shop/journal: No space left on device" };
        (host == self.host).then_some(failure)
    }

    pub(super) fn disk_used(&self, host: Host, usual: f64, at: UnixNanos, from: UnixNanos) -> f64 {
        if host != self.host {
            return usual;
        }
        let left = (from.0 - at.0) as f64 / FILLS_WITHIN.as_nanos() as f64;
        1.0 - (1.0 - usual) * left.clamp(0.0, 1.0)
    }
}
