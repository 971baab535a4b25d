//! One page of a search: rows in the order of their time, then of their way into the shard.

use std::time::Duration;

use culprit_store::{OFFSET, RECEIVED, ROW, TIME};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, SortExpr, ident};

use crate::QueryError;
use crate::limits::{LOGS_LINES_MAX, LOGS_OFFSET_MAX};
use crate::log_columns::{PACK_ID, PACK_META};
use crate::logs::context::{pack_id, pack_meta};
use crate::logs::text::{ColumnText, log_fields};
use crate::logs::{GetLogs, LogFields, LogsAnswer, Place};
use crate::search::Search;

impl Place<'_> {
    pub(super) async fn page(
        &self,
        search: &Search,
        request: &GetLogs,
        wants_places: bool,
    ) -> Result<LogsAnswer, QueryError> {
        if request.offset > LOGS_OFFSET_MAX {
            let why = format!("offset {} is more than {LOGS_OFFSET_MAX}; narrow the range of time", request.offset);
            return Err(QueryError::Invalid(why));
        }
        let lines = request.line.min(LOGS_LINES_MAX);
        let rows = self.rows(search, |plan| {
            let keys = order(&plan, request.reverse);
            LogicalPlanBuilder::from(plan).sort(keys)?.limit(request.offset, Some(lines))?.build()
        });
        let rows = rows.await?;
        let scanned = rows.scanned();
        let mut logs = Vec::new();
        for batch in rows.collect(lines).await? {
            let columns = ColumnText::of_batch(&batch)?;
            logs.extend((0..batch.num_rows()).map(|row| {
                let mut fields = log_fields(&columns, row);
                if wants_places {
                    add_place(&mut fields, &columns, row);
                }
                fields
            }));
        }
        Ok(LogsAnswer {
            rows: logs,
            has_sql: false,
            keys: Vec::new(),
            column_types: Vec::new(),
            where_query: String::new(),
            agg_query: String::new(),
            terms: Vec::new(),
            limited: None,
            processed_rows: scanned.rows(),
            elapsed: Duration::ZERO,
        })
    }
}

/// A metricstore has no places.
fn order(plan: &LogicalPlan, is_reverse: bool) -> Vec<SortExpr> {
    let has = |name: &&str| plan.schema().has_column_with_unqualified_name(name);
    [TIME, RECEIVED, OFFSET, ROW].into_iter().filter(has).map(|name| ident(name).sort(!is_reverse, false)).collect()
}

/// Names the row, so that somebody can ask for what is around it.
pub(super) fn add_place(fields: &mut LogFields, columns: &[ColumnText<'_>], row: usize) {
    let Some(meta) = pack_meta(columns, row) else { return };
    let id = pack_id(fields);
    if !fields.iter().any(|(name, _)| name == PACK_ID) {
        fields.push((PACK_ID.to_owned(), id));
    }
    fields.push((PACK_META.to_owned(), meta));
}
