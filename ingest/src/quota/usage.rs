//! Who uses how much of what is allowed: for people, as JSON.

use culprit_store::{ProjectName, Storage, StoreState};
use serde::Serialize;

use super::edge::Quotas;
use super::meter::Meter;
use super::refusal::Flow;
use super::settings::{ProjectLimits, ShardLimits};
use super::stopwatch::Nanos;
use super::window::FlowRate;
use crate::limits::USAGE_PROJECTS_MAX;

#[derive(Debug, Serialize)]
pub struct UsageReport {
    /// Those that write most come first.
    pub projects: Vec<ProjectUsage>,
    /// Projects that were left out of the list, the stillest ones.
    pub left_out: usize,
    /// What each shard is promised.
    pub shard_limits: ShardLimits,
    /// 0 when the server has all its room, 1 when it takes nothing more; from about 0.8 on, shards get exactly what they are promised.
    pub pressure: f32,
}

#[derive(Debug, Serialize)]
pub struct ProjectUsage {
    pub project: ProjectName,
    pub limits: ProjectLimits,
    pub write: FlowUsage,
    pub read: FlowUsage,
    /// How many it has.
    pub stores: usize,
    /// How many it has that take rows.
    pub shards: usize,
    /// Of all its shards that take rows when one project was asked for, else of the hot ones.
    pub shard_usage: Vec<ShardUsage>,
}

#[derive(Debug, Default, Serialize)]
pub struct FlowUsage {
    /// What was let through, over the last seconds.
    #[serde(flatten)]
    pub rate: FlowRate,
    /// Requests refused since the project was last still.
    pub refused: u64,
    /// How long it is still barred; 0 when it is not.
    pub barred_ms: u64,
}

#[derive(Debug, Serialize)]
pub struct ShardUsage {
    pub store: String,
    pub shard: u32,
    pub write: ShardFlowUsage,
    pub read: ShardFlowUsage,
    /// Whether more is asked of it than it is promised.
    pub is_hot: bool,
}

#[derive(Debug, Serialize)]
pub struct ShardFlowUsage {
    /// What was asked for over the last seconds, the refused included.
    #[serde(flatten)]
    pub asked: FlowRate,
    /// As a share of the promise; above 1 it is over.
    pub share: f64,
    pub refused: u64,
}

impl Quotas {
    /// Of every project that exists, or of one.
    pub fn usage(&self, storage: &Storage, project: Option<&ProjectName>) -> UsageReport {
        let wanted = project.map_or_else(|| storage.projects(), |project| vec![project.clone()]);
        let mut projects: Vec<ProjectUsage> =
            wanted.iter().map(|name| self.usage_of(storage, name, project.is_some())).collect();
        projects.sort_by(|a, b| b.write.rate.bytes_per_second.total_cmp(&a.write.rate.bytes_per_second));
        let left_out = projects.len().saturating_sub(USAGE_PROJECTS_MAX);
        projects.truncate(USAGE_PROJECTS_MAX);
        let pressure = self.inner.pressure.value(self.inner.service.watch.now());
        UsageReport { projects, left_out, shard_limits: self.inner.shards.limits().clone(), pressure }
    }

    fn usage_of(&self, storage: &Storage, project: &ProjectName, is_detailed: bool) -> ProjectUsage {
        let now = self.inner.service.watch.now();
        let meter = self.inner.service.known(project);
        let of_flow = |flow| meter.as_ref().map_or_else(FlowUsage::default, |meter| flow_usage(meter, flow, now));
        let stores = storage.stores(project);
        let shards: Vec<ShardUsage> = stores.iter().flat_map(|store| self.shards_of(store, now)).collect();
        ProjectUsage {
            project: project.clone(),
            limits: self.limits_of(project),
            write: of_flow(Flow::Write),
            read: of_flow(Flow::Read),
            stores: stores.len(),
            shards: shards.len(),
            shard_usage: shards.into_iter().filter(|shard| is_detailed || shard.is_hot).collect(),
        }
    }

    fn shards_of(&self, store: &StoreState, now: Nanos) -> Vec<ShardUsage> {
        let of_flow = |shard, flow| {
            let asked = self.inner.shards.asked(store.id(), shard, flow, now);
            let refused = self.inner.shards.refused(store.id(), shard, flow);
            ShardFlowUsage { asked, share: self.inner.shards.share(asked, flow), refused }
        };
        let writable = store.writable_shards();
        let usage = writable.iter().map(|shard| {
            let (write, read) = (of_flow(*shard, Flow::Write), of_flow(*shard, Flow::Read));
            let is_hot = write.share > 1.0 || read.share > 1.0;
            ShardUsage { store: store.name().to_string(), shard: shard.0, write, read, is_hot }
        });
        usage.collect()
    }
}

fn flow_usage(meter: &Meter, flow: Flow, now: Nanos) -> FlowUsage {
    let barred = meter.barred(flow, now).map_or(0, |over| over.wait.as_millis());
    FlowUsage {
        rate: meter.window(flow).rate(now),
        refused: meter.refused(flow),
        barred_ms: u64::try_from(barred).unwrap_or(u64::MAX),
    }
}
