//! The columns of a store: typed by what arrived first, and kept so.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};

use crate::StoreError;

pub const TIME: &str = "_time";
pub const RECEIVED: &str = "_received";
pub const OFFSET: &str = "_offset";
pub const ROW: &str = "_row";
/// Values that do not fit their column's type, and fields beyond the column cap, as text under their own name.
pub const OVERFLOW: &str = "_overflow";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnType {
    Int64,
    Float64,
    Bool,
    Utf8,
}

impl ColumnType {
    pub fn arrow(self) -> DataType {
        match self {
            Self::Int64 => DataType::Int64,
            Self::Float64 => DataType::Float64,
            Self::Bool => DataType::Boolean,
            Self::Utf8 => DataType::Utf8,
        }
    }

    pub fn of_arrow(data_type: &DataType) -> Option<Self> {
        match data_type {
            DataType::Int64 => Some(Self::Int64),
            DataType::Float64 => Some(Self::Float64),
            DataType::Boolean => Some(Self::Bool),
            DataType::Utf8 => Some(Self::Utf8),
            _ => None,
        }
    }

    /// The name in the catalog and in listings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Int64 => "int64",
            Self::Float64 => "float64",
            Self::Bool => "bool",
            Self::Utf8 => "utf8",
        }
    }

    pub(crate) fn parse(name: &str) -> Result<Self, StoreError> {
        [Self::Int64, Self::Float64, Self::Bool, Self::Utf8]
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| StoreError::CatalogValue { what: "column type", value: name.to_owned() })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub column_type: ColumnType,
}

/// In the order in which the columns first arrived.
#[derive(Debug, Clone, Default)]
pub struct StoreSchema {
    columns: Vec<Column>,
    by_name: HashMap<String, usize>,
}

impl StoreSchema {
    pub fn new(columns: Vec<Column>) -> Self {
        let by_name = columns.iter().enumerate().map(|(at, column)| (column.name.clone(), at)).collect();
        Self { columns, by_name }
    }

    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    pub fn get(&self, name: &str) -> Option<ColumnType> {
        self.by_name.get(name).map(|at| self.columns[*at].column_type)
    }

    pub(crate) fn extended(&self, new: &[Column]) -> Self {
        Self::new(self.columns.iter().chain(new).cloned().collect())
    }

    /// What a snapshot's batches look like: `_time`, the columns, `_overflow`, then the hidden ones.
    pub fn table(&self) -> SchemaRef {
        let mut fields = vec![time_field(TIME)];
        fields.extend(self.columns.iter().map(|c| Field::new(&c.name, c.column_type.arrow(), true)));
        fields.push(overflow_field());
        fields.extend(hidden_fields());
        Arc::new(Schema::new(fields))
    }
}

pub fn utc_nanoseconds() -> DataType {
    DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))
}

fn time_field(name: &str) -> Field {
    Field::new(name, utc_nanoseconds(), false)
}

pub(crate) fn hidden_fields() -> [Field; 3] {
    [time_field(RECEIVED), Field::new(OFFSET, DataType::UInt64, false), Field::new(ROW, DataType::UInt32, false)]
}

pub fn is_hidden(name: &str) -> bool {
    matches!(name, RECEIVED | OFFSET | ROW)
}

/// The names are those that arrow's and parquet's own map readers use, so that no cast stands between them.
pub fn overflow_field() -> Field {
    let entry =
        Fields::from(vec![Field::new("keys", DataType::Utf8, false), Field::new("values", DataType::Utf8, true)]);
    let entries = Field::new("entries", DataType::Struct(entry), false);
    Field::new(OVERFLOW, DataType::Map(Arc::new(entries), false), true)
}
