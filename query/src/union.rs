//! Several stores as one table: columns by name, absent ones null, and text where two stores do not agree on a type.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, ident};

use crate::scope::null;

/// One member stays as it is.
pub(crate) fn union(mut members: Vec<LogicalPlan>) -> Result<LogicalPlan> {
    if members.len() == 1 {
        return Ok(members.remove(0));
    }
    let schemas: Vec<Schema> = members.iter().map(|plan| plan.schema().as_arrow().clone()).collect();
    let columns = columns(&schemas);
    let mut aligned = members.into_iter().zip(&schemas).map(|(plan, schema)| {
        let columns = columns.iter().map(|column| align(column, schema));
        LogicalPlanBuilder::from(plan).project(columns)?.build()
    });
    let first = match aligned.next() {
        Some(first) => LogicalPlanBuilder::from(first?),
        None => LogicalPlanBuilder::empty(false),
    };
    aligned.try_fold(first, |all, next| all.union(next?))?.build()
}

/// In the order in which the members bring them.
pub(crate) fn columns<'s>(schemas: impl IntoIterator<Item = &'s Schema>) -> Vec<Arc<Field>> {
    let mut columns: Vec<Arc<Field>> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for field in schemas.into_iter().flat_map(|schema| schema.fields()) {
        match places.entry(field.name()) {
            Entry::Occupied(place) => {
                let column = &mut columns[*place.get()];
                let data_type = common_type(column.data_type(), field.data_type());
                *column = Arc::new(Field::new(field.name(), data_type, true));
            }
            Entry::Vacant(place) => {
                place.insert(columns.len());
                columns.push(Arc::new(field.as_ref().clone().with_nullable(true)));
            }
        }
    }
    columns
}

fn common_type(a: &DataType, b: &DataType) -> DataType {
    match (a, b) {
        _ if a == b => a.clone(),
        (DataType::Null, known) | (known, DataType::Null) => known.clone(),
        (DataType::Int64, DataType::Float64) | (DataType::Float64, DataType::Int64) => DataType::Float64,
        _ => DataType::Utf8,
    }
}

fn align(column: &Field, schema: &Schema) -> Expr {
    let name = column.name();
    let value = match schema.field_with_name(name) {
        Ok(field) if field.data_type() == column.data_type() => ident(name),
        Ok(_) => cast(ident(name), column.data_type().clone()),
        Err(_) => null(column.data_type().clone()),
    };
    value.alias(name)
}
