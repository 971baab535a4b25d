//! The builder against a naive model: a list of maps of JSON values.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{Float64Type, Int64Type};
use culprit_store::ColumnType;
use culprit_store::limits::STORE_COLUMNS_MAX;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::testing::{ARRIVAL, decode, render, schema};
use crate::{DecodeOptions, Format};

#[derive(Debug, Clone, PartialEq)]
enum Cell {
    Typed(Value),
    Overflow(String),
}

/// What the module's head promises, read off whole values instead of builders.
fn model(known: &[(&str, ColumnType)], rows: &[Map<String, Value>]) -> Vec<BTreeMap<String, Cell>> {
    let mut types: BTreeMap<String, ColumnType> = known.iter().map(|(name, t)| ((*name).to_owned(), *t)).collect();
    let mut cells = Vec::new();
    for row in rows {
        let mut out = BTreeMap::new();
        for (name, value) in row.iter().filter(|(_, value)| !value.is_null()) {
            let natural = match value {
                Value::Bool(_) => ColumnType::Bool,
                Value::Number(n) if n.is_i64() => ColumnType::Int64,
                Value::Number(n) if n.is_f64() => ColumnType::Float64,
                _ => ColumnType::Utf8,
            };
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let cell = match (*types.entry(name.clone()).or_insert(natural), natural) {
                (ColumnType::Utf8, _) => Cell::Typed(json!(text)),
                (wanted, actual) if wanted == actual => Cell::Typed(value.clone()),
                (ColumnType::Float64, ColumnType::Int64) if value.as_i64().unwrap().abs() <= 1 << 53 => {
                    Cell::Typed(json!(value.as_f64().unwrap()))
                }
                (ColumnType::Int64, ColumnType::Float64) if value.as_f64().unwrap().fract() == 0.0 => {
                    Cell::Typed(json!(value.as_f64().unwrap() as i64))
                }
                _ => Cell::Overflow(text),
            };
            out.insert(name.clone(), cell);
        }
        cells.push(out);
    }
    cells
}

fn cell(array: &ArrayRef, row: usize) -> Value {
    if let Some(ints) = array.as_primitive_opt::<Int64Type>() {
        json!(ints.value(row))
    } else if let Some(floats) = array.as_primitive_opt::<Float64Type>() {
        json!(floats.value(row))
    } else if let Some(bools) = array.as_boolean_opt() {
        json!(bools.value(row))
    } else {
        json!(array.as_string::<i32>().value(row))
    }
}

fn read_back(batch: &arrow::array::RecordBatch) -> Vec<BTreeMap<String, Cell>> {
    let mut rows = vec![BTreeMap::new(); batch.num_rows()];
    for (field, array) in batch.schema().fields().iter().zip(batch.columns()).skip(1) {
        for (row, out) in rows.iter_mut().enumerate().filter(|(row, _)| array.is_valid(*row)) {
            if field.name() != "_overflow" {
                out.insert(field.name().clone(), Cell::Typed(cell(array, row)));
                continue;
            }
            let entries = array.as_map().value(row);
            let (keys, values) = (entries.column(0).as_string::<i32>(), entries.column(1).as_string::<i32>());
            for (key, value) in keys.iter().flatten().zip(values.iter().flatten()) {
                out.insert(key.to_owned(), Cell::Overflow(value.to_owned()));
            }
        }
    }
    rows
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-5_i64..5).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-20_i32..20).prop_map(|quarters| json!(f64::from(quarters) / 4.0)),
        any::<f64>().prop_filter("JSON has no NaN", |f| f.is_finite() && f.abs() < 1e15).prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
        prop::collection::vec(0_i64..3, 0..3).prop_map(Value::from),
    ]
}

fn row() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::vec(("[a-f]|int|float|bool|text", value()), 0..8).prop_map(|fields| fields.into_iter().collect())
}

proptest! {
    #[test]
    fn what_goes_in_comes_out(rows in prop::collection::vec(row(), 1..20)) {
        let known = [
            ("int", ColumnType::Int64), ("float", ColumnType::Float64), ("bool", ColumnType::Bool), ("text", ColumnType::Utf8),
        ];
        let body: String = rows.iter().map(|row| format!("{}\n", Value::Object(row.clone()))).collect();
        let options = DecodeOptions { now: ARRIVAL, time_field: None };
        let decoded = Format::Ndjson.decode(body.as_bytes(), &schema(&known), options);
        prop_assert_eq!(decoded.accepted, rows.len() as u64);
        prop_assert_eq!(read_back(&decoded.batch.unwrap()), model(&known, &rows), "{}", body);
    }
}

#[test]
fn fields_beyond_the_column_cap_go_to_the_overflow() {
    let fields = |range: std::ops::Range<usize>| range.map(|i| format!("\"f{i}\":{i}")).collect::<Vec<_>>().join(",");
    let body = format!(
        "{{{}}}\n{{{}}}\n",
        fields(0..STORE_COLUMNS_MAX - 1),
        fields(STORE_COLUMNS_MAX - 2..STORE_COLUMNS_MAX + 2)
    );
    let batch = decode(Format::Ndjson, body).batch.unwrap();
    assert_eq!(batch.num_columns(), 1 + STORE_COLUMNS_MAX + 1, "_time, the columns, _overflow");
    let last = &read_back(&batch)[1];
    let overflow: Vec<&String> = last.iter().filter(|(_, c)| matches!(c, Cell::Overflow(_))).map(|(n, _)| n).collect();
    assert_eq!(overflow, [&format!("f{STORE_COLUMNS_MAX}"), &format!("f{}", STORE_COLUMNS_MAX + 1)]);
}

#[test]
fn a_body_that_unfolds_is_stopped() {
    let mut body = "{\"a\":1}\n".repeat(100_000);
    for i in 0..400 {
        body.push_str(&format!("{{\"n{i}\":1}}\n"));
    }
    let decoded = decode(Format::Ndjson, body);
    assert!(decoded.rejections.total() > 0 && decoded.accepted > 100_000, "{}", decoded.accepted);
    assert!(render(&decoded).contains("send it in parts"));
}
