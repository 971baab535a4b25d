//! Where a command looks: a project, and a range of time.

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct ScopeArgs {
    /// The project of the stores that are named
    #[arg(long, default_value = "default")]
    pub(crate) project: String,
    /// Rows of stores from this time on: RFC 3339 or a number since the epoch
    #[arg(long)]
    pub(crate) from: Option<String>,
    /// Rows before this time
    #[arg(long)]
    pub(crate) to: Option<String>,
}
