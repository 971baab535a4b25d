//! The binary: command line, configuration, wiring, shutdown. It knows every crate; none knows it.

mod command;
mod config;
mod demo;
mod error;
mod import;
mod inspection;
mod investigation;
mod output;
mod quota_link;
mod remote;
mod scrape;
mod serve;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::error::CliError;

/// Logs, metrics and traces in one binary, and alerts that name their culprit.
#[derive(Parser)]
#[command(name = "culprit", version, max_term_width = 100, after_help = "Begin with: culprit demo")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server
    Serve(serve::ServeArgs),
    /// A simulated shop, an incident, and the alert that names its culprit
    Demo(demo::DemoArgs),
    /// Query stores of a server, or files
    Sql(command::sql::SqlArgs),
    /// Evaluate PromQL on a server, or run PromQL test scripts
    Promql(command::promql::PromqlArgs),
    /// Find rows by words and fields
    Search(command::search::SearchArgs),
    /// Print rows of a store as they come
    Tail(command::tail::TailArgs),
    /// Say which dimension values set some rows apart from the others
    Explain(command::explain::ExplainArgs),
    /// Group the lines of a file by what they say, with the values left out
    Patterns(command::patterns::PatternsArgs),
    /// Say what else moved when something broke, in a server's stores or in files of series
    Investigate(command::investigate::InvestigateArgs),
    /// Score each point of a series in a CSV file
    Anomalies(command::anomalies::AnomaliesArgs),
    /// Send files to a store
    Import(import::ImportArgs),
    /// Check alerting and recording rules
    Rules(command::rules::RulesArgs),
    /// Check and import Grafana dashboards
    Dashboards(command::dashboards::DashboardsArgs),
    /// Stores: list, create, delete, set how long they keep rows; access keys
    Admin(command::admin::AdminArgs),
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_env("CULPRIT_LOG").unwrap_or_else(|_| EnvFilter::new("warn,culprit=info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    match run(cli.command).await {
        Ok(code) => code,
        Err(error) if error.is_closed_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(&error);
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<ExitCode, CliError> {
    let done = |()| ExitCode::SUCCESS;
    match command {
        Command::Serve(args) => serve::run(args).await.map(done),
        Command::Demo(args) => demo::run(args).await,
        Command::Sql(args) => command::sql::run(args).await.map(done),
        Command::Promql(args) => command::promql::run(args).await,
        Command::Search(args) => command::search::run(args).await.map(done),
        Command::Tail(args) => command::tail::run(args).await.map(done),
        Command::Explain(args) => command::explain::run(args).await.map(done),
        Command::Patterns(args) => command::patterns::run(&args).map(done),
        Command::Investigate(args) => command::investigate::run(args).await.map(done),
        Command::Anomalies(args) => command::anomalies::run(&args).map(done),
        Command::Import(args) => Ok(import::run(args).await.map(done)?),
        Command::Rules(args) => command::rules::run(args),
        Command::Dashboards(args) => command::dashboards::run(args).await,
        Command::Admin(args) => command::admin::run(args).await.map(done),
    }
}
