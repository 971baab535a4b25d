//! Segments: immutable Parquet files in the object store, each one contiguous offset range of one shard. See `docs/format/segment.md`.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use tokio::sync::mpsc;

use crate::catalog::SegmentRow;
use crate::disk::{Disk, Operation};
use crate::layout::Layout;
use crate::limits::ROW_GROUP_ROWS_MAX;
use crate::schema::{OFFSET, RECEIVED, ROW, TIME};
use crate::{Offset, StoreError, UnixNanos};

/// Of rows; raised when older readers would misread the file.
const SEGMENT_VERSION: &str = "1";

#[derive(Debug)]
pub struct Segment {
    pub(crate) id: i64,
    pub(crate) path: ObjectPath,
    pub(crate) first: Offset,
    pub(crate) last: Offset,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) min_time: UnixNanos,
    pub(crate) max_time: UnixNanos,
    pub(crate) max_received: UnixNanos,
    doomed: AtomicBool,
    /// Told when a doomed segment has no reader any more.
    reaper: mpsc::UnboundedSender<ObjectPath>,
}

impl Segment {
    pub(crate) fn new(row: SegmentRow, reaper: mpsc::UnboundedSender<ObjectPath>) -> Self {
        Self {
            id: row.id,
            path: ObjectPath::from(row.path),
            first: row.first,
            last: row.last,
            rows: row.rows,
            bytes: row.bytes,
            min_time: row.min_time,
            max_time: row.max_time,
            max_received: row.max_received,
            doomed: AtomicBool::new(false),
            reaper,
        }
    }

    pub fn path(&self) -> &ObjectPath {
        &self.path
    }

    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Closed on both sides.
    pub fn times(&self) -> (UnixNanos, UnixNanos) {
        (self.min_time, self.max_time)
    }

    /// The file goes when the last snapshot that names it is gone.
    pub(crate) fn doom(&self) {
        self.doomed.store(true, Relaxed);
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        if self.doomed.load(Relaxed) && self.reaper.send(self.path.clone()).is_err() {
            tracing::debug!(path = %self.path, "the server is going down; the dropped segment goes at the next start");
        }
    }
}

/// Where segments live. `object_store` brings the trait; what a local folder needs beyond it is here.
#[derive(Debug, Clone)]
pub(crate) struct SegmentStore {
    objects: Arc<dyn ObjectStore>,
    /// A local folder's files and names are durable only after fsync, which `object_store` leaves to us.
    local: Option<PathBuf>,
    disk: Disk,
}

impl SegmentStore {
    pub(crate) fn local(layout: &Layout, disk: Disk) -> Result<Self, StoreError> {
        let folder = layout.segments_folder();
        let objects = LocalFileSystem::new_with_prefix(&folder)
            .map_err(StoreError::segment(folder.display()))?
            .with_automatic_cleanup(true);
        Ok(Self { objects: Arc::new(objects), local: Some(folder), disk })
    }

    pub(crate) fn objects(&self) -> &Arc<dyn ObjectStore> {
        &self.objects
    }

    /// Durable when it returns.
    pub(crate) async fn put(&self, path: &ObjectPath, bytes: Vec<u8>) -> Result<(), StoreError> {
        let refused = |source| StoreError::io("write the segment", path.as_ref())(source);
        self.disk.may(Operation::PutSegment, std::path::Path::new(path.as_ref())).map_err(refused)?;
        self.objects.put(path, bytes.into()).await.map_err(StoreError::segment(path))?;
        let Some(root) = self.local.clone() else { return Ok(()) };
        let file = root.join(path.as_ref());
        let (disk, written) = (self.disk.clone(), file.clone());
        tokio::task::spawn_blocking(move || disk.sync_written(&written, &root))
            .await
            .expect("fsync does not panic")
            .map_err(StoreError::io("fsync the segment", file))
    }

    /// A segment that is already gone is no error: a crash may have come between its deletion and its record.
    pub(crate) async fn delete(&self, path: &ObjectPath) -> Result<(), StoreError> {
        match self.objects.delete(path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(source) => Err(StoreError::segment(path)(source)),
        }
    }
}

/// Parquet bytes of sorted batches. Dictionary and zstd for text; deltas for what ascends; page index and statistics always.
pub(crate) fn encode(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<Vec<u8>, parquet::errors::ParquetError> {
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS_MAX))
        .set_created_by(concat!("culprit ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_key_value_metadata(Some(vec![KeyValue::new("culprit.segment".to_owned(), SEGMENT_VERSION.to_owned())]));
    for name in [TIME, RECEIVED, OFFSET, ROW] {
        builder = builder
            .set_column_dictionary_enabled(ColumnPath::from(name), false)
            .set_column_encoding(ColumnPath::from(name), Encoding::DELTA_BINARY_PACKED);
    }
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, schema.clone(), Some(builder.build()))?;
    for batch in batches {
        writer.write(batch)?;
    }
    writer.close()?;
    Ok(bytes)
}
