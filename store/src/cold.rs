//! Cold reads: a segment is sorted by stream and time; consumers want the batches as they came.

use std::ops::Range;

use arrow::array::{Array, AsArray, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::{TimestampNanosecondType, UInt32Type, UInt64Type};
use arrow::record_batch::{RecordBatch, RecordBatchReader};
use bytes::Bytes;
use object_store::ObjectStoreExt;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::metrics::segment as chunks;
use crate::reading::{ColdBlock, ShardBatch};
use crate::schema::{OFFSET, RECEIVED, ROW, is_hidden};
use crate::segment::{Segment, SegmentStore};
use crate::{Offset, SegmentError, StoreError, UnixNanos};

/// Reads the whole segment, which a cache then keeps: its rows of one batch stand anywhere in it.
pub(crate) async fn load(segments: &SegmentStore, segment: &Segment) -> Result<ColdBlock, StoreError> {
    let file = fetch(segments, segment).await?;
    let id = segment.id;
    let decoded = tokio::task::spawn_blocking(move || decode(file)).await.expect("decoding a segment does not panic");
    let batches = decoded.map_err(StoreError::segment(&segment.path))?;
    let bytes = batches.iter().map(|batch| batch.bytes).sum();
    Ok(ColdBlock { segment_id: id, first: segment.first, last: segment.last, batches, bytes })
}

/// The offset and the time of receipt of each batch, once or for each of its rows, in no order.
pub(crate) async fn load_receipts(
    segments: &SegmentStore,
    segment: &Segment,
) -> Result<Vec<(Offset, UnixNanos)>, StoreError> {
    let file = fetch(segments, segment).await?;
    let decoded = tokio::task::spawn_blocking(move || decode_receipts(file)).await;
    decoded.expect("decoding a segment does not panic").map_err(StoreError::segment(&segment.path))
}

async fn fetch(segments: &SegmentStore, segment: &Segment) -> Result<Bytes, StoreError> {
    let found = segments.objects().get(&segment.path).await.map_err(StoreError::segment(&segment.path))?;
    found.bytes().await.map_err(StoreError::segment(&segment.path))
}

fn decode_receipts(file: Bytes) -> Result<Vec<(Offset, UnixNanos)>, SegmentError> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(file)?;
    if chunks::is_chunked(builder.schema()) {
        return chunks::receipts(builder.metadata());
    }
    let columns = ProjectionMask::columns(builder.parquet_schema(), [OFFSET, RECEIVED]);
    let mut receipts = Vec::new();
    for batch in builder.with_projection(columns).build()? {
        let batch = batch?;
        let offsets = hidden(&batch, OFFSET)?.as_primitive::<UInt64Type>().values().iter();
        let received = hidden(&batch, RECEIVED)?.as_primitive::<TimestampNanosecondType>().values();
        receipts.extend(offsets.zip(received).map(|(offset, received)| (Offset(*offset), UnixNanos(*received))));
    }
    Ok(receipts)
}

fn decode(file: Bytes) -> Result<Vec<ShardBatch>, SegmentError> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(file)?;
    if chunks::is_chunked(builder.schema()) {
        return chunks::batches(builder);
    }
    let reader = builder.build()?;
    let schema = reader.schema();
    let parts = reader.collect::<Result<Vec<_>, _>>()?;
    let rows = in_order_of_receipt(&concat_batches(&schema, &parts)?)?;
    let offsets = hidden(&rows, OFFSET)?.as_primitive::<UInt64Type>().values().to_vec();
    let received = hidden(&rows, RECEIVED)?.as_primitive::<TimestampNanosecondType>().values().to_vec();
    let shown: Vec<usize> = (0..schema.fields().len()).filter(|at| !is_hidden(schema.field(*at).name())).collect();
    let rows = rows.project(&shown)?;
    runs(&offsets)
        .map(|run| {
            let (offset, received) = (Offset(offsets[run.start]), UnixNanos(received[run.start]));
            Ok(ShardBatch::new(offset, received, without_empty_columns(&rows.slice(run.start, run.len()))?))
        })
        .collect()
}

fn in_order_of_receipt(rows: &RecordBatch) -> Result<RecordBatch, SegmentError> {
    let offsets = hidden(rows, OFFSET)?.as_primitive::<UInt64Type>().values();
    let numbers = hidden(rows, ROW)?.as_primitive::<UInt32Type>().values();
    let mut order: Vec<u32> = (0u32..).take(rows.num_rows()).collect();
    order.sort_unstable_by_key(|at| (offsets[*at as usize], numbers[*at as usize]));
    Ok(take_record_batch(rows, &UInt32Array::from(order))?)
}

/// The stretches of equal values.
fn runs(offsets: &[u64]) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    offsets.chunk_by(|a, b| a == b).map(move |run| {
        let range = start..start + run.len();
        start = range.end;
        range
    })
}

/// A column of the store that this batch had nothing in was not in the batch when it came, as far as anybody can tell.
fn without_empty_columns(batch: &RecordBatch) -> Result<RecordBatch, SegmentError> {
    let is_full = |at: &usize| *at == 0 || batch.column(*at).null_count() < batch.num_rows();
    let full: Vec<usize> = (0..batch.num_columns()).filter(is_full).collect();
    Ok(batch.project(&full)?)
}

fn hidden<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a dyn Array, SegmentError> {
    let missing = || arrow::error::ArrowError::SchemaError(format!("a segment without the column {name}"));
    Ok(batch.column_by_name(name).ok_or_else(missing)?.as_ref())
}
