//! LogGroups for a metricstore: each log is a sample.
//!
//! `__name__` is the metric, `__labels__` its labels as `key#$#value|key#$#value`, `__time_nano__` the time (else the
//! log's own Time), `__value__` the number as text. A part of `__labels__` without `#$#` belongs to the value before
//! it: values may hold bars.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, StringBuilder};
use arrow::datatypes::{Float64Type, TimestampNanosecondType, UInt64Type};
use culprit_store::{Labels, METRIC_NAME, Samples, Series, SeriesId, TIME};

use crate::rejection::{RowError, shown};
use crate::remote_write::{DecodedSeries, LabelPair, read_labels};
use crate::{Rejections, timestamp};

const LABELS: &str = "__labels__";
const TIME_NANO: &str = "__time_nano__";
const VALUE: &str = "__value__";
/// Columns of a metricstore.
const SERIES: &str = "series";
const SAMPLE: &str = "value";
const BAR: char = '|';
const ASSIGN: &str = "#$#";

/// A reason's line is the position of its log, from 1.
pub(crate) fn read_samples(batch: &RecordBatch) -> DecodedSeries {
    let rows = Rows::of(batch);
    let mut decoded = DecodedSeries { series: Vec::new(), accepted: 0, rejections: Rejections::default() };
    let mut by_text: HashMap<(&str, &str), usize> = HashMap::new();
    for row in 0..batch.num_rows() {
        let series = &mut decoded.series;
        let read = rows.sample(row).and_then(|(timestamp_ms, value)| {
            let text = rows.series(row);
            let at = match by_text.get(&text) {
                Some(at) => *at,
                None => {
                    series.push(new_series(text)?);
                    by_text.insert(text, series.len() - 1);
                    series.len() - 1
                }
            };
            series[at].samples.timestamps_ms.push(timestamp_ms);
            series[at].samples.values.push(value);
            Ok(())
        });
        match read {
            Ok(()) => decoded.accepted += 1,
            Err(error) => decoded.rejections.add(row as u64 + 1, &error),
        }
    }
    decoded
}

/// The inverse: samples of a metricstore, with their labels by series, in the columns of such logs. A series that nobody knows has none.
pub(crate) fn write_samples(samples: &RecordBatch, labels: impl Fn(SeriesId) -> Option<Labels>) -> RecordBatch {
    let times = samples.column(0).as_primitive::<TimestampNanosecondType>();
    let ids = samples.column_by_name(SERIES).expect("samples have a series").as_primitive::<UInt64Type>();
    let values = samples.column_by_name(SAMPLE).expect("samples have a value").as_primitive::<Float64Type>();
    let mut texts: HashMap<u64, (String, String)> = HashMap::new();
    let (mut names, mut all_labels) = (StringBuilder::new(), StringBuilder::new());
    for id in ids.values() {
        let (name, labels) = texts.entry(*id).or_insert_with(|| series_texts(labels(SeriesId(*id))));
        names.append_value(name);
        all_labels.append_value(labels);
    }
    let nanos = StringArray::from_iter_values(times.values().iter().map(i64::to_string));
    let values = StringArray::from_iter_values(values.values().iter().map(|value| sample_text(*value)));
    let columns: [(&str, ArrayRef); 5] = [
        (TIME, samples.column(0).clone()),
        (METRIC_NAME, Arc::new(names.finish())),
        (LABELS, Arc::new(all_labels.finish())),
        (TIME_NANO, Arc::new(nanos)),
        (VALUE, Arc::new(values)),
    ];
    RecordBatch::try_from_iter(columns).expect("all columns have all rows")
}

/// Metric and labels, in the order of their names.
fn series_texts(labels: Option<Labels>) -> (String, String) {
    let Some(labels) = labels else { return (String::new(), String::new()) };
    let pairs = labels.iter().filter(|label| &*label.name != METRIC_NAME);
    let pairs: Vec<String> = pairs.map(|label| format!("{}{ASSIGN}{}", label.name, label.value)).collect();
    (labels.metric_name().unwrap_or("").to_owned(), pairs.join("|"))
}

/// As Prometheus writes it.
fn sample_text(value: f64) -> String {
    match value {
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        finite => finite.to_string(),
    }
}

struct Rows<'a> {
    times: &'a [i64],
    names: Option<&'a StringArray>,
    labels: Option<&'a StringArray>,
    time_nanos: Option<&'a StringArray>,
    values: Option<&'a StringArray>,
}

impl<'a> Rows<'a> {
    fn of(batch: &'a RecordBatch) -> Self {
        let text = |name| batch.column_by_name(name).map(|column| column.as_string::<i32>());
        Self {
            times: batch.column(0).as_primitive::<TimestampNanosecondType>().values(),
            names: text(METRIC_NAME),
            labels: text(LABELS),
            time_nanos: text(TIME_NANO),
            values: text(VALUE),
        }
    }

    /// Metric and labels as they came; absent ones are empty.
    fn series(&self, row: usize) -> (&'a str, &'a str) {
        (text_at(self.names, row).unwrap_or(""), text_at(self.labels, row).unwrap_or(""))
    }

    /// Milliseconds and the value.
    fn sample(&self, row: usize) -> Result<(i64, f64), RowError> {
        let nanos = match text_at(self.time_nanos, row) {
            Some(text) => {
                let time = text.trim().parse().ok().and_then(timestamp::from_integer);
                time.ok_or_else(|| RowError::Time { field: TIME_NANO.to_owned(), value: shown(text) })?.0
            }
            None => self.times[row],
        };
        let text = text_at(self.values, row).unwrap_or("");
        let value = text.trim().parse().map_err(|_| RowError::SampleValue { value: shown(text) })?;
        Ok((nanos.div_euclid(1_000_000), value))
    }
}

fn text_at(column: Option<&StringArray>, row: usize) -> Option<&str> {
    column.filter(|column| column.is_valid(row)).map(|column| column.value(row))
}

fn new_series((metric, labels): (&str, &str)) -> Result<Series, RowError> {
    if metric.is_empty() {
        return Err(RowError::NoMetricName);
    }
    let mut pairs = vec![LabelPair { name: METRIC_NAME.to_owned(), value: metric.to_owned() }];
    for part in labels.split(BAR).filter(|_| !labels.is_empty()) {
        match (part.split_once(ASSIGN), &mut pairs[..]) {
            (Some((name, value)), _) => pairs.push(LabelPair { name: name.to_owned(), value: value.to_owned() }),
            (None, [_, .., last]) => {
                last.value.push(BAR);
                last.value.push_str(part);
            }
            (None, _) => return Err(RowError::Labels { metric: shown(metric), labels: shown(labels) }),
        }
    }
    Ok(Series { labels: read_labels(pairs, &shown(metric))?, samples: Samples::default() })
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use prost::Message;

    use arrow::array::{Float64Array, TimestampNanosecondArray, UInt64Array};

    use super::super::decode;
    use super::super::messages::{LogGroup, log};
    use super::*;
    use crate::testing::schema;

    fn row(name: &str, labels: &str, nanos: &str, value: &str) -> crate::loggroup::messages::Log {
        let all = [("__name__", name), (LABELS, labels), (TIME_NANO, nanos), (VALUE, value)];
        let given: Vec<(&str, &str)> = all.into_iter().filter(|(_, text)| *text != "-").collect();
        log(1_700_000_000, &given)
    }

    #[test]
    fn logs_become_samples_and_bad_ones_reasons() {
        let logs = vec![
            row("up", "a#$#1|job#$#x", "1700000000123456789", "1"),
            row("up", "a#$#1|job#$#x", "1700000001", "0.5"),
            row("up", "-", "-", "NaN"),
            row("up", "path#$#a|b|c", "-", "+Inf"),
            row("-", "a#$#1", "-", "1"),
            row("up", "a", "-", "1"),
            row("up", "a#$#1|a#$#2", "-", "1"),
            row("up", "", "soon", "1"),
            row("up", "", "-", "fast"),
            row("up", "", "-", "-"),
        ];
        let group = LogGroup { logs, ..Default::default() };
        let batch = decode(&group.encode_to_vec(), &schema(&[])).unwrap().batch.unwrap();
        let decoded = read_samples(&batch);
        let series = decoded
            .series
            .iter()
            .map(|s| format!("{} {:?} {:?}\n", s.labels, s.samples.timestamps_ms, s.samples.values));
        let reasons = decoded.rejections.reasons.iter().map(|reason| format!("log {}: {}\n", reason.line, reason.why));
        expect![[r#"
            up{a="1", job="x"} [1700000000123, 1700000001000] [1.0, 0.5]
            up [1700000000000] [NaN]
            up{path="a|b|c"} [1700000000000] [inf]
            log 5: a series without a metric name (label __name__)
            log 6: series up: "a" are no labels; they are written name#$#value|name#$#value
            log 7: series up: label "a" comes twice
            log 8: field "__time_nano__" has the value "soon", which is not a time
            log 9: the sample's value "fast" is not a number
            log 10: the sample's value "" is not a number
        "#]]
        .assert_eq(&series.chain(reasons).collect::<String>());
        assert_eq!((decoded.accepted, decoded.rejections.total()), (4, 6));
    }

    #[test]
    fn samples_become_the_logs_that_they_came_as() {
        let labels = Labels::new([(METRIC_NAME, "up"), ("zone", "a|b"), ("job", "x")]).unwrap();
        let columns: [(&str, ArrayRef); 3] = [
            (TIME, Arc::new(TimestampNanosecondArray::from(vec![1_700_000_000_123_000_000, -1]).with_timezone("UTC"))),
            (SERIES, Arc::new(UInt64Array::from(vec![7, 7]))),
            (SAMPLE, Arc::new(Float64Array::from(vec![0.5, f64::INFINITY]))),
        ];
        let samples = RecordBatch::try_from_iter(columns).unwrap();
        let logs = write_samples(&samples, |id| (id == SeriesId(7)).then(|| labels.clone()));
        let text =
            |name: &str| logs.column_by_name(name).unwrap().as_string::<i32>().iter().flatten().collect::<Vec<_>>();
        assert_eq!(text(METRIC_NAME), ["up"; 2]);
        assert_eq!(text(LABELS), ["job#$#x|zone#$#a|b"; 2]);
        assert_eq!(text(TIME_NANO), ["1700000000123000000", "-1"]);
        assert_eq!(text(VALUE), ["0.5", "+Inf"]);
        let back = read_samples(&logs.slice(0, 1));
        assert_eq!((&back.series[0].labels, &back.series[0].samples.values[..]), (&labels, &[0.5][..]));
    }
}
