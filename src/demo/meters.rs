//! The shop's own instrumentation: counters and a histogram over the rows it writes, and what its machines tell of
//! themselves, sent by Prometheus remote write.
//!
//! Every series exists from the first sample on, at zero: the first failure of a service is then an increase and not the
//! birth of a series, which `rate` could not see.

use culprit_ingest::remote_write::{LabelPair, Sample, TimeSeries, WriteRequest};
use culprit_store::UnixNanos;

use super::machines::Machines;
use super::row::Row;
use super::shop::{REGIONS, Service, UPSTREAMS};
use super::traffic::Traffic;

const STATUSES: [u16; 8] = [200, 201, 304, 404, 409, 500, 502, 503];
/// Upper bounds in seconds; the last bucket is `+Inf`.
const BOUNDS: [f64; 9] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];
const BUCKETS: usize = BOUNDS.len() + 1;
/// Series of one service: counters by region and status, then buckets, sum and count.
const PER_SERVICE: usize = REGIONS.len() * STATUSES.len() + BUCKETS + 2;
/// Seconds spent and answers got.
const PER_UPSTREAM: usize = 2;

pub(super) struct Meters {
    /// [`PER_SERVICE`] of each service, then [`PER_UPSTREAM`] of each upstream and region, with the samples that were not
    /// taken yet.
    series: Vec<TimeSeries>,
    values: Vec<f64>,
    machines: Machines,
}

impl Meters {
    pub(super) fn new() -> Self {
        let mut series: Vec<_> = Service::ALL.into_iter().flat_map(series_of).collect();
        series.extend(UPSTREAMS.into_iter().flat_map(series_of_upstream));
        let values = vec![0.0; series.len()];
        Self { series, values, machines: Machines::new() }
    }

    pub(super) fn observe(&mut self, row: &Row) {
        let service = PER_SERVICE * row.service as usize;
        let region = REGIONS.iter().position(|region| *region == row.region);
        let status = STATUSES.iter().position(|status| *status == row.status);
        let upstream = UPSTREAMS.iter().position(|upstream| *upstream == row.upstream);
        let (Some(region), Some(status), Some(upstream)) = (region, status, upstream) else {
            unreachable!("the shop has no {}, no {} and no status {}", row.region, row.upstream, row.status)
        };
        self.values[service + region * STATUSES.len() + status] += 1.0;
        let seconds = row.latency_ms / 1_000.0;
        let buckets = service + REGIONS.len() * STATUSES.len();
        let reached = BOUNDS.partition_point(|bound| *bound < seconds);
        for bucket in &mut self.values[buckets + reached..buckets + BUCKETS] {
            *bucket += 1.0;
        }
        self.values[buckets + BUCKETS] += seconds;
        self.values[buckets + BUCKETS + 1] += 1.0;
        if row.asks_upstream {
            let asked = PER_SERVICE * Service::ALL.len() + PER_UPSTREAM * (upstream * REGIONS.len() + region);
            self.values[asked] += seconds;
            self.values[asked + 1] += 1.0;
        }
    }

    /// Notes the values as they are at that time, and the machines as the traffic has them.
    pub(super) fn sample(&mut self, at: UnixNanos, traffic: &Traffic) {
        self.machines.sample(at, traffic);
        let timestamp = at.as_millis();
        for (series, value) in self.series.iter_mut().zip(&self.values) {
            series.samples.push(Sample { value: *value, timestamp });
        }
    }

    /// All samples since the last time.
    pub(super) fn take(&mut self) -> WriteRequest {
        let emptied = self.series.iter().map(|series| TimeSeries { samples: Vec::new(), ..series.clone() }).collect();
        let mut timeseries = std::mem::replace(&mut self.series, emptied);
        timeseries.extend(self.machines.take());
        WriteRequest { timeseries }
    }
}

fn series_of_upstream(upstream: &'static str) -> Vec<TimeSeries> {
    let names = ["shop_upstream_seconds_sum", "shop_upstream_seconds_count"];
    let of = |region| names.map(|name| series(name, &[("region", region), ("upstream", upstream)]));
    REGIONS.into_iter().flat_map(of).collect()
}

fn series_of(service: Service) -> Vec<TimeSeries> {
    let mut series = Vec::with_capacity(PER_SERVICE);
    for region in REGIONS {
        let counter =
            |status: u16| one("shop_requests_total", service, &[("region", region), ("status", &status.to_string())]);
        series.extend(STATUSES.map(counter));
    }
    let bounds = BOUNDS.iter().map(f64::to_string).chain(["+Inf".to_owned()]);
    series.extend(bounds.map(|le| one("shop_request_seconds_bucket", service, &[("le", &le)])));
    series.push(one("shop_request_seconds_sum", service, &[]));
    series.push(one("shop_request_seconds_count", service, &[]));
    series
}

fn one(name: &str, service: Service, more: &[(&str, &str)]) -> TimeSeries {
    let mut labels = vec![("service", service.name())];
    labels.extend(more);
    series(name, &labels)
}

pub(super) fn series(name: &str, labels: &[(&str, &str)]) -> TimeSeries {
    let mut pairs = vec![("__name__", name), ("job", "shop")];
    pairs.extend(labels);
    // Remote write wants them sorted.
    pairs.sort_unstable();
    let pair = |(name, value): (&str, &str)| LabelPair { name: name.to_owned(), value: value.to_owned() };
    TimeSeries { labels: pairs.into_iter().map(pair).collect(), samples: Vec::new(), histograms: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::scenario::{Incident, Scenario};

    fn label<'a>(series: &'a TimeSeries, name: &str) -> Option<&'a str> {
        series.labels.iter().find(|pair| pair.name == name).map(|pair| pair.value.as_str())
    }

    #[test]
    fn the_series_count_what_the_rows_say() {
        let incident = Incident::new(Scenario::Customer, 1, 1002);
        let mut traffic = Traffic::new(1, 1002, incident, UnixNanos(0), UnixNanos(0));
        let rows = traffic.until(UnixNanos(20_000_000_000));
        let mut meters = Meters::new();
        meters.sample(UnixNanos(0), &traffic);
        rows.iter().for_each(|row| meters.observe(row));
        meters.sample(UnixNanos(20_000_000_000), &traffic);
        let (machines, series): (Vec<_>, Vec<_>) =
            meters.take().timeseries.into_iter().partition(|series| label(series, "host").is_some());
        let sum = |matches: &dyn Fn(&TimeSeries) -> bool| {
            series.iter().filter(|series| matches(series)).map(|series| series.samples[1].value).sum::<f64>()
        };
        let named = |name: &'static str| move |series: &TimeSeries| label(series, "__name__") == Some(name);
        assert_eq!(sum(&named("shop_requests_total")), rows.len() as f64);
        assert_eq!(sum(&named("shop_request_seconds_count")), rows.len() as f64);
        let failed = rows.iter().filter(|row| row.service == Service::Cart && row.status == 503).count();
        let is_failed_cart = |s: &TimeSeries| label(s, "service") == Some("cart") && label(s, "status") == Some("503");
        assert_eq!(sum(&is_failed_cart), failed as f64);
        let fast = rows.iter().filter(|row| row.latency_ms <= 50.0).count();
        assert_eq!(sum(&|s: &TimeSeries| label(s, "le") == Some("0.05")), fast as f64);
        let seconds = rows.iter().map(|row| row.latency_ms / 1_000.0).sum::<f64>();
        assert!((sum(&named("shop_request_seconds_sum")) - seconds).abs() < 1e-6);
        let requests = rows.iter().filter(|row| row.service == Service::Frontend).count();
        assert_eq!(sum(&named("shop_upstream_seconds_count")), requests as f64, "each asks one upstream, once");
        assert!(!machines.is_empty() && machines.iter().all(|series| series.samples.len() == 2));
        assert!(
            series.iter().all(|series| series.samples[0].value == 0.0 && series.labels.is_sorted_by_key(|l| &l.name))
        );
        assert!(meters.take().timeseries.iter().all(|series| series.samples.is_empty()), "samples are taken once");
    }
}
