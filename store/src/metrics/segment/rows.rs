//! Segments of format 2: a row per sample, sorted by series and time.

use arrow::array::{AsArray, BooleanArray};
use arrow::datatypes::UInt64Type;
use futures::TryStreamExt;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowPredicateFn, ArrowReaderMetadata, RowFilter};
use parquet::arrow::async_reader::ParquetRecordBatchStreamBuilder;

use super::read::Reader;
use crate::metrics::gathered::Gathered;
use crate::metrics::samples::{SERIES, VALUE};
use crate::schema::TIME;
use crate::{SegmentError, SeriesId};

pub(super) async fn gather(
    reader: Reader,
    metadata: ArrowReaderMetadata,
    gathered: &mut Gathered,
) -> Result<(), SegmentError> {
    let builder = ParquetRecordBatchStreamBuilder::new_with_metadata(reader, metadata);
    let columns = ProjectionMask::columns(builder.parquet_schema(), [TIME, SERIES, VALUE]);
    let only_series = ProjectionMask::columns(builder.parquet_schema(), [SERIES]);
    let ids = gathered.ids().to_vec();
    let filter = ArrowPredicateFn::new(only_series, move |batch| {
        let series = batch.column(0).as_primitive::<UInt64Type>();
        Ok(BooleanArray::from_unary(series, |id| ids.binary_search(&SeriesId(id)).is_ok()))
    });
    let filter = RowFilter::new(vec![Box::new(filter)]);
    let mut rows = builder.with_projection(columns).with_row_filter(filter).build()?;
    while let Some(batch) = rows.try_next().await? {
        gathered.add_rows(&batch);
    }
    Ok(())
}
