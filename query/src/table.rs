//! The rows of one table, read without a query.
//!
//! A query is resolved name by name against all columns, and some thirty rules walk over what comes out: for ten thousand columns
//! that takes half a minute, and for a few rows it takes longer than reading them. Here the scan is put together by hand. What is
//! planned is the expressions, over the columns that they name.

mod reading;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use datafusion::catalog::TableProvider;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::Result;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::{SendableRecordBatchStream, SessionState, SessionStateBuilder};
use datafusion::logical_expr::Expr;
use datafusion::optimizer::simplify_expressions::{ExprSimplifier, SimplifyContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{CastExpr, Column, Literal};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::filter_pushdown::FilterPushdown;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::FilterExecBuilder;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::union::UnionExec;
use futures::TryStreamExt;
use futures::stream::BoxStream;
use tokio::time::Instant;

use crate::sql::session_config;
use crate::union::columns;
use crate::{QueryError, Rows};

pub use reading::Reading;

/// Files, a store or a view, open for reading.
pub struct Table {
    /// By which expressions may call its columns.
    name: String,
    schema: SchemaRef,
    sources: Vec<Source>,
    sessions: Sessions,
    limits: Option<Limits>,
}

/// One part of a table's rows.
pub(crate) enum Source {
    /// With the bounds that leave those that belong to the table.
    Rows(Arc<dyn TableProvider>, Option<Expr>),
    /// What a query answers, planned as such.
    Query(Arc<dyn TableProvider>),
}

/// Where expressions are planned. One that names functions needs a session that knows them all, and to make that takes longer
/// than to read a small table.
pub(crate) struct Sessions {
    plain: SessionState,
    whole: Box<dyn Fn() -> SessionState + Send + Sync>,
}

/// Of reading on a server; who reads files waits for his own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) timeout: Duration,
    pub(crate) memory_bytes: usize,
}

impl Source {
    fn provider(&self) -> &Arc<dyn TableProvider> {
        match self {
            Self::Rows(provider, _) | Self::Query(provider) => provider,
        }
    }
}

impl Sessions {
    pub(crate) fn new(runtime: Arc<RuntimeEnv>, whole: impl Fn() -> SessionState + Send + Sync + 'static) -> Self {
        let plain = SessionStateBuilder::new()
            .with_config(session_config())
            .with_runtime_env(runtime)
            .with_analyzer_rules(Vec::new())
            .with_optimizer_rules(Vec::new())
            .with_physical_optimizer_rules(Vec::new())
            .build();
        Self { plain, whole: Box::new(whole) }
    }

    pub(crate) fn plain(&self) -> &SessionState {
        &self.plain
    }
}

impl Table {
    pub(crate) fn new(name: &str, sources: Vec<Source>, sessions: Sessions, limits: Option<Limits>) -> Self {
        let schema = match &sources[..] {
            [one] => one.provider().schema(),
            many => {
                let schemas: Vec<SchemaRef> = many.iter().map(|source| source.provider().schema()).collect();
                Arc::new(Schema::new(columns(schemas.iter().map(AsRef::as_ref))))
            }
        };
        Self { name: name.to_owned(), schema, sources, sessions, limits }
    }

    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The rows as they come.
    pub async fn read(
        &self,
        reading: &Reading,
    ) -> Result<BoxStream<'static, Result<RecordBatch, QueryError>>, QueryError> {
        let memory_bytes = self.limits.map_or(0, |limits| limits.memory_bytes);
        let failed = move |error| QueryError::of(error, memory_bytes);
        let Some(Limits { timeout, .. }) = self.limits else {
            let (_, batches) = self.start(reading).await.map_err(failed)?;
            return Ok(Box::pin(batches.map_err(failed)));
        };
        let deadline = Instant::now() + timeout;
        let started = tokio::time::timeout_at(deadline, self.start(reading)).await;
        let started = started.map_err(|_| QueryError::Timeout { seconds: timeout.as_secs() })?;
        let (plan, batches) = started.map_err(failed)?;
        Ok(Box::pin(Rows::new(plan, batches, deadline, timeout, memory_bytes).into_stream()))
    }

    async fn start(&self, reading: &Reading) -> Result<(Arc<dyn ExecutionPlan>, SendableRecordBatchStream)> {
        if self.sources.iter().all(|source| matches!(source, Source::Rows(..))) {
            let planner = Planner { table: self, session: &self.sessions.plain };
            if let Ok(started) = planner.start(reading).await {
                return Ok(started);
            }
        }
        Planner { table: self, session: &(self.sessions.whole)() }.start(reading).await
    }
}

/// Puts a scan together.
struct Planner<'a> {
    table: &'a Table,
    session: &'a SessionState,
}

impl Planner<'_> {
    /// A scan of some columns, of the rows for which the condition holds.
    async fn scan(&self, columns: &[&str], condition: Option<&Expr>) -> Result<Arc<dyn ExecutionPlan>> {
        let places = places(&self.table.schema);
        let wanted: Vec<usize> = columns.iter().filter_map(|name| places.get(name).copied()).collect();
        let wanted = Arc::new(self.table.schema.project(&wanted)?);
        let mut parts = Vec::with_capacity(self.table.sources.len());
        for source in &self.table.sources {
            parts.push(self.scan_source(source, &wanted).await?);
        }
        let mut plan = if parts.len() == 1 { parts.remove(0) } else { UnionExec::try_new(parts)? };
        if let Some(condition) = condition {
            let condition = self.physical(condition.clone(), &self.named(&plan.schema())?)?;
            plan = self.filtered(condition, plan)?;
        }
        // The condition may leave out row groups.
        FilterPushdown::new().optimize(plan, self.session.config_options())
    }

    async fn scan_source(&self, source: &Source, wanted: &SchemaRef) -> Result<Arc<dyn ExecutionPlan>> {
        let (provider, bounds) = match source {
            Source::Rows(provider, bounds) => (provider, bounds.as_ref()),
            Source::Query(provider) => (provider, None),
        };
        let schema = provider.schema();
        let places = places(&schema);
        let mut read: Vec<usize> =
            wanted.fields().iter().filter_map(|field| places.get(field.name().as_str()).copied()).collect();
        let bounding = bounds.into_iter().flat_map(Expr::column_refs);
        let bounding = bounding.filter_map(|column| places.get(column.name.as_str()).copied());
        for place in bounding {
            if !read.contains(&place) {
                read.push(place);
            }
        }
        let bounds: Vec<Expr> = bounds.into_iter().cloned().collect();
        let scan = provider.scan(self.session, Some(&read), &bounds, None).await?;
        let (partitions, options) = (self.session.config().target_partitions(), self.session.config_options());
        let mut plan = scan.repartitioned(partitions, options)?.unwrap_or(scan);
        for bounds in bounds {
            let bounds = self.physical(bounds, &DFSchema::try_from(plan.schema())?)?;
            plan = self.filtered(bounds, plan)?;
        }
        aligned(plan, wanted)
    }

    fn filtered(
        &self,
        condition: Arc<dyn PhysicalExpr>,
        plan: Arc<dyn ExecutionPlan>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let rows = reading::batch_rows(self.session, plan.schema().fields().len());
        Ok(Arc::new(FilterExecBuilder::new(condition, plan).with_batch_size(rows).build()?))
    }

    fn named(&self, schema: &Schema) -> Result<DFSchema> {
        DFSchema::try_from_qualified_schema(self.table.name.as_str(), schema)
    }

    /// Simplified as well, since some functions are only names for what they are simplified to.
    fn physical(&self, expr: Expr, schema: &DFSchema) -> Result<Arc<dyn PhysicalExpr>> {
        let context = SimplifyContext::builder()
            .with_schema(Arc::new(schema.clone()))
            .with_config_options(Arc::clone(self.session.config_options()))
            .with_query_execution_start_time(self.session.execution_props().query_execution_start_time)
            .build();
        let simplifier = ExprSimplifier::new(context);
        let expr = simplifier.coerce(expr, schema)?;
        self.session.create_physical_expr(simplifier.simplify(expr)?, schema)
    }
}

fn places(schema: &Schema) -> HashMap<&str, usize> {
    schema.fields().iter().zip(0..).map(|(field, place)| (field.name().as_str(), place)).collect()
}

/// The columns wanted, of their types: absent ones are null.
fn aligned(plan: Arc<dyn ExecutionPlan>, wanted: &SchemaRef) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = plan.schema();
    let is_same =
        |(own, field): (&Arc<Field>, &Arc<Field>)| own.name() == field.name() && own.data_type() == field.data_type();
    if schema.fields().len() == wanted.fields().len() && schema.fields().iter().zip(wanted.fields()).all(is_same) {
        return Ok(plan);
    }
    let places = places(&schema);
    let align = |field: &Arc<Field>| -> Result<(Arc<dyn PhysicalExpr>, String)> {
        let name = field.name().clone();
        let Some(place) = places.get(name.as_str()) else {
            return Ok((Arc::new(Literal::new(ScalarValue::try_from(field.data_type())?)), name));
        };
        let own: Arc<dyn PhysicalExpr> = Arc::new(Column::new(&name, *place));
        if schema.field(*place).data_type() == field.data_type() {
            return Ok((own, name));
        }
        Ok((Arc::new(CastExpr::new(own, field.data_type().clone(), None)), name))
    };
    let columns = wanted.fields().iter().map(align).collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(ProjectionExec::try_new(columns, plan)?))
}

#[cfg(test)]
mod tests;
