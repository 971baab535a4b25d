//! Requests counted by route and status, their latencies, and `/metrics`.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use culprit_store::{Metric, MetricKind, Right};
use hdrhistogram::Histogram;

use crate::auth::Principal;
use crate::error::ApiError;
use crate::limits::LATENCY_MICROS_MAX;
use crate::prometheus::float;
use crate::router::App;

/// Counted since the start. Cheap to clone; clones share the counts.
#[derive(Clone, Default)]
pub struct HttpMetrics {
    /// By the route's pattern, of which there are as many as routes. Locked for the length of one addition.
    routes: Arc<Mutex<HashMap<String, Route>>>,
}

struct Route {
    statuses: BTreeMap<u16, u64>,
    /// Microseconds up to the first byte of the answer.
    latencies: Histogram<u64>,
    total: Duration,
}

impl Route {
    fn new() -> Self {
        let latencies = Histogram::new_with_bounds(1, LATENCY_MICROS_MAX, 2).expect("the bounds are valid");
        Self { statuses: BTreeMap::new(), latencies, total: Duration::ZERO }
    }

    fn failures(&self) -> u64 {
        self.statuses.range(400..).map(|(_, count)| count).sum()
    }
}

/// On an answer whose operation says more than the pattern of its path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RouteLabel(pub(crate) &'static str);

/// What no route has taken; paths from outside are no labels.
const NO_ROUTE: &str = "none";

pub(crate) async fn count(State(metrics): State<HttpMetrics>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let by_path = || matched.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
    let route = response.extensions().get::<RouteLabel>().map_or_else(by_path, |label| label.0);
    metrics.add(route, response.status(), begun.elapsed());
    response
}

impl HttpMetrics {
    fn add(&self, route: &str, status: StatusCode, latency: Duration) {
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        if !routes.contains_key(route) {
            routes.insert(route.to_owned(), Route::new());
        }
        let Some(counted) = routes.get_mut(route) else { return };
        *counted.statuses.entry(status.as_u16()).or_default() += 1;
        counted.latencies.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
        counted.total += latency;
    }

    pub fn metrics(&self) -> Vec<Metric> {
        let routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sorted: Vec<(&String, &Route)> = routes.iter().collect();
        sorted.sort_by_key(|(path, _)| *path);
        let mut metrics = Vec::new();
        for (path, route) in &sorted {
            metrics.extend(of_route(path, route));
        }
        for language in ["sql", "promql"] {
            let asked = sorted.iter().filter(|(path, _)| language_of(path) == Some(language));
            metrics.extend(of_language(language, asked.map(|(_, route)| *route)));
        }
        metrics
    }
}

fn of_route(path: &str, route: &Route) -> Vec<Metric> {
    let mut metrics = Vec::new();
    for (status, count) in &route.statuses {
        let metric = Metric::counter("culprit_web_requests_total", "Requests answered.", *count);
        metrics.push(metric.label("route", path).label("status", status.to_string()));
    }
    for (quantile, share) in [("0.5", 0.5), ("0.95", 0.95), ("0.99", 0.99)] {
        let seconds = route.latencies.value_at_quantile(share) as f64 / 1e6;
        let metric = Metric::gauge("culprit_web_request_seconds", "Time to the first byte, since the start.", seconds);
        metrics.push(metric.label("route", path).label("quantile", quantile));
    }
    let count = Metric::counter("culprit_web_request_seconds_count", "Requests timed.", route.latencies.len());
    metrics.push(count.label("route", path));
    metrics
        .push(seconds("culprit_web_request_seconds_sum", "Time to the first byte.", route.total).label("route", path));
    metrics
}

/// Rules and dashboards' own checks do not pass here: these are the queries that somebody waits for.
fn language_of(path: &str) -> Option<&'static str> {
    match path {
        "/api/sql" | "/api/search" => Some("sql"),
        _ if path.ends_with("/v1/query") || path.ends_with("/v1/query_range") => Some("promql"),
        _ => None,
    }
}

fn of_language<'a>(language: &'static str, routes: impl Iterator<Item = &'a Route>) -> [Metric; 3] {
    let (mut requests, mut failures, mut total) = (0, 0, Duration::ZERO);
    for route in routes {
        requests += route.latencies.len();
        failures += route.failures();
        total += route.total;
    }
    [
        Metric::counter("culprit_query_requests_total", "Queries over HTTP.", requests).label("language", language),
        Metric::counter("culprit_query_failures_total", "Queries refused or failed.", failures)
            .label("language", language),
        seconds("culprit_query_seconds_total", "Time spent on queries.", total).label("language", language),
    ]
}

fn seconds(name: &'static str, help: &'static str, total: Duration) -> Metric {
    Metric { value: total.as_secs_f64(), ..Metric::counter(name, help, 0) }
}

/// `GET /metrics`, the text format of Prometheus.
pub(crate) async fn metrics(State(app): State<App>, principal: Principal) -> Result<Response, ApiError> {
    principal.check_server(Right::Read)?;
    let text = exposition(&(app.self_metrics)());
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}

/// All samples of a name stand together under its help and type.
fn exposition(metrics: &[Metric]) -> String {
    let mut families: BTreeMap<&str, Vec<&Metric>> = BTreeMap::new();
    for metric in metrics {
        families.entry(metric.name).or_default().push(metric);
    }
    let mut text = String::new();
    for (name, samples) in families {
        let kind = match samples[0].kind {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
        };
        text.push_str(&format!("# HELP {name} {}\n# TYPE {name} {kind}\n", escaped(samples[0].help)));
        for sample in samples {
            text.push_str(&format!("{name}{} {}\n", label_text(sample), float(sample.value)));
        }
    }
    text
}

fn label_text(metric: &Metric) -> String {
    if metric.labels.is_empty() {
        return String::new();
    }
    let labels = metric.labels.iter();
    let labels: Vec<String> =
        labels.map(|(name, value)| format!("{name}=\"{}\"", escaped(value).replace('"', "\\\""))).collect();
    format!("{{{}}}", labels.join(","))
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn the_text_format() {
        let metrics = [
            Metric::counter("b_total", "Back\\slash.", 3).label("path", "a\"b\\c\nd"),
            Metric::gauge("a", "First.", f64::INFINITY),
            Metric::counter("b_total", "Back\\slash.", 1_000_000).label("path", "x").label("status", "200"),
        ];
        expect![[r#"
            # HELP a First.
            # TYPE a gauge
            a +Inf
            # HELP b_total Back\\slash.
            # TYPE b_total counter
            b_total{path="a\"b\\c\nd"} 3
            b_total{path="x",status="200"} 1000000
        "#]]
        .assert_eq(&exposition(&metrics));
    }

    #[test]
    fn requests_are_counted_by_route_status_and_language() {
        let metrics = HttpMetrics::default();
        for (millis, status) in [(10, 200), (20, 200), (1_000, 400), (u64::MAX / 1_000_000, 500)] {
            let status = StatusCode::from_u16(status).unwrap();
            metrics.add("/api/sql", status, Duration::from_millis(millis));
        }
        metrics.add("/prometheus/{project}/{store}/api/v1/query", StatusCode::OK, Duration::from_millis(5));
        let all = metrics.metrics();
        let value = |name: &str, label: (&'static str, &str)| {
            let wanted = (label.0, label.1.to_owned());
            let found: Vec<f64> =
                all.iter().filter(|m| m.name == name && m.labels.contains(&wanted)).map(|m| m.value).collect();
            assert_eq!(found.len(), 1, "{name} {label:?}");
            found[0]
        };
        assert_eq!(value("culprit_web_requests_total", ("status", "400")), 1.0);
        assert_eq!(value("culprit_query_requests_total", ("language", "sql")), 4.0);
        assert_eq!(value("culprit_query_failures_total", ("language", "sql")), 2.0);
        assert_eq!(value("culprit_query_requests_total", ("language", "promql")), 1.0);
        assert_eq!(value("culprit_web_request_seconds_count", ("route", "/api/sql")), 4.0);
        let median = all.iter().find(|m| m.name == "culprit_web_request_seconds").unwrap().value;
        assert!((median - 0.020).abs() < 0.001, "{median}");
    }
}
