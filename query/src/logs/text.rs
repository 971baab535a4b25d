//! Columns as text, by the habits of the cloud service.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, TimestampNanosecondType};
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use culprit_store::{OFFSET, OVERFLOW, RECEIVED, ROW, TIME};

use crate::QueryError;
use crate::log_columns::{LOG_TIME, NANOS_PART, SOURCE, TOPIC};
use crate::logs::LogFields;
use crate::logs::nested::json;

const TIMESTAMPS: &str = "%Y-%m-%d %H:%M:%S%.3f";
const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// How SQL says that there is no value.
const NULL: &str = "null";

pub(super) struct ColumnText<'a> {
    name: String,
    column: &'a ArrayRef,
    formatter: ArrayFormatter<'a>,
}

impl<'a> ColumnText<'a> {
    pub(super) fn of_batch(batch: &'a RecordBatch) -> Result<Vec<Self>, QueryError> {
        let options = FormatOptions::default()
            .with_timestamp_format(Some(TIMESTAMPS))
            .with_timestamp_tz_format(Some(TIMESTAMPS))
            .with_datetime_format(Some(TIMESTAMPS));
        let schema = batch.schema();
        let columns = schema.fields().iter().zip(batch.columns()).map(|(field, column)| {
            let formatter = ArrayFormatter::try_new(column.as_ref(), &options)?;
            Ok(Self { name: field.name().clone(), column, formatter })
        });
        columns.collect::<Result<_, arrow::error::ArrowError>>().map_err(|error| QueryError::plan(error.into()))
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn sql_text(&self, row: usize) -> String {
        self.text(row).unwrap_or_else(|| NULL.to_owned())
    }

    pub(super) fn text(&self, row: usize) -> Option<String> {
        let formatted = || self.formatter.value(row).to_string();
        let text = || match self.column.data_type().is_nested() {
            true => json(self.column, row).map_or_else(|_unreadable| formatted(), |value| value.to_string()),
            false => formatted(),
        };
        self.column.is_valid(row).then(text)
    }

    pub(super) fn nanoseconds(&self, row: usize) -> Option<i64> {
        let times = self.column.as_primitive_opt::<TimestampNanosecondType>()?;
        times.is_valid(row).then(|| times.value(row))
    }
}

/// A row with the fields that every log has, then what it has of the others.
pub(super) fn log_fields(columns: &[ColumnText<'_>], row: usize) -> LogFields {
    let find = |name: &str| columns.iter().find(|column| column.name == name);
    let nanoseconds = find(TIME).and_then(|time| time.nanoseconds(row)).unwrap_or(0);
    let text = |name: &str| find(name).and_then(|column| column.text(row)).unwrap_or_default();
    let mut fields = vec![
        (LOG_TIME.to_owned(), nanoseconds.div_euclid(NANOS_PER_SECOND).to_string()),
        (TOPIC.to_owned(), text(TOPIC)),
        (SOURCE.to_owned(), text(SOURCE)),
    ];
    let part = nanoseconds.rem_euclid(NANOS_PER_SECOND);
    if part != 0 {
        fields.push((NANOS_PART.to_owned(), part.to_string()));
    }
    for column in columns {
        match column.name.as_str() {
            TIME | RECEIVED | OFFSET | ROW | LOG_TIME | TOPIC | SOURCE => {}
            OVERFLOW => fields.extend(overflow(column.column, row)),
            _ => fields.extend(column.text(row).map(|text| (column.name.clone(), text))),
        }
    }
    fields
}

fn overflow(column: &ArrayRef, row: usize) -> Vec<(String, String)> {
    let Some(map) = column.as_map_opt().filter(|map| map.is_valid(row)) else { return Vec::new() };
    let (keys, values) = (map.keys().as_string::<i32>(), map.values().as_string::<i32>());
    let entries = map.value_offsets()[row] as usize..map.value_offsets()[row + 1] as usize;
    let filled = entries.filter(|at| values.is_valid(*at));
    filled.map(|at| (keys.value(at).to_owned(), values.value(at).to_owned())).collect()
}

/// As the cloud service calls types in an answer.
pub(super) fn type_name(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Boolean => "boolean",
        DataType::Int64 | DataType::UInt64 => "bigint",
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::UInt8 | DataType::UInt16 | DataType::UInt32 => {
            "integer"
        }
        DataType::Float16 | DataType::Float32 | DataType::Float64 => "double",
        DataType::Decimal128(..) | DataType::Decimal256(..) => "decimal",
        DataType::Timestamp(..) => "timestamp",
        DataType::Date32 | DataType::Date64 => "date",
        DataType::Time32(_) | DataType::Time64(_) => "time",
        DataType::Interval(_) | DataType::Duration(_) => "interval",
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => "array",
        DataType::Map(..) => "map",
        DataType::Struct(_) => "row",
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "varbinary",
        _ => "varchar",
    }
}
