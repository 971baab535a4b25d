//! The routes and what stands before all of them: the Origin check and the counters.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, patch, post, put};
use culprit_alerting::Alerting;
use culprit_dashboards::Shelf;
use culprit_ingest::Ingest;
use culprit_ingest::consume::Consumption;
use culprit_ingest::quota::Quotas;
use culprit_query::SqlEngine;
use culprit_query::promql;
use culprit_store::{Metric, Storage};

use crate::auth::{self, Access};
use crate::error::ApiError;
use crate::telemetry::HttpMetrics;
use crate::{
    about, alerts, console, dashboards, explain, fanout, groups, ingest, investigate, keys, openapi, origin,
    prometheus, quota, search, sls, sql, stores, tail, telemetry,
};

/// The parts of the house that the routes speak to.
pub struct Services {
    pub storage: Storage,
    pub ingest: Ingest,
    pub quotas: Quotas,
    pub consumption: Consumption,
    pub sql: SqlEngine,
    pub promql: promql::Engine,
    pub alerting: Alerting,
    pub shelf: Shelf,
    pub http: HttpMetrics,
    pub access: Access,
    /// Names of the server to clients of the SLS API, who put the project's name before it.
    pub sls_hosts: Vec<String>,
    /// All that `/metrics` shows, `http`'s own numbers included.
    pub self_metrics: Arc<dyn Fn() -> Vec<Metric> + Send + Sync>,
    /// Bytes of an ingest body as it is sent, before decompression.
    pub body_bytes_max: usize,
}

pub(crate) type App = Arc<Services>;

pub fn router(services: Services) -> Router {
    let http = services.http.clone();
    let app = Arc::new(services);
    let mut router = Router::new();
    for (path, methods) in routes() {
        router = router.route(path, methods);
    }
    // Before the routes of the table alone; others bring their own.
    router = router.route_layer(middleware::from_fn_with_state(app.clone(), auth::authenticate));
    for (path, methods) in sls::routes() {
        router = router.route(path, methods);
    }
    router
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(middleware::from_fn_with_state(app.clone(), sls::divert))
        .layer(middleware::from_fn_with_state(app.clone(), origin::check))
        .layer(middleware::from_fn_with_state(http, telemetry::count))
        .with_state(app)
}

pub(crate) fn routes() -> Vec<(&'static str, MethodRouter<App>)> {
    let mut routes = vec![
        ("/", get(about::root)),
        ("/healthz", get(about::healthz)),
        ("/readyz", get(about::readyz)),
        ("/metrics", get(telemetry::metrics)),
        ("/openapi.json", get(openapi::document)),
        ("/api/ingest/{project}/{store}", post(ingest::logs)),
        ("/api/sql", post(sql::query)),
        ("/api/search", post(search::search)),
        ("/api/explain", post(explain::explain)),
        ("/api/investigate", post(investigate::investigate)),
        ("/api/projects", get(stores::projects)),
        ("/api/stores", get(stores::list)),
        (
            "/api/stores/{project}/{store}",
            get(stores::one).merge(put(stores::create)).merge(patch(stores::change)).merge(delete(stores::remove)),
        ),
        ("/api/tail", get(tail::tail)),
        ("/api/fanout/{project}/{store}/{group}", get(fanout::state).merge(delete(fanout::remove))),
        ("/api/fanout/{project}/{store}/{group}/pull", post(fanout::pull)),
        ("/api/fanout/{project}/{store}/{group}/ack", post(fanout::ack)),
        ("/api/groups", get(groups::list)),
        ("/api/incidents", get(alerts::incidents)),
        ("/api/incidents/{id}", get(alerts::incident)),
        ("/api/admin/rules", get(alerts::rule_files)),
        ("/api/admin/rules/reload", post(alerts::reload)),
        ("/api/admin/keys", get(keys::list).merge(post(keys::create))),
        ("/api/admin/keys/{id}", get(keys::one).merge(patch(keys::change)).merge(delete(keys::remove))),
        ("/api/admin/usage", get(quota::usage)),
        (
            "/api/admin/quotas/{project}",
            get(quota::limits).merge(put(quota::set_limits)).merge(delete(quota::unset_limits)),
        ),
        ("/api/quota/report", post(quota::report)),
        ("/api/quota/bars", get(quota::bars)),
        ("/api/dashboards", get(dashboards::list)),
        ("/api/dashboards/import", post(dashboards::import)),
        ("/api/dashboards/{uid}", get(dashboards::one).merge(delete(dashboards::remove))),
        ("/api/dashboards/{uid}/original", get(dashboards::original)),
        ("/ui", get(console::enter)),
        ("/ui/", get(console::page)),
        ("/ui/{*path}", get(console::file)),
    ];
    routes.extend(prometheus::routes());
    routes
}

async fn no_route(app: State<App>, request: Request) -> Response {
    if sls::is_meant(request.headers()) {
        return sls::enter(app, request).await;
    }
    ApiError::NoRoute { path: request.uri().path().to_owned() }.into_response()
}

async fn no_method(app: State<App>, request: Request) -> Response {
    if sls::is_meant(request.headers()) {
        return sls::enter(app, request).await;
    }
    let path = request.uri().path().to_owned();
    ApiError::NoMethod { method: request.method().clone(), path }.into_response()
}

#[cfg(test)]
mod tests;
