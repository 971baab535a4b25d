//! Bringing a batch to its store's columns.
//!
//! Decoders already type fields by the store's columns as they saw them. Two requests that bring the same new field at once may still disagree; here the
//! column's first type wins, and what does not fit goes to the overflow map under its own name.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, MapArray, MapBuilder, StringArray, StringBuilder,
    new_null_array,
};
use arrow::datatypes::{DataType, Float64Type, Int64Type, Schema};
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::StoreError;
use crate::limits::STORE_COLUMNS_MAX;
use crate::schema::{Column, ColumnType, OVERFLOW, StoreSchema, TIME, overflow_field};

/// The columns that `batch` brings and the store does not have yet, as far as the cap allows.
pub(crate) fn new_columns(batch: &RecordBatch, schema: &StoreSchema) -> Vec<Column> {
    let room = STORE_COLUMNS_MAX.saturating_sub(schema.columns().len());
    batch
        .schema()
        .fields()
        .iter()
        .filter(|field| field.name() != TIME && field.name() != OVERFLOW && schema.get(field.name()).is_none())
        .filter_map(|field| {
            let column_type = ColumnType::of_arrow(field.data_type())?;
            Some(Column { name: field.name().clone(), column_type })
        })
        .take(room)
        .collect()
}

/// `_time`, then columns of the store's types, then `_overflow` where needed. Also says how many values went there.
pub(crate) fn conform(
    batch: RecordBatch,
    schema: &StoreSchema,
    store: &str,
) -> Result<(RecordBatch, usize), StoreError> {
    check_shape(&batch, store)?;
    let fits = batch.schema().fields().iter().all(|field| {
        field.name() == TIME
            || field.name() == OVERFLOW
            || schema.get(field.name()).is_some_and(|kind| kind.arrow() == *field.data_type())
    });
    if fits {
        return Ok((batch, 0));
    }
    let rows = batch.num_rows();
    let mut fields = Vec::new();
    let mut columns = Vec::new();
    let mut misfits: Vec<Misfit> = Vec::new();
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        match schema.get(field.name()) {
            _ if field.name() == OVERFLOW => misfits.extend(Misfit::of_map(column.as_map())),
            _ if field.name() == TIME => {
                fields.push(field.as_ref().clone());
                columns.push(column.clone());
            }
            Some(kind) => {
                let (kept, misfit) = convert(field.name(), column, kind)?;
                fields.push(field.as_ref().clone().with_data_type(kind.arrow()).with_nullable(true));
                columns.push(kept);
                misfits.extend(misfit);
            }
            None => misfits.push(Misfit { name: field.name().clone(), texts: texts(column)? }),
        }
    }
    let count = misfits.iter().map(|misfit| misfit.texts.len() - misfit.texts.null_count()).sum();
    if count > 0 {
        fields.push(overflow_field());
        columns.push(Arc::new(overflow_map(rows, &misfits)?));
    }
    Ok((RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?, count))
}

fn check_shape(batch: &RecordBatch, store: &str) -> Result<(), StoreError> {
    let bad = |why: String| Err(StoreError::BadBatch { store: store.to_owned(), why });
    let schema = batch.schema();
    match schema.column_with_name(TIME) {
        Some((0, field)) if *field.data_type() == crate::schema::utc_nanoseconds() => {}
        _ => return bad(format!("its first column must be {TIME} in nanoseconds UTC")),
    }
    if batch.column(0).null_count() > 0 {
        return bad(format!("{TIME} has nulls"));
    }
    for field in schema.fields().iter().skip(1) {
        let known = ColumnType::of_arrow(field.data_type()).is_some()
            || (field.name() == OVERFLOW && field.data_type() == overflow_field().data_type());
        if !known {
            return bad(format!("column {:?} has type {}", field.name(), field.data_type()));
        }
    }
    Ok(())
}

/// Values of one name that go to the overflow map; null where the row has none.
struct Misfit {
    name: String,
    texts: StringArray,
}

impl Misfit {
    /// An existing overflow map, turned into columns again.
    fn of_map(map: &MapArray) -> Vec<Misfit> {
        let keys = map.keys().as_string::<i32>();
        let values = map.values().as_string::<i32>();
        let mut by_name: HashMap<&str, Vec<Option<&str>>> = HashMap::new();
        for row in (0..map.len()).filter(|row| map.is_valid(*row)) {
            for at in map.value_offsets()[row] as usize..map.value_offsets()[row + 1] as usize {
                let texts = by_name.entry(keys.value(at)).or_insert_with(|| vec![None; map.len()]);
                texts[row] = values.is_valid(at).then(|| values.value(at));
            }
        }
        by_name
            .into_iter()
            .map(|(name, texts)| Misfit { name: name.to_owned(), texts: StringArray::from(texts) })
            .collect()
    }
}

fn texts(column: &ArrayRef) -> Result<StringArray, StoreError> {
    let format = ArrayFormatter::try_new(column, &FormatOptions::default())?;
    Ok((0..column.len()).map(|row| column.is_valid(row).then(|| format.value(row).to_string())).collect())
}

/// The part of the column that has the wanted type, and the rest.
fn convert(name: &str, column: &ArrayRef, wanted: ColumnType) -> Result<(ArrayRef, Option<Misfit>), StoreError> {
    if *column.data_type() == wanted.arrow() {
        return Ok((column.clone(), None));
    }
    let kept: ArrayRef = match (column.data_type(), wanted) {
        (_, ColumnType::Utf8) => Arc::new(texts(column)?),
        (DataType::Int64, ColumnType::Float64) => Arc::new(floats_of(column.as_primitive::<Int64Type>())),
        (DataType::Float64, ColumnType::Int64) => Arc::new(integers_of(column.as_primitive::<Float64Type>())),
        _ => new_null_array(&wanted.arrow(), column.len()),
    };
    let lost = (0..column.len()).map(|row| column.is_valid(row) && kept.is_null(row)).collect::<Vec<bool>>();
    if !lost.contains(&true) {
        return Ok((kept, None));
    }
    let only_lost = arrow::compute::nullif(&texts(column)?, &BooleanArray::from_iter(lost.iter().map(|l| Some(!l))))?;
    Ok((kept, Some(Misfit { name: name.to_owned(), texts: only_lost.as_string::<i32>().clone() })))
}

/// Integers up to 2^53, all of which a float holds exactly.
fn floats_of(integers: &Int64Array) -> Float64Array {
    integers.iter().map(|value| value.filter(|v| v.unsigned_abs() <= 1 << 53).map(|v| v as f64)).collect()
}

/// Floats without a fraction, inside the range in which every integer is a float.
fn integers_of(floats: &Float64Array) -> Int64Array {
    floats.iter().map(|value| value.filter(|v| v.fract() == 0.0 && v.abs() < 9e15).map(|v| v as i64)).collect()
}

fn overflow_map(rows: usize, misfits: &[Misfit]) -> Result<MapArray, StoreError> {
    let mut builder = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    for row in 0..rows {
        let mut any = false;
        for misfit in misfits.iter().filter(|misfit| misfit.texts.is_valid(row)) {
            builder.keys().append_value(&misfit.name);
            builder.values().append_value(misfit.texts.value(row));
            any = true;
        }
        builder.append(any)?;
    }
    Ok(builder.finish())
}

#[cfg(test)]
mod tests {
    use arrow::array::TimestampNanosecondArray;
    use arrow::datatypes::Field;
    use arrow::util::pretty::pretty_format_batches;
    use expect_test::{Expect, expect};

    use super::*;

    fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
        let rows = columns[0].1.len();
        let time = TimestampNanosecondArray::from_iter_values(0..rows as i64).with_timezone("UTC");
        let mut fields = vec![Field::new(TIME, crate::schema::utc_nanoseconds(), false)];
        let mut arrays: Vec<ArrayRef> = vec![Arc::new(time)];
        for (name, array) in columns {
            fields.push(Field::new(name, array.data_type().clone(), true));
            arrays.push(array);
        }
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
    }

    fn schema(columns: &[(&str, ColumnType)]) -> StoreSchema {
        let columns =
            columns.iter().map(|(name, column_type)| Column { name: (*name).to_owned(), column_type: *column_type });
        StoreSchema::new(columns.collect())
    }

    fn check(batch: RecordBatch, schema: &StoreSchema, expected: Expect) {
        let (batch, count) = conform(batch, schema, "s").unwrap();
        let names: Vec<String> = batch.schema().fields().iter().skip(1).map(|f| f.name().clone()).collect();
        let columns: Vec<usize> = (1..=names.len()).collect();
        let table = pretty_format_batches(&[batch.project(&columns).unwrap()]).unwrap();
        expected.assert_eq(&format!("{table}\noverflow {count}\n"));
    }

    #[test]
    fn misfits_go_to_the_overflow_map() {
        let status: ArrayRef = Arc::new(StringArray::from(vec![Some("ok"), None, Some("503")]));
        check(
            batch(vec![("status", status)]),
            &schema(&[("status", ColumnType::Int64)]),
            expect![[r#"
                +--------+---------------+
                | status | _overflow     |
                +--------+---------------+
                |        | {status: ok}  |
                |        |               |
                |        | {status: 503} |
                +--------+---------------+
                overflow 2
            "#]],
        );
    }

    #[test]
    fn numbers_that_fit_are_kept() {
        let float: ArrayRef = Arc::new(Float64Array::from(vec![Some(2.0), Some(2.5)]));
        let integer: ArrayRef = Arc::new(Int64Array::from(vec![Some(7), Some(i64::MAX)]));
        let text: ArrayRef = Arc::new(BooleanArray::from(vec![Some(true), None]));
        check(
            batch(vec![("a", float), ("b", integer), ("c", text)]),
            &schema(&[("a", ColumnType::Int64), ("b", ColumnType::Float64), ("c", ColumnType::Utf8)]),
            expect![[r#"
                +---+-----+------+----------------------------------+
                | a | b   | c    | _overflow                        |
                +---+-----+------+----------------------------------+
                | 2 | 7.0 | true |                                  |
                |   |     |      | {a: 2.5, b: 9223372036854775807} |
                +---+-----+------+----------------------------------+
                overflow 2
            "#]],
        );
    }

    #[test]
    fn an_unknown_type_is_refused_by_name() {
        let column: ArrayRef = Arc::new(arrow::array::Int32Array::from(vec![1]));
        let refused = conform(batch(vec![("n", column)]), &schema(&[]), "shop").unwrap_err().to_string();
        assert!(refused.contains("\"n\"") && refused.contains("Int32"), "{refused}");
    }
}
