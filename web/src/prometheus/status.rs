//! What clients ask for before they begin: the version, and kinds of data that are not kept here and so are empty.

use axum::Json;
use serde_json::{Value, json};

use super::Readable;
use crate::about::VERSION;

/// Go's words stay empty: Grafana reads the version alone.
pub(crate) async fn buildinfo(_readable: Readable) -> Json<Value> {
    let data = json!({
        "application": "culprit",
        "version": VERSION,
        "revision": "",
        "branch": "",
        "buildUser": "",
        "buildDate": "",
        "goVersion": "",
    });
    Json(json!({ "status": "success", "data": data }))
}

pub(crate) async fn metadata(_readable: Readable) -> Json<Value> {
    Json(json!({ "status": "success", "data": {} }))
}

pub(crate) async fn exemplars(_readable: Readable) -> Json<Value> {
    Json(json!({ "status": "success", "data": [] }))
}
