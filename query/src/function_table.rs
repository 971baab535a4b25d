//! A table function's answer as a table of the SQL engine: columns when the query is planned, rows when it runs.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::datasource::TableType;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::error::Result;
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;

use crate::arguments::Arguments;
use crate::extensions::{Asker, Extensions, TableFunction};
use crate::tables::{debug_by_name, ours};

/// Makes all functions known in one query's context. `asker` is asked for by the table functions that the query names.
pub(crate) fn register<A>(context: &SessionContext, extensions: &Extensions, asker: A)
where
    A: Fn() -> Asker + Clone + Send + Sync + 'static,
{
    extensions.scalars.iter().for_each(|function| context.register_udf(function.clone()));
    extensions.aggregates.iter().for_each(|function| context.register_udaf(function.clone()));
    for function in &extensions.tables {
        let callable = Callable { function: function.clone(), asker: asker.clone() };
        context.register_udtf(function.name(), Arc::new(callable));
    }
}

struct Callable<A> {
    function: Arc<dyn TableFunction>,
    asker: A,
}

impl<A> fmt::Debug for Callable<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Callable").field(&self.function.name()).finish()
    }
}

impl<A: Fn() -> Asker + Send + Sync + 'static> TableFunctionImpl for Callable<A> {
    fn call_with_args(&self, call: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let arguments = Arguments::of(self.function.name(), call.exprs()).map_err(ours)?;
        let schema = self.function.schema(&arguments).map_err(ours)?;
        let asker = (self.asker)();
        Ok(Arc::new(FunctionTable { function: self.function.clone(), arguments, asker, schema }))
    }
}

struct FunctionTable {
    function: Arc<dyn TableFunction>,
    arguments: Arguments,
    asker: Asker,
    schema: SchemaRef,
}

debug_by_name!(FunctionTable);

#[async_trait]
impl TableProvider for FunctionTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let batches = self.function.rows(&self.asker, &self.arguments).await.map_err(ours)?;
        Ok(MemorySourceConfig::try_new_exec(&[batches], self.schema(), projection.cloned())?)
    }
}
