//! What the quotas count about themselves. Names of projects are labels only of those that were refused most.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use culprit_store::Metric;

use super::edge::Quotas;
use super::refusal::Flow;
use super::scaling::Outcome;
use crate::limits::REFUSED_PROJECTS_SHOWN_MAX;

/// Refusals, and what came of hot and calm shards.
#[derive(Debug, Default)]
pub(super) struct Counters {
    /// By flow.
    pub(super) project: [AtomicU64; 2],
    pub(super) shard: [AtomicU64; 2],
    pub(super) count: AtomicU64,
    pub(super) busy: AtomicU64,
    pub(super) scaling: [AtomicU64; Outcome::ALL.len()],
    pub(super) unreachable: AtomicU64,
}

impl Quotas {
    pub fn metrics(&self) -> Vec<Metric> {
        let inner = &self.inner;
        let refused = |level: &'static str, why: &'static str, counter: &AtomicU64| {
            count("culprit_ingest_quota_refused_total", "Requests refused by a quota.", counter)
                .label("level", level)
                .label("limit", why)
        };
        let (own, service) = (&inner.counters, &inner.service.counters);
        let mut metrics = vec![
            refused("count", "number", &own.count),
            refused("node", "busy", &own.busy),
            count("culprit_ingest_quota_bars_total", "Projects barred.", &service.bars),
            count("culprit_ingest_quota_reports_total", "Usage reports of front ends received.", &service.reports),
            count(
                "culprit_ingest_quota_reported_projects_total",
                "Entries of usage reports received.",
                &service.reported_projects,
            ),
            count(
                "culprit_ingest_quota_bad_names_total",
                "Entries of reports that named no project.",
                &service.bad_names,
            ),
            count(
                "culprit_ingest_quota_unmetered_total",
                "Requests of projects beyond those that are metered.",
                &service.unmetered,
            ),
            Metric::counter(
                "culprit_ingest_quota_untold_total",
                "Requests whose usage was not reported, because too many projects wait.",
                inner.outbox.untold(),
            ),
            count(
                "culprit_ingest_quota_service_failures_total",
                "Calls of the quota service that failed; local limits counted.",
                &own.unreachable,
            ),
            Metric::gauge("culprit_ingest_quota_projects", "Projects metered now.", inner.service.projects() as f64),
            Metric::gauge(
                "culprit_ingest_quota_pressure",
                "How near the store is to refusing appends, 0 to 1.",
                inner.pressure.value(inner.service.watch.now()).into(),
            ),
        ];
        for flow in Flow::ALL {
            metrics.push(refused("project", flow.name(), &own.project[flow as usize]));
            metrics.push(refused("shard", flow.name(), &own.shard[flow as usize]));
        }
        metrics.extend(Outcome::ALL.map(|outcome| {
            count(
                "culprit_ingest_scaling_total",
                "Hot shards split, calm ones merged, and why not.",
                &own.scaling[outcome as usize],
            )
            .label("outcome", outcome.name())
        }));
        metrics.extend(self.most_refused());
        metrics
    }

    fn most_refused(&self) -> impl Iterator<Item = Metric> {
        let meters = self.inner.service.all();
        let refused = meters.iter().flat_map(|meter| Flow::ALL.map(|flow| (meter.refused(flow), flow, meter)));
        let mut refused: Vec<_> = refused.filter(|(count, _, _)| *count > 0).collect();
        refused.sort_by_key(|(count, _, _)| std::cmp::Reverse(*count));
        let shown = refused.into_iter().take(REFUSED_PROJECTS_SHOWN_MAX);
        let metrics = shown.map(|(count, flow, meter)| {
            let name = "culprit_ingest_quota_project_refused_total";
            let metric = Metric::counter(name, "Requests refused, of the projects that were refused most.", count);
            metric.label("project", meter.project.as_str()).label("flow", flow.name())
        });
        metrics.collect::<Vec<_>>().into_iter()
    }
}

fn count(name: &'static str, help: &'static str, counter: &AtomicU64) -> Metric {
    Metric::counter(name, help, counter.load(Relaxed))
}
