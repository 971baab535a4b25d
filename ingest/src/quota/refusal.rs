//! Why a request may not go on now, whose doing that is, and when to come back.

use std::fmt;
use std::time::Duration;

use culprit_store::ProjectName;
use serde::{Deserialize, Serialize};

use super::bucket::{Overdrawn, Rate};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Flow {
    Write,
    Read,
}

impl Flow {
    pub const ALL: [Self; 2] = [Self::Write, Self::Read];

    pub fn name(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Read => "read",
        }
    }
}

/// What of a flow is bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Measure {
    Bytes,
    Requests,
}

impl Measure {
    pub fn name(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Requests => "requests",
        }
    }
}

/// What a project or a store may have so many of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Counted {
    /// Stores of a project.
    Stores,
    /// Shards of all stores of a project that take rows.
    Shards,
    /// Consumer groups of a store.
    Groups,
    /// Views of a project.
    Views,
}

impl Counted {
    pub fn name(self) -> &'static str {
        match self {
            Self::Stores => "stores",
            Self::Shards => "shards",
            Self::Groups => "groups",
            Self::Views => "views",
        }
    }
}

/// The limit that was met, and by how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Over {
    pub measure: Measure,
    pub limit_per_second: u64,
    /// What was taken beyond what the limit has paid for so far; 0 where another server did the counting.
    pub ahead: u64,
    pub wait: Duration,
}

impl Over {
    pub(crate) fn new(measure: Measure, rate: Rate, overdrawn: Overdrawn) -> Self {
        let Overdrawn { ahead, wait } = overdrawn;
        Self { measure, limit_per_second: rate.per_second, ahead, wait }
    }
}

impl fmt::Display for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { measure, limit_per_second, ahead, wait } = self;
        write!(f, "limit {limit_per_second} {}/s", measure.name())?;
        if *ahead > 0 {
            write!(f, ", {ahead} ahead of it")?;
        }
        write!(f, ", come back in {:.1} s", wait.as_secs_f64().max(0.1))
    }
}

/// All but [`Refusal::Busy`] say that the caller is over what is his.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("project {project} is over its write quota: {over}; an administrator can raise it")]
    ProjectWrite { project: ProjectName, over: Over },
    #[error("project {project} is over its read quota: {over}; an administrator can raise it")]
    ProjectRead { project: ProjectName, over: Over },
    #[error("shard {shard} of {store} is over its write quota: {over}; split the shard for more")]
    ShardWrite { store: String, shard: u32, over: Over },
    #[error("shard {shard} of {store} is over its read quota: {over}; split the shard for more")]
    ShardRead { store: String, shard: u32, over: Over },
    #[error("project {project} would have {would_be} {}, its limit is {limit}; an administrator can raise it", thing.name())]
    Count { project: ProjectName, thing: Counted, would_be: usize, limit: usize },
    #[error(
        "the server is busy ({percent} % of what it can hold waits to be written), shard {shard} of {store} is within its quota; try again"
    )]
    Busy { store: String, shard: u32, percent: u32 },
}

impl Refusal {
    pub(crate) fn project(project: ProjectName, flow: Flow, over: Over) -> Self {
        match flow {
            Flow::Write => Self::ProjectWrite { project, over },
            Flow::Read => Self::ProjectRead { project, over },
        }
    }

    pub(crate) fn shard(store: String, shard: u32, flow: Flow, over: Over) -> Self {
        match flow {
            Flow::Write => Self::ShardWrite { store, shard, over },
            Flow::Read => Self::ShardRead { store, shard, over },
        }
    }

    /// Whether the fault is the server's: a protocol then says "later", never "your limit".
    pub fn is_ours(&self) -> bool {
        matches!(self, Self::Busy { .. })
    }

    /// When the same request may pass. A count does not change by waiting.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::ProjectWrite { over, .. }
            | Self::ProjectRead { over, .. }
            | Self::ShardWrite { over, .. }
            | Self::ShardRead { over, .. } => Some(over.wait),
            Self::Busy { .. } => Some(Duration::from_secs(1)),
            Self::Count { .. } => None,
        }
    }
}
