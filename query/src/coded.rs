//! Texts of segments as the dictionaries that they are on disk, for a reader that looks at each value once and not at each row.
//!
//! A Parquet file is read as the Arrow schema says that it carries. DataFusion asks a factory for the reader of each file, and
//! the readers here say of its texts that they are dictionaries.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::ParquetFileReaderFactory;
use datafusion::datasource::physical_plan::parquet::DefaultParquetFileReaderFactory;
use datafusion::error::Result;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::future::{BoxFuture, FutureExt};
use object_store::ObjectStore;
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::arrow::{ARROW_SCHEMA_META_KEY, encode_arrow_schema, parquet_to_arrow_schema};
use parquet::errors::ParquetError;
use parquet::file::metadata::{FileMetaData, KeyValue, ParquetMetaData, ParquetMetaDataBuilder};

/// The schema with its texts as dictionaries, but for those of some columns.
pub(crate) fn coded(schema: &Schema, is_plain: impl Fn(&str) -> bool) -> SchemaRef {
    let field = |field: &Arc<Field>| match field.data_type() {
        DataType::Utf8 if !is_plain(field.name()) => {
            let texts = DataType::Dictionary(DataType::Int32.into(), DataType::Utf8.into());
            Arc::new(field.as_ref().clone().with_data_type(texts))
        }
        _ => field.clone(),
    };
    Arc::new(Schema::new_with_metadata(
        schema.fields().iter().map(field).collect::<Vec<_>>(),
        schema.metadata().clone(),
    ))
}

/// The batch with the types of a schema of the same columns.
pub(crate) fn as_coded(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let columns = batch.columns().iter().zip(schema.fields()).map(|(column, field)| cast(column, field.data_type()));
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(schema.clone(), columns.collect::<Result<_, _>>()?, &rows)?)
}

/// Readers of files whose texts become what `schema` says.
#[derive(Debug)]
pub(crate) struct CodedReaders {
    files: DefaultParquetFileReaderFactory,
    schema: SchemaRef,
}

impl CodedReaders {
    pub(crate) fn new(objects: Arc<dyn ObjectStore>, schema: SchemaRef) -> Self {
        Self { files: DefaultParquetFileReaderFactory::new(objects), schema }
    }
}

impl ParquetFileReaderFactory for CodedReaders {
    fn create_reader(
        &self,
        partition: usize,
        file: PartitionedFile,
        metadata_size_hint: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        let file = self.files.create_reader(partition, file, metadata_size_hint, metrics)?;
        Ok(Box::new(CodedReader { file, schema: self.schema.clone() }))
    }
}

struct CodedReader {
    file: Box<dyn AsyncFileReader + Send>,
    schema: SchemaRef,
}

impl AsyncFileReader for CodedReader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<bytes::Bytes, ParquetError>> {
        self.file.get_bytes(range)
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, Result<Vec<bytes::Bytes>, ParquetError>> {
        self.file.get_byte_ranges(ranges)
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>, ParquetError>> {
        let schema = self.schema.clone();
        let read = self.file.get_metadata(options);
        async move { Ok(Arc::new(with_schema(read.await?.as_ref(), &schema)?)) }.boxed()
    }
}

/// What a file says of itself, with texts as dictionaries where the wanted schema has them.
fn with_schema(file: &ParquetMetaData, wanted: &Schema) -> Result<ParquetMetaData, ParquetError> {
    let own = file.file_metadata();
    let schema = parquet_to_arrow_schema(own.schema_descr(), own.key_value_metadata())?;
    let is_plain = |name: &str| {
        !wanted.field_with_name(name).is_ok_and(|field| matches!(field.data_type(), DataType::Dictionary(..)))
    };
    let schema = encode_arrow_schema(&coded(&schema, is_plain));
    let others = own.key_value_metadata().into_iter().flatten().filter(|pair| pair.key != ARROW_SCHEMA_META_KEY);
    let pairs = others.cloned().chain([KeyValue::new(ARROW_SCHEMA_META_KEY.to_owned(), schema)]).collect();
    let said = FileMetaData::new(
        own.version(),
        own.num_rows(),
        own.created_by().map(str::to_owned),
        Some(pairs),
        own.schema_descr_ptr(),
        own.column_orders().cloned(),
    );
    Ok(ParquetMetaDataBuilder::new(said)
        .set_row_groups(file.row_groups().to_vec())
        .set_column_index(file.column_index().cloned())
        .set_offset_index(file.offset_index().cloned())
        .build())
}
