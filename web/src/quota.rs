//! Quotas over HTTP: what stands before a body, who uses how much, the limits of single projects, and the calls between front ends and the quota service.

use std::time::Duration;

use axum::Json;
use axum::body::HttpBody;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use bytes::Bytes;
use culprit_ingest::quota::{BarChanges, Charge, Flow, ProjectLimits, ProjectOverride, Report, UsageReport};
use culprit_store::{ProjectName, Right};
use serde::Serialize;

use crate::auth::Principal;
use crate::body::{self, BodyError, BodyLimit, JsonBody, JsonRequest};
use crate::error::ApiError;
use crate::limits::{QUOTA_POLL_DEFAULT, QUOTA_REPORT_BYTES_MAX};
use crate::params::{Params, PathParams};
use crate::router::App;

/// Lets a write in by what its headers say, then reads its body. Without a length it is charged as it comes in.
pub(crate) async fn admitted_body(
    app: &App,
    project: &ProjectName,
    request: Request,
    limit: BodyLimit,
) -> Result<(Bytes, Charge), ApiError> {
    let (parts, sent) = request.into_parts();
    let declared = sent.size_hint().exact();
    let mut charge = match app.quotas.admit(project, Flow::Write, declared.unwrap_or(0)) {
        Ok(charge) => charge,
        Err(refusal) => {
            // Whoever waits to be asked for the body is not asked.
            if !parts.headers.contains_key(header::EXPECT) {
                body::drain(sent).await;
            }
            return Err(refusal.into());
        }
    };
    let read = body::read_counted(sent, limit, |bytes| if declared.is_none() { charge.add(bytes) } else { Ok(()) });
    let read = read.await?;
    Ok((read, charge))
}

/// One request to read something, whatever it costs.
pub(crate) fn admit_query(app: &App, project: &ProjectName) -> Result<(), ApiError> {
    app.quotas.admit(project, Flow::Read, 0)?;
    Ok(())
}

/// Of one project with `?project=`, else of all that the caller may know of.
pub(crate) async fn usage(
    State(app): State<App>,
    principal: Principal,
    params: Params,
) -> Result<Json<UsageReport>, ApiError> {
    let wanted = params.get("project").map(ProjectName::parse).transpose()?;
    if let Some(project) = &wanted {
        principal.check(project, Right::Read)?;
        app.storage.expect_project(project)?;
    }
    let mut report = app.quotas.usage(&app.storage, wanted.as_ref());
    report.projects.retain(|usage| principal.knows(&usage.project));
    Ok(Json(report))
}

#[derive(Serialize)]
pub(crate) struct Limits {
    project: ProjectName,
    /// What counts.
    limits: ProjectLimits,
    /// What was set for this project; the rest is as configured.
    set: ProjectOverride,
}

impl JsonRequest for ProjectOverride {
    const EXAMPLE: &'static str = r#"{"write_bytes":10485760,"write_requests":500}"#;
}

pub(crate) async fn limits(
    State(app): State<App>,
    principal: Principal,
    path: PathParams,
) -> Result<Json<Limits>, ApiError> {
    let project = named(&path)?;
    principal.check(&project, Right::Read)?;
    Ok(Json(described(&app, project)))
}

/// Replaces what was set; for people who answer for the server, not for the project.
pub(crate) async fn set_limits(
    State(app): State<App>,
    principal: Principal,
    path: PathParams,
    JsonBody(set): JsonBody<ProjectOverride>,
) -> Result<Json<Limits>, ApiError> {
    principal.check_server(Right::Admin)?;
    let project = named(&path)?;
    app.quotas.set_override(&app.storage, &project, Some(set)).await?;
    Ok(Json(described(&app, project)))
}

pub(crate) async fn unset_limits(
    State(app): State<App>,
    principal: Principal,
    path: PathParams,
) -> Result<StatusCode, ApiError> {
    principal.check_server(Right::Admin)?;
    app.quotas.set_override(&app.storage, &named(&path)?, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn named(path: &PathParams) -> Result<ProjectName, ApiError> {
    Ok(ProjectName::parse(path.get("project").unwrap_or(""))?)
}

fn described(app: &App, project: ProjectName) -> Limits {
    let limits = app.quotas.limits_of(&project);
    let set = app.quotas.override_of(&project).unwrap_or_default();
    Limits { project, limits, set }
}

/// What another front end has let through.
pub(crate) async fn report(
    State(app): State<App>,
    principal: Principal,
    request: Request,
) -> Result<StatusCode, ApiError> {
    principal.check_server(Right::Admin)?;
    let limit = BodyLimit { bytes: QUOTA_REPORT_BYTES_MAX, advice: "send fewer projects in one report" };
    let body = body::read(request.into_body(), limit).await?;
    let report: Report = serde_json::from_slice(&body).map_err(|source| BodyError::NotThisJson { source })?;
    app.quotas.service().report(&report);
    Ok(StatusCode::NO_CONTENT)
}

/// Waits up to `?wait=` seconds for something newer than `?since=`.
pub(crate) async fn bars(
    State(app): State<App>,
    principal: Principal,
    params: Params,
) -> Result<Json<BarChanges>, ApiError> {
    principal.check_server(Right::Admin)?;
    let since = params.number("since")?.unwrap_or(0);
    let wait = params.number("wait")?.map_or(QUOTA_POLL_DEFAULT, Duration::from_secs);
    Ok(Json(app.quotas.service().poll(since, wait).await))
}
