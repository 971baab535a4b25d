//! The dashboards that come with the program, in the form of the model. They read the server's own metrics, project
//! `system`.

use crate::DashboardError;
use crate::model::Dashboard;

const FILES: [(&str, &str); 2] = [
    ("culprit-server", include_str!("../library/culprit-server.json")),
    ("culprit-host", include_str!("../library/culprit-host.json")),
];

/// All of them.
pub fn built_in() -> Result<Vec<Dashboard>, DashboardError> {
    FILES.iter().map(|(name, body)| read(name, body)).collect()
}

/// The one with this uid.
pub(crate) fn find(uid: &str) -> Option<Result<Dashboard, DashboardError>> {
    FILES.iter().find(|(name, _)| *name == uid).map(|(name, body)| read(name, body))
}

fn read(name: &'static str, body: &str) -> Result<Dashboard, DashboardError> {
    serde_json::from_str(body).map_err(|source| DashboardError::Library { name, source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Support, View};

    #[test]
    fn they_are_whole_and_their_queries_parse() {
        for ((name, _), dashboard) in FILES.iter().zip(built_in().unwrap()) {
            assert_eq!(dashboard.uid, *name);
            assert!(dashboard.missing.is_empty());
            for panel in &dashboard.panels {
                assert!(panel.support == Support::Full && panel.missing.is_empty(), "{name}: {}", panel.title);
                assert!(!matches!(panel.view, View::Unknown(_)), "{name}: {}", panel.title);
                for target in &panel.targets {
                    crate::grafana::check_promql(&target.expr, &dashboard.variables).unwrap();
                }
            }
        }
    }

    #[test]
    fn panels_have_their_own_ids_and_places() {
        for dashboard in built_in().unwrap() {
            for (position, panel) in dashboard.panels.iter().enumerate() {
                let grid = panel.grid;
                assert!(grid.x + grid.w <= 24 && grid.h > 0, "{}: {}", dashboard.uid, panel.title);
                for other in &dashboard.panels[..position] {
                    let o = other.grid;
                    let apart =
                        grid.x >= o.x + o.w || o.x >= grid.x + grid.w || grid.y >= o.y + o.h || o.y >= grid.y + grid.h;
                    assert!(apart, "{}: {} and {} overlap", dashboard.uid, panel.title, other.title);
                    assert_ne!(panel.id, other.id, "{}: {}", dashboard.uid, panel.title);
                }
            }
        }
    }
}
