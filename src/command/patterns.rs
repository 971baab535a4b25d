//! `culprit patterns`: which sentences the lines of a log file, or of one column of a CSV file, are made of.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::csv::ReaderBuilder;
use arrow::csv::reader::Format;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use clap::Args;
use culprit_ingest::decompressed;
use culprit_rca::{PatternCount, PatternId, PatternMiner, ShapeId};
use serde::Serialize;

use crate::error::CliError;
use crate::output::{Output, say};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  culprit patterns /var/log/syslog
  culprit patterns requests.csv --field message
  culprit patterns app.log.gz --output json")]
pub(crate) struct PatternsArgs {
    /// A log file, every line of which is a message, or with --field a CSV file with a header; gzip and zstd are read too
    file: PathBuf,
    /// The column of a CSV file that holds the messages
    #[arg(long, value_name = "COLUMN")]
    field: Option<String>,
    #[arg(long, value_enum, default_value = "table")]
    output: Output,
}

/// What is printed as JSON.
#[derive(Debug, Serialize)]
struct Patterns {
    patterns: Vec<PatternCount>,
    /// Of each line, or row of the CSV file, the id of its pattern.
    lines: Vec<PatternId>,
}

pub(crate) fn run(args: &PatternsArgs) -> Result<(), CliError> {
    let mut miner = PatternMiner::new();
    let mut shapes: Vec<ShapeId> = Vec::new();
    let mut learn = |message: &str| shapes.push(miner.learn(message));
    match &args.field {
        Some(field) => each_cell(&args.file, field, &mut learn)?,
        None => each_line(&args.file, &mut learn)?,
    }
    miner.settle();
    let patterns = miner.counts();
    match args.output {
        Output::Table => table(&patterns, shapes.len()),
        Output::Csv => csv(&patterns),
        Output::Json => {
            let template = |shape: &ShapeId| miner.template_of(*shape).expect("the miner has settled").id();
            let lines = shapes.iter().map(template).collect();
            say(serde_json::to_string(&Patterns { patterns, lines }).expect("patterns are JSON"))
        }
    }
}

fn open(path: &Path) -> Result<Box<dyn Read + Send>, CliError> {
    let file = File::open(path).map_err(CliError::io("read", path))?;
    decompressed(BufReader::new(file)).map_err(CliError::io("read", path))
}

/// Lines end with a line feed, with or without a carriage return; what is not UTF-8 is replaced.
fn each_line(path: &Path, learn: &mut impl FnMut(&str)) -> Result<(), CliError> {
    let mut input = BufReader::new(open(path)?);
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line).map_err(CliError::io("read", path))? == 0 {
            return Ok(());
        }
        learn(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']));
    }
}

fn each_cell(path: &Path, field: &str, learn: &mut impl FnMut(&str)) -> Result<(), CliError> {
    let schema = schema_of(path)?;
    let Ok(column) = schema.index_of(field) else {
        let known: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        return Err(CliError::BadArgument {
            what: "field",
            text: field.to_owned(),
            why: format!("the columns of {} are {}", path.display(), known.join(", ")),
        });
    };
    let reader = ReaderBuilder::new(schema).with_header(true).with_projection(vec![column]).build(open(path)?)?;
    for batch in reader {
        let batch = batch?;
        let cells = batch.column(0).as_string::<i32>();
        (0..cells.len()).for_each(|row| learn(cells.value(row)));
    }
    Ok(())
}

/// The columns as the header names them, all text: a message that looks like a number is still a message.
fn schema_of(path: &Path) -> Result<SchemaRef, CliError> {
    let (named, _) = Format::default().with_header(true).infer_schema(open(path)?, Some(0))?;
    let fields = named.fields().iter().map(|field| Field::new(field.name(), DataType::Utf8, true));
    Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
}

fn table(patterns: &[PatternCount], lines: usize) -> Result<(), CliError> {
    say(format_args!("{:>9}  {:>6}  {:<16}  PATTERN", "LINES", "SHARE", "ID"))?;
    for pattern in patterns {
        let share = 100.0 * pattern.count as f64 / lines as f64;
        say(format_args!("{:>9}  {share:>5.1}%  {}  {}", pattern.count, pattern.id, pattern.template))?;
    }
    say(format_args!("{} patterns in {lines} lines", patterns.len()))
}

fn csv(patterns: &[PatternCount]) -> Result<(), CliError> {
    say("id,count,template")?;
    for pattern in patterns {
        say(format_args!("{},{},\"{}\"", pattern.id, pattern.count, pattern.template.replace('"', "\"\"")))?;
    }
    Ok(())
}
