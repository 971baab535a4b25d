//! The SLS API: the log service's own protocol, for its clients as they are, with nothing but another endpoint.
//!
//! - `operation` reads what a request asks for, `host` for which project; [`enter`] checks it in one order for all operations and gives it to the
//!   file of its group.
//! - The order: operation known, signature of the headers, right, project, project quota by the size that is declared, body, its digest; then the
//!   operation looks at its store, its shard and at what is inside the body.
//! - A [`Call`] is a request that has passed all of this but its body. A `Reply` is a success, an `SlsError` anything else: a code of the table in
//!   `error` and a sentence.
//! - `faults` is the one table from the crates' errors to those codes.
//!
//! Every answer is one of these, for unknown paths, wrong methods and our own defects too.

mod call;
mod definition;
mod error;
mod faults;
mod fields;
mod groups;
mod host;
mod index;
mod logs;
mod logstores;
mod operation;
mod projects;
mod pull;
mod put;
mod reply;
mod shards;
mod substores;
mod track;
mod views;

use std::panic::AssertUnwindSafe;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use axum::routing::{MethodRouter, any};
use culprit_store::ProjectName;
use futures::FutureExt;

use crate::body;
use crate::params::Params;
use crate::router::App;
use crate::telemetry::RouteLabel;
use call::Call;
use error::{Code, SlsError};
use operation::{Operation, Placing, StoreAct, Substore, ViewAct};
use reply::Reply;

pub(crate) use track::is_path as is_tracking_path;

/// Any other path that a client of this API asks for comes in by [`divert`] or the router's fallbacks.
pub(crate) fn routes() -> Vec<(&'static str, MethodRouter<App>)> {
    let paths = ["/logs", "/logstores", "/logstores/{*rest}", "/storeviews", "/storeviews/{*rest}"];
    paths.into_iter().map(|path| (path, any(enter))).collect()
}

/// Whether a request that could be anybody's is one of this API.
pub(crate) fn is_meant(headers: &HeaderMap) -> bool {
    let is_signed = headers.get(header::AUTHORIZATION).is_some_and(|value| {
        let scheme = value.as_bytes().split(|b| *b == b' ').next();
        scheme.is_some_and(|scheme| scheme == b"LOG" || scheme.starts_with(b"SLS4-"))
    });
    is_signed || headers.keys().any(|name| name.as_str().starts_with("x-log-"))
}

/// Stands before the addresses that this API shares with others: `/`, which also has the version document, and a metricstore's remote write, where
/// some agents send LogGroups.
pub(crate) async fn divert(state: State<App>, request: Request, next: Next) -> Response {
    let (method, path, is_ours) = (request.method(), request.uri().path(), is_meant(request.headers()));
    if path == "/" && (is_ours || !matches!(*method, Method::GET | Method::HEAD)) {
        return enter(state, request).await;
    }
    if *method == Method::POST
        && is_ours
        && let Some((project, store)) = metricstore(path)
    {
        let (project, store) = (project.to_owned(), store.to_owned());
        return write_metrics(&state.0, &project, store, request).await;
    }
    next.run(request).await
}

/// Names as they stand in the path: those that need percent signs are no names.
fn metricstore(path: &str) -> Option<(&str, &str)> {
    let (project, rest) = path.strip_prefix("/prometheus/")?.split_once('/')?;
    let store = rest.strip_suffix("/api/v1/write")?;
    (!store.contains('/')).then_some((project, store))
}

pub(crate) async fn enter(State(app): State<App>, request: Request) -> Response {
    if track::is_preflight(request.method(), request.uri()) {
        return track::preflight();
    }
    let (parts, body) = request.into_parts();
    let asked = Asked::read(&app, &parts);
    serve(&app, &parts, body, asked).await
}

async fn write_metrics(app: &App, project: &str, store: String, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let operation = Operation::Store { name: store, act: StoreAct::PutLogs(Placing::Balanced) };
    let params = Params::of_uri(&parts.uri).map_err(SlsError::parameter);
    let project = ProjectName::parse(project).map_err(SlsError::parameter);
    let asked = params.and_then(|params| Ok(Asked { operation, params, project: Some(project?) }));
    serve(app, &parts, body, asked).await
}

/// What a request wants, before it is known whether it may.
struct Asked {
    operation: Operation,
    params: Params,
    project: Option<ProjectName>,
}

impl Asked {
    fn read(app: &App, parts: &Parts) -> Result<Self, SlsError> {
        let params = Params::of_uri(&parts.uri).map_err(SlsError::parameter)?;
        let operation = Operation::parse(&parts.method, parts.uri.path(), &params)?;
        let project = host::project(parts, &app.sls_hosts)?;
        let operation = match operation {
            Operation::GetProject if project.is_none() => Operation::ListProjects,
            other => other,
        };
        Ok(Self { operation, params, project })
    }
}

async fn serve(app: &App, parts: &Parts, mut body: Body, asked: Result<Asked, SlsError>) -> Response {
    let label = asked.as_ref().map_or("unknown operation", |asked| asked.operation.name());
    let is_tracking = asked.as_ref().is_ok_and(|asked| asked.operation.is_tracking());
    let outcome = match asked {
        Ok(asked) => guarded(answer(app, parts, &mut body, asked)).await,
        Err(error) => Err(error),
    };
    // A client that is still sending would see a closed connection in place of the reason.
    if outcome.is_err() {
        body::drain(body).await;
    }
    let mut response = reply::finish(outcome, app.storage.clock().now());
    response.extensions_mut().insert(RouteLabel(label));
    if is_tracking {
        // Pages of any site may write there: it is what the store's owner has switched on.
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
    response
}

/// A defect of ours in one request is that request's answer, and a line for the operator.
async fn guarded(answer: impl Future<Output = Result<Reply, SlsError>>) -> Result<Reply, SlsError> {
    AssertUnwindSafe(answer).catch_unwind().await.unwrap_or_else(|_| {
        Err(SlsError::new(Code::InternalServerError, "the request met a defect of the server; its log says more"))
    })
}

async fn answer(app: &App, parts: &Parts, body: &mut Body, asked: Asked) -> Result<Reply, SlsError> {
    let Asked { operation, params, project } = asked;
    let mut call = Call::new(app, parts, body, params, project);
    call.check(&operation)?;
    match operation {
        Operation::ListProjects => projects::list(&call),
        Operation::CreateProject => projects::create(&mut call).await,
        Operation::GetProject => projects::get(&call),
        Operation::UpdateProject => projects::update(&mut call).await,
        Operation::DeleteProject => projects::delete(&mut call).await,
        Operation::ListLogstores => logstores::list(&call),
        Operation::CreateLogstore => logstores::create(&mut call).await,
        Operation::ListViews => views::list(&call),
        Operation::CreateView => views::create(&mut call).await,
        Operation::View { name, act } => match act {
            ViewAct::Get => views::get(&call, &name),
            ViewAct::Update => views::update(&mut call, &name).await,
            ViewAct::Delete => views::delete(&mut call, &name).await,
        },
        Operation::ProjectLogs => logs::of_project(&mut call).await,
        Operation::Store { name, act } => with_store(&mut call, &name, act).await,
    }
}

async fn with_store(call: &mut Call<'_>, name: &str, act: StoreAct) -> Result<Reply, SlsError> {
    match act {
        StoreAct::Get => logstores::get(call, name),
        StoreAct::Update => logstores::update(call, name).await,
        StoreAct::Delete => logstores::delete(call, name).await,
        StoreAct::PutLogs(placing) => put::logs(call, name, placing).await,
        StoreAct::Track => track::track(call, name).await,
        StoreAct::ListShards => shards::list(call, name),
        StoreAct::SplitShard(shard) => shards::split(call, name, shard).await,
        StoreAct::MergeShards(shard) => shards::merge(call, name, shard).await,
        StoreAct::DeleteShard(shard) => shards::delete(call, name, shard).await,
        StoreAct::GetCursor(shard) => pull::cursor(call, name, shard).await,
        StoreAct::GetCursorTime(shard) => pull::cursor_time(call, name, shard).await,
        StoreAct::PullLogs(shard) => pull::logs(call, name, shard).await,
        StoreAct::ListGroups => groups::list(call, name).await,
        StoreAct::CreateGroup => groups::create(call, name).await,
        StoreAct::UpdateGroup(group) => groups::update(call, name, &group).await,
        StoreAct::DeleteGroup(group) => groups::delete(call, name, &group).await,
        StoreAct::Heartbeat(group) => groups::heartbeat(call, name, &group).await,
        StoreAct::PutCheckpoint(group) => groups::checkpoint(call, name, &group).await,
        StoreAct::GetCheckpoints(group) => groups::checkpoints(call, name, &group).await,
        StoreAct::CreateIndex => index::create(call, name).await,
        StoreAct::UpdateIndex => index::update(call, name).await,
        StoreAct::GetIndex => index::get(call, name),
        StoreAct::DeleteIndex => index::delete(call, name).await,
        StoreAct::GetLogs => logs::by_body(call, name).await,
        StoreAct::GetLogsOld => logs::by_parameters(call, name).await,
        StoreAct::GetHistograms => logs::histogram(call, name).await,
        StoreAct::GetContextLogs => logs::context(call, name).await,
        StoreAct::ListTopics => logs::topics(call, name).await,
        StoreAct::Substore(Substore::Create) => substores::create(call, name).await,
        StoreAct::Substore(Substore::PutTtl) => substores::put_ttl(call, name).await,
        StoreAct::Substore(act) => substores::answer(call, name, act),
    }
}
