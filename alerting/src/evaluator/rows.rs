//! Rows of a SQL rule into labelled numbers: one column is the value, the others are labels.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Schema};
use culprit_store::Labels;

use super::Measured;
use crate::error::EvalError;

/// Rows whose value is NULL raise nothing, like an absent sample; a NULL label is an absent one.
pub(super) fn measured(batches: &[RecordBatch]) -> Result<Vec<Measured>, EvalError> {
    let Some(first) = batches.first() else { return Ok(Vec::new()) };
    let value = value_column(&first.schema())?;
    let mut out = Vec::new();
    for batch in batches {
        read_batch(batch, value, &mut out)?;
    }
    Ok(out)
}

pub(super) fn value_column(schema: &Schema) -> Result<usize, EvalError> {
    if let Ok(at) = schema.index_of("value") {
        return Ok(at);
    }
    let mut numeric = schema.fields().iter().enumerate().filter(|(_, field)| field.data_type().is_numeric());
    match (numeric.next(), numeric.next()) {
        (Some((at, _)), None) => Ok(at),
        _ => {
            let names: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
            Err(EvalError::NoValueColumn { columns: names.join(", ") })
        }
    }
}

fn read_batch(batch: &RecordBatch, value: usize, out: &mut Vec<Measured>) -> Result<(), EvalError> {
    let values = converted(batch, value, &DataType::Float64)?;
    let values = values.as_primitive::<Float64Type>();
    let labels = labels(batch, &[value])?;
    for (row, labels) in labels.into_iter().enumerate().filter(|(row, _)| values.is_valid(*row)) {
        out.push(Measured { labels, value: values.value(row), note: None });
    }
    Ok(())
}

/// The labels of each row: all columns but those of `besides`.
pub(super) fn labels(batch: &RecordBatch, besides: &[usize]) -> Result<Vec<Labels>, EvalError> {
    let schema = batch.schema();
    let mut columns = Vec::new();
    for at in (0..batch.num_columns()).filter(|at| !besides.contains(at)) {
        columns.push((schema.field(at).name().as_str(), converted(batch, at, &DataType::Utf8)?));
    }
    let mut labels = Vec::with_capacity(batch.num_rows());
    for row in 0..batch.num_rows() {
        let present = columns.iter().filter(|(_, column)| column.is_valid(row));
        labels.push(Labels::new(present.map(|(name, column)| (*name, column.as_string::<i32>().value(row))))?);
    }
    Ok(labels)
}

pub(super) fn converted(batch: &RecordBatch, at: usize, to: &DataType) -> Result<ArrayRef, EvalError> {
    let column = || batch.schema_ref().field(at).name().clone();
    cast(batch.column(at), to).map_err(|source| EvalError::Column { column: column(), source })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, Int64Array, StringArray};

    use super::*;

    fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
    }

    #[test]
    fn one_column_is_the_value_and_the_others_are_labels() {
        let service: ArrayRef = Arc::new(StringArray::from(vec![Some("cart"), None, Some("pay")]));
        let status: ArrayRef = Arc::new(Int64Array::from(vec![500, 502, 503]));
        let ratio: ArrayRef = Arc::new(Float64Array::from(vec![Some(0.5), Some(0.25), None]));
        let named = measured(&[batch(vec![
            ("service", service.clone()),
            ("status", status.clone()),
            ("value", ratio.clone()),
        ])])
        .unwrap();
        let shown: Vec<_> = named.iter().map(|m| format!("{} {}", m.labels, m.value)).collect();
        assert_eq!(shown, [r#"{service="cart", status="500"} 0.5"#, r#"{status="502"} 0.25"#]);
        let only = measured(&[batch(vec![("service", service.clone()), ("errors", status.clone())])]).unwrap();
        assert_eq!(only[2].value, 503.0);
        let error = measured(&[batch(vec![("a", status), ("b", ratio)])]).unwrap_err().to_string();
        assert!(error.contains("columns: a, b"), "{error}");
        assert!(measured(&[batch(vec![("service", service)])]).is_err());
        assert_eq!(measured(&[]).unwrap(), []);
    }
}
