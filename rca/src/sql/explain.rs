//! `SELECT * FROM explain('store', 'A predicate' [, 'B predicate' [, array['dimension', …] [, 'measure' [, 'aggregate' [, 'expected']]]]])`: the report
//! as rows.

use std::str::FromStr;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, MapBuilder, StringArray, StringBuilder, UInt64Array};
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use culprit_query::{Arguments, Asker, QueryError, TableFunction};
use culprit_store::StoreName;
use datafusion::error::DataFusionError;

use super::functions::refused;
use crate::report::{Evidence, Report};
use crate::{Agg, Measure, Options, Question, explain_files, explain_store};

const USAGE: &str = "explain('store', 'predicate of A' [, 'predicate of B' [, array['dimension', …] [, 'measure' [, 'aggregate' [, 'expected']]]]])";

pub(super) struct ExplainTable;

#[async_trait]
impl TableFunction for ExplainTable {
    fn name(&self) -> &'static str {
        "explain"
    }

    fn schema(&self, arguments: &Arguments) -> Result<SchemaRef, QueryError> {
        arguments.at_most(7, USAGE)?;
        arguments.text(0, "the store")?;
        question(arguments)?;
        Ok(columns())
    }

    async fn rows(&self, asker: &Asker, arguments: &Arguments) -> Result<Vec<RecordBatch>, QueryError> {
        let source = arguments.text(0, "the store")?;
        let question = question(arguments)?;
        let report = match asker {
            Asker::Stores { engine, project, range } => {
                let store = StoreName::parse(source)?;
                explain_store(engine, project, &store, *range, &question).await
            }
            Asker::Files(files) => explain_files(files, &[source.to_owned()], &question).await,
        };
        Ok(vec![batch(&report.map_err(refused)?)?])
    }
}

fn question(arguments: &Arguments) -> Result<Question, QueryError> {
    let text = |at, what| Ok::<_, QueryError>(arguments.optional_text(at, what)?.map(str::to_owned));
    let agg = arguments.optional_text(5, "the aggregate")?.map(Agg::from_str).transpose();
    let agg = agg.map_err(|error| arguments.wrong(5, format!("the aggregate, is wrong: {error}")))?;
    let expected = text(6, "the expected column")?;
    let measure = text(4, "the measure")?.map(|column| Measure::new(column, agg, expected));
    let predicate = match measure {
        Some(_) => text(1, "the predicate of A")?,
        None => Some(arguments.text(1, "the predicate of A")?.to_owned()),
    };
    let default_order = measure.as_ref().map_or(Options::default().max_order, Measure::default_order);
    let dimensions = arguments.optional_texts(3, "the dimensions")?;
    Ok(Question {
        predicate,
        baseline: text(2, "the predicate of B")?,
        measure,
        options: Options { dimensions, max_order: default_order, ..Options::default() },
        ..Question::default()
    })
}

fn columns() -> SchemaRef {
    let entry =
        Fields::from(vec![Field::new("keys", DataType::Utf8, false), Field::new("values", DataType::Utf8, true)]);
    let entries = Field::new("entries", DataType::Struct(entry), false);
    let number = |name: &str| Field::new(name, DataType::Float64, true);
    Arc::new(Schema::new(vec![
        Field::new("rank", DataType::UInt64, false),
        Field::new("kind", DataType::Utf8, false),
        Field::new("explanation", DataType::Utf8, false),
        Field::new("items", DataType::Map(Arc::new(entries), false), false),
        Field::new("rows_a", DataType::UInt64, false),
        Field::new("rows_b", DataType::UInt64, false),
        number("support_a"),
        number("support_b"),
        number("support_ratio"),
        number("risk_ratio"),
        number("ci_low"),
        number("ci_high"),
        number("q_value"),
        number("value_a"),
        number("value_b"),
        number("contribution"),
    ]))
}

struct Row<'a> {
    rank: u64,
    kind: &'static str,
    evidence: &'a Evidence,
}

/// An explanation has a rank, and its alternates have the same; what is ranked below significance goes on counting. What
/// is said and what vanished count for themselves.
fn ranked(report: &Report) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    for (rank, explanation) in (1..).zip(&report.explanations) {
        rows.push(Row { rank, kind: "explanation", evidence: &explanation.evidence });
        let alternates = explanation.alternates.iter();
        rows.extend(alternates.map(|evidence| Row { rank, kind: "alternate", evidence }));
    }
    let told = rows.len();
    let mut rank = report.explanations.len() as u64;
    for evidence in &report.ranked {
        if rows[..told].iter().all(|row| row.evidence.items != evidence.items) {
            rank += 1;
            rows.push(Row { rank, kind: "candidate", evidence });
        }
    }
    let said = (1..).zip(&report.said).map(|(rank, evidence)| Row { rank, kind: "said", evidence });
    let gone = (1..).zip(&report.vanished).map(|(rank, gone)| Row { rank, kind: "vanished", evidence: &gone.evidence });
    rows.extend(said.chain(gone));
    rows
}

fn batch(report: &Report) -> Result<RecordBatch, QueryError> {
    let rows = ranked(report);
    let evidence = || rows.iter().map(|row| row.evidence);
    let numbers = |number: fn(&Evidence) -> Option<f64>| -> ArrayRef {
        Arc::new(evidence().map(number).collect::<Float64Array>())
    };
    let mut items = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    let built = (|| {
        for evidence in evidence() {
            for item in &evidence.items {
                items.keys().append_value(&item.dimension);
                items.values().append_value(&item.value);
            }
            items.append(true)?;
        }
        let columns_of_rows: Vec<ArrayRef> = vec![
            Arc::new(rows.iter().map(|row| row.rank).collect::<UInt64Array>()),
            Arc::new(rows.iter().map(|row| Some(row.kind)).collect::<StringArray>()),
            Arc::new(evidence().map(|evidence| Some(evidence.condition())).collect::<StringArray>()),
            Arc::new(items.finish()),
            Arc::new(evidence().map(|evidence| evidence.rows_a).collect::<UInt64Array>()),
            Arc::new(evidence().map(|evidence| evidence.rows_b).collect::<UInt64Array>()),
            numbers(|evidence| Some(evidence.support_a)),
            numbers(|evidence| Some(evidence.support_b)),
            numbers(|evidence| evidence.support_ratio),
            numbers(|evidence| evidence.risk_ratio),
            numbers(|evidence| evidence.ci.map(|(low, _)| low)),
            numbers(|evidence| evidence.ci.map(|(_, high)| high)),
            numbers(|evidence| Some(evidence.q_value)),
            numbers(|evidence| evidence.value_a),
            numbers(|evidence| evidence.value_b),
            numbers(|evidence| evidence.contribution),
        ];
        RecordBatch::try_new(columns(), columns_of_rows)
    })();
    built.map_err(|error| QueryError::Failed(Box::new(DataFusionError::from(error))))
}
