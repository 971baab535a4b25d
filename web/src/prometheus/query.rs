//! `query`, `query_range`, `format_query`.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use culprit_query::promql::{self, Engine};

use super::error::PromError;
use super::format::{result, success};
use super::{Metricstore, Readable};
use crate::params::{FormParams, Params};
use crate::router::App;
use crate::time::{prometheus_duration_millis, prometheus_millis};

pub(crate) async fn instant(
    State(app): State<App>,
    store: Metricstore,
    FormParams(params): FormParams,
) -> Result<Response, PromError> {
    let at_ms = match time(&params, "time")? {
        Some(at_ms) => at_ms,
        None => app.storage.clock().now().as_millis(),
    };
    let engine = engine(&app, &params)?;
    let evaluated = engine.instant(&store.source(&app), params.get("query").unwrap_or(""), at_ms).await?;
    Ok(result(evaluated, at_ms, limit(&params)?))
}

pub(crate) async fn range(
    State(app): State<App>,
    store: Metricstore,
    FormParams(params): FormParams,
) -> Result<Response, PromError> {
    let required =
        |name| time(&params, name)?.ok_or_else(|| PromError::parameter(name, "cannot parse \"\" to a valid timestamp"));
    let (start_ms, end_ms) = (required("start")?, required("end")?);
    let step_ms = duration_ms(&params, "step")?
        .ok_or_else(|| PromError::parameter("step", "cannot parse \"\" to a valid duration"))?;
    let engine = engine(&app, &params)?;
    let query = params.get("query").unwrap_or("");
    let evaluated = engine.range(&store.source(&app), query, start_ms, end_ms, step_ms).await?;
    Ok(result(evaluated, end_ms, limit(&params)?))
}

pub(crate) async fn formatted(_readable: Readable, FormParams(params): FormParams) -> Result<Response, PromError> {
    let laid_out = promql::format(params.get("query").unwrap_or(""))?;
    Ok(success(&laid_out, &[]))
}

/// A caller may shorten the time-out, and set how long a sample stands for its series.
fn engine(app: &App, params: &Params) -> Result<Engine, PromError> {
    let mut engine = app.promql.clone();
    if let Some(timeout) = duration(params, "timeout")? {
        engine.timeout = engine.timeout.min(timeout);
    }
    if let Some(lookback) = duration(params, "lookback_delta")? {
        engine.lookback = lookback;
    }
    Ok(engine)
}

pub(super) fn time(params: &Params, name: &'static str) -> Result<Option<i64>, PromError> {
    let read = |text: &str| {
        prometheus_millis(text)
            .ok_or_else(|| PromError::parameter(name, format!("cannot parse {text:?} to a valid timestamp")))
    };
    params.get(name).map(read).transpose()
}

fn duration_ms(params: &Params, name: &'static str) -> Result<Option<i64>, PromError> {
    let read = |text: &str| {
        prometheus_duration_millis(text)
            .ok_or_else(|| PromError::parameter(name, format!("cannot parse {text:?} to a valid duration")))
    };
    params.get(name).map(read).transpose()
}

fn duration(params: &Params, name: &'static str) -> Result<Option<Duration>, PromError> {
    let positive = |ms: i64| match u64::try_from(ms) {
        Ok(ms) if ms > 0 => Ok(Duration::from_millis(ms)),
        _ => Err(PromError::parameter(name, "it must be above zero")),
    };
    duration_ms(params, name)?.map(positive).transpose()
}

/// Zero is none.
pub(super) fn limit(params: &Params) -> Result<Option<usize>, PromError> {
    let Some(text) = params.get("limit") else { return Ok(None) };
    match text.parse() {
        Ok(0) => Ok(None),
        Ok(limit) => Ok(Some(limit)),
        Err(_) => Err(PromError::parameter("limit", format!("cannot parse {text:?} to a valid number"))),
    }
}
