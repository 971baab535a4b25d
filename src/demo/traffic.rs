//! The shop's traffic: time in, rows out, the same rows for the same seed. No clock, no input or output.
//!
//! A request passes a chain of services and each writes a row under the request's trace id. Where a service fails, all
//! that wait for it answer 502, and what it has called itself has answered before. On an ordinary day no service, host or
//! customer fails more than another; what an incident does is [`Incident`]'s. What a request costs and weighs does not
//! depend on how it ends.

use std::time::Duration;

use culprit_store::UnixNanos;

use super::customers::{Customer, Customers};
use super::random::{Random, trait_of};
use super::row::Row;
use super::scenario::{Failure, Incident};
use super::shop::{Host, REGIONS, Route, Service};

/// What fails on any day, of the requests to any service.
const ORDINARY: Failure = Failure { rate: 0.005, reason: ORDINARY_REASON };
pub(super) const ORDINARY_REASON: &str = "connection reset by peer";
/// What a service answers whose upstream has failed.
const BAD_GATEWAY: u16 = 502;
/// The used share of a disk on an ordinary day: the emptiest, and how much more the fullest has.
const DISK: (f64, f64) = (0.35, 0.4);

/// A day takes 24 minutes, and the demo opens at ten in the morning: before it lie the night and the morning's rise.
const HOUR: Duration = Duration::from_secs(60);
const OPENING_HOUR: f64 = 10.0;
/// Requests per second at the busiest hour.
const PEAK_RATE: f64 = 75.0;
/// The rate at each full hour, as a share of the peak; in between it runs straight.
const DAY: [f64; 24] = [
    0.18, 0.13, 0.10, 0.09, 0.09, 0.11, 0.17, 0.30, 0.50, 0.68, 0.80, 0.86, //
    0.92, 0.95, 0.97, 0.93, 0.90, 0.92, 0.97, 1.00, 0.98, 0.85, 0.60, 0.35,
];

pub(super) struct Traffic {
    random: Random,
    seed: u64,
    customers: Customers,
    incident: Incident,
    opening: UnixNanos,
    /// Arrival of the next request.
    next: UnixNanos,
    incident_from: Option<UnixNanos>,
}

impl Traffic {
    /// `start` is the time of the first row, `opening` when it is ten in the morning. One of the customers is large.
    pub(super) fn new(seed: u64, large: i64, incident: Incident, start: UnixNanos, opening: UnixNanos) -> Self {
        let customers = Customers::new(seed, large);
        Self { random: Random::new(seed), seed, customers, incident, opening, next: start, incident_from: None }
    }

    pub(super) fn incident(&self) -> &Incident {
        &self.incident
    }

    pub(super) fn begin_incident(&mut self, from: UnixNanos) {
        self.incident_from = Some(from);
    }

    /// The rows of all requests that arrive before `end` and were not given out yet, in the order of arrival.
    pub(super) fn until(&mut self, end: UnixNanos) -> Vec<Row> {
        let mut rows = Vec::new();
        while self.next < end {
            self.request(&mut rows);
            let gap = self.random.exponential(1e9 / self.rate_at(self.next));
            self.next = UnixNanos(self.next.0.saturating_add((gap as i64).max(1)));
        }
        rows
    }

    /// Requests per second.
    fn rate_at(&self, time: UnixNanos) -> f64 {
        let hours = (time.0 - self.opening.0) as f64 / HOUR.as_nanos() as f64;
        let hour = (OPENING_HOUR + hours).rem_euclid(DAY.len() as f64);
        let (before, after) = (DAY[hour as usize % DAY.len()], DAY[(hour as usize + 1) % DAY.len()]);
        PEAK_RATE * (before + (after - before) * hour.fract())
    }

    fn request(&mut self, rows: &mut Vec<Row>) {
        let request = self.arrive();
        let hosts = self.hosts_for(&request);
        let lasts = self.lasts_at(self.next);
        let failure = self.failure(&request, &hosts, lasts);
        let first = rows.len();
        // The deepest service answers first; what waits for it takes longer.
        let mut latency = if lasts { self.incident.delay_ms(&request, &mut self.random) } else { 0.0 };
        for (depth, host) in hosts.iter().enumerate().rev() {
            latency += self.random.log_normal(host.service.median_ms(), 0.5);
            let answer = match failure {
                Some(failure) if failure.depth == depth => failure.answer,
                Some(failure) if failure.depth > depth => Answer { status: BAD_GATEWAY, reason: "upstream failed" },
                _ => Answer { status: request.status, reason: "" },
            };
            let hop = Hop {
                host: *host,
                version: self.incident.version(*host, lasts),
                time: UnixNanos(self.next.0 + depth as i64 * 2_000_000),
                latency_ms: (latency * 10.0).round() / 10.0,
                answer,
            };
            rows.push(request.row(hop, &mut self.random));
        }
        rows[first..].reverse();
    }

    fn arrive(&mut self) -> Request {
        let random = &mut self.random;
        let customer = self.customers.random(random);
        let route = Route::random(random);
        let (device, user_agent) = customer.user_agent(random);
        Request {
            customer,
            route,
            path: route.full_path(random),
            upstream: route.upstream(random),
            region: customer.region(random),
            status: status(random, route),
            device,
            user_agent,
            feature_flag: customer.feature_flag(random),
            retries: random.pick(&[(0, 94.0), (1, 5.0), (2, 1.0)]),
            trace_id: format!("{:016x}", random.next()),
        }
    }

    /// Where the request is served, one host for each service of its route.
    fn hosts_for(&mut self, request: &Request) -> Vec<Host> {
        let of = |service: &Service| {
            let number = request.customer.host(*service, &mut self.random);
            Host { service: *service, region: request.region, number }
        };
        request.route.services.iter().map(of).collect()
    }

    /// The deepest service that fails: those above it answer for it.
    fn failure(&mut self, request: &Request, hosts: &[Host], lasts: bool) -> Option<FailureAt> {
        let failing = (0..hosts.len()).rev().find_map(|depth| {
            let of_incident = if lasts { self.incident.failure(request, hosts[depth]) } else { None };
            let mut failures = of_incident.into_iter().chain([ORDINARY]);
            failures.find(|failure| self.random.chance(failure.rate)).map(|failure| (depth, failure.reason))
        });
        let (depth, reason) = failing?;
        let status = self.random.pick(&[(500, 70.0), (503, 30.0)]);
        Some(FailureAt { depth, answer: Answer { status, reason } })
    }

    fn lasts_at(&self, time: UnixNanos) -> bool {
        self.incident_from.is_some_and(|from| time >= from)
    }

    /// What the hosts are like at that time.
    pub(super) fn machine(&self, host: Host, at: UnixNanos) -> Machine {
        let usual =
            DISK.0 + DISK.1 * trait_of(&[self.seed, host.service as u64, host.region as u64, host.number as u64]);
        let disk_used = self.incident_from.map_or(usual, |from| self.incident.disk_used(host, usual, at, from));
        Machine { version: self.incident.version(host, self.lasts_at(at)), disk_used }
    }
}

/// What the shop's machines tell of themselves.
pub(super) struct Machine {
    pub(super) version: &'static str,
    /// 0 to 1.
    pub(super) disk_used: f64,
}

#[derive(Clone, Copy)]
struct FailureAt {
    /// Which of the request's services, from 0 at the customer's side.
    depth: usize,
    answer: Answer,
}

#[derive(Clone, Copy)]
struct Answer {
    status: u16,
    /// Empty where all is well.
    reason: &'static str,
}

/// When all goes well.
fn status(random: &mut Random, route: Route) -> u16 {
    match route.method {
        "GET" => random.pick(&[(200, 91.0), (304, 6.0), (404, 3.0)]),
        _ => random.pick(&[(200, 60.0), (201, 37.0), (409, 3.0)]),
    }
}

/// What all rows of a request share.
pub(super) struct Request {
    pub(super) customer: Customer,
    pub(super) route: Route,
    path: String,
    pub(super) upstream: &'static str,
    /// Index in [`REGIONS`].
    pub(super) region: usize,
    /// Of the services that do not fail.
    status: u16,
    device: &'static str,
    user_agent: &'static str,
    feature_flag: &'static str,
    retries: i64,
    trace_id: String,
}

/// What the row of one service has of its own.
struct Hop {
    host: Host,
    version: &'static str,
    time: UnixNanos,
    latency_ms: f64,
    answer: Answer,
}

impl Request {
    fn row(&self, hop: Hop, random: &mut Random) -> Row {
        let customer = &self.customer;
        let Hop { host, version, time, latency_ms, answer: Answer { status, reason } } = hop;
        let cache = match self.route.method {
            "GET" => random.pick(&[("hit", 68.0), ("miss", 28.0), ("stale", 4.0)]),
            _ => "bypass",
        };
        let pays = self.route.services.contains(&Service::Payment);
        let ending = if reason.is_empty() { String::new() } else { format!(": {reason}") };
        Row {
            time,
            message: format!("{} {} {status} in {latency_ms} ms{ending}", self.route.method, self.path),
            service: host.service,
            version,
            host: host.name(),
            zone: host.zone(),
            region: REGIONS[host.region],
            customer_id: customer.id,
            plan: customer.plan,
            tenant_tier: customer.tenant_tier,
            method: self.route.method,
            path: self.path.clone(),
            status,
            latency_ms,
            upstream: self.upstream,
            bytes: random.log_normal(3_000.0, 0.9) as i64,
            user_agent: self.user_agent,
            device: self.device,
            country: customer.country,
            currency: customer.currency,
            payment_provider: pays.then_some(customer.payment_provider),
            feature_flag: self.feature_flag,
            cache,
            retries: self.retries,
            trace_id: self.trace_id.clone(),
            asks_upstream: self.route.services.last() == Some(&host.service),
        }
    }
}

#[cfg(test)]
mod tests;
