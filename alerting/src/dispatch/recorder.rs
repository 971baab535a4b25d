//! Incidents outlive the server: each revision is a row of the store, and the newest are read back at start.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use culprit_store::{ProjectName, TimeRange, UnixNanos};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::error::EvalError;
use crate::evaluator::{Evaluator, before};
use crate::hooks::RecordIncident;
use crate::incident::Incident;
use crate::limits::{INCIDENTS_MAX, INCIDENTS_RELOAD, RECORD_QUEUE};
use crate::metrics::Metrics;

/// The logstore of project `system` that holds them.
pub const INCIDENT_STORE: &str = "incidents";

/// Writes revisions in their order, behind the dispatcher's back: a slow store must not hold up a page.
pub(crate) struct Recorder {
    rows: mpsc::Sender<serde_json::Value>,
    writer: JoinHandle<()>,
    metrics: Arc<Metrics>,
}

impl Recorder {
    pub(crate) fn start(record: RecordIncident, metrics: Arc<Metrics>) -> Self {
        let (rows, mut queue) = mpsc::channel(RECORD_QUEUE);
        let counted = metrics.clone();
        let writer = tokio::spawn(async move {
            while let Some(row) = queue.recv().await {
                if let Err(error) = record(row).await {
                    counted.incident_record_failures.add(1);
                    tracing::warn!(%error, "an incident's revision was not written");
                }
            }
        });
        Self { rows, writer, metrics }
    }

    pub(crate) fn record(&self, incident: &Incident, now: UnixNanos) {
        let row = match incident.to_row(now) {
            Ok(row) => row,
            Err(error) => {
                self.metrics.incident_record_failures.add(1);
                tracing::warn!(incident = incident.id, %error, "an incident has no document");
                return;
            }
        };
        if self.rows.try_send(row).is_err() {
            self.metrics.incident_records_dropped.add(1);
            tracing::warn!(
                incident = incident.id,
                "incidents change faster than they are written, a revision is dropped"
            );
        }
    }

    /// Ends when all queued revisions are written.
    pub(crate) async fn close(self) {
        drop(self.rows);
        if let Err(error) = self.writer.await {
            tracing::warn!(%error, "the writer of incidents ended early");
        }
    }
}

/// The newest revision of each incident, the oldest incident first.
pub(crate) async fn read_back(evaluator: &Evaluator, now: UnixNanos) -> Result<Vec<Incident>, EvalError> {
    let project = ProjectName::system();
    let range = TimeRange { from: Some(before(now, INCIDENTS_RELOAD)), to: None };
    let query = format!(
        "SELECT last_value(document ORDER BY revision) FROM \"{INCIDENT_STORE}\" WHERE document IS NOT NULL \
         GROUP BY id ORDER BY max(_time) DESC LIMIT {INCIDENTS_MAX}"
    );
    let mut incidents: Vec<Incident> = Vec::new();
    for batch in evaluator.rows(&project, &query, range).await? {
        let documents = cast(batch.column(0), &DataType::Utf8)
            .map_err(|source| EvalError::Column { column: "document".to_owned(), source })?;
        for text in documents.as_string::<i32>().iter().flatten() {
            match serde_json::from_str::<Incident>(text) {
                Ok(incident) => incidents.push(incident),
                Err(error) => tracing::warn!(%error, "a recorded incident cannot be read, it is left out"),
            }
        }
    }
    incidents.sort_by(|a, b| (a.fired_at, &a.id).cmp(&(b.fired_at, &b.id)));
    Ok(incidents)
}
