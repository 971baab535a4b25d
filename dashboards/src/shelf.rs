//! The dashboards of a project: those it imported, kept in the catalog as they came in, and the built-in ones.

use culprit_store::{Document, DocumentKind, ProjectName, Storage};
use serde::Serialize;

use crate::limits::DASHBOARDS_MAX;
use crate::model::Dashboard;
use crate::report::{Counts, Report};
use crate::{DashboardError, import, library};

#[derive(Clone)]
pub struct Shelf {
    storage: Storage,
}

/// A line of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    pub uid: String,
    pub title: String,
    pub tags: Vec<String>,
    pub builtin: bool,
    pub panels: usize,
    #[serde(flatten)]
    pub counts: Counts,
    /// Why a kept dashboard cannot be read; it stays listed, so that it can be deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Summary {
    fn of(dashboard: Dashboard, builtin: bool) -> Self {
        let counts = Counts::of(&dashboard);
        let Dashboard { uid, title, tags, .. } = dashboard;
        Self { uid, title, tags, builtin, panels: counts.panels(), counts, error: None }
    }

    fn unreadable(uid: String, error: &DashboardError) -> Self {
        let title = uid.clone();
        let (tags, counts, error) = (Vec::new(), Counts::default(), Some(error.to_string()));
        Self { uid, title, tags, builtin: false, panels: 0, counts, error }
    }
}

impl Shelf {
    pub fn new(storage: Storage) -> Self {
        Self { storage }
    }

    /// The built-in dashboards, then the imported ones by title.
    pub async fn list(&self, project: &ProjectName) -> Result<Vec<Summary>, DashboardError> {
        let kept = self.storage.documents(DocumentKind::Dashboard, project).await?;
        let mut list: Vec<Summary> =
            library::built_in()?.into_iter().map(|dashboard| Summary::of(dashboard, true)).collect();
        let mut imported: Vec<Summary> = reading(move || kept.into_iter().map(summary).collect()).await;
        imported.sort_by_cached_key(|one| one.title.to_lowercase());
        list.append(&mut imported);
        Ok(list)
    }

    pub async fn get(&self, project: &ProjectName, uid: &str) -> Result<Dashboard, DashboardError> {
        if let Some(dashboard) = library::find(uid) {
            return dashboard;
        }
        let body = self.original(project, uid).await?;
        let read = reading(move || import(&body)).await;
        let mut dashboard =
            read.map_err(|source| DashboardError::Stored { uid: uid.to_owned(), source: Box::new(source) })?;
        // The address that it is kept under, whatever a later importer makes of the file.
        uid.clone_into(&mut dashboard.uid);
        Ok(dashboard)
    }

    /// The Grafana JSON of an imported dashboard, byte for byte.
    pub async fn original(&self, project: &ProjectName, uid: &str) -> Result<String, DashboardError> {
        let body = self.storage.document(DocumentKind::Dashboard, project, uid).await?;
        body.ok_or_else(|| DashboardError::NotFound { project: project.to_string(), uid: uid.to_owned() })
    }

    /// Keeps a Grafana dashboard; one with the same uid is replaced.
    pub async fn import(&self, project: &ProjectName, body: String) -> Result<Report, DashboardError> {
        let (body, read) = reading(move || {
            let read = import(&body);
            (body, read)
        })
        .await;
        let dashboard = read?;
        if library::find(&dashboard.uid).is_some() {
            return Err(DashboardError::BuiltIn { uid: dashboard.uid });
        }
        let kept = self.storage.documents(DocumentKind::Dashboard, project).await?;
        if kept.len() >= DASHBOARDS_MAX && !kept.iter().any(|document| document.name == dashboard.uid) {
            return Err(DashboardError::TooMany {
                thing: "dashboards in its project",
                found: kept.len() + 1,
                limit: DASHBOARDS_MAX,
            });
        }
        self.storage.put_document(DocumentKind::Dashboard, project, &dashboard.uid, &body).await?;
        Ok(Report::of(&dashboard))
    }

    pub async fn delete(&self, project: &ProjectName, uid: &str) -> Result<(), DashboardError> {
        if library::find(uid).is_some() {
            return Err(DashboardError::BuiltIn { uid: uid.to_owned() });
        }
        if self.storage.delete_document(DocumentKind::Dashboard, project, uid).await? {
            return Ok(());
        }
        Err(DashboardError::NotFound { project: project.to_string(), uid: uid.to_owned() })
    }
}

fn summary(document: Document) -> Summary {
    match import(&document.body) {
        Ok(dashboard) => Summary { uid: document.name, ..Summary::of(dashboard, false) },
        Err(error) => Summary::unreadable(document.name, &error),
    }
}

/// Reading megabytes of JSON and some hundred queries takes longer than the runtime's threads may be held.
async fn reading<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("reading a dashboard neither panics nor is aborted")
}

#[cfg(test)]
mod tests {
    use culprit_store::StorageConfig;

    use super::*;

    const BOARD: &str = "{\"uid\": \"b\", \"title\": \"Zebra\", \"panels\": [\n  {\"type\": \"text\", \"id\": 1}, {\"type\": \"heatmap\", \"id\": 2}]}";

    async fn shelf(folder: &tempfile::TempDir) -> Shelf {
        Shelf::new(Storage::open(StorageConfig::new(folder.path())).await.unwrap())
    }

    fn uids(list: &[Summary]) -> Vec<(&str, bool)> {
        list.iter().map(|one| (one.uid.as_str(), one.builtin)).collect()
    }

    #[tokio::test]
    async fn an_imported_board_stays_as_it_came_until_it_is_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let project = ProjectName::default_project();
        let first = shelf(&folder).await;
        let report = first.import(&project, BOARD.to_owned()).await.unwrap();
        assert_eq!((report.counts.full, report.counts.none), (1, 1));
        first.import(&project, "{\"uid\": \"a\", \"title\": \"ant\", \"panels\": []}".to_owned()).await.unwrap();
        first.storage.shutdown().await.unwrap();
        drop(first);

        let shelf = shelf(&folder).await;
        let list = shelf.list(&project).await.unwrap();
        assert_eq!(uids(&list), [("culprit-server", true), ("culprit-host", true), ("a", false), ("b", false)]);
        assert_eq!((list[3].panels, list[3].title.as_str()), (2, "Zebra"));
        assert_eq!(shelf.original(&project, "b").await.unwrap(), BOARD);
        assert_eq!(shelf.get(&project, "b").await.unwrap().panels.len(), 2);
        assert_eq!(uids(&shelf.list(&ProjectName::system()).await.unwrap()).len(), 2, "other projects have their own");

        shelf.delete(&project, "b").await.unwrap();
        for gone in [shelf.delete(&project, "b").await.unwrap_err(), shelf.get(&project, "b").await.unwrap_err()] {
            assert!(matches!(gone, DashboardError::NotFound { .. }), "{gone}");
        }
    }

    #[tokio::test]
    async fn a_second_import_replaces_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = shelf(&folder).await;
        let project = ProjectName::default_project();
        shelf.import(&project, BOARD.to_owned()).await.unwrap();
        shelf.import(&project, BOARD.replace("Zebra", "Okapi")).await.unwrap();
        let list = shelf.list(&project).await.unwrap();
        assert_eq!(
            list.iter().filter(|one| one.uid == "b").map(|one| one.title.as_str()).collect::<Vec<_>>(),
            ["Okapi"]
        );
    }

    #[tokio::test]
    async fn built_in_boards_stay() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = shelf(&folder).await;
        let project = ProjectName::default_project();
        let taken = shelf.import(&project, BOARD.replace("\"b\"", "\"culprit-host\"")).await.unwrap_err();
        let deleted = shelf.delete(&project, "culprit-host").await.unwrap_err();
        for refused in [taken, deleted] {
            assert!(matches!(refused, DashboardError::BuiltIn { .. }), "{refused}");
        }
        assert_eq!(shelf.get(&project, "culprit-host").await.unwrap().title, "This host");
    }

    #[tokio::test]
    async fn a_board_that_cannot_be_read_is_still_listed() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = shelf(&folder).await;
        let project = ProjectName::default_project();
        shelf.storage.put_document(DocumentKind::Dashboard, &project, "broken", "[1]").await.unwrap();
        let list = shelf.list(&project).await.unwrap();
        assert!(list[2].uid == "broken" && list[2].error.as_deref().is_some_and(|why| why.contains("not an object")));
        let error = shelf.get(&project, "broken").await.unwrap_err().to_string();
        assert!(error.contains("\"broken\""), "{error}");
    }
}
