//! What a query reads: the rows of a store at one moment, recent ones in memory and older ones in segments.

use std::sync::Arc;

use arrow::array::{ArrayRef, TimestampNanosecondArray, UInt32Array, UInt64Array, new_null_array};
use arrow::datatypes::{Field, SchemaRef};
use arrow::record_batch::RecordBatch;

use crate::schema::{OFFSET, RECEIVED, ROW};
use crate::segment::Segment;
use crate::shard::RecentBatch;
use crate::{StoreError, StoreState, TimeRange};

/// Segments stay readable as long as this lives, whatever retention and compaction do meanwhile.
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub schema: SchemaRef,
    /// All in `schema`.
    pub recent: Vec<RecordBatch>,
    /// Files may lack columns that came later; those are null.
    pub segments: Vec<Arc<Segment>>,
}

impl Snapshot {
    pub(crate) fn take(store: &StoreState, schema: SchemaRef, range: TimeRange) -> Result<Self, StoreError> {
        let mut recent = Vec::new();
        let mut segments = Vec::new();
        for shard in store.shard_set().all() {
            let view = shard.view(range);
            for batch in view.recent {
                recent.push(fill(&batch, &schema)?);
            }
            segments.extend(view.segments);
        }
        Ok(Self { schema, recent, segments })
    }
}

/// The batch in the given schema: absent columns null, hidden ones made from the batch's place.
pub(crate) fn fill(recent: &RecentBatch, schema: &SchemaRef) -> Result<RecordBatch, StoreError> {
    let columns = schema.fields().iter().map(|field| column(recent, field)).collect();
    Ok(RecordBatch::try_new(schema.clone(), columns)?)
}

fn column(recent: &RecentBatch, field: &Field) -> ArrayRef {
    let rows = recent.batch.num_rows();
    match field.name().as_str() {
        RECEIVED => Arc::new(
            TimestampNanosecondArray::from_iter_values(std::iter::repeat_n(recent.received.0, rows))
                .with_timezone("UTC"),
        ),
        OFFSET => Arc::new(UInt64Array::from_iter_values(std::iter::repeat_n(recent.offset.0, rows))),
        ROW => Arc::new(UInt32Array::from_iter_values((0u32..).take(rows))),
        name => match recent.batch.column_by_name(name) {
            Some(column) => column.clone(),
            None => new_null_array(field.data_type(), rows),
        },
    }
}
