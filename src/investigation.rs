//! The investigation of an incident, as alerting asks for it: what the alert knows becomes an inquiry over the stores of its
//! project.

use std::sync::Arc;
use std::time::Duration;

use culprit_alerting::{Cause, HookError, INCIDENT_STORE, Investigate, InvestigationRequest, SliceRequest};
use culprit_query::SqlEngine;
use culprit_rca::Question;
use culprit_rca::investigate::{AlertFacts, Inquiry, Label, Past, Slice, investigate};
use culprit_store::{ProjectName, Storage, StoreName, TimeRange, UnixNanos};
use futures::FutureExt;

/// It reads every store of a project, beside the rows that come in while something is broken.
const BUDGET: Duration = Duration::from_secs(60);

pub(crate) fn hook(storage: &Storage, sql: &SqlEngine) -> Investigate {
    let (storage, sql) = (storage.clone(), sql.clone());
    Arc::new(move |request| of_incident(storage.clone(), sql.clone(), request).boxed())
}

async fn of_incident(storage: Storage, sql: SqlEngine, request: InvestigationRequest) -> Result<Cause, HookError> {
    let inquiry = inquiry(request)?;
    let report = investigate(&sql, &storage, &inquiry).await.map_err(HookError::new)?;
    let sentence = report.sentence.clone();
    Ok(Cause { sentence, report: serde_json::to_value(report).map_err(HookError::new)? })
}

fn inquiry(request: InvestigationRequest) -> Result<Inquiry, HookError> {
    let slice = request.slice.as_ref().map(|slice| known_slice(slice, request.report)).transpose()?;
    let sliced = slice.as_ref().and_then(|slice| Some((slice.range.from?.0, slice.range.to?.0)));
    let (window, baseline_from) = Inquiry::times(request.active_at, request.fired_at, sliced);
    let project = match (&request.slice, request.project.as_str()) {
        (Some(slice), _) => ProjectName::parse(&slice.project).map_err(HookError::new)?,
        (None, "") => ProjectName::default_project(),
        (None, project) => ProjectName::parse(project).map_err(HookError::new)?,
    };
    Ok(Inquiry {
        project,
        window,
        baseline_from,
        slice: slice.filter(|slice| slice.report.is_some()),
        alert: Some(AlertFacts {
            name: request.rule.clone(),
            active_at: request.active_at,
            labels: request.labels.into_iter().map(|(name, value)| Label { name, value }).collect(),
            expression: request.expression,
        }),
        past: Some(Past {
            project: ProjectName::system(),
            store: StoreName::parse(INCIDENT_STORE).map_err(HookError::new)?,
            rule: request.rule,
            group: Some(request.group),
            incident: Some(request.incident),
        }),
        budget: Some(BUDGET),
    })
}

/// The alert's rows with the explanation that it has already; without one the alert says itself why there is none.
fn known_slice(slice: &SliceRequest, report: Option<serde_json::Value>) -> Result<Slice, HookError> {
    Ok(Slice {
        store: StoreName::parse(&slice.store).map_err(HookError::new)?,
        range: TimeRange::new(at(&slice.from)?, at(&slice.to)?),
        question: Question {
            baseline: slice.baseline.clone(),
            noun: slice.noun.clone(),
            ..Question::new(slice.filter.clone())
        },
        report: report.map(serde_json::from_value).transpose().map_err(HookError::new)?,
    })
}

pub(crate) fn at(rfc3339: &str) -> Result<UnixNanos, HookError> {
    let time = chrono::DateTime::parse_from_rfc3339(rfc3339).map_err(HookError::new)?;
    Ok(UnixNanos(time.timestamp_nanos_opt().unwrap_or(i64::MAX)))
}
