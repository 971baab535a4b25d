//! Dashboards: what they are here, how Grafana's become such, and where they are kept.
//!
//! - [`model::Dashboard`] is everything that the console draws: panels with their place, queries, units, colours, and variables.
//! - [`import`] makes one out of Grafana's JSON of any classic schema and names, panel by panel, what it did not
//!   understand; [`check`] gives that as a [`Report`] alone.
//! - The [`Shelf`] lists, gives, imports and deletes the dashboards of a project; the built-in ones stand on it too.
//!
//! An imported dashboard is kept as the JSON that came in, and read anew each time: an export gives back the same bytes,
//! and a later version of the importer understands more of it. This crate runs no query and knows no HTTP; variables and
//! `$__rate_interval` get their values in the console.

mod error;
mod grafana;
mod library;
pub mod limits;
pub mod model;
mod report;
mod shelf;

pub use error::DashboardError;
pub use grafana::import;
pub use library::built_in;
pub use report::{Counts, PanelReport, Report, check};
pub use shelf::{Shelf, Summary};
