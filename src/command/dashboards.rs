//! `culprit dashboards`: what of a Grafana dashboard would be shown, and bringing it in.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use crate::error::CliError;
use crate::output::{Output, say};
use crate::remote::ServerArgs;

#[derive(Debug, Args)]
pub(crate) struct DashboardsArgs {
    #[command(subcommand)]
    command: DashboardsCommand,
}

#[derive(Debug, Subcommand)]
enum DashboardsCommand {
    /// Say of each panel whether it is shown in full, in part or not; exits with 1 on a file that is no dashboard
    Check {
        #[arg(required = true, value_name = "FILE|DIR")]
        paths: Vec<PathBuf>,
        #[arg(long, value_enum, default_value = "table")]
        output: Output,
    },
    /// Bring Grafana JSON files into the server
    Import {
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// List what the server has
    List {
        #[command(flatten)]
        server: ServerArgs,
    },
}

pub(crate) async fn run(args: DashboardsArgs) -> Result<ExitCode, CliError> {
    match args.command {
        DashboardsCommand::Check { paths, output } => check(&paths, output),
        DashboardsCommand::Import { files, server } => {
            let server = server.connect()?;
            for path in &files {
                let body = read(path)?;
                let request = server
                    .request(Method::POST, &["api", "dashboards", "import"])
                    .header("content-type", "application/json")
                    .body(body);
                let answer: Value = server.json(request).await?;
                let report = &answer["report"];
                let title = answer["title"].as_str().unwrap_or_default();
                let uid = answer["uid"].as_str().unwrap_or_default();
                let counts = format!("{} full, {} partial, {} none", report["full"], report["partial"], report["none"]);
                say(format_args!("{}: {title} ({counts}), /ui/dashboards/{uid}", path.display()))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        DashboardsCommand::List { server } => {
            let server = server.connect()?;
            let answer: Value = server.json(server.request(Method::GET, &["api", "dashboards"])).await?;
            for board in answer["dashboards"].as_array().into_iter().flatten() {
                let text = |key: &str| board[key].as_str().unwrap_or_default().to_owned();
                say(format_args!("{:<36} {}", text("uid"), text("title")))?;
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn check(paths: &[PathBuf], output: Output) -> Result<ExitCode, CliError> {
    let mut reports = Vec::new();
    let mut good = true;
    for path in files_of(paths)? {
        let file = path.display().to_string();
        match culprit_dashboards::check(&read(&path)?) {
            Ok(report) => {
                if output == Output::Table {
                    say(format_args!(
                        "{file}: {}: {} full, {} partial, {} none",
                        report.title, report.counts.full, report.counts.partial, report.counts.none
                    ))?;
                    for panel in report.panels.iter().filter(|panel| !panel.missing.is_empty()) {
                        let support = json!(panel.support);
                        let support = support.as_str().unwrap_or_default();
                        say(format_args!("  {} ({support}): {}", panel.title, panel.missing.join("; ")))?;
                    }
                }
                reports.push(json!({ "file": file, "report": report }));
            }
            Err(error) => {
                good = false;
                if output == Output::Table {
                    say(format_args!("{file}: {error}"))?;
                }
                reports.push(json!({ "file": file, "error": error.to_string() }));
            }
        }
    }
    if output != Output::Table {
        say(json!({ "dashboards": reports }))?;
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Files as given, and the `.json` files of folders.
fn files_of(paths: &[PathBuf]) -> Result<Vec<PathBuf>, CliError> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let mut inside = Vec::new();
        for entry in std::fs::read_dir(path).map_err(CliError::io("list", path))? {
            let entry = entry.map_err(CliError::io("list", path))?.path();
            if entry.extension().is_some_and(|extension| extension == "json") {
                inside.push(entry);
            }
        }
        inside.sort();
        files.append(&mut inside);
    }
    Ok(files)
}

fn read(path: &Path) -> Result<String, CliError> {
    std::fs::read_to_string(path).map_err(CliError::io("read", path))
}
