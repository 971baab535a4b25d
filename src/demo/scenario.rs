//! What goes wrong in the shop: four kinds of incident, each with its rules, what it does to the traffic, and what to look
//! at. The traffic asks here and knows none of them.
//!
//! What an incident hits is chosen by the seed, so that no cause is found because it is always the same.

mod bad_deploy;
mod customer;
mod full_disk;
mod slow_dependency;

use clap::ValueEnum;
use culprit_store::UnixNanos;

use super::random::Random;
use super::shop::{Host, REGIONS};
use super::traffic::Request;
pub(super) use bad_deploy::BadDeploy;
pub(super) use customer::OneCustomer;
pub(super) use full_disk::FullDisk;
pub(super) use slow_dependency::SlowDependency;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Scenario {
    /// Most requests of one customer fail, whichever service serves them
    Customer,
    /// A release rolls out, and one service does not get along with it
    BadDeploy,
    /// One store behind the services answers slowly in one region
    SlowDependency,
    /// One host has no room on its disk
    FullDisk,
}

impl Scenario {
    /// As `--scenario` has it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::BadDeploy => "bad-deploy",
            Self::SlowDependency => "slow-dependency",
            Self::FullDisk => "full-disk",
        }
    }

    pub(super) fn rules(self) -> &'static str {
        match self {
            Self::Customer => include_str!("scenario/customer.yml"),
            Self::BadDeploy => include_str!("scenario/bad-deploy.yml"),
            Self::SlowDependency => include_str!("scenario/slow-dependency.yml"),
            Self::FullDisk => include_str!("scenario/full-disk.yml"),
        }
    }
}

/// A kind of incident with what the seed has chosen for it.
#[derive(Debug, Clone)]
pub(super) enum Incident {
    OneCustomer(OneCustomer),
    BadDeploy(BadDeploy),
    SlowDependency(SlowDependency),
    FullDisk(FullDisk),
}

/// Why a service fails: how likely it is, and what the service writes then.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failure {
    pub(super) rate: f64,
    pub(super) reason: &'static str,
}

impl Incident {
    pub(super) fn new(scenario: Scenario, seed: u64, customer: i64) -> Self {
        match scenario {
            Scenario::Customer => Self::OneCustomer(OneCustomer { id: customer }),
            Scenario::BadDeploy => Self::BadDeploy(BadDeploy::new(seed)),
            Scenario::SlowDependency => Self::SlowDependency(SlowDependency::new(seed)),
            Scenario::FullDisk => Self::FullDisk(FullDisk::new(seed)),
        }
    }

    /// What is said on the terminal when it begins.
    pub(super) fn told(&self) -> String {
        match self {
            Self::OneCustomer(it) => it.told(),
            Self::BadDeploy(it) => it.told(),
            Self::SlowDependency(it) => it.told(),
            Self::FullDisk(it) => it.told(),
        }
    }

    /// What somebody on call would look at, once the cause is named.
    pub(super) fn look_at(&self) -> String {
        match self {
            Self::OneCustomer(it) => it.look_at(),
            Self::BadDeploy(it) => it.look_at(),
            Self::SlowDependency(it) => it.look_at(),
            Self::FullDisk(it) => it.look_at(),
        }
    }

    /// How a service on that host fails while the incident lasts, beside what fails on any day.
    pub(super) fn failure(&self, request: &Request, host: Host) -> Option<Failure> {
        match self {
            Self::OneCustomer(it) => it.failure(request, host),
            Self::BadDeploy(it) => it.failure(host),
            Self::FullDisk(it) => it.failure(host),
            Self::SlowDependency(_) => None,
        }
    }

    /// Milliseconds that a request waits longer for its upstream.
    pub(super) fn delay_ms(&self, request: &Request, random: &mut Random) -> f64 {
        match self {
            Self::SlowDependency(it) => it.delay_ms(request, random),
            Self::OneCustomer(_) | Self::BadDeploy(_) | Self::FullDisk(_) => 0.0,
        }
    }

    /// What runs on a host; `lasts` once the incident has begun.
    pub(super) fn version(&self, host: Host, lasts: bool) -> &'static str {
        match self {
            Self::BadDeploy(it) => it.version(host, lasts),
            Self::OneCustomer(_) | Self::SlowDependency(_) | Self::FullDisk(_) => host.service.version(host.number),
        }
    }

    /// The used share of a host's disk, where the incident has anything to say about it. It may begin before the first
    /// request fails.
    pub(super) fn disk_used(&self, host: Host, usual: f64, at: UnixNanos, from: UnixNanos) -> f64 {
        match self {
            Self::FullDisk(it) => it.disk_used(host, usual, at, from),
            Self::OneCustomer(_) | Self::BadDeploy(_) | Self::SlowDependency(_) => usual,
        }
    }
}

/// The seed's choice among these, one after the other as seeds go.
fn choice<T: Copy>(seed: u64, among: &[T]) -> T {
    among[(seed.wrapping_sub(1) % among.len() as u64) as usize]
}

/// A choice that does not go along with [`choice`].
fn other_choice(seed: u64, below: usize) -> usize {
    Random::new(seed ^ OTHER).below(below)
}

/// Any odd number: it keeps this chance apart from that of the traffic.
const OTHER: u64 = 0x0D15_EA5E_0000_0001;

fn region_of(request: &Request) -> &'static str {
    REGIONS[request.region]
}
