//! `series`, `labels`, `label/{name}/values`: what there is, by `match[]`, `start` and `end`.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use culprit_query::promql::parse_matchers;
use culprit_store::{LabelMatcher, Labels, SampleRange};
use serde_json::Value;

use super::Metricstore;
use super::error::PromError;
use super::format::{TRUNCATED, label_set, success};
use super::query::{limit, time};
use crate::params::{FormParams, Params, PathParams};
use crate::router::App;

pub(crate) async fn series(
    State(app): State<App>,
    store: Metricstore,
    FormParams(params): FormParams,
) -> Result<Response, PromError> {
    if params.all("match[]").next().is_none() {
        return Err(PromError::NoMatch);
    }
    let found = matching(&app, &store, &params).await?;
    answer(found.iter().map(label_set).collect(), limit(&params)?)
}

pub(crate) async fn labels(
    State(app): State<App>,
    store: Metricstore,
    FormParams(params): FormParams,
) -> Result<Response, PromError> {
    let found = matching(&app, &store, &params).await?;
    let names: BTreeSet<&str> = found.iter().flat_map(|labels| labels.iter()).map(|label| &*label.name).collect();
    answer(names.into_iter().map(Value::from).collect(), limit(&params)?)
}

pub(crate) async fn label_values(
    State(app): State<App>,
    store: Metricstore,
    path: PathParams,
    params: Params,
) -> Result<Response, PromError> {
    let name = path.get("name").unwrap_or("");
    let found = matching(&app, &store, &params).await?;
    let values: BTreeSet<&str> = found.iter().filter_map(|labels| labels.get(name)).collect();
    answer(values.into_iter().map(Value::from).collect(), limit(&params)?)
}

/// The series that any of the selectors accepts; without one, all.
async fn matching(app: &App, store: &Metricstore, params: &Params) -> Result<BTreeSet<Labels>, PromError> {
    let mut selectors: Vec<Vec<LabelMatcher>> = params.all("match[]").map(parse_matchers).collect::<Result<_, _>>()?;
    if selectors.is_empty() {
        selectors.push(Vec::new());
    }
    let range = range(params)?;
    let mut found = BTreeSet::new();
    if let Some(state) = &store.0 {
        for matchers in &selectors {
            found.extend(app.storage.series_labels(state, matchers, range).await?);
        }
    }
    Ok(found)
}

fn range(params: &Params) -> Result<SampleRange, PromError> {
    let all = SampleRange::ALL;
    let range = SampleRange {
        start_ms: time(params, "start")?.unwrap_or(all.start_ms),
        end_ms: time(params, "end")?.unwrap_or(all.end_ms),
    };
    if range.end_ms < range.start_ms {
        return Err(PromError::parameter("end", "end timestamp must not be before start time"));
    }
    Ok(range)
}

fn answer(mut data: Vec<Value>, limit: Option<usize>) -> Result<Response, PromError> {
    let is_cut = limit.is_some_and(|limit| data.len() > limit);
    data.truncate(limit.unwrap_or(usize::MAX));
    let warnings = if is_cut { vec![TRUNCATED.to_owned()] } else { Vec::new() };
    Ok(success(&data, &warnings))
}
