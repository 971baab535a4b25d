//! What an import understood, per panel.

use serde::Serialize;

use crate::model::{Dashboard, Support, View};

/// The answer of `culprit dashboards check` and of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    pub uid: String,
    pub title: String,
    /// What of the dashboard as a whole is not shown.
    pub missing: Vec<String>,
    /// Rows are no panels; one is listed only where something of it is missing.
    pub panels: Vec<PanelReport>,
    /// Panels by support, without rows.
    #[serde(flatten)]
    pub counts: Counts,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PanelReport {
    pub id: u32,
    pub title: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub support: Support,
    pub missing: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    pub full: usize,
    pub partial: usize,
    pub none: usize,
}

impl Counts {
    pub fn of(dashboard: &Dashboard) -> Self {
        let mut counts = Self::default();
        for panel in dashboard.panels.iter().filter(|panel| !matches!(panel.view, View::Row(_))) {
            match panel.support {
                Support::Full => counts.full += 1,
                Support::Partial => counts.partial += 1,
                Support::None => counts.none += 1,
            }
        }
        counts
    }

    pub fn panels(self) -> usize {
        self.full + self.partial + self.none
    }
}

impl Report {
    pub fn of(dashboard: &Dashboard) -> Self {
        let worth_listing = |view: &View, missing: &[String]| !matches!(view, View::Row(_)) || !missing.is_empty();
        let panels = dashboard.panels.iter().filter(|panel| worth_listing(&panel.view, &panel.missing));
        Self {
            uid: dashboard.uid.clone(),
            title: dashboard.title.clone(),
            missing: dashboard.missing.clone(),
            panels: panels
                .map(|panel| PanelReport {
                    id: panel.id,
                    title: panel.title.clone(),
                    kind: panel.view.name().to_owned(),
                    support: panel.support,
                    missing: panel.missing.clone(),
                })
                .collect(),
            counts: Counts::of(dashboard),
        }
    }
}

/// Imports a Grafana file and tells what was understood of it.
pub fn check(body: &str) -> Result<Report, crate::DashboardError> {
    Ok(Report::of(&crate::import(body)?))
}
