//! What commands print: answers on stdout as a table, JSON or CSV; trouble on stderr in one line.

use std::error::Error;
use std::io::{self, Write};

use arrow::csv::WriterBuilder;
use arrow::json::ArrayWriter;
use arrow::record_batch::RecordBatch;
use arrow::util::pretty::pretty_format_batches;

use crate::error::CliError;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Output {
    Table,
    Json,
    Csv,
}

pub(crate) fn say(line: impl std::fmt::Display) -> Result<(), CliError> {
    Ok(writeln!(io::stdout().lock(), "{line}")?)
}

/// The error and its causes, as far as they say something new.
pub(crate) fn complain(error: &dyn Error) {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let more = inner.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = inner.source();
    }
    let written = writeln!(io::stderr().lock(), "error: {}", text.replace('\n', " "));
    debug_assert!(written.is_ok(), "when stderr is closed nobody is left to tell; the exit code still says it");
}

/// Rows in the form asked for.
pub(crate) fn rows(batches: &[RecordBatch], output: Output) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    match output {
        Output::Table => {
            let count: usize = batches.iter().map(RecordBatch::num_rows).sum();
            writeln!(out, "{}", pretty_format_batches(batches)?)?;
            writeln!(out, "{count} {}", if count == 1 { "row" } else { "rows" })?;
        }
        Output::Json => {
            let mut writer = ArrayWriter::new(&mut out);
            writer.write_batches(&batches.iter().collect::<Vec<_>>())?;
            writer.finish()?;
            drop(writer);
            writeln!(out)?;
        }
        Output::Csv => {
            let mut writer = WriterBuilder::new().with_header(true).build(&mut out);
            for batch in batches {
                writer.write(&without_maps(batch)?)?;
            }
        }
    }
    Ok(())
}

/// CSV has no nesting: maps become their text.
fn without_maps(batch: &RecordBatch) -> Result<RecordBatch, CliError> {
    use arrow::array::{ArrayRef, StringArray};
    use arrow::datatypes::{DataType, Schema};
    use arrow::util::display::{ArrayFormatter, FormatOptions};
    let mut fields = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        if !field.data_type().is_nested() {
            fields.push(field.as_ref().clone());
            columns.push(column.clone());
            continue;
        }
        let format = ArrayFormatter::try_new(column, &FormatOptions::default())?;
        let texts = (0..column.len()).map(|row| column.is_valid(row).then(|| format.value(row).to_string()));
        fields.push(field.as_ref().clone().with_data_type(DataType::Utf8));
        columns.push(std::sync::Arc::new(texts.collect::<StringArray>()));
    }
    Ok(RecordBatch::try_new(std::sync::Arc::new(Schema::new(fields)), columns)?)
}
