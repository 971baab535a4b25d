//! A request that has passed the checks that all operations share, with its body still to be read.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::CONTENT_LENGTH;
use axum::http::request::Parts;
use bytes::Bytes;
use culprit_ingest::LOGGROUP_RAW_BYTES_MAX;
use culprit_ingest::consume::Source;
use culprit_ingest::quota::{Charge, Flow};
use culprit_query::SqlEngine;
use culprit_store::{ProjectInfo, ProjectName, Right, StoreName, StoreState};

use super::error::{Code, SlsError};
use super::host;
use super::operation::{Operation, StoreAct};
use super::reply::{COMPRESSION, RAW_SIZE};
use crate::auth::{self, DigestCheck, Principal};
use crate::body::{self, BodyLimit, JSON_LIMIT};
use crate::params::Params;
use crate::router::App;

/// Operations that wait for anything take it `&mut`: a body is not `Sync`.
pub(super) struct Call<'a> {
    pub(super) app: &'a App,
    pub(super) parts: &'a Parts,
    pub(super) params: Params,
    /// Absent in the list and the creation of projects alone.
    project: Option<ProjectName>,
    /// Nobody in web tracking.
    principal: Option<Principal>,
    digest: Option<DigestCheck>,
    charge: Option<Charge>,
    body: &'a mut Body,
}

impl<'a> Call<'a> {
    pub(super) fn new(
        app: &'a App,
        parts: &'a Parts,
        body: &'a mut Body,
        params: Params,
        project: Option<ProjectName>,
    ) -> Self {
        Self { app, parts, params, project, principal: None, digest: None, charge: None, body }
    }

    /// From the signature to the project's quota, in the order of the module's head.
    pub(super) fn check(&mut self, operation: &Operation) -> Result<(), SlsError> {
        if !operation.is_tracking() {
            let (principal, digest) = auth::sls(self.app, self.parts)?;
            self.principal = Some(principal);
            self.digest = digest;
        }
        // Of these two, each project has to be looked at, or the one of the body.
        if matches!(operation, Operation::ListProjects | Operation::CreateProject) {
            return Ok(());
        }
        let project = self.project()?.clone();
        let rights = operation.rights();
        if !rights.is_empty() && !rights.iter().any(|right| self.allows(&project, *right)) {
            return Err(forbidden(&project, rights));
        }
        self.project_info()?;
        if let Some(flow) = flow(operation) {
            let bytes = if flow == Flow::Write { self.declared_bytes()? } else { 0 };
            self.charge = Some(self.app.quotas.admit(&project, flow, bytes)?);
        }
        Ok(())
    }

    pub(super) fn project(&self) -> Result<&ProjectName, SlsError> {
        self.project.as_ref().ok_or_else(|| {
            let host = host::shown(self.parts);
            SlsError::parameter(format!(
                "the host {host} names no project; send PROJECT.ENDPOINT with an endpoint of [sls] hosts, or x-log-project"
            ))
        })
    }

    pub(super) fn project_info(&self) -> Result<Arc<ProjectInfo>, SlsError> {
        let name = self.project()?;
        let missing = || SlsError::new(Code::ProjectNotExist, format!("there is no project {name}"));
        self.app.storage.project(name).ok_or_else(missing)
    }

    /// What a host may name and a body must not contradict.
    pub(super) fn project_or(&self, in_body: Option<&str>) -> Result<ProjectName, SlsError> {
        let in_body = in_body.map(ProjectName::parse).transpose().map_err(SlsError::parameter)?;
        match (&self.project, in_body) {
            (Some(host), Some(body)) if *host != body => {
                Err(SlsError::parameter(format!("the host names project {host}, the body {body}")))
            }
            (_, Some(body)) => Ok(body),
            (Some(host), None) => Ok(host.clone()),
            (None, None) => Err(SlsError::parameter("projectName is missing")),
        }
    }

    pub(super) fn allows(&self, project: &ProjectName, right: Right) -> bool {
        self.principal.as_ref().is_some_and(|principal| principal.allows(project, right))
    }

    pub(super) fn require(&self, project: &ProjectName, right: Right) -> Result<(), SlsError> {
        if self.allows(project, right) { Ok(()) } else { Err(forbidden(project, &[right])) }
    }

    /// A store to be written or changed: a view is none.
    pub(super) fn store(&self, name: &str) -> Result<Arc<StoreState>, SlsError> {
        let (project, name) = (self.project()?, StoreName::parse(name).map_err(SlsError::parameter)?);
        if let Some(store) = self.app.storage.store(project, &name) {
            return Ok(store);
        }
        if self.app.storage.view(project, &name).is_some() {
            return Err(SlsError::parameter(format!(
                "{name} is a view; write to the stores behind it, or change it by /storeviews"
            )));
        }
        Err(SlsError::new(Code::LogStoreNotExist, format!("project {project} has no logstore {name}")))
    }

    /// A store or a view, to be consumed: a view needs the right in every project behind it.
    pub(super) fn source(&self, name: &str, right: Right) -> Result<Source, SlsError> {
        let (project, name) = (self.project()?, StoreName::parse(name).map_err(SlsError::parameter)?);
        let source = self.app.consumption.source(project, &name)?;
        for (behind, _) in source.members() {
            if behind != *project {
                self.require(&behind, right)?;
            }
        }
        Ok(source)
    }

    /// The whole body, of which the digest is what the headers' signature covers.
    pub(super) async fn read(&mut self, limit: BodyLimit) -> Result<Bytes, SlsError> {
        let body = body::read(std::mem::take(self.body), limit).await?;
        if let Some(digest) = &self.digest {
            digest.verify(&body)?;
        }
        Ok(body)
    }

    pub(super) async fn read_json(&mut self) -> Result<Bytes, SlsError> {
        self.read(JSON_LIMIT).await
    }

    /// What the request has cost in the end, in bytes before compression.
    pub(super) fn cost(&mut self, bytes: u64) {
        if let Some(charge) = &mut self.charge {
            charge.correct(bytes);
        }
    }

    /// The engine as this key may use it.
    pub(super) fn sql(&self) -> SqlEngine {
        let nothing = || self.app.sql.within(Arc::new(|_| false));
        self.principal.as_ref().map_or_else(nothing, |principal| principal.sql(self.app))
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
    }

    pub(super) fn integer<T: std::str::FromStr>(&self, name: &str, code: Code) -> Result<Option<T>, SlsError> {
        let Some(text) = self.params.get(name) else { return Ok(None) };
        let wrong = |_| SlsError::new(code, format!("{name} is {text:?}; it must be a number in its range"));
        text.trim().parse().map(Some).map_err(wrong)
    }

    /// Before compression, if the client says so. What is wrong with the claim is found once there is a body, but a size that is never taken is
    /// not charged either.
    fn declared_bytes(&self) -> Result<u64, SlsError> {
        let number = |name| self.header(name).and_then(|text| text.parse().ok());
        let raw = number(RAW_SIZE).filter(|_| self.header(COMPRESSION).is_some());
        let bytes = raw.or_else(|| number(CONTENT_LENGTH.as_str())).unwrap_or(0);
        if bytes <= LOGGROUP_RAW_BYTES_MAX as u64 {
            return Ok(bytes);
        }
        let message = format!(
            "the body is declared with {bytes} bytes; a request takes {LOGGROUP_RAW_BYTES_MAX}, send the logs in parts"
        );
        Err(SlsError::new(Code::PostBodyTooLarge, message))
    }
}

fn flow(operation: &Operation) -> Option<Flow> {
    match operation {
        Operation::ProjectLogs => Some(Flow::Read),
        Operation::Store { act: StoreAct::PutLogs(_) | StoreAct::Track, .. } => Some(Flow::Write),
        Operation::Store { act, .. } if act.is_consumption() || act.is_query() => Some(Flow::Read),
        _ => None,
    }
}

fn forbidden(project: &ProjectName, rights: &[Right]) -> SlsError {
    let rights: Vec<&str> = rights.iter().map(|right| right.name()).collect();
    SlsError::new(
        Code::Forbidden,
        format!("the access key has no right to {} in project {project}", rights.join(" or ")),
    )
}
