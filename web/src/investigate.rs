//! `POST /api/investigate`: what else moved around an incident, or in a window that somebody marked.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use culprit_alerting::{INCIDENT_STORE, InvestigationRequest};
use culprit_rca::Question;
use culprit_rca::investigate::{AlertFacts, Inquiry, Investigation, Label, Past, Slice};
use culprit_store::{ProjectName, Right, StoreError, StoreName, TimeRange, UnixNanos};
use serde::Deserialize;

use crate::auth::Principal;
use crate::body::{JsonBody, JsonRequest};
use crate::error::ApiError;
use crate::explain::project;
use crate::limits::EXPLAIN_BUDGET_MAX;
use crate::quota::admit_query;
use crate::router::App;
use crate::time::{Moment, range};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InvestigateRequest {
    project: Option<String>,
    /// An incident; nothing else is needed then.
    incident: Option<String>,
    /// The store whose rows are anomalous where `where` holds.
    store: Option<String>,
    #[serde(rename = "where")]
    predicate: Option<String>,
    baseline: Option<String>,
    /// The time of the trouble. Without `to`, up to now.
    from: Option<Moment>,
    to: Option<Moment>,
    /// Whose incidents are recalled.
    rule: Option<String>,
    budget_ms: Option<u64>,
}

impl JsonRequest for InvestigateRequest {
    const EXAMPLE: &'static str =
        r#"{"from":"2026-01-01T00:00:00Z","to":"2026-01-01T00:05:00Z","store":"shop","where":"status >= 500"}"#;
}

pub(crate) async fn investigate(
    State(app): State<App>,
    principal: Principal,
    JsonBody(request): JsonBody<InvestigateRequest>,
) -> Result<Json<Investigation>, ApiError> {
    let budget = request.budget_ms.map(|ms| Duration::from_millis(ms).min(EXPLAIN_BUDGET_MAX));
    let inquiry = match &request.incident {
        Some(id) => {
            principal.check_server(Right::Read)?;
            let known = app.alerting.investigation_request(id);
            of_incident(known.ok_or_else(|| ApiError::NoIncident { id: id.clone() })?)?
        }
        None => of_window(&app, request)?,
    };
    principal.check(&inquiry.project, Right::Read)?;
    admit_query(&app, &inquiry.project)?;
    let inquiry = Inquiry { budget, ..inquiry };
    Ok(Json(culprit_rca::investigate::investigate(&principal.sql(&app), &app.storage, &inquiry).await?))
}

fn of_window(app: &App, request: InvestigateRequest) -> Result<Inquiry, ApiError> {
    let now = app.storage.clock().now();
    let range = range(request.from.as_ref(), request.to.as_ref())?;
    let Some(from) = range.from else { return Err(ApiError::NoWindow) };
    let to = range.to.unwrap_or(now);
    if to <= from {
        return Err(ApiError::NoWindow);
    }
    let slice = match (request.store, request.predicate) {
        (Some(store), Some(predicate)) => Some(Slice {
            store: StoreName::parse(&store)?,
            range: TimeRange::new(from, to),
            question: Question { baseline: request.baseline, ..Question::new(predicate) },
            report: None,
        }),
        (None, None) => None,
        _ => return Err(ApiError::HalfSlice),
    };
    Ok(Inquiry {
        project: project(request.project.as_deref())?,
        window: (from, to),
        baseline_from: Inquiry::calm_before(from, to),
        slice,
        alert: None,
        past: request.rule.map(|rule| past(rule, None, None)).transpose()?,
        budget: None,
    })
}

/// The incident's own rows and times; its causes are searched anew.
fn of_incident(known: InvestigationRequest) -> Result<Inquiry, ApiError> {
    let slice = known.slice.as_ref();
    let moment = |text: &str| Moment::Text(text.to_owned());
    let times = slice.map(|slice| range(Some(&moment(&slice.from)), Some(&moment(&slice.to)))).transpose()?;
    let sliced = times.and_then(|range| Some((range.from?.0, range.to?.0)));
    let (window, baseline_from) = Inquiry::times(known.active_at, known.fired_at, sliced);
    let name = slice.map_or(known.project.as_str(), |slice| slice.project.as_str());
    let slice = slice.map(|slice| {
        Ok::<_, StoreError>(Slice {
            store: StoreName::parse(&slice.store)?,
            range: sliced.map_or(TimeRange::ALL, |(from, to)| TimeRange::new(UnixNanos(from), UnixNanos(to))),
            question: Question {
                baseline: slice.baseline.clone(),
                noun: slice.noun.clone(),
                ..Question::new(slice.filter.clone())
            },
            report: None,
        })
    });
    Ok(Inquiry {
        project: if name.is_empty() { ProjectName::default_project() } else { ProjectName::parse(name)? },
        window,
        baseline_from,
        slice: slice.transpose()?,
        alert: Some(AlertFacts {
            name: known.rule.clone(),
            active_at: known.active_at,
            labels: known.labels.into_iter().map(|(name, value)| Label { name, value }).collect(),
            expression: known.expression,
        }),
        past: Some(past(known.rule, Some(known.group), Some(known.incident))?),
        budget: None,
    })
}

fn past(rule: String, group: Option<String>, incident: Option<String>) -> Result<Past, StoreError> {
    Ok(Past { project: ProjectName::system(), store: StoreName::parse(INCIDENT_STORE)?, rule, group, incident })
}
