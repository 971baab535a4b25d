//! Arrays, rows and maps of an answer as JSON: a row is an array of its values, as clients of the cloud service read it.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use arrow::util::display::array_value_to_string;
use serde_json::{Number, Value};

pub(super) fn json(array: &ArrayRef, row: usize) -> Result<Value, ArrowError> {
    if array.is_null(row) {
        return Ok(Value::Null);
    }
    match array.data_type() {
        DataType::Null => Ok(Value::Null),
        DataType::List(_) => all(&array.as_list::<i32>().value(row)),
        DataType::LargeList(_) => all(&array.as_list::<i64>().value(row)),
        DataType::FixedSizeList(..) => all(&array.as_fixed_size_list().value(row)),
        DataType::Struct(_) => array.as_struct().columns().iter().map(|column| json(column, row)).collect(),
        DataType::Map(..) => {
            let entries = array.as_map().value(row);
            let (keys, values) = (entries.column(0), entries.column(1));
            (0..entries.len()).map(|at| Ok((array_value_to_string(keys, at)?, json(values, at)?))).collect()
        }
        DataType::Boolean => Ok(array.as_boolean().value(row).into()),
        // JSON has no word for what is no number.
        number if number.is_numeric() => {
            Ok(array_value_to_string(array, row)?.parse::<Number>().map_or(Value::Null, Value::Number))
        }
        _ => Ok(array_value_to_string(array, row)?.into()),
    }
}

fn all(values: &ArrayRef) -> Result<Value, ArrowError> {
    (0..values.len()).map(|at| json(values, at)).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, Int64Array, ListArray, StringArray, StructArray};
    use arrow::datatypes::{Field, Fields, Int64Type};

    use super::*;

    #[test]
    fn rows_are_arrays_and_texts_keep_their_quotes() {
        let texts = ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(1), None]), None]);
        let fields: Fields = vec![
            Field::new("a", DataType::Utf8, true),
            Field::new("b", texts.data_type().clone(), true),
            Field::new("c", DataType::Float64, true),
            Field::new("d", DataType::Int64, true),
        ]
        .into();
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from(vec![Some("x \"y\""), None])),
            Arc::new(texts),
            Arc::new(Float64Array::from(vec![0.5, f64::NAN])),
            Arc::new(Int64Array::from(vec![i64::MAX, 0])),
        ];
        let rows: ArrayRef = Arc::new(StructArray::new(fields, columns, None));
        assert_eq!(json(&rows, 0).unwrap().to_string(), r#"["x \"y\"",[1,null],0.5,9223372036854775807]"#);
        assert_eq!(json(&rows, 1).unwrap().to_string(), "[null,null,null,0]");
    }
}
