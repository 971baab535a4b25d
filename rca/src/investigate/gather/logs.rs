//! The rows of one logstore: versions that are new in it, how many rows come, and which messages.

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, Schema};
use culprit_query::SqlEngine;
use culprit_store::StoreName;

use super::{Found, Inquiry};
use crate::RcaError;
use crate::investigate::changes::{Seen, changed, is_deployed};
use crate::investigate::finding::rfc3339;
use crate::limits::{INVESTIGATION_ALPHA, LABEL_VALUES_MAX};
use crate::sql::{quoted, text};

/// A logstore with what is asked of it.
struct Logs<'a> {
    engine: &'a SqlEngine,
    inquiry: &'a Inquiry,
    store: &'a StoreName,
    /// The store's name and the start of the window, as SQL takes them.
    table: String,
    late: String,
}

pub(super) async fn read(engine: &SqlEngine, inquiry: &Inquiry, store: &StoreName) -> Result<Found, RcaError> {
    let table = quoted(store.as_str());
    let late = format!("_time >= {}", text(&rfc3339(inquiry.window.0.0)));
    let logs = Logs { engine, inquiry, store, table, late };
    let empty = format!("SELECT * FROM {} LIMIT 0", logs.table);
    let schema = engine.stream(&inquiry.project, &empty, inquiry.range()).await?.schema.clone();
    let mut found = Found::default();
    logs.versions(&schema, &mut found).await?;
    Ok(found)
}

impl Logs<'_> {
    async fn versions(&self, schema: &Schema, found: &mut Found) -> Result<(), RcaError> {
        let columns = schema.fields().iter().filter(|field| is_deployed(field.name()) && is_text(field.data_type()));
        for column in columns {
            let seen = self.values(column.name()).await?;
            found.looked_at.push(format!("{} values of {} in {}", seen.len(), column.name(), self.store));
            let pieces = changed(self.store.as_str(), column.name(), &seen).into_iter();
            found.pieces.extend(pieces.filter(|piece| piece.q_value.is_some_and(|q| q <= INVESTIGATION_ALPHA)));
        }
        Ok(())
    }

    async fn values(&self, column: &str) -> Result<Vec<Seen>, RcaError> {
        let (column, table, late) = (quoted(column), &self.table, &self.late);
        let query = format!(
            "SELECT CAST({column} AS VARCHAR) AS value, count(*) FILTER (WHERE {late}) AS inside, \
             count(*) FILTER (WHERE NOT {late}) AS before, CAST(min(_time) AS BIGINT) AS first \
             FROM {table} WHERE {column} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 3 DESC, 1 LIMIT {LABEL_VALUES_MAX}"
        );
        let mut seen = Vec::new();
        for batch in self.engine.query(&self.inquiry.project, &query, self.inquiry.range()).await? {
            let values = column_as(&batch, 0, &DataType::Utf8)?;
            let numbers = [1, 2, 3].map(|at| column_as(&batch, at, &DataType::Int64));
            let [inside, before, first] = numbers;
            let (inside, before, first) = (inside?, before?, first?);
            let number = |array: &ArrayRef, row: usize| array.as_primitive::<Int64Type>().value(row);
            seen.extend((0..batch.num_rows()).map(|row| Seen {
                value: values.as_string::<i32>().value(row).to_owned(),
                rows: number(&inside, row).max(0) as u64,
                rows_before: number(&before, row).max(0) as u64,
                first: number(&first, row),
            }));
        }
        Ok(seen)
    }
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

fn column_as(batch: &RecordBatch, at: usize, to: &DataType) -> Result<ArrayRef, RcaError> {
    let column = || batch.schema_ref().field(at).name().clone();
    cast(batch.column(at), to).map_err(|source| RcaError::Column { column: column(), source })
}
