//! A measure of a store or a file over time: one number per step and per values of dimensions, by one grouped query.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Float64Type, Schema, TimeUnit, TimestampNanosecondType};
use arrow::error::ArrowError;
use culprit_query::{Arguments, Asker, QueryError};
use culprit_store::{StoreName, TIME};

use super::functions::refused;
use super::{Predicate, quoted};
use crate::RcaError;
use crate::limits::{BUCKETS_MAX, DIMENSIONS_OF_SERIES_MAX};

/// What is measured, in the words of `('source', 'measure' [, 'step' [, array['dimension', …]]])`.
pub(super) struct Measured {
    source: String,
    measure: String,
    step_seconds: i64,
    pub(super) dimensions: Vec<String>,
}

/// A series per combination of the dimensions' values; NULL is one.
pub(super) type SeriesByValues = BTreeMap<Vec<Option<String>>, BTreeMap<i64, f64>>;

const STEP: &str = "1m";
/// Named like no column of anybody, because a measure may name all of those.
const BUCKET: &str = "_culprit_time";
const VALUE: &str = "_culprit_value";

impl Measured {
    pub(super) fn of(arguments: &Arguments) -> Result<Self, QueryError> {
        let measure = Predicate::parse(arguments.text(1, "the measure")?).map_err(refused)?.sql;
        let step = arguments.optional_text(2, "the step")?.unwrap_or(STEP);
        let step_seconds = seconds(step).ok_or_else(|| not_a_step(arguments, 2, step))?;
        let dimensions = arguments.optional_texts(3, "the dimensions")?.unwrap_or_default();
        if dimensions.len() > DIMENSIONS_OF_SERIES_MAX {
            let why = format!("has {} dimensions, {DIMENSIONS_OF_SERIES_MAX} at most are taken", dimensions.len());
            return Err(arguments.wrong(3, why));
        }
        Ok(Self { source: arguments.text(0, "the store")?.to_owned(), measure, step_seconds, dimensions })
    }

    /// The fields of the dimensions.
    pub(super) fn fields(&self) -> impl Iterator<Item = Field> + '_ {
        self.dimensions.iter().map(|name| Field::new(name, DataType::Utf8, true))
    }

    pub(super) fn step_nanos(&self) -> i64 {
        self.step_seconds.saturating_mul(1_000_000_000)
    }

    pub(super) async fn read(&self, asker: &Asker) -> Result<SeriesByValues, QueryError> {
        let from = quoted(&self.source);
        let empty = self.ask(asker, &format!("SELECT * FROM {from} LIMIT 0")).await?;
        let time = empty.first().and_then(|batch| time_column(&batch.schema()));
        let time = time.ok_or_else(|| QueryError::Invalid(format!("{from} has no column of timestamps")))?;
        let dimensions: String =
            self.dimensions.iter().map(|name| format!("CAST({} AS VARCHAR), ", quoted(name))).collect();
        let places: String = (1..=self.dimensions.len()).map(|place| format!("{place}, ")).collect();
        let bucket = self.dimensions.len() + 1;
        let sql = format!(
            "SELECT {dimensions}date_bin(INTERVAL '{} seconds', {}) AS {BUCKET}, {} AS {VALUE} FROM {from} \
             WHERE {} IS NOT NULL GROUP BY {places}{bucket}",
            self.step_seconds,
            quoted(&time),
            self.measure,
            quoted(&time),
        );
        self.series(&self.ask(asker, &sql).await?)
    }

    async fn ask(&self, asker: &Asker, sql: &str) -> Result<Vec<RecordBatch>, QueryError> {
        match asker {
            Asker::Stores { engine, project, range } => {
                StoreName::parse(&self.source)?;
                engine.stream(project, sql, *range).await?.collect(BUCKETS_MAX).await
            }
            Asker::Files(files) => files.query(sql).await,
        }
    }

    fn series(&self, batches: &[RecordBatch]) -> Result<SeriesByValues, QueryError> {
        let mut series = SeriesByValues::new();
        let mut is_count = false;
        for batch in batches {
            let at = self.dimensions.len();
            is_count = batch.column(at + 1).data_type().is_integer();
            let times = converted(batch, at, &DataType::Timestamp(TimeUnit::Nanosecond, None))?;
            let times = times.as_primitive::<TimestampNanosecondType>();
            let values = converted(batch, at + 1, &DataType::Float64)?;
            let values = values.as_primitive::<Float64Type>();
            let names: Vec<ArrayRef> =
                (0..at).map(|column| converted(batch, column, &DataType::Utf8)).collect::<Result<_, _>>()?;
            let names: Vec<&StringArray> = names.iter().map(|column| column.as_string::<i32>()).collect();
            for row in (0..batch.num_rows()).filter(|row| times.is_valid(*row) && values.is_valid(*row)) {
                let key = names.iter().map(|name| name.is_valid(row).then(|| name.value(row).to_owned())).collect();
                series.entry(key).or_default().insert(times.value(row), values.value(row));
            }
        }
        if is_count {
            self.fill(&mut series)?;
        }
        Ok(series)
    }

    /// Whole numbers count something, and what nobody counted is none: GROUP BY has no row for it.
    fn fill(&self, series: &mut SeriesByValues) -> Result<(), QueryError> {
        let steps: BTreeSet<i64> = series.values().flat_map(|points| points.keys().copied()).collect();
        let (Some(first), Some(last)) = (steps.first().copied(), steps.last().copied()) else { return Ok(()) };
        let count = (last - first) / self.step_nanos() + 1;
        if usize::try_from(count).map_or(true, |count| count.saturating_mul(series.len()) > BUCKETS_MAX) {
            return Err(QueryError::TooManyRows { limit: BUCKETS_MAX });
        }
        for points in series.values_mut() {
            for step in 0..count {
                points.entry(first + step * self.step_nanos()).or_insert(0.0);
            }
        }
        Ok(())
    }
}

/// Our own column of times, else the first of timestamps.
fn time_column(schema: &Schema) -> Option<String> {
    let is_time = |field: &&Arc<Field>| matches!(field.data_type(), DataType::Timestamp(..));
    let own = schema.fields().iter().find(|field| field.name() == TIME);
    own.or_else(|| schema.fields().iter().find(is_time)).map(|field| field.name().clone())
}

fn converted(batch: &RecordBatch, at: usize, to: &DataType) -> Result<ArrayRef, QueryError> {
    let column = || batch.schema_ref().field(at).name().clone();
    cast(batch.column(at), to).map_err(|source| refused(RcaError::Column { column: column(), source }))
}

pub(super) fn failed(error: ArrowError) -> QueryError {
    QueryError::Failed(Box::new(error.into()))
}

pub(super) fn not_a_step(arguments: &Arguments, at: usize, text: &str) -> QueryError {
    arguments.wrong(at, format!("is a length of time such as '30s', '5m' or '1h', which {text:?} is not"))
}

/// `30s`, `5m`, `1h`, `1d` in seconds.
pub(super) fn seconds(text: &str) -> Option<i64> {
    let text = text.trim();
    let unit = match text.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    let number: i64 = text[..text.len() - 1].parse().ok()?;
    number.checked_mul(unit).filter(|seconds| (1..=366 * 86_400).contains(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time() {
        let all = ["30s", " 5m", "1h", "1d", "0s", "-1m", "5", "m", "", "1w", "99999999999999999d"];
        let seconds: Vec<Option<i64>> = all.into_iter().map(seconds).collect();
        let expected = [Some(30), Some(300), Some(3_600), Some(86_400)];
        assert_eq!(seconds[..4], expected);
        assert!(seconds[4..].iter().all(Option::is_none), "{seconds:?}");
    }
}
