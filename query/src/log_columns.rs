//! The columns that every log group has, whoever sent it: `__time__` in seconds, `__source__`, `__topic__`, and tags as `__tag__:name`.

use arrow::datatypes::DataType;
use culprit_store::{OFFSET, OVERFLOW, RECEIVED, ROW, TIME};
use datafusion::error::Result;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, ident};

use crate::scope::null;
use crate::time_filter::seconds;

pub(crate) const LOG_TIME: &str = "__time__";
/// The same as a timestamp, for conditions on days.
pub(crate) const LOG_DATE: &str = "__date__";
pub(crate) const NANOS_PART: &str = "__time_ns_part__";
pub(crate) const SOURCE: &str = "__source__";
pub(crate) const TOPIC: &str = "__topic__";
pub(crate) const PACK_ID: &str = "__tag__:__pack_id__";
pub(crate) const PACK_META: &str = "__pack_meta__";
/// Rows around a row, by distance.
pub(crate) const INDEX_NUMBER: &str = "__index_number__";

/// There for conditions and functions, not part of `*`.
pub(crate) const UNLISTED: [&str; 6] = [LOG_DATE, TIME, RECEIVED, OVERFLOW, OFFSET, ROW];

/// The plan with these columns in front.
pub(crate) fn project(plan: LogicalPlan) -> Result<LogicalPlan> {
    let schema = plan.schema().clone();
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let text = |name: &str| if names.contains(&name) { ident(name) } else { null(DataType::Utf8) }.alias(name);
    let mut columns = vec![seconds().alias(LOG_TIME), text(SOURCE), text(TOPIC)];
    let own = |name: &str| matches!(name, LOG_TIME | LOG_DATE | SOURCE | TOPIC);
    columns.extend(names.iter().filter(|name| !own(name)).map(|name| ident(*name)));
    columns.push(ident(TIME).alias(LOG_DATE));
    LogicalPlanBuilder::from(plan).project(columns)?.build()
}
