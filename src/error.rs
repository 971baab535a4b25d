//! What a command can end with: one line that names the thing, the value and what to do.

use std::net::SocketAddr;
use std::path::PathBuf;

use culprit_alerting::AlertingError;
use culprit_dashboards::DashboardError;
use culprit_query::QueryError;
use culprit_rca::RcaError;
use culprit_store::StoreError;

use crate::import::ImportError;

#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error("configuration: {0}")]
    Config(String),
    #[error("cannot listen on {address}: {source}; another program may have it, choose another with --http")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error(
        "{address} can be reached from other machines and this server has no access keys; give it an administrator with CULPRIT_ADMIN_KEY=ID:SECRET, or listen on 127.0.0.1"
    )]
    NotLoopback { address: SocketAddr },
    #[error("cannot {action} {path}: {source}")]
    Io { action: &'static str, path: PathBuf, source: std::io::Error },
    #[error("cannot reach {server}: {cause}; is `culprit serve` running? set --server or CULPRIT_URL")]
    Unreachable { server: String, cause: String },
    #[error("{message}")]
    Refused { message: String },
    #[error("{server} answered what this version does not understand: {why}")]
    BadAnswer { server: String, why: String },
    #[error("{what} {text:?} is not valid: {why}")]
    BadArgument { what: &'static str, text: String, why: String },
    #[error("cannot write to the terminal: {0}")]
    Output(#[from] std::io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error(transparent)]
    Rca(#[from] RcaError),
    #[error(transparent)]
    Alerting(#[from] AlertingError),
    #[error(transparent)]
    Dashboard(#[from] DashboardError),
    #[error(transparent)]
    Import(#[from] ImportError),
    #[error("cannot show the answer: {0}")]
    Arrow(#[from] arrow::error::ArrowError),
}

impl CliError {
    /// Whoever read the output has read enough, as `head` does.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(source) if source.kind() == std::io::ErrorKind::BrokenPipe)
    }

    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
