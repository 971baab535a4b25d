//! `/openapi.json`: the routes, their parameters and what they answer, from one table.

use axum::Json;
use culprit_ingest::quota::ProjectOverride;
use serde_json::{Map, Value, json};

use crate::about::VERSION;
use crate::body::JsonRequest;
use crate::explain::ExplainRequest;
use crate::fanout::{AckFanout, PullFanout};
use crate::investigate::InvestigateRequest;
use crate::keys::{ChangeKey, CreateKey};
use crate::search::SearchRequest;
use crate::sql::SqlRequest;
use crate::stores::{ChangeStore, CreateStore};

struct Operation {
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    /// Names of optional query parameters, separated by blanks.
    parameters: &'static str,
    sends: Sends,
}

#[derive(Clone, Copy)]
enum Sends {
    Nothing,
    /// With an example.
    Json(&'static str),
    Bytes,
    /// The parameters may also come as a form.
    Form,
}

const fn op(method: &'static str, path: &'static str, summary: &'static str) -> Operation {
    Operation { method, path, summary, parameters: "", sends: Sends::Nothing }
}

impl Operation {
    const fn with(mut self, parameters: &'static str) -> Self {
        self.parameters = parameters;
        self
    }

    const fn sends(mut self, sends: Sends) -> Self {
        self.sends = sends;
        self
    }
}

const OPERATIONS: &[Operation] = &[
    op("get", "/", "A redirect to the console for browsers, else the version."),
    op("get", "/healthz", "The process answers."),
    op("get", "/readyz", "The catalog answers too."),
    op("get", "/metrics", "The server's own metrics in Prometheus' text format."),
    op("get", "/openapi.json", "This document."),
    op("post", "/api/ingest/{project}/{store}", "Stores rows of logs; 400 when none was accepted.")
        .with("format time_field key")
        .sends(Sends::Bytes),
    op("post", "/api/sql", "Runs read-only SQL; JSON, NDJSON, CSV or Arrow by Accept.")
        .sends(Sends::Json(SqlRequest::EXAMPLE)),
    op("post", "/api/search", "Finds rows of a logstore by words, newest first; answers as /api/sql.")
        .sends(Sends::Json(SearchRequest::EXAMPLE)),
    op("post", "/api/explain", "Says which dimension values the anomalous rows have in common.")
        .sends(Sends::Json(ExplainRequest::EXAMPLE)),
    op(
        "post",
        "/api/investigate",
        "Says what else moved around an incident or in a window: metrics, messages, versions.",
    )
    .sends(Sends::Json(InvestigateRequest::EXAMPLE)),
    op("get", "/api/projects", "Names of projects."),
    op("get", "/api/stores", "Stores with their size and columns.").with("project"),
    op("get", "/api/stores/{project}/{store}", "One store."),
    op("put", "/api/stores/{project}/{store}", "Creates a store; 200 when it was there.")
        .sends(Sends::Json(CreateStore::EXAMPLE)),
    op("patch", "/api/stores/{project}/{store}", "Sets the TTL; null keeps rows for ever.")
        .sends(Sends::Json(ChangeStore::EXAMPLE)),
    op("delete", "/api/stores/{project}/{store}", "Deletes a store and its rows."),
    op("get", "/api/tail", "Rows of a logstore or a view as they come, NDJSON or framed LogGroups; does not end.")
        .with("project store shard from format"),
    op("get", "/api/fanout/{project}/{store}/{group}", "How far a fanout group has come in each shard."),
    op("delete", "/api/fanout/{project}/{store}/{group}", "Deletes a fanout group and its checkpoints."),
    op("post", "/api/fanout/{project}/{store}/{group}/pull", "Leases batches to one of many readers.")
        .sends(Sends::Json(PullFanout::EXAMPLE)),
    op("post", "/api/fanout/{project}/{store}/{group}/ack", "Acknowledges batches; the others come again.")
        .sends(Sends::Json(AckFanout::EXAMPLE)),
    op("get", "/api/groups", "Consumer groups of a project, and how far behind they are.").with("project"),
    op("get", "/api/incidents", "Incidents with their causes, newest first."),
    op("get", "/api/incidents/{id}", "One incident."),
    op("get", "/api/admin/rules", "Rule files and their mistakes."),
    op("post", "/api/admin/rules/reload", "Reads the rule files again; 422 when one has a mistake."),
    op("get", "/api/admin/keys", "Access keys and what they may do, without their secrets."),
    op("post", "/api/admin/keys", "Makes an access key; the answer holds its secret, once.")
        .sends(Sends::Json(CreateKey::EXAMPLE)),
    op("get", "/api/admin/keys/{id}", "One access key."),
    op("patch", "/api/admin/keys/{id}", "Changes what a key may do, or disables it.")
        .sends(Sends::Json(ChangeKey::EXAMPLE)),
    op("delete", "/api/admin/keys/{id}", "Deletes an access key."),
    op("get", "/api/admin/usage", "Rates, limits and refusals per project and shard.").with("project"),
    op("get", "/api/admin/quotas/{project}", "A project's limits."),
    op("put", "/api/admin/quotas/{project}", "Sets limits of one project; what is absent is as configured.")
        .sends(Sends::Json(ProjectOverride::EXAMPLE)),
    op("delete", "/api/admin/quotas/{project}", "The configured limits again."),
    op("post", "/api/quota/report", "A front end's usage, for the quota service.").sends(Sends::Bytes),
    op("get", "/api/quota/bars", "Who is barred since a version; waits for news.").with("since wait"),
    op("get", "/api/dashboards", "Dashboards, the built-in ones first.").with("project"),
    op("post", "/api/dashboards/import", "Imports a dashboard from Grafana's JSON.")
        .with("project")
        .sends(Sends::Bytes),
    op("get", "/api/dashboards/{uid}", "One dashboard as the console draws it.").with("project"),
    op("get", "/api/dashboards/{uid}/original", "An imported dashboard's JSON as it came.").with("project"),
    op("delete", "/api/dashboards/{uid}", "Deletes an imported dashboard.").with("project"),
];

/// Below `/api/v1/` and below `/prometheus/{project}/{store}/api/v1/`.
const PROMETHEUS: &[Operation] = &[
    op("get", "query", "PromQL at one time.").with("query time timeout lookback_delta limit"),
    op("post", "query", "PromQL at one time.").sends(Sends::Form),
    op("get", "query_range", "PromQL over a range.").with("query start end step timeout lookback_delta limit"),
    op("post", "query_range", "PromQL over a range.").sends(Sends::Form),
    op("get", "query_exemplars", "Always empty: exemplars are not kept.").with("query start end"),
    op("post", "query_exemplars", "Always empty: exemplars are not kept.").sends(Sends::Form),
    op("get", "format_query", "The query, laid out.").with("query"),
    op("post", "format_query", "The query, laid out.").sends(Sends::Form),
    op("get", "series", "Series that match.").with("match[] start end limit"),
    op("post", "series", "Series that match.").sends(Sends::Form),
    op("get", "labels", "Label names.").with("match[] start end limit"),
    op("post", "labels", "Label names.").sends(Sends::Form),
    op("get", "label/{name}/values", "Values of a label.").with("match[] start end limit"),
    op("get", "metadata", "Always empty: metadata is not kept.").with("metric limit"),
    op("get", "rules", "Rules and their alerts.")
        .with("type rule_name[] rule_group[] file[] match[] exclude_alerts group_limit group_next_token"),
    op("get", "alerts", "Alerts that are pending or firing."),
    op("get", "status/buildinfo", "The version."),
    op("post", "write", "Prometheus remote write 1.0.").sends(Sends::Bytes),
];

pub(crate) async fn document() -> Json<Value> {
    let mut paths = Map::new();
    for operation in OPERATIONS {
        add(&mut paths, operation.path, operation);
    }
    for prefix in ["/api/v1/", "/prometheus/{project}/{store}/api/v1/"] {
        for operation in PROMETHEUS {
            add(&mut paths, &format!("{prefix}{}", operation.path), operation);
        }
    }
    let info = json!({ "title": "Culprit", "version": VERSION });
    let basic = json!({ "type": "http", "scheme": "basic", "description": "Id and secret of an access key." });
    Json(json!({
        "openapi": "3.1.0",
        "info": info,
        // Either of the two: a server without keys asks for none.
        "security": [{ "key": [] }, {}],
        "paths": paths,
        "components": { "securitySchemes": { "key": basic } },
    }))
}

fn add(paths: &mut Map<String, Value>, path: &str, operation: &Operation) {
    let in_path = path.split(['{', '}']).skip(1).step_by(2).map(|name| parameter(name, "path"));
    let in_query = operation.parameters.split_whitespace().map(|name| parameter(name, "query"));
    let mut described = json!({
        "summary": operation.summary,
        "parameters": in_path.chain(in_query).collect::<Vec<_>>(),
        "responses": { "default": { "description": "JSON; an error names what is wrong in one line." } },
    });
    let content = match operation.sends {
        Sends::Nothing => None,
        Sends::Json(example) => {
            let example: Value = serde_json::from_str(example).expect("examples are JSON, a test reads all of them");
            Some(("application/json", json!({ "example": example })))
        }
        Sends::Bytes => Some(("*/*", json!({}))),
        Sends::Form => Some(("application/x-www-form-urlencoded", json!({}))),
    };
    if let Some((media_type, body)) = content {
        described["requestBody"] = json!({ "required": true, "content": { media_type: body } });
    }
    let of_path = paths.entry(path).or_insert_with(|| json!({}));
    of_path[operation.method] = described;
}

fn parameter(name: &str, place: &str) -> Value {
    json!({ "name": name, "in": place, "required": place == "path", "schema": { "type": "string" } })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::router::routes;

    #[tokio::test]
    async fn every_route_is_described_and_every_description_is_a_route() {
        let Json(document) = document().await;
        let described: BTreeSet<&str> = document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
        let routes = routes();
        let routed: BTreeSet<&str> =
            routes.iter().map(|(path, _)| *path).filter(|path| !path.starts_with("/ui")).collect();
        assert_eq!(described, routed);
        let change = &document["paths"]["/api/stores/{project}/{store}"]["patch"];
        assert_eq!(change["parameters"][1]["name"], "store");
        assert_eq!(change["requestBody"]["content"]["application/json"]["example"]["ttl_seconds"], 2_592_000);
    }
}
