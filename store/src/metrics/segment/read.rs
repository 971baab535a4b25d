//! The samples of some series out of a segment: their chunks are found by series and time, and only the pages that hold them are read.

use std::ops::Range;

use arrow::array::AsArray;
use arrow::datatypes::{TimestampMillisecondType, UInt32Type, UInt64Type};
use arrow::record_batch::RecordBatch;
use futures::TryStreamExt;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, RowSelection};
use parquet::arrow::async_reader::{ParquetRecordBatchStream, ParquetRecordBatchStreamBuilder};
use parquet::file::metadata::PageIndexPolicy;

use super::{FIRST, LAST, SAMPLES, SERIES, TIMES, VALUES, is_chunked, rows};
use crate::limits::CHUNK_SAMPLES_MAX;
use crate::metrics::chunk::ChunkDecoder;
use crate::metrics::gathered::Gathered;
use crate::segment::{Segment, SegmentStore};
use crate::{ChunkError, SegmentError, SeriesId};

#[expect(deprecated, reason = "what shall replace the reader is still open: arrow-rs issue 10308")]
pub(super) type Reader = parquet::arrow::async_reader::ParquetObjectReader;

/// A chunk that is wanted, and for whom.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    row: usize,
    slot: usize,
    samples: usize,
}

pub(in crate::metrics) async fn gather(
    segments: &SegmentStore,
    segment: &Segment,
    gathered: &mut Gathered,
) -> Result<(), SegmentError> {
    let mut reader = Reader::new(segments.objects().clone(), segment.path.clone()).with_file_size(segment.bytes);
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
    let metadata = ArrowReaderMetadata::load_async(&mut reader, options).await?;
    if !is_chunked(metadata.schema()) {
        return rows::gather(reader, metadata, gathered).await;
    }
    let file = File { reader, metadata };
    let wanted = file.find(gathered).await?;
    if wanted.is_empty() { Ok(()) } else { file.decode(&wanted, gathered).await }
}

struct File {
    reader: Reader,
    metadata: ArrowReaderMetadata,
}

impl File {
    fn open(&self, columns: &[&str]) -> ParquetRecordBatchStreamBuilder<Reader> {
        let builder = ParquetRecordBatchStreamBuilder::new_with_metadata(self.reader.clone(), self.metadata.clone());
        let columns = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
        builder.with_projection(columns)
    }

    async fn find(&self, gathered: &Gathered) -> Result<Vec<Wanted>, SegmentError> {
        let mut heads: ParquetRecordBatchStream<Reader> = self.open(&[SERIES, FIRST, LAST, SAMPLES]).build()?;
        let mut wanted = Vec::new();
        let mut row = 0;
        while let Some(batch) = heads.try_next().await? {
            find_in(&batch, row, gathered, &mut wanted)?;
            row += batch.num_rows();
        }
        Ok(wanted)
    }

    async fn decode(&self, wanted: &[Wanted], gathered: &mut Gathered) -> Result<(), SegmentError> {
        let total = self.metadata.metadata().file_metadata().num_rows().max(0) as usize;
        let selection = RowSelection::from_consecutive_ranges(ranges(wanted), total);
        let mut chunks = self.open(&[TIMES, VALUES]).with_row_selection(selection).build()?;
        let mut decoder = ChunkDecoder::default();
        let mut wanted = wanted.iter();
        while let Some(batch) = chunks.try_next().await? {
            let (times, values) = (batch.column(0).as_binary::<i32>(), batch.column(1).as_binary::<i32>());
            for ((times, values), wanted) in times.iter().zip(values).zip(&mut wanted) {
                let (Some(times), Some(values)) = (times, values) else { return Err(ChunkError::Short.into()) };
                let (times, values) = decoder.decode(times, values, wanted.samples)?;
                gathered.add(wanted.slot, times, values);
            }
        }
        if wanted.next().is_some() { Err(ChunkError::Short.into()) } else { Ok(()) }
    }
}

/// Rows and what is wanted are both in the order of series, so one walk over the two finds all.
fn find_in(
    heads: &RecordBatch,
    first_row: usize,
    gathered: &Gathered,
    wanted: &mut Vec<Wanted>,
) -> Result<(), ChunkError> {
    let column = |name| heads.column_by_name(name).expect("the projection has it");
    let series = column(SERIES).as_primitive::<UInt64Type>().values();
    let firsts = column(FIRST).as_primitive::<TimestampMillisecondType>().values();
    let lasts = column(LAST).as_primitive::<TimestampMillisecondType>().values();
    let samples = column(SAMPLES).as_primitive::<UInt32Type>().values();
    let (range, ids) = (gathered.range(), gathered.ids());
    let mut slot = 0;
    for at in 0..heads.num_rows() {
        let id = SeriesId(series[at]);
        while ids.get(slot).is_some_and(|wanted| *wanted < id) {
            slot += 1;
        }
        match ids.get(slot) {
            None => break,
            Some(found) if *found == id && firsts[at] <= range.end_ms && lasts[at] >= range.start_ms => {
                wanted.push(Wanted { row: first_row + at, slot, samples: checked_count(samples[at])? });
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// What is read from disk decides how much memory is taken.
pub(super) fn checked_count(samples: u32) -> Result<usize, ChunkError> {
    Some(samples as usize).filter(|count| *count <= CHUNK_SAMPLES_MAX).ok_or(ChunkError::Count)
}

fn ranges(wanted: &[Wanted]) -> impl Iterator<Item = Range<usize>> {
    wanted.chunk_by(|a, b| a.row + 1 == b.row).map(|run| run[0].row..run[0].row + run.len())
}
