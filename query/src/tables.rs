//! The names that SQL sees: projects as schemas, stores as tables.

use std::sync::Arc;

use async_trait::async_trait;
use culprit_store::{ProjectName, Storage, StoreKind, StoreName, TIME, TimeRange, UnixNanos};
use datafusion::catalog::{CatalogProvider, SchemaProvider, TableProvider};
use datafusion::common::ScalarValue;
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, ident, lit};

use crate::logs_table::LogsTable;
use crate::metrics_table::MetricsTable;
use crate::reach::Reach;

pub(crate) const CATALOG: &str = "culprit";

/// Handles do not print what they hold.
macro_rules! debug_by_name {
    ($type:ident) => {
        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($type)).finish_non_exhaustive()
            }
        }
    };
}

pub(crate) use debug_by_name;

pub(crate) struct ProjectCatalog {
    storage: Storage,
    reach: Reach,
    range: TimeRange,
}

debug_by_name!(ProjectCatalog);

impl ProjectCatalog {
    pub(crate) fn new(storage: Storage, reach: Reach, range: TimeRange) -> Self {
        Self { storage, reach, range }
    }
}

impl CatalogProvider for ProjectCatalog {
    /// Naming a project is the only way to reach its stores; they are not listed across projects.
    fn schema_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        let project = ProjectName::parse(name).ok().filter(|project| self.reach.includes(project))?;
        Some(Arc::new(ProjectTables { storage: self.storage.clone(), project, range: self.range }))
    }
}

struct ProjectTables {
    storage: Storage,
    project: ProjectName,
    range: TimeRange,
}

debug_by_name!(ProjectTables);

#[async_trait]
impl SchemaProvider for ProjectTables {
    fn table_names(&self) -> Vec<String> {
        self.storage.stores(&self.project).iter().map(|store| store.name().to_string()).collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let external = |error| DataFusionError::External(Box::new(error));
        let Ok(name) = StoreName::parse(name) else { return Ok(None) };
        // Not an error here: the planner also asks for table functions and CTEs. The engine names the missing store.
        let Some(store) = self.storage.store(&self.project, &name) else { return Ok(None) };
        let table: Arc<dyn TableProvider> = match store.kind() {
            StoreKind::Logs => Arc::new(LogsTable::new(self.storage.clone(), store)),
            StoreKind::Metrics => Arc::new(MetricsTable::open(self.storage.clone(), store).await.map_err(external)?),
        };
        within(table, name.as_str(), self.range).map(Some)
    }

    fn table_exist(&self, name: &str) -> bool {
        StoreName::parse(name).is_ok_and(|name| self.storage.store(&self.project, &name).is_some())
    }
}

/// A bounded range is a view with a filter on time: the planner pushes it down like one that the user wrote.
fn within(table: Arc<dyn TableProvider>, name: &str, range: TimeRange) -> Result<Arc<dyn TableProvider>> {
    let from = range.from.map(|from| ident(TIME).gt_eq(time_literal(from)));
    let to = range.to.map(|to| ident(TIME).lt(time_literal(to)));
    let Some(bounds) = from.into_iter().chain(to).reduce(Expr::and) else { return Ok(table) };
    let plan = LogicalPlanBuilder::scan(name, provider_as_source(table), None)?.filter(bounds)?.build()?;
    Ok(Arc::new(ViewTable::new(plan, None)))
}

fn time_literal(at: UnixNanos) -> Expr {
    lit(ScalarValue::TimestampNanosecond(Some(at.0), Some("UTC".into())))
}

/// The range that filters on `_time` leave: a superset of what they accept, good for leaving out whole files.
pub(crate) fn time_range(filters: &[Expr]) -> TimeRange {
    let mut range = TimeRange::ALL;
    for filter in filters {
        narrow(filter, &mut range);
    }
    range
}

fn narrow(filter: &Expr, range: &mut TimeRange) {
    use datafusion::logical_expr::{BinaryExpr, Operator};
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = filter else { return };
    if *op == Operator::And {
        narrow(left, range);
        narrow(right, range);
        return;
    }
    let (op, bound) = match (left.as_ref(), right.as_ref()) {
        (Expr::Column(column), value) if column.name == TIME => (*op, nanoseconds(value)),
        (value, Expr::Column(column)) if column.name == TIME => (op.swap().unwrap_or(*op), nanoseconds(value)),
        _ => return,
    };
    let Some(bound) = bound else { return };
    let raise = |range: &mut TimeRange, from| range.from = Some(range.from.map_or(from, |old| old.max(from)));
    let lower = |range: &mut TimeRange, to| range.to = Some(range.to.map_or(to, |old| old.min(to)));
    match op {
        Operator::Gt | Operator::GtEq => raise(range, UnixNanos(bound)),
        Operator::Lt => lower(range, UnixNanos(bound)),
        Operator::LtEq => lower(range, UnixNanos(bound.saturating_add(1))),
        Operator::Eq => {
            raise(range, UnixNanos(bound));
            lower(range, UnixNanos(bound.saturating_add(1)));
        }
        _ => {}
    }
}

fn nanoseconds(value: &Expr) -> Option<i64> {
    match value {
        Expr::Literal(ScalarValue::TimestampNanosecond(at, _), _) => *at,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::col;

    use super::*;

    #[test]
    fn filters_on_time_become_a_range() {
        let at = |ns| time_literal(UnixNanos(ns));
        let range = |from, to| TimeRange { from: Some(UnixNanos(from)), to: Some(UnixNanos(to)) };
        let time = || col(TIME);
        for (filter, expected) in [
            (time().gt_eq(at(5)).and(time().lt(at(9))), range(5, 9)),
            (at(5).lt(time()).and(time().lt_eq(at(9))), range(5, 10)),
            (time().eq(at(7)), range(7, 8)),
            (time().gt(at(1)).or(time().lt(at(9))), TimeRange::ALL),
            (col("n").gt(at(1)), TimeRange::ALL),
        ] {
            assert_eq!(time_range(std::slice::from_ref(&filter)), expected, "{filter}");
        }
    }
}
