//! What front ends and the quota service say to each other. As JSON: `/api/quota/report` and `/api/quota/bars`.
//!
//! Entries are arrays, not objects: a report names thousands of projects. Times are spans, never instants: the clocks of two machines differ.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::refusal::{Flow, Measure};

/// What a front end has let through since its last report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    pub usage: Vec<Usage>,
}

/// Project, bytes and requests written, bytes and requests read. Bytes may be negative: a body that was shorter than its header said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage(pub String, pub i64, pub u32, pub i64, pub u32);

/// What has changed since the version that was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BarChanges {
    /// What the next poll asks for.
    pub version: u64,
    pub bars: Vec<Bar>,
}

/// Project, flow, what of it is exhausted, and for how many milliseconds from receipt it is barred. 0 lifts a bar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bar(pub String, pub Flow, pub Measure, pub u64);

impl Bar {
    pub fn project(&self) -> &str {
        &self.0
    }

    pub fn flow(&self) -> Flow {
        self.1
    }

    pub fn measure(&self) -> Measure {
        self.2
    }

    pub fn length(&self) -> Duration {
        Duration::from_millis(self.3)
    }
}
