//! What the server says of itself: its version, and whether it is alive and ready.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;

use crate::error::ApiError;
use crate::router::App;

pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// People go to the console, programs get the version.
pub(crate) async fn root(headers: HeaderMap) -> Response {
    let wants_html = headers.get_all(header::ACCEPT).iter().any(|accept| accept.as_bytes().starts_with(b"text/html"));
    if wants_html {
        return Redirect::temporary("/ui/").into_response();
    }
    Json(json!({ "name": "culprit", "version": VERSION, "console": "/ui/", "routes": "/openapi.json" })).into_response()
}

/// The process answers.
pub(crate) async fn healthz() -> &'static str {
    "ok\n"
}

/// The catalog answers too.
pub(crate) async fn readyz(State(app): State<App>) -> Result<&'static str, ApiError> {
    app.storage.check().await?;
    Ok("ready\n")
}
