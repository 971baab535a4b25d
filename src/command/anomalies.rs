//! `culprit anomalies`: a score for each point of a series in a file.

mod series;

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use culprit_rca::{Detector, Scored};
use serde_json::{Map, Value, json};

use self::series::{Point, read_series};
use crate::error::CliError;
use crate::output::{Output, say};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  culprit anomalies requests.csv
  culprit anomalies cpu.csv --output csv > scored.csv")]
pub(crate) struct AnomaliesArgs {
    /// A CSV file with a header, a column of times (`timestamp`, or the first) and one of numbers (`value`, or the next)
    #[arg(value_name = "FILE.csv")]
    file: PathBuf,
    /// A table shows the most anomalous points, JSON and CSV all of them
    #[arg(long, value_enum, default_value = "table")]
    output: Output,
}

/// Points that the table shows.
const SHOWN: usize = 20;
/// Cells of the longest bar.
const BAR: f64 = 20.0;

pub(crate) fn run(args: &AnomaliesArgs) -> Result<(), CliError> {
    let points = read_series(&args.file)?;
    let scored = scored(&points);
    match args.output {
        Output::Json => json_lines(&points, &scored),
        Output::Csv => csv(&points, &scored),
        Output::Table => table(&points, &scored),
    }
}

/// Scores by time; the answer has the order of the file.
fn scored(points: &[Point]) -> Vec<Scored> {
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by_key(|at| points[*at].time);
    let mut detector = Detector::new();
    let mut scored = vec![Scored { score: 0.0, expected: f64::NAN }; points.len()];
    for at in order {
        scored[at] = detector.observe(points[at].time, points[at].value);
    }
    scored
}

/// One point a line: a million of them is read by machines, and by people with `head`.
fn json_lines(points: &[Point], scored: &[Scored]) -> Result<(), CliError> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    write!(out, "{{\"points\":[")?;
    for (at, (point, scored)) in points.iter().zip(scored).enumerate() {
        let separator = if at == 0 { "\n" } else { ",\n" };
        let line: Map<String, Value> = [
            ("timestamp", json!(point.text)),
            ("value", json!(point.value)),
            ("expected", json!(scored.expected)),
            ("score", json!(scored.score)),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
        write!(out, "{separator}{}", Value::Object(line))?;
    }
    writeln!(out, "\n]}}")?;
    Ok(out.flush()?)
}

fn csv(points: &[Point], scored: &[Scored]) -> Result<(), CliError> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    writeln!(out, "timestamp,value,expected,score")?;
    for (point, scored) in points.iter().zip(scored) {
        let text = if point.text.contains([',', '"', '\n']) {
            format!("\"{}\"", point.text.replace('"', "\"\""))
        } else {
            point.text.clone()
        };
        writeln!(out, "{text},{},{},{:.6}", number(point.value), number(scored.expected), scored.score)?;
    }
    Ok(out.flush()?)
}

/// Gaps are empty fields.
fn number(value: f64) -> String {
    if value.is_finite() { value.to_string() } else { String::new() }
}

fn table(points: &[Point], scored: &[Scored]) -> Result<(), CliError> {
    let mut order: Vec<usize> = (0..points.len()).filter(|at| scored[*at].score > 0.0).collect();
    order.sort_by(|a, b| scored[*b].score.total_cmp(&scored[*a].score));
    order.truncate(SHOWN);
    order.sort_by_key(|at| points[*at].time);
    let width = order.iter().map(|at| points[*at].text.len()).max().unwrap_or(0).max("timestamp".len());
    say(format_args!("{:width$}  {:>14}  {:>14}  score", "timestamp", "value", "expected"))?;
    for at in &order {
        let (point, scored) = (&points[*at], &scored[*at]);
        let bar = "▇".repeat((scored.score * BAR).round() as usize);
        say(format_args!(
            "{:width$}  {:>14}  {:>14}  {:.3} {bar}",
            point.text,
            short(point.value),
            short(scored.expected),
            scored.score
        ))?;
    }
    say(format_args!("{} points; the {} with the highest scores, by time", points.len(), order.len()))
}

/// Six digits are what an eye compares.
fn short(value: f64) -> String {
    let digits = if value == 0.0 || !value.is_finite() { 0 } else { 5 - value.abs().log10().floor() as i32 };
    format!("{value:.*}", usize::try_from(digits).unwrap_or(0).min(12))
}
