//! Series from files: a column of times, one of values, and the others as labels.

use std::collections::BTreeMap;
use std::time::Duration;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit};
use culprit_query::FileSql;
use tokio::time::Instant;

use crate::RcaError;
use crate::investigate::finding::Label;
use crate::investigate::suspects::{Alarm, LabelledSeries, SuspectReport, suspects};
use crate::sql::quoted;

/// Where the series are.
#[derive(Debug, Clone)]
pub struct SeriesFiles {
    pub files: Vec<String>,
    /// A calm time of the same series, from whenever: it tells what is usual.
    pub history: Vec<String>,
    /// The column of the values; all but this one and the time are labels.
    pub value: String,
    /// When the alarm was raised (ns).
    pub at: i64,
    /// The end of the trouble; none means the end of the files.
    pub to: Option<i64>,
}

/// Names of a column of times.
const TIMES: [&str; 6] = ["time", "timestamp", "_time", "ts", "unix_timestamp", "date"];

/// Judges the series of files.
pub async fn investigate_files(
    sql: &FileSql,
    files: &SeriesFiles,
    alarm: impl FnOnce((i64, i64)) -> Alarm,
) -> Result<SuspectReport, RcaError> {
    let started = Instant::now();
    let mut series = read(sql, &files.files, &files.value).await?;
    let steps = series.values().filter_map(step).min().unwrap_or(0);
    if !files.history.is_empty() {
        let past = read(sql, &files.history, &files.value).await?;
        series = behind(past, series);
    }
    let series: Vec<LabelledSeries> = series
        .into_iter()
        .map(|(labels, points)| {
            let (times, values) = points.into_iter().unzip();
            LabelledSeries { labels, times, values }
        })
        .collect();
    // A point stands for the time from its own to the next, so the one before the alarm may be in the trouble already.
    let alarm = alarm((files.at.saturating_sub(steps) + 1, files.to.unwrap_or(i64::MAX)));
    let judged = tokio::task::spawn_blocking(move || suspects(&series, &alarm));
    let mut report = judged.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
    report.elapsed_ms = started.elapsed().as_secs_f64() * 1e3;
    Ok(report)
}

type Points = BTreeMap<i64, f64>;

async fn read(sql: &FileSql, paths: &[String], value: &str) -> Result<BTreeMap<Vec<Label>, Points>, RcaError> {
    let mut series: BTreeMap<Vec<Label>, Points> = BTreeMap::new();
    for path in paths {
        for batch in sql.query(&format!("SELECT * FROM {}", quoted(path))).await? {
            take(&batch, value, &mut series)?;
        }
    }
    Ok(series)
}

fn take(batch: &RecordBatch, value: &str, series: &mut BTreeMap<Vec<Label>, Points>) -> Result<(), RcaError> {
    let schema = batch.schema();
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let time = TIMES.iter().find_map(|time| names.iter().position(|name| name.eq_ignore_ascii_case(time)));
    let known = || names.join(", ");
    let time = time.ok_or_else(|| RcaError::NoColumn { what: "time", wanted: TIMES.join(", "), known: known() })?;
    let value = names.iter().position(|name| *name == value).ok_or_else(|| RcaError::NoColumn {
        what: "value",
        wanted: value.to_owned(),
        known: known(),
    })?;
    let as_type = |at: usize, to: &DataType| {
        cast(batch.column(at), to).map_err(|source| RcaError::Column { column: names[at].to_owned(), source })
    };
    let times = nanos(batch, time)?;
    let values = as_type(value, &DataType::Float64)?;
    let values = values.as_primitive::<Float64Type>();
    let of_labels: Vec<usize> = (0..names.len()).filter(|at| *at != time && *at != value).collect();
    let texts = of_labels.iter().map(|at| as_type(*at, &DataType::Utf8)).collect::<Result<Vec<_>, _>>()?;
    for (row, time) in times.into_iter().enumerate() {
        let Some(time) = time else { continue };
        let with_value = of_labels.iter().zip(&texts).filter(|(_, text)| text.is_valid(row));
        let labels = with_value.map(|(at, text)| Label::new(names[*at], text.as_string::<i32>().value(row))).collect();
        let value = if values.is_valid(row) { values.value(row) } else { f64::NAN };
        series.entry(labels).or_default().insert(time, value);
    }
    Ok(())
}

/// Times as nanoseconds: of a time column as they are, of numbers by their magnitude.
fn nanos(batch: &RecordBatch, at: usize) -> Result<Vec<Option<i64>>, RcaError> {
    let column = batch.schema().field(at).name().clone();
    let unreadable = |source| RcaError::Column { column: column.clone(), source };
    if batch.column(at).data_type().is_numeric() {
        let numbers = cast(batch.column(at), &DataType::Float64).map_err(unreadable)?;
        return Ok(numbers.as_primitive::<Float64Type>().iter().map(|number| number.map(of_epoch)).collect());
    }
    let times = cast(batch.column(at), &DataType::Timestamp(TimeUnit::Nanosecond, None)).map_err(unreadable)?;
    let times = cast(&times, &DataType::Int64).map_err(unreadable)?;
    Ok(times.as_primitive::<Int64Type>().iter().collect())
}

/// Below 1e11 seconds, below 1e14 milliseconds, below 1e17 microseconds, else nanoseconds.
fn of_epoch(number: f64) -> i64 {
    let unit = match number.abs() {
        size if size < 1e11 => Duration::from_secs(1),
        size if size < 1e14 => Duration::from_millis(1),
        size if size < 1e17 => Duration::from_micros(1),
        _ => Duration::from_nanos(1),
    };
    // Apart, because a double has no room for a second of today in nanoseconds.
    let whole = (number.trunc() as i64).saturating_mul(unit.as_nanos() as i64);
    whole.saturating_add((number.fract() * unit.as_nanos() as f64).round() as i64)
}

/// The usual distance of the points.
fn step(points: &Points) -> Option<i64> {
    let times: Vec<i64> = points.keys().copied().collect();
    let mut steps: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    steps.sort_unstable();
    steps.get(steps.len() / 2).copied()
}

/// Puts a history from another time before the series, apart by its own length, so that nothing seems to follow on it.
fn behind(
    past: BTreeMap<Vec<Label>, Points>,
    mut series: BTreeMap<Vec<Label>, Points>,
) -> BTreeMap<Vec<Label>, Points> {
    let first = series.values().filter_map(|points| points.keys().next()).min().copied().unwrap_or(0);
    let start = past.values().filter_map(|points| points.keys().next()).min().copied().unwrap_or(0);
    let end = past.values().filter_map(|points| points.keys().next_back()).max().copied().unwrap_or(0);
    let by = first.saturating_sub(end).saturating_sub(end.saturating_sub(start).max(1));
    for (labels, points) in past {
        if let Some(known) = series.get_mut(&labels) {
            known.extend(points.into_iter().map(|(time, value)| (time.saturating_add(by), value)));
        }
    }
    series
}
