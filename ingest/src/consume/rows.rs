//! Batches of a shard as JSON: an object a row, with its shard and its cursor, without the fields that it does not have.

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use arrow::json::writer::{EncoderOptions, NullableEncoder, make_encoder};
use culprit_store::ShardBatch;

use super::Cursor;

/// One object a line. `_cursor` is that of the row's batch: who reads on from it sees the row again and misses none.
pub(super) fn append_ndjson(batch: &ShardBatch, shard: u32, out: &mut Vec<u8>) -> Result<(), ArrowError> {
    let head = format!("{{\"_shard\":{shard},\"_cursor\":\"{}\"", Cursor(batch.offset));
    for_each_row(&batch.batch, out, |_row, out| out.extend_from_slice(head.as_bytes()), b"}\n")
}

/// The rows as one JSON array.
pub(super) fn json_array(batch: &RecordBatch) -> Result<String, ArrowError> {
    let mut out = vec![b'['];
    let open = |row: usize, out: &mut Vec<u8>| out.extend_from_slice(if row == 0 { b"{" } else { b",{" });
    for_each_row(batch, &mut out, open, b"}")?;
    out.push(b']');
    Ok(String::from_utf8(out).expect("JSON of UTF-8 is UTF-8"))
}

fn for_each_row(
    batch: &RecordBatch,
    out: &mut Vec<u8>,
    open: impl Fn(usize, &mut Vec<u8>),
    close: &[u8],
) -> Result<(), ArrowError> {
    let options = EncoderOptions::default();
    let fields = batch.schema_ref().fields().iter();
    let names: Vec<String> =
        fields.clone().map(|field| format!("{}:", serde_json::Value::from(field.name().as_str()))).collect();
    let mut cells: Vec<NullableEncoder<'_>> = fields
        .zip(batch.columns())
        .map(|(field, column)| make_encoder(field, column, &options))
        .collect::<Result<_, _>>()?;
    for row in 0..batch.num_rows() {
        open(row, out);
        for (name, cell) in names.iter().zip(&mut cells).filter(|(_, cell)| !cell.is_null(row)) {
            if out.last() != Some(&b'{') {
                out.push(b',');
            }
            out.extend_from_slice(name.as_bytes());
            cell.encode(row, out);
        }
        out.extend_from_slice(close);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringArray, TimestampNanosecondArray};
    use culprit_store::{Offset, UnixNanos};
    use expect_test::expect;

    use super::*;

    #[test]
    fn a_row_has_its_fields_and_its_place() {
        let columns: [(&str, ArrayRef); 3] = [
            (
                "_time",
                Arc::new(TimestampNanosecondArray::from(vec![1_431_857_103_000_000_000, 0]).with_timezone("UTC")),
            ),
            ("n", Arc::new(Int64Array::from(vec![Some(1), None]))),
            ("say \"hi\"", Arc::new(StringArray::from(vec![None, Some("a\nb")]))),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        expect![[r#"[{"_time":"2015-05-17T10:05:03Z","n":1},{"_time":"1970-01-01T00:00:00Z","say \"hi\"":"a\nb"}]"#]]
            .assert_eq(&json_array(&batch).unwrap());
        let batch = ShardBatch { offset: Offset(7), received: UnixNanos(0), batch, bytes: 0 };
        let mut out = Vec::new();
        append_ndjson(&batch, 3, &mut out).unwrap();
        expect![[r#"
            {"_shard":3,"_cursor":"Nw==","_time":"2015-05-17T10:05:03Z","n":1}
            {"_shard":3,"_cursor":"Nw==","_time":"1970-01-01T00:00:00Z","say \"hi\"":"a\nb"}
        "#]]
        .assert_eq(&String::from_utf8(out).unwrap());
    }
}
