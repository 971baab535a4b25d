//! `culprit promql`: a query at one time or over a range, and `promql test` for scripts.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use culprit_query::promql::run_script;
use reqwest::Method;
use serde_json::{Value, json};

use crate::error::CliError;
use crate::output::{Output, say};
use crate::remote::ServerArgs;

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  culprit promql 'sum by (service) (rate(shop_requests_total[5m]))'
  culprit promql up --project system
  culprit promql 'rate(up[1m])' --start 2026-01-01T00:00:00Z --end 2026-01-01T01:00:00Z --step 1m
  culprit promql test functions.test"
)]
pub(crate) struct PromqlArgs {
    #[command(subcommand)]
    command: Option<PromqlCommand>,
    /// The query
    query: Option<String>,
    #[arg(long, default_value = "default")]
    project: String,
    #[arg(long, default_value = "metrics")]
    store: String,
    /// Evaluate at this time: RFC 3339 or seconds since the epoch; now by default
    #[arg(long)]
    time: Option<String>,
    /// Begin of a range
    #[arg(long, requires = "end")]
    start: Option<String>,
    /// End of a range
    #[arg(long, requires = "start")]
    end: Option<String>,
    /// Step of a range, as 30s
    #[arg(long, default_value = "1m")]
    step: String,
    #[arg(long, value_enum, default_value = "table")]
    output: Output,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Debug, Subcommand)]
enum PromqlCommand {
    /// Run scripts in Prometheus' test language; exits with 1 on a failure
    Test {
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        #[arg(long, value_enum, default_value = "table")]
        output: Output,
    },
}

pub(crate) async fn run(args: PromqlArgs) -> Result<ExitCode, CliError> {
    match args.command {
        Some(PromqlCommand::Test { files, output }) => test(files, output).await,
        None => query(args).await.map(|()| ExitCode::SUCCESS),
    }
}

async fn test(files: Vec<PathBuf>, output: Output) -> Result<ExitCode, CliError> {
    let mut reports = Vec::new();
    let mut failed = 0;
    for path in files {
        let text = std::fs::read_to_string(&path).map_err(CliError::io("read", &path))?;
        let report = run_script(&text).await;
        failed += report.failed;
        if output == Output::Table {
            say(format_args!("{}: {} passed, {} failed", path.display(), report.passed, report.failed))?;
            for failure in &report.failures {
                say(format_args!("  {}:{}: {}: {}", path.display(), failure.line, failure.query, failure.why))?;
            }
        }
        reports.push(json!({
            "file": path.display().to_string(), "passed": report.passed, "failed": report.failed,
            "failures": report.failures,
        }));
    }
    if output != Output::Table {
        say(json!({ "files": reports }))?;
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn query(args: PromqlArgs) -> Result<(), CliError> {
    let bad =
        |why: &str| CliError::BadArgument { what: "command line", text: "promql".to_owned(), why: why.to_owned() };
    let query = args.query.ok_or_else(|| bad("a query is missing; see culprit promql --help"))?;
    let server = args.server.connect()?;
    let mut form = vec![("query", query)];
    let route = match (args.start, args.end) {
        (Some(start), Some(end)) => {
            form.extend([("start", start), ("end", end), ("step", args.step)]);
            "query_range"
        }
        _ => {
            form.extend(args.time.map(|time| ("time", time)));
            "query"
        }
    };
    let request =
        server.request(Method::GET, &["prometheus", &args.project, &args.store, "api", "v1", route]).query(&form);
    let answer: Value = server.json(request).await?;
    match args.output {
        Output::Json => say(&answer["data"]),
        Output::Csv | Output::Table => print(&answer["data"], args.output),
    }
}

/// A line for each sample: labels, time, value.
fn print(data: &Value, output: Output) -> Result<(), CliError> {
    let separator = if output == Output::Csv { "," } else { "  " };
    let Some(series) = data["result"].as_array().filter(|_| data["resultType"] != "scalar") else {
        return say(data["result"][1].as_str().unwrap_or_default());
    };
    for one in series {
        let labels = label_text(&one["metric"], output);
        let samples = one["values"].as_array().cloned().unwrap_or_else(|| vec![one["value"].clone()]);
        for sample in samples {
            let value = sample[1].as_str().unwrap_or_default();
            say(format_args!("{labels}{separator}{}{separator}{value}", sample[0]))?;
        }
    }
    Ok(())
}

fn label_text(metric: &Value, output: Output) -> String {
    let labels = metric.as_object().into_iter().flatten();
    let name = metric["__name__"].as_str().unwrap_or_default();
    let pairs: Vec<String> =
        labels.filter(|(label, _)| *label != "__name__").map(|(label, value)| format!("{label}={value}")).collect();
    let text = format!("{name}{{{}}}", pairs.join(", "));
    if output == Output::Csv { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}
