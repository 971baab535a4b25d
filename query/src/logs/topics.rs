//! The topics that the rows of a logstore have.

use culprit_store::{ProjectName, StoreName, TimeRange};
use datafusion::logical_expr::{LogicalPlanBuilder, ident, lit};

use crate::limits::TOPICS_MAX;
use crate::log_columns::TOPIC;
use crate::logs::Place;
use crate::logs::text::ColumnText;
use crate::search::Search;
use crate::{QueryError, SqlEngine};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topics {
    pub topics: Vec<String>,
    /// Where the next answer begins; empty at the end.
    pub next_token: String,
}

/// At most `line` topics in order, from `token` on.
pub async fn topics(
    engine: &SqlEngine,
    project: &ProjectName,
    store: &StoreName,
    token: &str,
    line: usize,
) -> Result<Topics, QueryError> {
    let line = line.min(TOPICS_MAX);
    let place = Place { engine, project, store, range: TimeRange::ALL };
    let rows = place.rows(&Search::Everything, |plan| {
        if !plan.schema().has_column_with_unqualified_name(TOPIC) {
            return LogicalPlanBuilder::empty(false).build();
        }
        LogicalPlanBuilder::from(plan)
            .filter(ident(TOPIC).gt_eq(lit(token)))?
            .project([ident(TOPIC).alias("topic")])?
            .distinct()?
            .sort([ident("topic").sort(true, false)])?
            .limit(0, Some(line + 1))?
            .build()
    });
    let mut topics = Vec::new();
    for batch in rows.await?.collect(line + 1).await? {
        for column in ColumnText::of_batch(&batch)? {
            topics.extend((0..batch.num_rows()).filter_map(|row| column.text(row)));
        }
    }
    let next_token = if topics.len() > line { topics.split_off(line).remove(0) } else { String::new() };
    Ok(Topics { topics, next_token })
}
