//! The incidents that the same rule had before, from the store that keeps them.

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use culprit_query::SqlEngine;
use culprit_store::{ProjectName, StoreName, TimeRange, UnixNanos};

use super::Found;
use crate::RcaError;
use crate::investigate::recall::{Earlier, recalled};
use crate::limits::RECALL;
use crate::sql::{quoted, text};

/// Where incidents are kept, and which are meant: those of one rule but the one at hand.
#[derive(Debug, Clone)]
pub struct Past {
    pub project: ProjectName,
    pub store: StoreName,
    pub rule: String,
    /// None: of any group.
    pub group: Option<String>,
    /// The incident at hand.
    pub incident: Option<String>,
}

pub(super) async fn recall(
    engine: &SqlEngine,
    past: &Past,
    until: UnixNanos,
    conditions: Vec<String>,
) -> Result<Found, RcaError> {
    let reach = i64::try_from(RECALL.as_nanos()).unwrap_or(i64::MAX);
    let range = TimeRange::new(UnixNanos(until.0.saturating_sub(reach)), until);
    let query = format!(
        "SELECT id, CAST(min(_time) AS BIGINT) AS fired_at, last_value(cause ORDER BY revision) AS cause FROM {} \
         WHERE rule = {}{} AND cause IS NOT NULL AND id <> {} GROUP BY id ORDER BY fired_at DESC LIMIT 20",
        quoted(past.store.as_str()),
        text(&past.rule),
        past.group.as_ref().map(|group| format!(" AND rule_group = {}", text(group))).unwrap_or_default(),
        text(past.incident.as_deref().unwrap_or("")),
    );
    let mut earlier = Vec::new();
    for batch in engine.query(&past.project, &query, range).await? {
        let column = |at: usize, to: &DataType| {
            let name = batch.schema_ref().field(at).name().clone();
            cast(batch.column(at), to).map_err(|source| RcaError::Column { column: name, source })
        };
        let (ids, causes) = (column(0, &DataType::Utf8)?, column(2, &DataType::Utf8)?);
        let times = column(1, &DataType::Int64)?;
        let (ids, times, causes) =
            (ids.as_string::<i32>(), times.as_primitive::<Int64Type>(), causes.as_string::<i32>());
        earlier.extend((0..batch.num_rows()).map(|row| Earlier {
            id: ids.value(row).to_owned(),
            fired_at: times.value(row),
            cause: causes.value(row).to_owned(),
        }));
    }
    let looked_at = vec![format!("{} earlier incidents of the rule", earlier.len())];
    Ok(Found { pieces: recalled(earlier, &conditions), looked_at, left_out: Vec::new() })
}
