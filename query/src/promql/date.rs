//! Parts of a date, UTC, from Unix times in seconds.

use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};
use culprit_store::Labels;

use super::PromqlError;
use super::column::{Column, Output};
use super::eval::Evaluator;
use super::grid::Grid;
use super::plan::Node;

pub(super) fn call(
    evaluator: &mut Evaluator<'_>,
    args: &[Node],
    grid: &Grid,
    part: fn(DateTime<Utc>) -> f64,
) -> Result<Output, PromqlError> {
    let mut columns = match args.first() {
        Some(node) => evaluator.vector(node, grid)?,
        None => {
            let now = grid.times().map(|time| time as f64 / 1000.0).collect();
            vec![Column::new(Labels::default(), false, now)]
        }
    };
    for column in &mut columns {
        // A value that is no date of the calendar, 262,000 years away or NaN, has no part either.
        column.map(|seconds| {
            let date = if seconds.is_nan() { None } else { DateTime::from_timestamp(seconds as i64, 0) };
            date.map_or(f64::NAN, part)
        });
        column.drop_name = true;
    }
    columns.retain(Column::has_values);
    Ok(Output::Vector(columns))
}

pub(super) fn minute(date: DateTime<Utc>) -> f64 {
    f64::from(date.minute())
}

pub(super) fn hour(date: DateTime<Utc>) -> f64 {
    f64::from(date.hour())
}

pub(super) fn day_of_month(date: DateTime<Utc>) -> f64 {
    f64::from(date.day())
}

/// Sunday is 0.
pub(super) fn day_of_week(date: DateTime<Utc>) -> f64 {
    f64::from(date.weekday().num_days_from_sunday())
}

pub(super) fn day_of_year(date: DateTime<Utc>) -> f64 {
    f64::from(date.ordinal())
}

pub(super) fn days_in_month(date: DateTime<Utc>) -> f64 {
    let leap = NaiveDate::from_ymd_opt(date.year(), 2, 29).is_some();
    match date.month() {
        4 | 6 | 9 | 11 => 30.0,
        2 if leap => 29.0,
        2 => 28.0,
        _ => 31.0,
    }
}

pub(super) fn month(date: DateTime<Utc>) -> f64 {
    f64::from(date.month())
}

pub(super) fn year(date: DateTime<Utc>) -> f64 {
    f64::from(date.year())
}
