//! A series from a CSV file: which columns are its times and its values, and what a time may look like.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, AsArray, StringArray};
use arrow::compute::kernels::cast_utils::string_to_timestamp_nanos;
use arrow::csv::ReaderBuilder;
use arrow::csv::reader::Format;
use arrow::datatypes::{DataType, Field, Schema};

use crate::error::CliError;

/// One line of the file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Point {
    /// The time as the file has it.
    pub(super) text: String,
    /// Nanoseconds since 1970.
    pub(super) time: i64,
    /// NaN where the file has none.
    pub(super) value: f64,
}

const TIME_NAMES: [&str; 5] = ["timestamp", "_time", "time", "date", "ts"];
const VALUE_NAME: &str = "value";

pub(super) fn read_series(path: &Path) -> Result<Vec<Point>, CliError> {
    let open = || File::open(path).map_err(CliError::io("read", path));
    let format = || Format::default().with_header(true);
    let (inferred, _) = format().infer_schema(open()?, Some(1))?;
    let names: Vec<&str> = inferred.fields().iter().map(|field| field.name().trim()).collect();
    let (time, value) = columns(&names).ok_or_else(|| bad(path, "it needs a column of times and one of values"))?;
    let texts: Vec<Field> = names.iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect();
    let reader = ReaderBuilder::new(Arc::new(Schema::new(texts)))
        .with_format(format())
        .with_projection(vec![time.min(value), time.max(value)])
        .build(open()?)?;
    let mut points = Vec::new();
    for batch in reader {
        let batch = batch?;
        let (first, second) = (batch.column(0).as_string(), batch.column(1).as_string());
        let (times, values): (&StringArray, &StringArray) =
            if time < value { (first, second) } else { (second, first) };
        for row in 0..batch.num_rows() {
            let text = if times.is_valid(row) { times.value(row).trim() } else { "" };
            // The header is line 1.
            let line = points.len() + 2;
            let time = nanos(text).ok_or_else(|| bad(path, &format!("line {line}: {text:?} is no time")))?;
            let value = if values.is_valid(row) { values.value(row).trim() } else { "" };
            let value = number(value).ok_or_else(|| bad(path, &format!("line {line}: {value:?} is no number")))?;
            points.push(Point { text: text.to_owned(), time, value });
        }
    }
    Ok(points)
}

fn bad(path: &Path, why: &str) -> CliError {
    CliError::BadArgument { what: "file", text: path.display().to_string(), why: why.to_owned() }
}

/// By their names, else the first two in their order.
fn columns(names: &[&str]) -> Option<(usize, usize)> {
    let named = |wanted: &str| names.iter().position(|name| name.eq_ignore_ascii_case(wanted));
    let time = TIME_NAMES
        .iter()
        .find_map(|name| named(name))
        .or_else(|| (0..names.len()).find(|at| Some(*at) != named(VALUE_NAME)))?;
    let value = named(VALUE_NAME).or_else(|| (0..names.len()).find(|at| *at != time))?;
    Some((time, value))
}

/// An absent value is a gap.
fn number(text: &str) -> Option<f64> {
    if text.is_empty() || text.eq_ignore_ascii_case("null") { Some(f64::NAN) } else { text.parse().ok() }
}

/// RFC 3339 and its like, or a count since 1970 whose unit its size gives away: no series of ours is of the year 5000, or
/// of the first weeks of 1970.
fn nanos(text: &str) -> Option<i64> {
    let Ok(count) = text.parse::<f64>() else { return string_to_timestamp_nanos(text).ok() };
    let unit = match count.abs() {
        size if size < 1e11 => 1e9,
        size if size < 1e14 => 1e6,
        size if size < 1e17 => 1e3,
        _ => 1.0,
    };
    count.is_finite().then_some((count * unit) as i64)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read(text: &str) -> Result<Vec<Point>, String> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        read_series(file.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn columns_are_found_by_name_or_place() {
        const SECOND: i64 = 1_000_000_000;
        for (text, times, values) in [
            ("timestamp,value\n2014-04-01 00:00:05,1.5\n", vec![1_396_310_405 * SECOND], vec![1.5]),
            (
                "value,host,time\n1,a,1700000000\n-2e3,b,1700000060000\n",
                vec![1_700_000_000 * SECOND, 1_700_000_060 * SECOND],
                vec![1.0, -2000.0],
            ),
            ("when,load\n1970-01-02T00:00:00Z,7\n", vec![86_400 * SECOND], vec![7.0]),
            ("timestamp,value\n", vec![], vec![]),
        ] {
            let points = read(text).unwrap();
            assert_eq!(points.iter().map(|point| point.time).collect::<Vec<_>>(), times, "{text}");
            assert_eq!(points.iter().map(|point| point.value).collect::<Vec<_>>(), values, "{text}");
        }
        assert!(read("timestamp,value\n2014-04-01,\n").unwrap()[0].value.is_nan());
    }

    #[test]
    fn what_is_no_series_is_refused_with_its_line() {
        for (text, why) in [
            ("timestamp,value\n2014-04-01,1\nyesterday,2\n", "line 3: \"yesterday\" is no time"),
            ("timestamp,value\n2014-04-01,many\n", "line 2: \"many\" is no number"),
            ("timestamp\n2014-04-01\n", "one of values"),
            ("", "one of values"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
