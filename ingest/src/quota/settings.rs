//! What is allowed: the configuration's defaults, and what an administrator has set for single projects.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use culprit_store::ProjectName;
use serde::{Deserialize, Serialize};

use super::bucket::Rate;
use super::refusal::{Counted, Flow, Measure};
use crate::limits::{PROJECT_BURST, SHARD_BURST};

/// What one project may do. Bytes and requests are per second.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProjectLimits {
    pub write_bytes: u64,
    pub write_requests: u64,
    pub read_bytes: u64,
    pub read_requests: u64,
    pub stores: usize,
    pub shards: usize,
    pub groups: usize,
    pub views: usize,
}

impl Default for ProjectLimits {
    fn default() -> Self {
        Self {
            write_bytes: 1 << 30,
            write_requests: 10_000,
            read_bytes: 2 << 30,
            read_requests: 10_000,
            stores: 200,
            shards: 400,
            groups: 30,
            views: 100,
        }
    }
}

impl ProjectLimits {
    pub(crate) fn rate(&self, flow: Flow, measure: Measure) -> Rate {
        let per_second = match (flow, measure) {
            (Flow::Write, Measure::Bytes) => self.write_bytes,
            (Flow::Write, Measure::Requests) => self.write_requests,
            (Flow::Read, Measure::Bytes) => self.read_bytes,
            (Flow::Read, Measure::Requests) => self.read_requests,
        };
        Rate { per_second, burst: PROJECT_BURST }
    }

    pub(crate) fn count(&self, thing: Counted) -> usize {
        match thing {
            Counted::Stores => self.stores,
            Counted::Shards => self.shards,
            Counted::Groups => self.groups,
            Counted::Views => self.views,
        }
    }
}

/// What one shard is promised per second. While the machine has room it gets more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShardLimits {
    pub write_bytes: u64,
    pub write_requests: u64,
    pub read_bytes: u64,
    pub read_requests: u64,
}

impl Default for ShardLimits {
    fn default() -> Self {
        Self { write_bytes: 5 << 20, write_requests: 500, read_bytes: 10 << 20, read_requests: 100 }
    }
}

impl ShardLimits {
    pub(crate) fn rate(&self, flow: Flow, measure: Measure) -> Rate {
        let per_second = match (flow, measure) {
            (Flow::Write, Measure::Bytes) => self.write_bytes,
            (Flow::Write, Measure::Requests) => self.write_requests,
            (Flow::Read, Measure::Bytes) => self.read_bytes,
            (Flow::Read, Measure::Requests) => self.read_requests,
        };
        Rate { per_second, burst: SHARD_BURST }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotaConfig {
    /// Of projects for which nothing else was set.
    pub project: ProjectLimits,
    pub shard: ShardLimits,
    /// A shard that is over its quota for so long is split, where its store wants that.
    pub split_after: Duration,
    /// Neighbours that are calm for so long are merged again. Much longer than `split_after`, or load that comes and goes would split and merge for ever.
    pub merge_after: Duration,
    /// How many servers share the role of the quota service; 0 keeps it in this process.
    pub services: usize,
}

impl Default for QuotaConfig {
    fn default() -> Self {
        Self {
            project: ProjectLimits::default(),
            shard: ShardLimits::default(),
            split_after: Duration::from_secs(60),
            merge_after: Duration::from_secs(30 * 60),
            services: 0,
        }
    }
}

/// What an administrator has set for one project; the rest is as configured.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProjectOverride {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write_requests: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_requests: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stores: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shards: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub views: Option<usize>,
}

impl ProjectOverride {
    fn over(&self, defaults: &ProjectLimits) -> ProjectLimits {
        ProjectLimits {
            write_bytes: self.write_bytes.unwrap_or(defaults.write_bytes),
            write_requests: self.write_requests.unwrap_or(defaults.write_requests),
            read_bytes: self.read_bytes.unwrap_or(defaults.read_bytes),
            read_requests: self.read_requests.unwrap_or(defaults.read_requests),
            stores: self.stores.unwrap_or(defaults.stores),
            shards: self.shards.unwrap_or(defaults.shards),
            groups: self.groups.unwrap_or(defaults.groups),
            views: self.views.unwrap_or(defaults.views),
        }
    }
}

/// Every project's limits, in memory.
#[derive(Debug)]
pub(crate) struct LimitBook {
    defaults: Arc<ProjectLimits>,
    overrides: RwLock<HashMap<ProjectName, Override>>,
}

#[derive(Debug, Clone)]
struct Override {
    set: ProjectOverride,
    limits: Arc<ProjectLimits>,
}

impl LimitBook {
    pub(crate) fn new(defaults: ProjectLimits) -> Self {
        Self { defaults: Arc::new(defaults), overrides: RwLock::default() }
    }

    pub(crate) fn of(&self, project: &ProjectName) -> Arc<ProjectLimits> {
        let overrides = self.overrides.read().expect("no holder of this lock panics");
        overrides.get(project).map_or_else(|| self.defaults.clone(), |found| found.limits.clone())
    }

    pub(crate) fn set_for(&self, project: &ProjectName) -> Option<ProjectOverride> {
        let overrides = self.overrides.read().expect("no holder of this lock panics");
        overrides.get(project).map(|found| found.set.clone())
    }

    pub(crate) fn set(&self, project: ProjectName, set: Option<ProjectOverride>) {
        let mut overrides = self.overrides.write().expect("no holder of this lock panics");
        match set {
            Some(set) => {
                let limits = Arc::new(set.over(&self.defaults));
                overrides.insert(project, Override { set, limits });
            }
            None => {
                overrides.remove(&project);
            }
        }
    }
}
