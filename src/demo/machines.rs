//! What the hosts of the shop tell of themselves: how full the disk is, and which version runs.

use culprit_ingest::remote_write::{Sample, TimeSeries};
use culprit_store::UnixNanos;

use super::meters::series;
use super::shop::{Host, REGIONS};
use super::traffic::Traffic;

/// The value that ends a series, as Prometheus writes it when a target no longer has one: without it a version that was
/// replaced would be seen for five more minutes.
const STALE: f64 = f64::from_bits(0x7FF0_0000_0000_0002);

pub(super) struct Machines {
    hosts: Vec<HostSeries>,
    /// Versions that were replaced since the samples were taken.
    ended: Vec<TimeSeries>,
}

struct HostSeries {
    host: Host,
    disk: TimeSeries,
    /// None before the first sample.
    build: Option<(&'static str, TimeSeries)>,
}

impl Machines {
    pub(super) fn new() -> Self {
        let of = |host: Host| HostSeries { host, disk: series_of("shop_disk_used_ratio", host, &[]), build: None };
        Self { hosts: Host::all().map(of).collect(), ended: Vec::new() }
    }

    pub(super) fn sample(&mut self, at: UnixNanos, traffic: &Traffic) {
        let timestamp = at.as_millis();
        for host in &mut self.hosts {
            let machine = traffic.machine(host.host, at);
            host.disk.samples.push(Sample { value: machine.disk_used, timestamp });
            if host.build.as_ref().is_none_or(|(version, _)| *version != machine.version) {
                let begun = series_of("shop_build_info", host.host, &[("version", machine.version)]);
                if let Some((_, mut ended)) = host.build.replace((machine.version, begun)) {
                    ended.samples.push(Sample { value: STALE, timestamp });
                    self.ended.push(ended);
                }
            }
            if let Some((_, build)) = &mut host.build {
                build.samples.push(Sample { value: 1.0, timestamp });
            }
        }
    }

    /// All samples since the last time.
    pub(super) fn take(&mut self) -> Vec<TimeSeries> {
        let mut taken = std::mem::take(&mut self.ended);
        for host in &mut self.hosts {
            taken.push(take(&mut host.disk));
            taken.extend(host.build.as_mut().map(|(_, build)| take(build)));
        }
        taken
    }
}

fn take(series: &mut TimeSeries) -> TimeSeries {
    TimeSeries { samples: std::mem::take(&mut series.samples), ..series.clone() }
}

fn series_of(name: &str, host: Host, more: &[(&str, &str)]) -> TimeSeries {
    let host_name = host.name();
    let mut labels =
        vec![("host", host_name.as_str()), ("region", REGIONS[host.region]), ("service", host.service.name())];
    labels.extend(more);
    series(name, &labels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::scenario::{Incident, Scenario};

    fn last(series: &[TimeSeries], name: &str) -> Vec<(String, f64)> {
        let named = |series: &&TimeSeries| series.labels.iter().any(|label| label.value == name);
        let text = |series: &TimeSeries| series.labels.iter().map(|l| l.value.as_str()).collect::<Vec<_>>().join(" ");
        let last = |series: &TimeSeries| (text(series), series.samples.last().unwrap().value);
        series.iter().filter(named).map(last).collect()
    }

    fn after(scenario: Scenario) -> Vec<TimeSeries> {
        let second = 1_000_000_000;
        let mut traffic = Traffic::new(1, 1002, Incident::new(scenario, 1, 1002), UnixNanos(0), UnixNanos(0));
        let mut machines = Machines::new();
        machines.sample(UnixNanos(0), &traffic);
        traffic.begin_incident(UnixNanos(20 * second));
        machines.sample(UnixNanos(20 * second), &traffic);
        machines.take()
    }

    #[test]
    fn a_version_ends_where_the_next_begins() {
        let builds = last(&after(Scenario::BadDeploy), "shop_build_info");
        let with = |version: &str| builds.iter().filter(|(labels, _)| labels.contains(version)).collect::<Vec<_>>();
        let (old, new) = (with("2.13.4"), with("2.14.0"));
        let hosts = Host::all().count();
        assert_eq!((old.len(), new.len()), (hosts, hosts / 2));
        assert_eq!(old.iter().filter(|(_, value)| value.to_bits() == STALE.to_bits()).count(), hosts / 2);
        assert!(new.iter().all(|(_, value)| *value == 1.0));
    }

    #[test]
    fn one_disk_is_full_and_no_other() {
        let disks = last(&after(Scenario::FullDisk), "shop_disk_used_ratio");
        assert_eq!(disks.iter().filter(|(_, used)| *used == 1.0).count(), 1);
        assert!(disks.iter().filter(|(_, used)| *used < 1.0).all(|(_, used)| (0.3..0.8).contains(used)));
    }
}
