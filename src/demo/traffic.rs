//! The shop's traffic: time in, rows out, the same rows for the same seed. No clock, no input or output.
//!
//! A request passes a chain of services and each writes a row under the request's trace id. When the deepest service
//! fails, all that wait for it answer with its status, so a failure shows on every row of the trace and no service stands
//! out. What a request costs and weighs does not depend on how it ends either: the customer alone makes the difference.

use std::time::Duration;

use culprit_store::UnixNanos;
use serde::Serialize;

use super::customers::{Customer, Customers};
use super::random::Random;
use super::shop::{REGIONS, Route, Service, ZONES};

/// Requests of anybody that fail on any day.
const BASE_ERROR_RATE: f64 = 0.011;
/// Requests of the culprit that fail in the incident.
const INCIDENT_ERROR_RATE: f64 = 0.92;

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

/// A log row, in the order in which its fields are written.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Row {
    #[serde(rename = "_time")]
    pub(super) time: UnixNanos,
    #[serde(rename = "_msg")]
    pub(super) message: String,
    #[serde(serialize_with = "name_of")]
    pub(super) service: Service,
    pub(super) version: &'static str,
    pub(super) host: String,
    pub(super) zone: &'static str,
    pub(super) region: &'static str,
    pub(super) customer_id: i64,
    pub(super) plan: &'static str,
    pub(super) tenant_tier: &'static str,
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) status: u16,
    pub(super) latency_ms: f64,
    pub(super) bytes: i64,
    pub(super) user_agent: &'static str,
    pub(super) device: &'static str,
    pub(super) country: &'static str,
    pub(super) currency: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) payment_provider: Option<&'static str>,
    pub(super) feature_flag: &'static str,
    pub(super) cache: &'static str,
    pub(super) retries: i64,
    pub(super) trace_id: String,
}

fn name_of<S: serde::Serializer>(service: &Service, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(service.name())
}

impl Row {
    pub(super) fn failed(&self) -> bool {
        self.status >= 500
    }
}

pub(super) struct Traffic {
    random: Random,
    customers: Customers,
    culprit: i64,
    opening: UnixNanos,
    /// Arrival of the next request.
    next: UnixNanos,
    incident_from: Option<UnixNanos>,
}

impl Traffic {
    /// `start` is the time of the first row, `opening` when it is ten in the morning.
    pub(super) fn new(seed: u64, culprit: i64, start: UnixNanos, opening: UnixNanos) -> Self {
        let customers = Customers::new(seed, culprit);
        Self { random: Random::new(seed), customers, culprit, opening, next: start, incident_from: None }
    }

    /// From then on most requests of the culprit fail.
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
        let customer = self.customers.random(&mut self.random);
        let random = &mut self.random;
        let in_incident = self.incident_from.is_some_and(|from| self.next >= from) && customer.id == self.culprit;
        let failed = random.chance(if in_incident { INCIDENT_ERROR_RATE } else { BASE_ERROR_RATE });
        let route = Route::random(random);
        let (device, user_agent) = customer.user_agent(random);
        let request = Request {
            customer,
            route,
            path: route.full_path(random),
            region: customer.region(random),
            status: status(random, route, failed),
            device,
            user_agent,
            feature_flag: customer.feature_flag(random),
            retries: random.pick(&[(0, 94.0), (1, 5.0), (2, 1.0)]),
            trace_id: format!("{:016x}", random.next()),
        };
        let first = rows.len();
        // The deepest service answers first; what waits for it takes longer.
        let mut latency = 0.0;
        for (depth, service) in route.services.iter().enumerate().rev() {
            latency += random.log_normal(service.median_ms(), 0.5);
            let time = UnixNanos(self.next.0 + depth as i64 * 2_000_000);
            rows.push(request.row(*service, time, latency, random));
        }
        rows[first..].reverse();
    }
}

fn status(random: &mut Random, route: Route, failed: bool) -> u16 {
    match route.method {
        _ if failed => random.pick(&[(500, 70.0), (503, 30.0)]),
        "GET" => random.pick(&[(200, 91.0), (304, 6.0), (404, 3.0)]),
        _ => random.pick(&[(200, 60.0), (201, 37.0), (409, 3.0)]),
    }
}

/// What all rows of a request share.
struct Request {
    customer: Customer,
    route: Route,
    path: String,
    /// Index in [`REGIONS`].
    region: usize,
    status: u16,
    device: &'static str,
    user_agent: &'static str,
    feature_flag: &'static str,
    retries: i64,
    trace_id: String,
}

impl Request {
    fn row(&self, service: Service, time: UnixNanos, latency: f64, random: &mut Random) -> Row {
        let customer = &self.customer;
        let host = customer.host(service, random);
        let latency_ms = (latency * 10.0).round() / 10.0;
        let cache = match self.route.method {
            "GET" => random.pick(&[("hit", 68.0), ("miss", 28.0), ("stale", 4.0)]),
            _ => "bypass",
        };
        let pays = self.route.services.contains(&Service::Payment);
        Row {
            time,
            message: format!("{} {} {} in {latency_ms} ms", self.route.method, self.path, self.status),
            service,
            version: service.version(host),
            host: format!("{}-{}-{}", service.name(), REGIONS[self.region], host + 1),
            zone: ZONES[self.region][host % 2],
            region: REGIONS[self.region],
            customer_id: customer.id,
            plan: customer.plan,
            tenant_tier: customer.tenant_tier,
            method: self.route.method,
            path: self.path.clone(),
            status: self.status,
            latency_ms,
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
        }
    }
}

#[cfg(test)]
mod tests;
