//! `SELECT * FROM patterns('store' [, 'column' [, 'predicate']])`: what the messages of a store are made of.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, StringArray, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use culprit_query::{Arguments, Asker, QueryError, TableFunction};
use datafusion::error::DataFusionError;
use futures::TryStreamExt;

use super::functions::refused;
use super::{Predicate, quoted};
use crate::patterns::{PatternCount, PatternMiner};

const USAGE: &str = "patterns('store' [, 'column' [, 'predicate']])";
/// Where a store keeps what a log record says.
const MESSAGE: &str = "_msg";

pub(super) struct PatternsTable;

#[async_trait]
impl TableFunction for PatternsTable {
    fn name(&self) -> &'static str {
        "patterns"
    }

    fn schema(&self, arguments: &Arguments) -> Result<SchemaRef, QueryError> {
        arguments.at_most(3, USAGE)?;
        messages(arguments)?;
        Ok(columns())
    }

    async fn rows(&self, asker: &Asker, arguments: &Arguments) -> Result<Vec<RecordBatch>, QueryError> {
        let sql = messages(arguments)?;
        let mut miner = PatternMiner::new();
        match asker {
            Asker::Stores { engine, project, range } => {
                let rows = engine.stream(project, &sql, *range).await?;
                let mut rows = std::pin::pin!(rows.into_stream());
                while let Some(batch) = rows.try_next().await? {
                    learn(&mut miner, &batch);
                }
            }
            Asker::Files(files) => files.query(&sql).await?.iter().for_each(|batch| learn(&mut miner, batch)),
        }
        miner.settle();
        Ok(vec![batch(&miner.counts())?])
    }
}

/// The query for the messages.
fn messages(arguments: &Arguments) -> Result<String, QueryError> {
    let store = quoted(arguments.text(0, "the store")?);
    let column = quoted(arguments.optional_text(1, "the column")?.unwrap_or(MESSAGE));
    let predicate = arguments.optional_text(2, "the predicate")?.map(Predicate::parse).transpose().map_err(refused)?;
    let filter = predicate.map_or_else(String::new, |predicate| format!(" AND ({})", predicate.sql));
    Ok(format!("SELECT CAST({column} AS VARCHAR) AS message FROM {store} WHERE {column} IS NOT NULL{filter}"))
}

fn learn(miner: &mut PatternMiner, batch: &RecordBatch) {
    let text = arrow::compute::cast(batch.column(0), &DataType::Utf8).expect("every text is UTF-8");
    text.as_string::<i32>().iter().flatten().for_each(|message| {
        miner.learn(message);
    });
}

fn columns() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("pattern", DataType::Utf8, false),
        Field::new("id", DataType::Utf8, false),
        Field::new("count", DataType::UInt64, false),
        Field::new("share", DataType::Float64, false),
    ]))
}

fn batch(patterns: &[PatternCount]) -> Result<RecordBatch, QueryError> {
    let all: u64 = patterns.iter().map(|pattern| pattern.count).sum();
    let texts = |text: fn(&PatternCount) -> String| -> ArrayRef {
        Arc::new(patterns.iter().map(|pattern| Some(text(pattern))).collect::<StringArray>())
    };
    let share = |pattern: &PatternCount| pattern.count as f64 / all as f64;
    let arrays: Vec<ArrayRef> = vec![
        texts(|pattern| pattern.template.clone()),
        texts(|pattern| pattern.id.to_string()),
        Arc::new(patterns.iter().map(|pattern| pattern.count).collect::<UInt64Array>()),
        Arc::new(patterns.iter().map(share).collect::<Float64Array>()),
    ];
    RecordBatch::try_new(columns(), arrays).map_err(|error| QueryError::Failed(Box::new(DataFusionError::from(error))))
}
