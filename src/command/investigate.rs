//! `culprit investigate`: what else moved when something broke: around an incident or a window of a server's stores, or
//! among series in files.

use clap::Args;
use culprit_query::FileSql;
use culprit_rca::investigate::{
    Alarm, Calls, Direction, Investigation, Label, SeriesFiles, Suspect, SuspectReport, investigate_files,
};
use reqwest::Method;
use serde_json::json;

use super::scope::ScopeArgs;
use crate::error::CliError;
use crate::output::{Output, say};
use crate::remote::ServerArgs;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  culprit investigate --incident 0123456789abcdef
  culprit investigate --from 2026-01-31T12:00:00Z --to 2026-01-31T12:10:00Z --store shop --where 'status >= 500'
  culprit investigate metrics.csv --at 1681350548 --target node=PetSite,metric=latency --calls calls.csv --count metric=requests

Files have a column time, a column value, and labels; a point stands for the time from its own to the next.")]
pub(crate) struct InvestigateArgs {
    /// Files of series (CSV, Parquet, NDJSON); none: the stores of a server
    #[arg(value_name = "FILE")]
    files: Vec<String>,
    /// The incident of a server to investigate
    #[arg(long, conflicts_with = "files")]
    incident: Option<String>,
    /// The store whose rows are anomalous where `--where` holds
    #[arg(long, conflicts_with_all = ["files", "incident"])]
    store: Option<String>,
    /// SQL predicate of the anomalous rows
    #[arg(long = "where", value_name = "PREDICATE", requires = "store")]
    predicate: Option<String>,
    /// Recall the incidents of this rule
    #[arg(long, conflicts_with = "files")]
    rule: Option<String>,
    /// When the alarm was raised, for files: RFC 3339 or a number since the epoch
    #[arg(long, value_name = "TIME", requires = "files")]
    at: Option<String>,
    /// Labels of the series that raised the alarm; the first one names the node
    #[arg(long, value_delimiter = ',', value_name = "LABEL=VALUE", requires = "files")]
    target: Vec<String>,
    /// Labels of the series that count what the others are means over
    #[arg(long, value_delimiter = ',', value_name = "LABEL=VALUE", requires = "target")]
    count: Vec<String>,
    /// CSV of two columns, who calls whom
    #[arg(long, value_name = "FILE", requires = "target")]
    calls: Option<String>,
    /// Files with a calm time of the same series, from whenever
    #[arg(long, value_name = "FILE", requires = "files")]
    history: Vec<String>,
    /// Which way is bad; by default the way in which the target moved
    #[arg(long, value_enum, requires = "files")]
    worse: Option<Worse>,
    /// The column of the values
    #[arg(long, default_value = "value", value_name = "COLUMN")]
    value: String,
    #[command(flatten)]
    scope: ScopeArgs,
    #[arg(long, value_enum, default_value = "table")]
    output: Output,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Worse {
    Up,
    Down,
}

pub(crate) async fn run(args: InvestigateArgs) -> Result<(), CliError> {
    if args.files.is_empty() {
        let report = of_server(&args).await?;
        return match args.output {
            Output::Json => say(serde_json::to_string_pretty(&report).expect("a report is JSON")),
            Output::Csv => findings_csv(&report),
            Output::Table => print(&report),
        };
    }
    let report = of_files(&args).await?;
    match args.output {
        Output::Json => say(serde_json::to_string_pretty(&report).expect("a report is JSON")),
        Output::Csv => suspects_csv(&report),
        Output::Table => print_suspects(&report),
    }
}

async fn of_server(args: &InvestigateArgs) -> Result<Investigation, CliError> {
    let server = args.server.connect()?;
    let body = json!({
        "project": args.scope.project, "incident": args.incident, "store": args.store, "where": args.predicate,
        "rule": args.rule, "from": args.scope.from, "to": args.scope.to,
    });
    server.json(server.request(Method::POST, &["api", "investigate"]).json(&body)).await
}

async fn of_files(args: &InvestigateArgs) -> Result<SuspectReport, CliError> {
    let sql = FileSql::new();
    let at = args.at.as_deref().ok_or_else(|| bad("at", "", "files need the time of the alarm"))?;
    let files = SeriesFiles {
        files: args.files.clone(),
        history: args.history.clone(),
        value: args.value.clone(),
        at: time("at", at)?,
        to: args.scope.to.as_deref().map(|to| time("to", to)).transpose()?,
    };
    let (target, counts) = (labels("target", &args.target)?, labels("count", &args.count)?);
    let calls = match &args.calls {
        Some(file) => calls(&sql, file).await?,
        None => Calls::default(),
    };
    let direction = match args.worse {
        Some(Worse::Up) => Direction::Up,
        Some(Worse::Down) => Direction::Down,
        None => Direction::Either,
    };
    let alarm = |window| Alarm { window, target, counts, calls, direction };
    Ok(investigate_files(&sql, &files, alarm).await?)
}

fn bad(what: &'static str, text: &str, why: &str) -> CliError {
    CliError::BadArgument { what, text: text.to_owned(), why: why.to_owned() }
}

/// RFC 3339, or seconds, milli-, micro- or nanoseconds since the epoch by their magnitude.
fn time(what: &'static str, text: &str) -> Result<i64, CliError> {
    if let Ok(time) = chrono::DateTime::parse_from_rfc3339(text) {
        return time.timestamp_nanos_opt().ok_or_else(|| bad(what, text, "it is too far from today"));
    }
    let number: i64 = text.parse().map_err(|_| bad(what, text, "it is neither RFC 3339 nor a whole number"))?;
    let unit = match number.unsigned_abs() {
        ..100_000_000_000 => 1_000_000_000,
        100_000_000_000..100_000_000_000_000 => 1_000_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000,
        _ => 1,
    };
    number.checked_mul(unit).ok_or_else(|| bad(what, text, "it is too far from today"))
}

fn labels(what: &'static str, texts: &[String]) -> Result<Vec<Label>, CliError> {
    let label = |text: &String| match text.split_once('=') {
        Some((name, value)) => Ok(Label { name: name.to_owned(), value: value.to_owned() }),
        None => Err(bad(what, text, "it must be LABEL=VALUE")),
    };
    texts.iter().map(label).collect()
}

async fn calls(sql: &FileSql, file: &str) -> Result<Calls, CliError> {
    let query = format!("SELECT * FROM \"{}\"", file.replace('"', "\"\""));
    let mut pairs = Vec::new();
    for batch in sql.query(&query).await? {
        if batch.num_columns() != 2 {
            return Err(bad("calls", file, "it must have two columns, the caller and the callee"));
        }
        let text = |at: usize, row: usize| arrow::util::display::array_value_to_string(batch.column(at), row);
        for row in 0..batch.num_rows() {
            pairs.push((text(0, row)?, text(1, row)?));
        }
    }
    Ok(Calls::new(pairs))
}

fn print(report: &Investigation) -> Result<(), CliError> {
    say(&report.sentence)?;
    for (number, finding) in (1..).zip(&report.findings) {
        say(format_args!("{}{number}. {}", if number == 1 { "\n" } else { "" }, finding.sentence))?;
    }
    if !report.timeline.is_empty() {
        say("")?;
    }
    for moment in &report.timeline {
        say(format_args!("{}  {}", moment.at, moment.what))?;
    }
    say(format_args!("\nread: {}; {:.0} ms", report.looked_at.join(", "), report.elapsed_ms))?;
    for left_out in &report.left_out {
        say(format_args!("left out: {left_out}"))?;
    }
    Ok(())
}

fn print_suspects(report: &SuspectReport) -> Result<(), CliError> {
    /// Rows of the table below the significant ones.
    const BELOW: usize = 5;
    say(&report.sentence)?;
    say("")?;
    let significant = report.suspects.iter().filter(|suspect| suspect.significant).count();
    for (number, suspect) in (1..).zip(report.suspects.iter().take(significant + BELOW)) {
        let (name, mark) = (name(suspect), if suspect.significant { "" } else { "  (within chance)" });
        let Suspect { before, after, q_value, onset, .. } = suspect;
        say(format_args!("{number:>3}. {name}: {before:.4} -> {after:.4}, q {q_value:.2e}, from {onset}{mark}"))?;
    }
    say(format_args!("\n{} series, {} points, {:.0} ms", report.series, report.points, report.elapsed_ms))
}

fn name(suspect: &Suspect) -> String {
    suspect.labels.iter().map(|label| format!("{}={}", label.name, label.value)).collect::<Vec<_>>().join(" ")
}

fn findings_csv(report: &Investigation) -> Result<(), CliError> {
    say("rank,onset,q_value,score,sentence")?;
    for (number, finding) in (1..).zip(&report.findings) {
        let onset = finding.onset.as_deref().unwrap_or("");
        let q = finding.q_value.map(|q| q.to_string()).unwrap_or_default();
        let sentence = finding.sentence.replace('"', "\"\"");
        say(format_args!("{number},{onset},{q},{},\"{sentence}\"", finding.score))?;
    }
    Ok(())
}

fn suspects_csv(report: &SuspectReport) -> Result<(), CliError> {
    say("rank,series,before,after,excess,own_excess,onset,p_value,q_value,significant")?;
    for (number, suspect) in (1..).zip(&report.suspects) {
        let Suspect { before, after, excess, own_excess, onset, p_value, q_value, significant, .. } = suspect;
        let name = name(suspect).replace('"', "\"\"");
        say(format_args!(
            "{number},\"{name}\",{before},{after},{excess},{own_excess},{onset},{p_value},{q_value},{significant}"
        ))?;
    }
    Ok(())
}
