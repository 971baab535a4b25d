//! `POST /api/explain`: which dimension values a slice has in common and the rest has not, as one answer or as a stream.

mod stream;

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use culprit_rca::{Measure, Options, Question, RcaError, explain_store, explain_store_progressively};
use culprit_store::{ProjectName, Right, StoreError, StoreKind, StoreName};
use serde::Deserialize;

use crate::auth::Principal;
use crate::body::{JsonBody, JsonRequest};
use crate::error::ApiError;
use crate::limits::EXPLAIN_BUDGET_MAX;
use crate::quota::admit_query;
use crate::router::App;
use crate::time::{Moment, range};
use stream::{Framing, streamed};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExplainRequest {
    project: Option<String>,
    store: String,
    /// SQL condition of the anomalous rows; a measure can do without.
    #[serde(rename = "where")]
    predicate: Option<String>,
    /// SQL condition of the normal rows; without one, all others.
    baseline: Option<String>,
    /// The numeric column to explain.
    measure: Option<String>,
    /// `sum`, `avg`, `ratio:COLUMN`, `p99`.
    agg: Option<String>,
    /// Column with the value that each row was expected to have.
    expected: Option<String>,
    from: Option<Moment>,
    to: Option<Moment>,
    dimensions: Option<Vec<String>>,
    max_order: Option<usize>,
    min_support: Option<f64>,
    min_ratio: Option<f64>,
    alpha: Option<f64>,
    unit: Option<String>,
    /// What the anomalous rows are called in the sentence, such as "failing requests".
    noun: Option<String>,
    budget_ms: Option<u64>,
}

impl JsonRequest for ExplainRequest {
    const EXAMPLE: &'static str = r#"{"store":"shop","where":"status >= 500"}"#;
}

pub(crate) async fn explain(
    State(app): State<App>,
    principal: Principal,
    headers: HeaderMap,
    JsonBody(request): JsonBody<ExplainRequest>,
) -> Result<Response, ApiError> {
    let project = project(request.project.as_deref())?;
    principal.check(&project, Right::Read)?;
    admit_query(&app, &project)?;
    let name = StoreName::parse(&request.store)?;
    let store = app.storage.expect_store(&project, &name)?;
    if store.kind() != StoreKind::Logs {
        let (actual, wanted) = (store.kind().noun(), StoreKind::Logs.noun());
        let (project, store) = (project.to_string(), name.to_string());
        return Err(StoreError::WrongKind { project, store, actual, wanted }.into());
    }
    let range = range(request.from.as_ref(), request.to.as_ref())?;
    let (sql, question) = (principal.sql(&app), question(request)?);
    match Framing::of_accept(&headers) {
        None => Ok(Json(explain_store(&sql, &project, &name, range, &question).await?).into_response()),
        Some(framing) => {
            let search = |partial| async move {
                explain_store_progressively(&sql, &project, &name, range, &question, partial).await
            };
            streamed(framing, search).await
        }
    }
}

pub(crate) fn project(name: Option<&str>) -> Result<ProjectName, StoreError> {
    name.map_or_else(|| Ok(ProjectName::default_project()), ProjectName::parse)
}

fn question(request: ExplainRequest) -> Result<Question, RcaError> {
    let default = Options::default();
    let agg = request.agg.map(|agg| agg.parse()).transpose()?;
    let measure = request.measure.map(|column| Measure::new(column, agg, request.expected));
    let default_order = measure.as_ref().map_or(default.max_order, Measure::default_order);
    Ok(Question {
        predicate: request.predicate,
        baseline: request.baseline,
        noun: request.noun,
        options: Options {
            dimensions: request.dimensions.filter(|dimensions| !dimensions.is_empty()),
            max_order: request.max_order.unwrap_or(default_order),
            min_support: request.min_support.unwrap_or(default.min_support),
            min_ratio: request.min_ratio.unwrap_or(default.min_ratio),
            alpha: request.alpha.unwrap_or(default.alpha),
            unit: request.unit,
        },
        measure,
        budget: request.budget_ms.map(|ms| Duration::from_millis(ms).min(EXPLAIN_BUDGET_MAX)),
    })
}
