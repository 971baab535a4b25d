//! `rules` and `alerts`. Rules belong to the server: every metricstore's route gives all of them.

use axum::Json;
use axum::extract::State;
use culprit_alerting::RuleFilter;
use culprit_query::promql::parse_matchers;
use culprit_store::Right;
use serde_json::Value;

use super::error::PromError;
use crate::auth::Principal;
use crate::params::Params;
use crate::router::App;

pub(crate) async fn rules(
    State(app): State<App>,
    principal: Principal,
    params: Params,
) -> Result<Json<Value>, PromError> {
    principal.check_server(Right::Read)?;
    Ok(Json(app.alerting.rules_json(&filter(&params)?)))
}

pub(crate) async fn alerts(State(app): State<App>, principal: Principal) -> Result<Json<Value>, PromError> {
    principal.check_server(Right::Read)?;
    Ok(Json(app.alerting.alerts_json()))
}

fn filter(params: &Params) -> Result<RuleFilter, PromError> {
    let list = |name| params.all(name).map(str::to_owned).collect();
    Ok(RuleFilter {
        kind: kind(params.get("type"))?,
        rule_names: list("rule_name[]"),
        groups: list("rule_group[]"),
        files: list("file[]"),
        matches: params.all("match[]").map(parse_matchers).collect::<Result<_, _>>()?,
        exclude_alerts: flag(params, "exclude_alerts")?,
        group_limit: group_limit(params)?,
        group_next_token: params.get("group_next_token").map(str::to_owned),
    })
}

fn kind(text: Option<&str>) -> Result<Option<String>, PromError> {
    match text {
        None => Ok(None),
        Some(kind @ ("alert" | "record")) => Ok(Some(kind.to_owned())),
        Some(other) => Err(PromError::parameter("type", format!("not supported value {other:?}"))),
    }
}

fn flag(params: &Params, name: &'static str) -> Result<bool, PromError> {
    match params.get(name) {
        None | Some("false" | "0" | "f") => Ok(false),
        Some("true" | "1" | "t") => Ok(true),
        Some(other) => Err(PromError::parameter(name, format!("cannot parse {other:?} to true or false"))),
    }
}

fn group_limit(params: &Params) -> Result<Option<usize>, PromError> {
    let Some(text) = params.get("group_limit") else { return Ok(None) };
    match text.parse() {
        Ok(limit) if limit > 0 => Ok(Some(limit)),
        _ => Err(PromError::parameter("group_limit", format!("{text:?} is not a number above zero"))),
    }
}
