//! `culprit explain`: which dimension values set the rows of a predicate apart, in files or in a server's store.

mod progress;
mod table;

use std::time::Duration;

use clap::Args;
use culprit_alerting::parse_duration;
use culprit_query::{FileSql, is_file_name};
use culprit_rca::{Agg, Measure, Options, Question, Report, explain_files};
use reqwest::Method;
use serde_json::json;

use table::{Bars, table};

use super::scope::ScopeArgs;
use crate::error::CliError;
use crate::output::{Output, say};
use crate::remote::ServerArgs;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  culprit explain web --where 'status = 404'
  culprit explain requests.parquet --where 'status >= 500' --dimensions service,version,customer_id
  culprit explain shop --where 'latency_ms > 1000' --baseline 'latency_ms < 100' --output json
  culprit explain requests.parquet --measure latency_ms --agg p99
  culprit explain viewers.csv --where 'minute = 7' --baseline 'minute < 7' --measure stalled --agg ratio:viewers
  culprit explain sales.csv --measure real --expected predicted")]
pub(crate) struct ExplainArgs {
    /// Files (Parquet, CSV, NDJSON), or one store of a server
    #[arg(required = true, value_name = "FILE|STORE")]
    sources: Vec<String>,
    /// SQL predicate of the anomalous rows; with a measure, all rows by default
    #[arg(long = "where", value_name = "PREDICATE", required_unless_present = "measure")]
    predicate: Option<String>,
    /// SQL predicate of the normal rows; by default all others
    #[arg(long, value_name = "PREDICATE")]
    baseline: Option<String>,
    /// The number to explain, instead of why rows are anomalous
    #[arg(long, value_name = "COLUMN")]
    measure: Option<String>,
    /// sum, avg, ratio:COLUMN or a percentile such as p99; by default sum with --expected, avg without
    #[arg(long, value_name = "AGGREGATE", requires = "measure")]
    agg: Option<Agg>,
    /// The column that says what the measure should have been
    #[arg(long, value_name = "COLUMN", requires = "measure")]
    expected: Option<String>,
    /// The columns to search, separated by commas; by default chosen by what they hold
    #[arg(long, value_delimiter = ',', value_name = "COLUMNS")]
    dimensions: Option<Vec<String>>,
    /// Values that one explanation may combine; by default 3, and 5 with --expected
    #[arg(long)]
    max_order: Option<usize>,
    /// The column whose equal rows are not independent; by default a trace or request id
    #[arg(long, value_name = "COLUMN")]
    unit: Option<String>,
    /// Time for the search; what was not reached is said
    #[arg(long, default_value = "10s")]
    budget: String,
    #[command(flatten)]
    scope: ScopeArgs,
    #[arg(long, value_enum, default_value = "table")]
    output: Output,
    #[command(flatten)]
    server: ServerArgs,
}

pub(crate) async fn run(args: ExplainArgs) -> Result<(), CliError> {
    let budget = parse_duration(&args.budget).map_err(|error| CliError::BadArgument {
        what: "budget",
        text: args.budget.clone(),
        why: error.to_string(),
    })?;
    let report = match args.sources.as_slice() {
        [store] if !is_file_name(store) => of_store(&args, store, budget).await?,
        files => of_files(&args, files, budget).await?,
    };
    match args.output {
        Output::Json => say(serde_json::to_string_pretty(&report).expect("a report is JSON")),
        Output::Csv => csv(&report),
        Output::Table => say(table(&report, Bars::of_terminal()).trim_end()),
    }
}

async fn of_files(args: &ExplainArgs, files: &[String], budget: Duration) -> Result<Report, CliError> {
    let measure = args.measure.as_ref().map(|column| Measure::new(column, args.agg.clone(), args.expected.clone()));
    let default_order = measure.as_ref().map_or(Options::default().max_order, Measure::default_order);
    let options = Options {
        dimensions: args.dimensions.clone(),
        max_order: args.max_order.unwrap_or(default_order),
        unit: args.unit.clone(),
        ..Options::default()
    };
    let question = Question {
        predicate: args.predicate.clone(),
        baseline: args.baseline.clone(),
        noun: None,
        measure,
        options,
        budget: Some(budget),
    };
    Ok(explain_files(&FileSql::new(), files, &question).await?)
}

async fn of_store(args: &ExplainArgs, store: &str, budget: Duration) -> Result<Report, CliError> {
    let server = args.server.connect()?;
    let body = json!({
        "project": args.scope.project, "store": store, "where": args.predicate, "baseline": args.baseline,
        "from": args.scope.from, "to": args.scope.to, "dimensions": args.dimensions, "max_order": args.max_order,
        "unit": args.unit, "measure": args.measure, "agg": args.agg.as_ref().map(Agg::to_string), "expected": args.expected,
        "budget_ms": u64::try_from(budget.as_millis()).unwrap_or(u64::MAX),
    });
    let request = server.request(Method::POST, &["api", "explain"]).json(&body);
    match progress::is_wanted() {
        true => progress::streamed(&server, request).await,
        false => server.json(request).await,
    }
}

fn csv(report: &Report) -> Result<(), CliError> {
    say("items,rows_a,rows_b,support_a,support_b,q_value,value_a,value_b,contribution")?;
    for explanation in &report.explanations {
        let e = &explanation.evidence;
        let items = e.condition().replace('"', "\"\"");
        let [value_a, value_b, contribution] = [e.value_a, e.value_b, e.contribution]
            .map(|value| value.map_or_else(String::new, |value| value.to_string()));
        say(format_args!(
            "\"{items}\",{},{},{},{},{},{value_a},{value_b},{contribution}",
            e.rows_a, e.rows_b, e.support_a, e.support_b, e.q_value
        ))?;
    }
    Ok(())
}
