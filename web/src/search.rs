//! `POST /api/search`: search words over one logstore, newest rows first.

use std::time::Instant;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use culprit_store::{Right, StoreName};
use serde::Deserialize;

use crate::auth::Principal;
use crate::body::{JsonBody, JsonRequest};
use crate::error::ApiError;
use crate::explain::project;
use crate::limits::{SEARCH_ROWS_DEFAULT, SEARCH_ROWS_MAX};
use crate::quota::admit_query;
use crate::router::App;
use crate::sql;
use crate::time::{Moment, range};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchRequest {
    project: Option<String>,
    store: String,
    /// Search words; none finds every row.
    #[serde(default)]
    query: String,
    from: Option<Moment>,
    to: Option<Moment>,
    limit: Option<usize>,
}

impl JsonRequest for SearchRequest {
    const EXAMPLE: &'static str = r#"{"store":"shop","query":"timeout status>=500","limit":100}"#;
}

/// The answer has the shapes of `/api/sql`.
pub(crate) async fn search(
    State(app): State<App>,
    principal: Principal,
    headers: HeaderMap,
    JsonBody(request): JsonBody<SearchRequest>,
) -> Result<Response, ApiError> {
    let project = project(request.project.as_deref())?;
    principal.check(&project, Right::Read)?;
    let store = StoreName::parse(&request.store)?;
    let limit = request.limit.unwrap_or(SEARCH_ROWS_DEFAULT);
    if limit > SEARCH_ROWS_MAX {
        let (given, range) = (limit as u64, "at most 10000; ask /api/sql for more");
        return Err(ApiError::OutOfRange { name: "limit", given, range });
    }
    let range = range(request.from.as_ref(), request.to.as_ref())?;
    admit_query(&app, &project)?;
    let begun = Instant::now();
    let rows = principal.sql(&app).search(&project, &store, &request.query, limit, range).await?;
    sql::written(rows, &headers, begun).await
}
