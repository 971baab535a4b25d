//! A segment of chunks as consumers want it: the batches as they came. Within a batch samples stand by series and time; which series came first is not kept.

use arrow::array::AsArray;
use arrow::datatypes::{UInt32Type, UInt64Type};
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::ParquetMetaData;

use super::{BATCHES_KEY, OFFSETS, SAMPLES, SERIES, TIMES, VALUES};
use crate::metrics::chunk::{ChunkDecoder, decode_integers};
use crate::metrics::samples::SampleRows;
use crate::reading::ShardBatch;
use crate::{ChunkError, Offset, SegmentError, UnixNanos};

struct Received {
    offset: Offset,
    rows: SampleRows,
}

pub(crate) fn batches(file: ParquetRecordBatchReaderBuilder<Bytes>) -> Result<Vec<ShardBatch>, SegmentError> {
    let receipts = receipts(file.metadata())?;
    let mut received: Vec<Received> =
        receipts.iter().map(|(offset, _)| Received { offset: *offset, rows: SampleRows::default() }).collect();
    for chunks in file.build()? {
        deal(&chunks?, &mut received)?;
    }
    let batches = received.into_iter().zip(receipts).filter(|(batch, _)| !batch.rows.is_empty());
    batches.map(|(batch, (offset, at))| Ok(ShardBatch::new(offset, at, batch.rows.finish()?))).collect()
}

/// When each batch was received, by offset.
pub(crate) fn receipts(metadata: &ParquetMetaData) -> Result<Vec<(Offset, UnixNanos)>, SegmentError> {
    let keys = metadata.file_metadata().key_value_metadata();
    let pair = keys.and_then(|keys| keys.iter().find(|pair| pair.key == BATCHES_KEY));
    let text = pair.and_then(|pair| pair.value.as_ref()).ok_or(ChunkError::Receipts)?;
    let pairs: Vec<(u64, i64)> = serde_json::from_str(text).map_err(|_no_pairs| ChunkError::Receipts)?;
    Ok(pairs.into_iter().map(|(offset, received)| (Offset(offset), UnixNanos(received))).collect())
}

/// Gives each sample to its batch.
fn deal(chunks: &RecordBatch, received: &mut [Received]) -> Result<(), SegmentError> {
    let bytes = |name| chunks.column_by_name(name).map(|column| column.as_binary::<i32>()).ok_or(ChunkError::Header);
    let column = |name| chunks.column_by_name(name).ok_or(ChunkError::Header);
    let (times, values, offsets) = (bytes(TIMES)?, bytes(VALUES)?, bytes(OFFSETS)?);
    let (series, samples) =
        (column(SERIES)?.as_primitive::<UInt64Type>(), column(SAMPLES)?.as_primitive::<UInt32Type>());
    let mut decoder = ChunkDecoder::default();
    let mut of_samples = Vec::new();
    for row in 0..chunks.num_rows() {
        let count = super::read::checked_count(samples.value(row))?;
        let (times, values) = decoder.decode(times.value(row), values.value(row), count)?;
        of_samples.clear();
        decode_integers(offsets.value(row), count, &mut of_samples)?;
        let mut at = 0;
        for ((time, value), offset) in times.iter().zip(values).zip(&of_samples) {
            let offset = Offset(offset.cast_unsigned());
            if received.get(at).is_none_or(|batch| batch.offset != offset) {
                at = received.binary_search_by_key(&offset, |batch| batch.offset).map_err(|_| ChunkError::Receipts)?;
            }
            received[at].rows.push(series.value(row), *time, *value);
        }
    }
    Ok(())
}
