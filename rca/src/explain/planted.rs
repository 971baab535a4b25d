//! A shop's requests with known causes of failure, from a seed. The truth is what was planted, not what a miner says.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray,
};

use crate::{Baseline, Input};

/// SplitMix64.
pub(super) struct Random(pub(super) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    pub(super) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// Skewed towards 0, as traffic is.
    fn skewed(&mut self, n: usize) -> usize {
        ((n as f64).powf(self.unit()) - 1.0) as usize
    }
}

#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) customer: i64,
    pub(super) region: &'static str,
    pub(super) country: &'static str,
    pub(super) plan: &'static str,
    pub(super) service: String,
    pub(super) host: String,
    pub(super) version: String,
    pub(super) path: String,
    pub(super) browser: Option<&'static str>,
    pub(super) payload: i64,
    pub(super) latency: f64,
    pub(super) trace: u64,
    pub(super) failed: bool,
}

const REGIONS: [(&str, &str); 4] = [("eu", "DE"), ("us", "US"), ("ap", "SG"), ("sa", "BR")];
const BROWSERS: [Option<&str>; 4] = [Some("chrome"), None, Some("firefox"), Some("safari")];

impl Request {
    /// Customer 1002 is enterprise and nearly always in eu, so region and plan correlate with it.
    fn random(random: &mut Random, trace: u64) -> Self {
        let customer = 1000 + random.skewed(300) as i64;
        let home = if random.chance(0.7) { customer as usize % 4 } else { random.below(4) };
        let home = if customer == 1002 && random.chance(0.95) { 0 } else { home };
        let host = random.below(24);
        Self {
            customer,
            region: REGIONS[home].0,
            country: REGIONS[home].1,
            plan: if customer < 1010 || random.chance(0.1) { "enterprise" } else { "free" },
            service: format!("service-{}", host % 6),
            host: format!("host-{host}"),
            version: format!("v{}", random.skewed(4)),
            path: format!("/p/{}", random.skewed(60)),
            browser: BROWSERS[random.skewed(4)],
            payload: (10.0 * (9.0 * random.unit()).exp()) as i64,
            latency: 5.0 + 400.0 * random.unit().powi(4),
            trace,
            failed: false,
        }
    }
}

/// Rows of `per_trace` that share everything and fail together with the rate that `rate` gives to them.
pub(super) fn requests(seed: u64, rows: usize, per_trace: usize, rate: impl Fn(&Request) -> f64) -> Vec<Request> {
    let mut random = Random(seed);
    let mut requests = Vec::with_capacity(rows);
    while requests.len() < rows {
        let mut request = Request::random(&mut random, requests.len() as u64);
        request.failed = random.chance(rate(&request));
        let more = per_trace.min(rows - requests.len());
        requests.extend(std::iter::repeat_n(request, more));
    }
    requests
}

/// Two batches, so that nothing depends on there being one.
pub(super) fn input(requests: &[Request]) -> Input {
    let (first, second) = requests.split_at(requests.len() / 3);
    let batches = vec![batch(first), batch(second)];
    let slice = |batch: &RecordBatch| batch.column_by_name("failed").map(|failed| failed.as_boolean().clone());
    let slice = batches.iter().filter_map(slice).collect();
    Input { batches, slice, predicate_columns: vec!["failed".to_owned()], baseline: Baseline::Complement }
}

fn batch(requests: &[Request]) -> RecordBatch {
    fn text<'a>(requests: &'a [Request], of: impl Fn(&'a Request) -> &'a str) -> ArrayRef {
        Arc::new(StringArray::from_iter_values(requests.iter().map(of)))
    }
    fn integer(requests: &[Request], of: impl Fn(&Request) -> i64) -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(requests.iter().map(of)))
    }
    RecordBatch::try_from_iter_with_nullable([
        ("_time", Arc::new(TimestampNanosecondArray::from_iter_values(0..requests.len() as i64)) as ArrayRef, false),
        ("customer_id", integer(requests, |r| r.customer), true),
        ("region", text(requests, |r| r.region), true),
        ("country", text(requests, |r| r.country), true),
        ("plan", text(requests, |r| r.plan), true),
        ("service", text(requests, |r| &r.service), true),
        ("host", text(requests, |r| &r.host), true),
        ("version", text(requests, |r| &r.version), true),
        ("path", text(requests, |r| &r.path), true),
        ("browser", Arc::new(StringArray::from_iter(requests.iter().map(|r| r.browser))), true),
        ("payload_bytes", integer(requests, |r| r.payload), true),
        ("latency_ms", Arc::new(Float64Array::from_iter_values(requests.iter().map(|r| r.latency))), true),
        ("trace_id", integer(requests, |r| r.trace as i64), true),
        ("failed", Arc::new(BooleanArray::from_iter(requests.iter().map(|r| Some(r.failed)))), true),
    ])
    .unwrap()
}
