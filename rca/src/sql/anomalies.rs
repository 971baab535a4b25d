//! `SELECT * FROM anomalies('store', 'measure' [, 'step' [, array['dimension', …]]])`: a score for each point of each series.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray, TimestampNanosecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use culprit_query::{Arguments, Asker, QueryError, TableFunction};

use super::buckets::{Measured, SeriesByValues, failed};

use crate::Detector;

const USAGE: &str = "anomalies('store', 'measure' [, 'step' [, array['dimension', …]]])";

pub(super) struct AnomaliesTable;

#[async_trait]
impl TableFunction for AnomaliesTable {
    fn name(&self) -> &'static str {
        "anomalies"
    }

    fn schema(&self, arguments: &Arguments) -> Result<SchemaRef, QueryError> {
        arguments.at_most(4, USAGE)?;
        let measured = Measured::of(arguments)?;
        Ok(columns(&measured))
    }

    async fn rows(&self, asker: &Asker, arguments: &Arguments) -> Result<Vec<RecordBatch>, QueryError> {
        let measured = Measured::of(arguments)?;
        let series = measured.read(asker).await?;
        let scoring = tokio::task::spawn_blocking(move || scored(&measured, &series));
        scoring.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
    }
}

fn columns(measured: &Measured) -> SchemaRef {
    let time = Field::new("time", DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())), false);
    let number = |name: &str| Field::new(name, DataType::Float64, true);
    let numbers = ["value", "expected", "score"].map(number);
    Arc::new(Schema::new([time].into_iter().chain(measured.fields()).chain(numbers).collect::<Vec<_>>()))
}

fn scored(measured: &Measured, series: &SeriesByValues) -> Result<Vec<RecordBatch>, QueryError> {
    let mut batches = Vec::new();
    for (values_of_dimensions, points) in series {
        let mut detector = Detector::new();
        let scored: Vec<_> = points.iter().map(|(time, value)| detector.observe(*time, *value)).collect();
        let times = TimestampNanosecondArray::from_iter_values(points.keys().copied()).with_timezone("UTC");
        let mut arrays: Vec<ArrayRef> = vec![Arc::new(times)];
        for value in values_of_dimensions {
            arrays.push(Arc::new(points.keys().map(|_| value.as_deref()).collect::<StringArray>()));
        }
        arrays.push(Arc::new(Float64Array::from_iter_values(points.values().copied())));
        arrays.push(Arc::new(Float64Array::from_iter_values(scored.iter().map(|scored| scored.expected))));
        arrays.push(Arc::new(Float64Array::from_iter_values(scored.iter().map(|scored| scored.score))));
        batches.push(RecordBatch::try_new(columns(measured), arrays).map_err(failed)?);
    }
    Ok(batches)
}

#[cfg(test)]
mod tests;
