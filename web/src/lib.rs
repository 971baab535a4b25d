//! HTTP: every route of the server, and the console.
//!
//! - [`Services`] are the parts of the house that the routes speak to; [`router`] makes one axum router of them, [`serve`]
//!   runs it until it is told to stop.
//! - One file per group of routes. A handler reads the request, asks one service, and writes the answer; it decides
//!   nothing about data.
//! - `error.rs` is the one table from the crates' errors to a status; `limits.rs` holds every bound.
//! - [`HttpMetrics`] counts the requests and their latencies by route.
//!
//! Only this crate knows HTTP. It keeps no state of its own but those counters.

mod about;
mod alerts;
mod auth;
mod body;
mod console;
mod dashboards;
mod error;
mod explain;
mod fanout;
mod groups;
mod ingest;
mod investigate;
mod keys;
mod limits;
mod openapi;
mod origin;
mod params;
mod prometheus;
mod quota;
mod router;
mod search;
mod server;
mod sls;
mod sql;
mod stores;
mod tail;
mod telemetry;
mod time;

pub use auth::Access;
pub use router::{Services, router};
pub use server::serve;
pub use telemetry::HttpMetrics;
