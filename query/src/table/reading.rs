//! What is read of a table's rows, and how its parts come together.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::RecordBatchOptions;
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, SessionState, TaskContext};
use datafusion::logical_expr::Expr;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::StreamExt;

use super::Planner;
use crate::limits::READ_CELLS_MAX;

/// The columns and rows wanted.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// Columns of the table, as they are; those that it has not are left out.
    pub columns: Vec<String>,
    /// Behind them columns by name and SQL expression.
    pub computed: Vec<(String, String)>,
    /// SQL condition of the rows.
    pub condition: Option<String>,
}

impl Planner<'_> {
    /// The plan, and its rows as they come: in the order of the table only where it has one partition.
    pub(super) async fn start(&self, reading: &Reading) -> Result<(Arc<dyn ExecutionPlan>, SendableRecordBatchStream)> {
        let known = self.named(&self.table.schema)?;
        let parsed = |sql: &str| self.session.create_logical_expr(sql, &known);
        let condition = reading.condition.as_deref().map(parsed).transpose()?;
        let computed: Vec<Expr> = reading.computed.iter().map(|(_, sql)| parsed(sql)).collect::<Result<_>>()?;
        let mut columns: Vec<&str> = reading.columns.iter().map(String::as_str).collect();
        let mut taken: HashSet<&str> = columns.iter().copied().collect();
        let named = condition.iter().chain(&computed).flat_map(Expr::column_refs);
        columns.extend(named.map(|column| column.name.as_str()).filter(|name| taken.insert(name)));
        let plan = self.scan(&columns, condition.as_ref()).await?;
        let shape = Shape::new(self, reading, computed, &plan.schema())?;
        let batches = rows(self.session, plan.clone(), &Arc::new(shape))?;
        Ok((plan, batches))
    }
}

/// Each partition is read and computed by a task of its own.
fn rows(session: &SessionState, plan: Arc<dyn ExecutionPlan>, shape: &Arc<Shape>) -> Result<SendableRecordBatchStream> {
    let tasks = tasks(session, plan.schema().fields().len());
    let partitions = plan.output_partitioning().partition_count();
    let mut all = RecordBatchReceiverStreamBuilder::new(shape.schema.clone(), partitions.max(1));
    for partition in 0..partitions {
        let mut batches = plan.execute(partition, tasks.clone())?;
        let (to, shape) = (all.tx(), shape.clone());
        all.spawn(async move {
            while let Some(batch) = batches.next().await {
                let batch = batch.and_then(|batch| shape.of(&batch));
                let is_last = batch.is_err();
                // Nobody reads any more: an end like any other.
                if to.send(batch).await.is_err() || is_last {
                    break;
                }
            }
            Ok(())
        });
    }
    Ok(all.build())
}

/// Scans and filters look for no function by name, so that no registry comes along.
fn tasks(session: &SessionState, columns: usize) -> Arc<TaskContext> {
    let config = session.config().clone().with_batch_size(batch_rows(session, columns));
    Arc::new(TaskContext::default().with_session_config(config).with_runtime(session.runtime_env().clone()))
}

/// Batches of a wide table have fewer rows.
pub(super) fn batch_rows(session: &SessionState, columns: usize) -> usize {
    session.config().batch_size().min(READ_CELLS_MAX / columns.max(1)).max(1)
}

/// From what is scanned to what is wanted.
struct Shape {
    /// The first of the columns that are scanned; behind them stand those that expressions alone name.
    columns: usize,
    computed: Vec<Arc<dyn PhysicalExpr>>,
    schema: SchemaRef,
}

impl Shape {
    fn new(planner: &Planner<'_>, reading: &Reading, computed: Vec<Expr>, scanned: &Schema) -> Result<Self> {
        let known = planner.named(scanned)?;
        let computed: Vec<_> =
            computed.into_iter().map(|expr| planner.physical(expr, &known)).collect::<Result<_>>()?;
        let is_wanted: HashSet<&str> = reading.columns.iter().map(String::as_str).collect();
        let columns = scanned.fields().iter().take_while(|field| is_wanted.contains(field.name().as_str())).count();
        let mut fields: Vec<Arc<Field>> = scanned.fields()[..columns].to_vec();
        for ((name, _), expr) in reading.computed.iter().zip(&computed) {
            fields.push(Arc::new(Field::new(name, expr.data_type(scanned)?, true)));
        }
        Ok(Self { columns, computed, schema: Arc::new(Schema::new(fields)) })
    }

    fn of(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let mut columns = batch.columns()[..self.columns].to_vec();
        for expr in &self.computed {
            columns.push(expr.evaluate(batch)?.into_array(batch.num_rows())?);
        }
        let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(self.schema.clone(), columns, &rows).map_err(DataFusionError::from)
    }
}
