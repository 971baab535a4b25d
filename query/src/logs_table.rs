//! A logstore as a table: recent batches from memory, older rows from segments, one moment of both.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use culprit_store::{OFFSET, ROW, Segment, Storage, StoreState};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::project_schema;
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::union::UnionExec;

use crate::coded::{CodedReaders, as_coded, coded};
use crate::sql::SEGMENTS_URL;
use crate::tables::{all_inexact, debug_by_name, ours};
use crate::time_filter::time_range;

pub(crate) struct LogsTable {
    storage: Storage,
    store: Arc<StoreState>,
    schema: SchemaRef,
    /// Texts of the schema are dictionaries.
    is_coded: bool,
}

debug_by_name!(LogsTable);

impl LogsTable {
    pub(crate) fn new(storage: Storage, store: Arc<StoreState>) -> Self {
        let schema = visible(&store.table_schema());
        Self { storage, store, schema, is_coded: false }
    }

    /// The same rows with texts as dictionaries, but for those of plain columns.
    pub(crate) fn with_coded_texts(self, is_plain: impl Fn(&str) -> bool) -> Self {
        Self { schema: coded(&self.schema, is_plain), is_coded: true, ..self }
    }

    /// Rows also say where in their shard they stand.
    pub(crate) fn with_places(storage: Storage, store: Arc<StoreState>) -> Self {
        let schema = store.table_schema();
        Self { storage, store, schema, is_coded: false }
    }
}

/// Place in the shard is the store's business.
fn visible(schema: &Schema) -> SchemaRef {
    let fields: Vec<_> =
        schema.fields().iter().filter(|field| !matches!(field.name().as_str(), OFFSET | ROW)).cloned().collect();
    Arc::new(Schema::new(fields))
}

#[async_trait]
impl TableProvider for LogsTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        all_inexact(filters)
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let snapshot = self.storage.snapshot(&self.store, time_range(filters)).map_err(ours)?;
        let mut inputs: Vec<Arc<dyn ExecutionPlan>> = Vec::new();
        if !snapshot.recent.is_empty() {
            let schema = project_schema(&self.schema, projection)?;
            let conform = |batch: &RecordBatch| self.conform(batch, &schema);
            let batches = snapshot.recent.iter().map(conform).collect::<Result<Vec<_>>>()?;
            inputs.push(MemorySourceConfig::try_new_exec(&[batches], schema, None)?);
        }
        if !snapshot.segments.is_empty() {
            inputs.push(self.segments_scan(state, &snapshot.segments, projection)?);
        }
        match inputs.len() {
            0 => Ok(Arc::new(EmptyExec::new(project_schema(&self.schema, projection)?))),
            1 => Ok(inputs.remove(0)),
            _ => UnionExec::try_new(inputs),
        }
    }
}

impl LogsTable {
    /// The columns of `wanted`: what is not read is not looked at, and columns that came after this table was planned are left out.
    fn conform(&self, batch: &RecordBatch, wanted: &SchemaRef) -> Result<RecordBatch> {
        let own = batch.schema();
        let indices: Vec<usize> =
            wanted.fields().iter().map(|field| own.index_of(field.name())).collect::<Result<_, _>>()?;
        let batch = batch.project(&indices)?;
        if self.is_coded { as_coded(&batch, wanted) } else { Ok(batch.with_schema(wanted.clone())?) }
    }

    /// The plan holds the segments, so their files stay as long as the query runs.
    fn segments_scan(
        &self,
        state: &dyn Session,
        segments: &[Arc<Segment>],
        projection: Option<&Vec<usize>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let files = segments.iter().map(|segment| {
            let mut file = PartitionedFile::new(segment.path().to_string(), segment.bytes());
            file.extensions.insert(Arc::clone(segment));
            file
        });
        let partitions = state.config().target_partitions().clamp(1, segments.len());
        let mut groups = vec![Vec::new(); partitions];
        for (at, file) in files.enumerate() {
            groups[at % partitions].push(file);
        }
        let url = ObjectStoreUrl::parse(SEGMENTS_URL)?;
        let mut source = ParquetSource::new(self.schema());
        if self.is_coded {
            let objects = state.runtime_env().object_store(&url)?;
            source = source.with_parquet_file_reader_factory(Arc::new(CodedReaders::new(objects, self.schema())));
        }
        let config = FileScanConfigBuilder::new(url, Arc::new(source))
            .with_file_groups(groups.into_iter().map(FileGroup::new).collect())
            .with_projection_indices(projection.cloned())?
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}
