//! The order of rows in a segment of logs: by stream, then time. Neighbours compress each other, and a query for one stream reads one run.

use std::collections::HashMap;

use arrow::array::{ArrayRef, AsArray, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::TimestampNanosecondType;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use arrow::row::{Row, RowConverter, SortField};

use crate::schema::TIME;

/// The values of these, where a store has them, tell one emitter from another.
const STREAM_FIELDS: [&str; 4] = ["service", "app", "host", "source"];

/// Rows of one stream and time keep the order in which they stand in `batch`.
pub(crate) fn sort(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let streams = STREAM_FIELDS.into_iter().filter_map(|name| batch.column_by_name(name));
    let streams: Vec<ArrayRef> = streams.cloned().collect();
    let times = batch.column_by_name(TIME).expect("every batch has a time").as_primitive::<TimestampNanosecondType>();
    let keys = ranks(&streams, batch.num_rows())?.into_iter().zip(times.values());
    let mut order: Vec<(u32, i64, u32)> = keys.zip(0..).map(|((stream, time), row)| (stream, *time, row)).collect();
    order.sort_unstable();
    take_record_batch(batch, &UInt32Array::from_iter_values(order.into_iter().map(|(.., row)| row)))
}

/// Each row's place among the distinct streams. A flush has few of them and many rows: to compare two numbers for each
/// pair of rows takes a fraction of the time that their texts would.
fn ranks(streams: &[ArrayRef], rows: usize) -> Result<Vec<u32>, ArrowError> {
    if streams.is_empty() {
        return Ok(vec![0; rows]);
    }
    let fields = streams.iter().map(|column| SortField::new(column.data_type().clone()));
    let keys = RowConverter::new(fields.collect())?.convert_columns(streams)?;
    let mut numbers: HashMap<Row<'_>, u32> = HashMap::new();
    let mut of_rows = Vec::with_capacity(rows);
    for key in &keys {
        let next = u32::try_from(numbers.len()).expect("a batch has fewer rows");
        of_rows.push(*numbers.entry(key).or_insert(next));
    }
    let mut distinct: Vec<(Row<'_>, u32)> = numbers.into_iter().collect();
    distinct.sort_unstable();
    let mut rank_of = vec![0; distinct.len()];
    for (rank, (_, number)) in (0..).zip(distinct) {
        rank_of[number as usize] = rank;
    }
    Ok(of_rows.into_iter().map(|number| rank_of[number as usize]).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray, TimestampNanosecondArray};
    use arrow::compute::{SortColumn, lexsort_to_indices};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Arrow's own sort over the texts is the oracle.
        #[test]
        fn the_order_is_that_of_the_columns(
            rows in prop::collection::vec(
                (prop::option::of("[ab]{0,2}"), prop::option::of(-2i64..3), -3i64..3),
                1..60,
            ),
            has_streams: bool,
        ) {
            let times = TimestampNanosecondArray::from_iter_values(rows.iter().map(|row| row.2)).with_timezone("UTC");
            let services: StringArray = rows.iter().map(|row| row.0.as_deref()).collect();
            let hosts: Int64Array = rows.iter().map(|row| row.1).collect();
            let numbers = UInt32Array::from_iter_values(0..rows.len() as u32);
            let mut columns: Vec<(&str, ArrayRef)> = vec![(TIME, Arc::new(times)), ("number", Arc::new(numbers))];
            if has_streams {
                columns.push(("host", Arc::new(hosts)));
                columns.push(("service", Arc::new(services)));
            }
            let batch = RecordBatch::try_from_iter(columns).unwrap();
            let by: Vec<SortColumn> = ["service", "host", TIME, "number"]
                .iter()
                .filter_map(|name| batch.column_by_name(name))
                .map(|values| SortColumn { values: values.clone(), options: None })
                .collect();
            let expected = take_record_batch(&batch, &lexsort_to_indices(&by, None).unwrap()).unwrap();
            prop_assert_eq!(sort(&batch).unwrap(), expected);
        }
    }
}
