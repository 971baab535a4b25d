//! `culprit rules check`: what a server would say of these files, before it has them.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use culprit_alerting::check_rule_file;
use serde_json::json;

use crate::error::CliError;
use crate::output::{Output, say};

#[derive(Debug, Args)]
pub(crate) struct RulesArgs {
    #[command(subcommand)]
    command: RulesCommand,
}

#[derive(Debug, Subcommand)]
enum RulesCommand {
    /// Check rule files; exits with 1 on an error
    Check {
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        #[arg(long, value_enum, default_value = "table")]
        output: Output,
    },
}

pub(crate) fn run(args: RulesArgs) -> Result<ExitCode, CliError> {
    let RulesCommand::Check { files, output } = args.command;
    let mut reports = Vec::new();
    let mut good = true;
    for path in &files {
        let report = check_rule_file(path)?;
        good &= report.is_ok();
        if output == Output::Table {
            for line in report.rules.iter().chain(&report.errors) {
                say(line)?;
            }
        }
        reports.push(report);
    }
    if output != Output::Table {
        say(json!({ "files": reports }))?;
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
