//! How the rows of a store reach a query: within its time, left by its search, typed by the index, and with the columns that the asker knows.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use culprit_store::{OVERFLOW, ProjectName, Storage, StoreKind, StoreName, StoreState, TimeRange};
use datafusion::catalog::TableProvider;
use datafusion::common::ScalarValue;
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, ident, lit, try_cast};

use crate::functions::json_text;
use crate::index::IndexConfig;
use crate::logs_table::LogsTable;
use crate::metrics_table::MetricsTable;
use crate::reach::Reach;
use crate::search::{FilterColumns, Search, filter};
use crate::table::Source;
use crate::union::union;
use crate::{QueryError, log_columns, time_filter};

/// Which columns a table shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Face {
    /// Those of the store, typed by its index.
    Native,
    /// Beside them those that clients of the cloud service know: `__time__`, `__source__`, `__topic__`.
    Sls,
    /// As they came, with their place in the shard.
    Places,
}

#[derive(Clone)]
pub(crate) struct Scope {
    pub(crate) storage: Storage,
    pub(crate) reach: Reach,
    pub(crate) range: TimeRange,
    pub(crate) face: Face,
    pub(crate) texts: Texts,
}

/// How texts of logs come.
#[derive(Debug, Clone)]
pub(crate) enum Texts {
    Plain,
    /// As dictionaries, but for those of the columns named.
    Coded {
        plain: Arc<[String]>,
    },
}

impl Scope {
    pub(crate) fn has(&self, project: &ProjectName, name: &StoreName) -> bool {
        self.storage.store(project, name).is_some() || self.storage.view(project, name).is_some()
    }

    pub(crate) fn names(&self, project: &ProjectName) -> Vec<String> {
        if !self.reach.includes(project) {
            return Vec::new();
        }
        let stores = self.storage.stores(project);
        let views = self.storage.views(project);
        stores
            .iter()
            .map(|store| store.name())
            .chain(views.iter().map(|view| &view.name))
            .map(ToString::to_string)
            .collect()
    }

    /// None when there is no such store.
    pub(crate) async fn table(
        &self,
        project: &ProjectName,
        name: &StoreName,
    ) -> Result<Option<Arc<dyn TableProvider>>, QueryError> {
        if !self.has(project, name) {
            return Ok(None);
        }
        let plan = self.plan(project, name, &Search::Everything).await?;
        Ok(Some(as_table(plan)))
    }

    /// The rows that a search leaves of a store, or of all stores of a view.
    pub(crate) async fn plan(
        &self,
        project: &ProjectName,
        name: &StoreName,
        search: &Search,
    ) -> Result<LogicalPlan, QueryError> {
        let mut members = Vec::new();
        for store in self.members(project, name)? {
            members.push(self.member(store, search).await?);
        }
        let plan = union(members).map_err(QueryError::plan)?;
        match self.face {
            Face::Sls => log_columns::project(plan).map_err(QueryError::plan),
            Face::Native | Face::Places => Ok(plan),
        }
    }

    /// A store alone, or those of a view that are still there.
    fn members(&self, project: &ProjectName, name: &StoreName) -> Result<Vec<Arc<StoreState>>, QueryError> {
        self.reach.check(project)?;
        let Some(view) = self.storage.view(project, name) else {
            return Ok(vec![self.storage.expect_store(project, name)?]);
        };
        view.members.iter().try_for_each(|member| self.reach.check(&member.project))?;
        let stores = view.members.iter().filter_map(|member| self.storage.store(&member.project, &member.store));
        let stores: Vec<_> = stores.collect();
        if stores.is_empty() {
            return Err(QueryError::Invalid(format!("view {name} of project {project} has no store any more")));
        }
        Ok(stores)
    }

    async fn member(&self, store: Arc<StoreState>, search: &Search) -> Result<LogicalPlan, QueryError> {
        let index = self.index(&store)?;
        let name = store.name().to_string();
        let table = self.rows(store, index.as_ref()).await?;
        let schema = table.schema();
        let columns = FilterColumns { schema: &schema, index: index.as_ref() };
        let found = (*search != Search::Everything).then(|| filter(search, &columns));
        let build = || {
            let mut plan = LogicalPlanBuilder::scan(name, provider_as_source(table), None)?;
            for condition in time_filter::bounds(self.range).into_iter().chain(found) {
                plan = plan.filter(condition)?;
            }
            if let Some(index) = index.as_ref().filter(|_| self.face != Face::Places) {
                plan = plan.project(typed(&schema, index))?;
            }
            plan.build()
        };
        build().map_err(QueryError::plan)
    }

    /// A store, or those of a view, to be read without a query.
    pub(crate) async fn sources(&self, project: &ProjectName, name: &StoreName) -> Result<Vec<Source>, QueryError> {
        let mut sources = Vec::new();
        for store in self.members(project, name)? {
            sources.push(match self.index(&store)? {
                None => Source::Rows(self.rows(store, None).await?, time_filter::bounds(self.range)),
                Some(_) => Source::Query(as_table(self.member(store, &Search::Everything).await?)),
            });
        }
        Ok(sources)
    }

    /// All rows of a store, as they came.
    async fn rows(
        &self,
        store: Arc<StoreState>,
        index: Option<&IndexConfig>,
    ) -> Result<Arc<dyn TableProvider>, QueryError> {
        let storage = self.storage.clone();
        Ok(match (store.kind(), self.face) {
            (StoreKind::Metrics, _) => Arc::new(MetricsTable::open(storage, store).await?),
            (StoreKind::Logs, Face::Native) => {
                let table = LogsTable::new(storage, store);
                Arc::new(match &self.texts {
                    Texts::Plain => table,
                    Texts::Coded { plain } => table.with_coded_texts(|name| {
                        plain.iter().any(|column| column == name) || index.is_some_and(|index| index.looks_into(name))
                    }),
                })
            }
            (StoreKind::Logs, Face::Sls | Face::Places) => Arc::new(LogsTable::with_places(storage, store)),
        })
    }

    fn index(&self, store: &StoreState) -> Result<Option<IndexConfig>, QueryError> {
        self.storage.index_config(store).map(|text| IndexConfig::parse(&text)).transpose()
    }
}

pub(crate) fn as_table(plan: LogicalPlan) -> Arc<dyn TableProvider> {
    Arc::new(ViewTable::new(plan, None))
}

/// The columns as the index types them. Those that it names and nobody has sent yet are there too, and null.
fn typed(schema: &Schema, index: &IndexConfig) -> Vec<Expr> {
    let has = |name: &str| schema.column_with_name(name).is_some();
    let mut columns: Vec<Expr> =
        schema.fields().iter().map(|field| typed_column(field.name(), schema, index)).collect();
    let mut taken: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
    let mut add = |name: String, expr: Expr| {
        if !taken.contains(&name) {
            columns.push(expr.alias(name.clone()));
            taken.push(name);
        }
    };
    for (name, key) in &index.keys {
        let value = if has(name) {
            typed_column(name, schema, index)
        } else {
            let stray = crate::functions::overflow_value(name);
            match key.key_type.arrow() {
                _ if !has(OVERFLOW) => null(key.key_type.arrow().unwrap_or(DataType::Utf8)),
                Some(number) => try_cast(stray, number),
                None => stray,
            }
        };
        add(name.clone(), value.clone());
        if let Some(alias) = key.alias.as_ref().filter(|alias| !alias.is_empty()) {
            add(alias.clone(), value.clone());
        }
        for (path, json) in &key.json_keys {
            let text = json_text(value.clone(), path);
            let value = json.key_type.arrow().map_or(text.clone(), |number| try_cast(text, number));
            add(format!("{name}.{path}"), value.clone());
            if let Some(alias) = json.alias.as_ref().filter(|alias| !alias.is_empty()) {
                add(alias.clone(), value);
            }
        }
    }
    columns
}

fn typed_column(name: &str, schema: &Schema, index: &IndexConfig) -> Expr {
    let is_text = |of: &DataType| matches!(of, DataType::Utf8 | DataType::Dictionary(..));
    let is_text = schema.field_with_name(name).is_ok_and(|field| is_text(field.data_type()));
    match index.keys.get(name).and_then(|key| key.key_type.arrow()) {
        Some(number) if is_text => try_cast(ident(name), number).alias(name),
        _ => ident(name),
    }
}

pub(crate) fn null(data_type: DataType) -> Expr {
    let value = ScalarValue::try_from(&data_type).unwrap_or(ScalarValue::Null);
    lit(value)
}
