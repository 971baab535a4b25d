//! The rows of one logstore: versions that are new in it, how many rows come, and which messages.

use std::collections::BTreeMap;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, Schema, UInt64Type};
use culprit_query::SqlEngine;
use culprit_store::StoreName;
use futures::TryStreamExt;

use super::{Found, Inquiry};
use crate::investigate::changes::{Seen, changed, is_deployed};
use crate::investigate::finding::rfc3339;
use crate::investigate::messages::{Message, changed as changed_messages, tallies, volume};
use crate::limits::{INVESTIGATED_MESSAGES_MAX, INVESTIGATION_ALPHA, LABEL_VALUES_MAX};
use crate::sql::{quoted, text};
use crate::{RcaError, names};

/// More stretches than there are before any window.
const MANY: i64 = 1_000_000;

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
    let rows = logs.volume(&mut found).await?;
    if let Some(field) =
        schema.fields().iter().find(|field| names::is_free_text(field.name()) && is_text(field.data_type()))
    {
        logs.messages(field.name(), rows, &mut found).await?;
    }
    Ok(found)
}

impl Logs<'_> {
    async fn versions(&self, schema: &Schema, found: &mut Found) -> Result<(), RcaError> {
        let columns = schema.fields().iter().filter(|field| is_deployed(field.name()) && is_text(field.data_type()));
        for column in columns {
            let seen = self.values(column.name()).await?;
            let values = if seen.len() == 1 { "value" } else { "values" };
            found.looked_at.push(format!("{} {values} of {} in {}", seen.len(), column.name(), self.store));
            let pieces = changed(self.store.as_str(), column.name(), &seen).into_iter();
            found.pieces.extend(pieces.filter(|piece| piece.q_value.is_some_and(|q| q <= INVESTIGATION_ALPHA)));
        }
        Ok(())
    }

    /// How many rows there are; their number over time is a series like others.
    async fn volume(&self, found: &mut Found) -> Result<u64, RcaError> {
        let (stretches, table) = (self.inquiry.stretches(), &self.table);
        let (from, length) = stretches.scale();
        // Division rounds towards zero, the shift by many stretches keeps what it rounds above it.
        let query = format!(
            "SELECT (CAST(_time AS BIGINT) - {from} + {length} * {MANY}) / {length} - {MANY} AS stretch, \
             count(*) AS rows FROM {table} GROUP BY 1"
        );
        let mut rows = BTreeMap::new();
        for batch in self.engine.query(&self.inquiry.project, &query, self.inquiry.range()).await? {
            let (at, counts) = (column_as(&batch, 0, &DataType::Int64)?, column_as(&batch, 1, &DataType::UInt64)?);
            let (at, counts) = (at.as_primitive::<Int64Type>(), counts.as_primitive::<UInt64Type>());
            rows.extend(at.values().iter().copied().zip(counts.values().iter().copied()));
        }
        let all = rows.values().sum();
        found.looked_at.push(format!("{all} rows of {}", self.store));
        if rows.keys().any(|stretch| *stretch < 0) {
            found.pieces.extend(volume(self.store.as_str(), &stretches, &rows));
        }
        Ok(all)
    }

    /// Of a store with more messages than are read, every so many by their time: the same ones whenever it is asked.
    async fn messages(&self, field: &str, rows: u64, found: &mut Found) -> Result<(), RcaError> {
        let every = one_in(rows);
        let (column, table) = (quoted(field), &self.table);
        let query = format!(
            "SELECT CAST(_time AS BIGINT) AS at, {column} AS message FROM {table} \
             WHERE {column} IS NOT NULL AND (CAST(_time AS BIGINT) / 1000000) % {every} = 0"
        );
        let answer = self.engine.stream(&self.inquiry.project, &query, self.inquiry.range()).await?;
        let mut messages: Vec<Message> = Vec::new();
        let mut batches = std::pin::pin!(answer.into_stream());
        while let Some(batch) = batches.try_next().await? {
            let (at, texts) = (column_as(&batch, 0, &DataType::Int64)?, column_as(&batch, 1, &DataType::Utf8)?);
            let (at, texts) = (at.as_primitive::<Int64Type>(), texts.as_string::<i32>());
            messages.extend(at.values().iter().copied().zip(texts.iter().flatten().map(str::to_owned)));
            // Rows of one millisecond come together or not at all; a store of one millisecond would come whole.
            if messages.len() as u64 > INVESTIGATED_MESSAGES_MAX * 2 {
                found.left_out.push(format!("messages of {} beyond {}", self.store, messages.len()));
                break;
            }
        }
        let (store, field, stretches) = (self.store.to_string(), field.to_owned(), self.inquiry.stretches());
        let judged = tokio::task::spawn_blocking(move || {
            let tallies = tallies(&messages, &stretches, every);
            (changed_messages(&store, &field, &stretches, &tallies), tallies.len(), messages.len())
        });
        let (pieces, patterns, read) =
            judged.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        found.looked_at.push(format!("{patterns} message patterns in {read} rows of {}", self.store));
        found.pieces.extend(pieces);
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

/// Which share of the rows is read: one in so many. Odd and no multiple of five, so that times that are all at round
/// tenths or hundreds of milliseconds are thinned as others are.
fn one_in(rows: u64) -> u64 {
    let mut every = rows.div_ceil(INVESTIGATED_MESSAGES_MAX).max(1);
    while every > 1 && (every.is_multiple_of(2) || every.is_multiple_of(5)) {
        every += 1;
    }
    every
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
