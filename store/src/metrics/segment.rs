//! Segments of a metricstore: Parquet with a row per chunk, which is up to [`CHUNK_SAMPLES_MAX`] samples of one series. See `docs/format/segment.md`.
//!
//! Series that are scraped together have the same times and come in the same batches, so the bytes of both are alike and stand in a dictionary, once.

mod cold;
mod order;
mod read;
mod rows;

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, BinaryBuilder, TimestampMillisecondBuilder, UInt32Builder, UInt64Builder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::chunk::{encode_integers, encode_values};
use crate::SegmentError;
use crate::limits::{CHUNK_PAGE_ROWS, CHUNK_SAMPLES_MAX, ROW_GROUP_ROWS_MAX};
use crate::shard::RecentBatch;

pub(crate) use cold::{batches, receipts};
pub(super) use read::gather;

const SERIES: &str = "series";
const FIRST: &str = "first";
const LAST: &str = "last";
const SAMPLES: &str = "samples";
const TIMES: &str = "times";
const VALUES: &str = "values";
const OFFSETS: &str = "offsets";

/// The footer's key with `[[offset, received in ns], …]`, ascending.
const BATCHES_KEY: &str = "culprit.batches";
/// Rows of samples, the segments of format 2, have 1.
const VERSION: &str = "2";

static CHUNKS: LazyLock<SchemaRef> = LazyLock::new(|| {
    let time = || DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
    let fields = [
        (SERIES, DataType::UInt64),
        (FIRST, time()),
        (LAST, time()),
        (SAMPLES, DataType::UInt32),
        (TIMES, DataType::Binary),
        (VALUES, DataType::Binary),
        (OFFSETS, DataType::Binary),
    ];
    Arc::new(Schema::new(fields.map(|(name, kind)| Field::new(name, kind, false)).to_vec()))
});

/// Told from the rows of samples that format 2 wrote.
pub(crate) fn is_chunked(schema: &Schema) -> bool {
    schema.column_with_name(VALUES).is_some()
}

#[derive(Debug)]
pub(crate) struct EncodedSamples {
    pub(crate) bytes: Vec<u8>,
    /// Samples at a time at which their series has another one, received before.
    pub(crate) duplicates: u64,
}

pub(crate) fn encode(batches: &[Arc<RecentBatch>]) -> Result<EncodedSamples, SegmentError> {
    let samples = order::by_series(batches);
    let mut chunks = ChunkBuilders::default();
    let mut duplicates = 0;
    for (series, rows) in samples.series() {
        duplicates += samples.times[rows.clone()].windows(2).filter(|pair| pair[0] == pair[1]).count() as u64;
        for start in rows.clone().step_by(CHUNK_SAMPLES_MAX) {
            let chunk = start..rows.end.min(start + CHUNK_SAMPLES_MAX);
            chunks.push(series, &samples.times[chunk.clone()], &samples.values[chunk.clone()], &samples.offsets[chunk]);
        }
    }
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, CHUNKS.clone(), Some(properties(batches)?))?;
    writer.write(&chunks.finish()?)?;
    writer.close()?;
    Ok(EncodedSamples { bytes, duplicates })
}

fn properties(batches: &[Arc<RecentBatch>]) -> Result<WriterProperties, SegmentError> {
    let receipts: Vec<(u64, i64)> = batches.iter().map(|batch| (batch.offset.0, batch.received.0)).collect();
    let receipts = serde_json::to_string(&receipts).expect("numbers are JSON");
    let keys = [("culprit.segment", VERSION.to_owned()), (BATCHES_KEY, receipts)];
    let keys = keys.map(|(key, value)| KeyValue::new(key.to_owned(), value)).to_vec();
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS_MAX))
        .set_data_page_row_count_limit(CHUNK_PAGE_ROWS)
        .set_write_batch_size(CHUNK_PAGE_ROWS)
        .set_created_by(concat!("culprit ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_key_value_metadata(Some(keys));
    for name in [SERIES, FIRST, LAST] {
        builder = builder
            .set_column_dictionary_enabled(ColumnPath::from(name), false)
            .set_column_encoding(ColumnPath::from(name), Encoding::DELTA_BINARY_PACKED);
    }
    for name in [TIMES, VALUES, OFFSETS] {
        builder = builder.set_column_statistics_enabled(ColumnPath::from(name), EnabledStatistics::None);
    }
    Ok(builder.set_column_dictionary_enabled(ColumnPath::from(VALUES), false).build())
}

#[derive(Default)]
struct ChunkBuilders {
    series: UInt64Builder,
    first: TimestampMillisecondBuilder,
    last: TimestampMillisecondBuilder,
    samples: UInt32Builder,
    times: BinaryBuilder,
    values: BinaryBuilder,
    offsets: BinaryBuilder,
    encoded_times: Repeated,
    encoded_offsets: Repeated,
}

impl ChunkBuilders {
    /// At least one sample, ascending in time.
    fn push(&mut self, series: u64, times: &[i64], values: &[f64], offsets: &[i64]) {
        self.series.append_value(series);
        self.first.append_value(times[0]);
        self.last.append_value(times[times.len() - 1]);
        self.samples.append_value(times.len() as u32);
        self.times.append_value(self.encoded_times.encode(times));
        self.values.append_value(encode_values(values));
        self.offsets.append_value(self.encoded_offsets.encode(offsets));
    }

    fn finish(mut self) -> Result<RecordBatch, SegmentError> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.series.finish()),
            Arc::new(self.first.finish().with_timezone("UTC")),
            Arc::new(self.last.finish().with_timezone("UTC")),
            Arc::new(self.samples.finish()),
            Arc::new(self.times.finish()),
            Arc::new(self.values.finish()),
            Arc::new(self.offsets.finish()),
        ];
        Ok(RecordBatch::try_new(CHUNKS.clone(), columns)?)
    }
}

/// The integers encoded last; most often the next series has the same.
#[derive(Default)]
struct Repeated {
    integers: Vec<i64>,
    encoded: Vec<u8>,
}

impl Repeated {
    fn encode(&mut self, integers: &[i64]) -> &[u8] {
        if self.integers != integers {
            self.encoded = encode_integers(integers);
            self.integers.clear();
            self.integers.extend_from_slice(integers);
        }
        &self.encoded
    }
}

#[cfg(test)]
mod tests;
