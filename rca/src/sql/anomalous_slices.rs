//! `SELECT * FROM anomalous_slices('store', 'measure', 'step', array['dimension', …] [, 'window'])`: the slices that jumped lately.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray, TimestampNanosecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use culprit_query::{Arguments, Asker, QueryError, TableFunction};

use super::buckets::{Measured, SeriesByValues, failed, not_a_step, seconds};

use crate::limits::SLICE_FALSE_DISCOVERIES;
use crate::{SliceAnomaly, anomalous_slices};

const USAGE: &str = "anomalous_slices('store', 'measure', 'step', array['dimension', …] [, 'window'])";
/// Steps of the window when nobody says.
const WINDOW_STEPS: i64 = 10;

pub(super) struct AnomalousSlicesTable;

#[async_trait]
impl TableFunction for AnomalousSlicesTable {
    fn name(&self) -> &'static str {
        "anomalous_slices"
    }

    fn schema(&self, arguments: &Arguments) -> Result<SchemaRef, QueryError> {
        arguments.at_most(5, USAGE)?;
        let measured = Measured::of(arguments)?;
        window(arguments, &measured)?;
        Ok(columns(&measured))
    }

    async fn rows(&self, asker: &Asker, arguments: &Arguments) -> Result<Vec<RecordBatch>, QueryError> {
        let measured = Measured::of(arguments)?;
        let window = window(arguments, &measured)?;
        let series = measured.read(asker).await?;
        let testing = tokio::task::spawn_blocking(move || jumped(&measured, &series, window));
        testing.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
    }
}

/// In nanoseconds.
fn window(arguments: &Arguments, measured: &Measured) -> Result<i64, QueryError> {
    let step = measured.step_nanos();
    let Some(text) = arguments.optional_text(4, "the window")? else { return Ok(step.saturating_mul(WINDOW_STEPS)) };
    let window = seconds(text).ok_or_else(|| not_a_step(arguments, 4, text))?.saturating_mul(1_000_000_000);
    if window < step { Err(arguments.wrong(4, "is shorter than a step")) } else { Ok(window) }
}

fn columns(measured: &Measured) -> SchemaRef {
    let onset = Field::new("onset", DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())), false);
    let numbers = ["expected", "actual", "p_value", "q_value"].map(|name| Field::new(name, DataType::Float64, false));
    Arc::new(Schema::new(measured.fields().chain([onset]).chain(numbers).collect::<Vec<_>>()))
}

/// The window ends with the latest point of all series.
fn jumped(measured: &Measured, series: &SeriesByValues, window: i64) -> Result<Vec<RecordBatch>, QueryError> {
    let last = series.values().filter_map(|points| points.keys().next_back()).max().copied().unwrap_or(0);
    let split: Vec<(Vec<i64>, Vec<f64>)> =
        series.values().map(|points| points.iter().map(|(time, value)| (*time, *value)).unzip()).collect();
    let slices: Vec<(&[i64], &[f64])> = split.iter().map(|(times, values)| (&times[..], &values[..])).collect();
    let first = last.saturating_sub(window).saturating_add(measured.step_nanos());
    let found = anomalous_slices(&slices, (first, last), SLICE_FALSE_DISCOVERIES);
    let keys: Vec<&Vec<Option<String>>> = series.keys().collect();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    for (dimension, _) in measured.dimensions.iter().enumerate() {
        let values = found.iter().map(|anomaly| keys[anomaly.index][dimension].as_deref());
        arrays.push(Arc::new(values.collect::<StringArray>()));
    }
    let onsets = TimestampNanosecondArray::from_iter_values(found.iter().map(|anomaly| anomaly.onset));
    arrays.push(Arc::new(onsets.with_timezone("UTC")));
    let numbers: [fn(&SliceAnomaly) -> f64; 4] = [|a| a.expected, |a| a.actual, |a| a.p_value, |a| a.q_value];
    for number in numbers {
        arrays.push(Arc::new(Float64Array::from_iter_values(found.iter().map(number))));
    }
    Ok(vec![RecordBatch::try_new(columns(measured), arrays).map_err(failed)?])
}
